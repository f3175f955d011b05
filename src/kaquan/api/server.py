"""Serving over HTTP: uvicorn with the limits of the house, ended in order."""

import asyncio
import errno
import ipaddress
import socket
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTIONS_MAX = 2_000
KEEP_ALIVE_SECONDS = 30
DRAIN_SECONDS = 30  # what was taken in is answered within this time of a stop
HEAD_BYTES_MAX = 32 * 1024
BACKLOG = 2_048
HEAD_SECONDS = 10.0  # for the head of a request to come in; a body has its own limit
READ_SECONDS = 30.0  # for a caller to take a little more of an answer


class AddressTaken(Exception):
    """Another process listens at this address."""


class AddressUnknown(Exception):
    """This machine has no such address, or may not listen there."""


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What stands between the server and its callers: certificate and key in files, or the address of a proxy whose
    word about where a caller comes from is taken."""

    certificate: Path | None = None
    private_key: Path | None = None
    proxy: str | None = None


def is_this_machine(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 is a free one. Raises `AddressTaken` or `AddressUnknown`."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as trouble:
        if trouble.errno == errno.EADDRINUSE:
            raise AddressTaken(f"{host}:{port}") from None
        raise AddressUnknown(f"{host}:{port}") from None


class Impatient(H11Protocol):
    """Ends connections on which nothing is asked, or whose answer nobody reads.

    There is room for so many connections; without this whoever opens them all and is silent keeps everybody out.
    """

    _head: asyncio.TimerHandle | None = None
    _reader: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The head of the first request is waited for."""
        super().connection_made(transport)
        self._head = self.loop.call_later(HEAD_SECONDS, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for."""
        _over(self._head)
        _over(self._reader)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A part of a request. A head that has begun ends in time; slow dripping wins nothing."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            _over(self._head)
            self._head = None
        elif self._head is None:
            self._head = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def pause_writing(self) -> None:
        """The caller reads slower than we write."""
        super().pause_writing()
        self._reader = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The caller read on."""
        _over(self._reader)
        super().resume_writing()


def _over(waiting: asyncio.TimerHandle | None) -> None:
    if waiting is not None:
        waiting.cancel()


def serve(application: Any, listener: socket.socket, around: Surroundings) -> None:
    """Serve until the process is told to stop (SIGTERM, Ctrl-C): requests under way are finished first, then the
    signal takes its usual course."""
    uvicorn.Server(configured(application, around)).run(sockets=[listener])


def configured(application: Any, around: Surroundings) -> uvicorn.Config:
    """The limits of the house."""
    return uvicorn.Config(
        application,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=around.proxy is not None,
        forwarded_allow_ips=around.proxy,
        ssl_certfile=around.certificate,
        ssl_keyfile=around.private_key,
        backlog=BACKLOG,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        h11_max_incomplete_event_size=HEAD_BYTES_MAX,
        http=Impatient,
        ws="none",
    )
