"""One attempt: look the host up, judge its addresses, connect to one of them, send, read a little of the answer."""

import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from threading import Timer
from typing import Any

import httpx2

from kaquan.kernel import clock
from kaquan.kernel.refusal import Refusal
from kaquan.webhooks.addresses import Target, judged, target
from kaquan.webhooks.model import Answered, Reach

SEND_SECONDS = 15.0
"""The whole attempt, however slowly the receiver speaks: a receiver takes a message in and works on it later."""

CONNECT_SECONDS = 5.0
ANSWER_BYTES = 500
ADDRESSES_MAX = 3  # of one host that are tried before we call it unreachable
AGENT = "kaquan-webhooks/1"

for _talkative in ("httpx2", "httpcore2"):
    logging.getLogger(_talkative).setLevel(logging.WARNING)  # they log URLs, which may be a secret of two parties

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host; empty when there are none."""


def look_up(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as the system's resolver knows them."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(str(address[0]) for *_, address in found)


class Sender:
    """Sends to what `reach` allows. Connections are not kept: each attempt judges and connects anew.

    `trusted` replaces the authorities that receivers' certificates are checked with.
    """

    def __init__(self, reach: Reach, resolve: Resolve = look_up, trusted: ssl.SSLContext | None = None) -> None:
        self._reach = reach
        self._resolve = resolve
        self._trusted = trusted or httpx2.create_ssl_context(trust_env=False)

    def reachable(self, url: str) -> Refusal | None:
        """Why a URL can't be sent to now, or None."""
        found = self._found(url)
        return found if isinstance(found, Refusal) else None

    def send(self, url: str, headers: dict[str, str], body: bytes) -> Answered:
        """One attempt. What went wrong is told by its kind, never by words that may quote the message."""
        began = clock.seconds()

        def took() -> int:
            return int((clock.seconds() - began) * 1000)

        found = self._found(url)
        if isinstance(found, Refusal):
            return Answered(0, took(), failure=found.code.code)
        where, addresses = found
        failure = "unreachable"
        for address in addresses[:ADDRESSES_MAX]:
            try:
                status, answer = self._post(where, address, headers, body)
            except httpx2.ConnectError as trouble:
                failure = _told(trouble)  # nothing was sent: the next address may do
            except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError, ValueError) as trouble:
                return Answered(0, took(), failure=_told(trouble))
            else:
                return Answered(status, took(), answer)
        return Answered(0, took(), failure=failure)

    def _found(self, url: str) -> tuple[Target, tuple[str, ...]] | Refusal:
        where = target(url, self._reach)
        if isinstance(where, Refusal):
            return where
        addresses = judged(where.host, self._resolve(where.host, where.port), self._reach)
        return addresses if isinstance(addresses, Refusal) else (where, addresses)

    def _post(self, where: Target, address: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """The status and the beginning of the answer. The certificate must be the host's, not the address's."""
        host = f"[{address}]" if ":" in address else address
        sent = {"host": where.authority, "content-type": "application/json", "user-agent": AGENT, **headers}
        line = _Line()
        with (
            httpx2.Client(
                verify=self._trusted,
                trust_env=False,
                follow_redirects=False,
                timeout=httpx2.Timeout(SEND_SECONDS, connect=CONNECT_SECONDS),
            ) as client,
            line,
            client.stream(
                "POST",
                f"{where.scheme}://{host}:{where.port}{where.path}",
                headers=sent,
                content=body,
                extensions={"sni_hostname": where.host, "trace": line.trace},
            ) as response,
        ):
            answer = b""
            for part in response.iter_raw(ANSWER_BYTES):
                answer += part
                if len(answer) >= ANSWER_BYTES:
                    break
            return response.status_code, answer[:ANSWER_BYTES]


class _Line:
    """Cuts a connection when the time of its attempt is up: time-outs of single reads do not end a slow drip."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._timer = Timer(SEND_SECONDS, self._cut)

    def __enter__(self) -> "_Line":
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def trace(self, happened: str, facts: dict[str, Any]) -> None:
        """Learns of the socket as it is connected, and again as TLS begins on it."""
        if happened in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._socket = facts["return_value"].get_extra_info("socket")

    def _cut(self) -> None:
        if self._socket is not None:
            try:
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
            except OSError:
                return  # it is closed already


def _told(trouble: Exception) -> str:
    """What kind of trouble it was; certificates are told apart from connections."""
    cause: BaseException | None = trouble
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return "certificate"
        cause = cause.__cause__ or cause.__context__
    return {"ConnectTimeout": "timeout", "ReadTimeout": "timeout", "WriteTimeout": "timeout"}.get(
        type(trouble).__name__, "connection"
    )
