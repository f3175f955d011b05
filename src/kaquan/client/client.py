"""The client: one server, one token."""

import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal, Self

import msgspec

from kaquan.client.keys import checked, new_key
from kaquan.client.payments import Payments
from kaquan.client.resources import Cards, Claims, Holders, Quotes, Vouchers
from kaquan.client.retries import Patience, Retries
from kaquan.client.transport import Request, Transport

TIMEOUT_SECONDS = 30.0
"""For one attempt: longer than a server takes to say that it does not know yet."""


class Client:
    """Calls of one server under one token. Thread-safe: share one, and close it at the end (`with`).

    `timeout` are the seconds of one attempt, `retries` how often and how long a call is repeated, `language` that of
    words in refusals. `tls` is a context with certificates of your own, `proxy` the address of a proxy; nothing is
    read from the environment. Raises `ValueError` for an address or token that can't be one.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout: float = TIMEOUT_SECONDS,
        retries: Retries | None = None,
        language: Literal["zh", "en"] = "zh",
        proxy: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._transport = Transport(base_url, token, timeout_seconds=timeout, language=language, proxy=proxy, tls=tls)
        self._retries = retries or Retries()
        self.payments = Payments(self)
        self.quotes = Quotes(self)
        self.claims = Claims(self)
        self.cards = Cards(self)
        self.holders = Holders(self)
        self.vouchers = Vouchers(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        """Without the token."""
        return f"Client({self._transport.server!r})"

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        query: Mapping[str, str] | None = None,
        dry_run: bool = False,
        reads: bool = False,
    ) -> dict[str, Any]:
        """Any operation of the interface, such as `call("POST", "/v1/cards", {...})`; the answer as it is.

        What is not a GET changes something, unless it only `reads`, and gets a fresh `key` if none is given. Raises
        `Refused`, `Invalid`, `Unauthorized`, `Forbidden` or `NotFound` when the server says no, `Unknown` when it
        perhaps took effect, `Unreachable` when it surely did not.
        """
        moves = method.upper() != "GET" and not reads
        request = Request(
            method=method.upper(),
            path=_path(path),
            content=None if method.upper() == "GET" else msgspec.json.encode(body or {}),
            query=dict(query or {}),
            key=(checked(key) if key else new_key()) if moves else None,
            dry_run=dry_run,
            moves=moves,
        )
        return self.send(request, self.patience())

    def patience(self) -> Patience:
        """A fresh call's attempts and time."""
        return Patience(self._retries)

    def send(self, request: Request, patience: Patience) -> dict[str, Any]:
        """One request with what is left of its attempts. Raises as `call`."""
        return self._transport.send(request, patience)


def _path(path: str) -> str:
    """A path of the interface. Raises `ValueError`."""
    if not path.startswith("/") or path.startswith("//") or "?" in path or "#" in path:
        raise ValueError("a path begins with /v1/ and has no query: give that as `query`")
    return path
