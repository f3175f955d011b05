"""A connection of a caller: patient only so long, and quick with payments that need nothing looked up."""

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from kaquan.api.gate import too_busy

CONNECTIONS_MAX = 2_000  # of a process; who comes beyond them is told to come back
HEAD_BYTES_MAX = 32 * 1024
HEAD_SECONDS = 10.0  # for the head of a request to come in; a body has its own limit
READ_SECONDS = 30.0  # for a caller to take a little more of an answer
EXPRESS_PATH = b"/v1/payments"
EXPRESS_BYTES_MAX = 16 * 1024  # of a body; larger ones are counted against the room that all bodies share


class HeadTooLarge(Exception):
    """A head, or what follows a body in parts, that goes on and on."""


class Connection(HttpToolsProtocol):
    """Ends connections on which nothing is asked, or whose answer nobody reads, or whose heads never end.

    There is room for so many connections; without this whoever opens them all and is silent keeps everybody out.
    A payment whose request came in whole is offered to `express`; all else goes to the application.
    """

    _head: asyncio.TimerHandle | None = None
    _reader: asyncio.TimerHandle | None = None
    _unused = 0  # bytes that came in and were no part of a body yet
    _headed = False  # whether the head of the request is there: what calls itself a header after it is none
    _held: bytearray | None = None  # the body of a request that may be for `express`

    def __init__(self, *given: Any, express: Callable[..., bool] | None = None, **named: Any) -> None:
        super().__init__(*given, **named)
        self._express = express

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
        """A part of a request. A head that has begun ends in time and size; slow dripping wins nothing."""
        self._unused += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            self._held = None
            return
        if self._held is not None:
            self._by_the_long_way(whole=False)
        if self._unused > HEAD_BYTES_MAX:
            self.send_400_response("The head of the request is too large.")
            return
        if self.cycle is not None and not self.cycle.response_complete:
            _over(self._head)
            self._head = None
        elif self._head is None and self._unused:
            self._head = self.loop.call_later(HEAD_SECONDS, self.transport.abort)
        elif self._head is not None and not self._unused:
            _over(self._head)
            self._head = None

    def on_message_begin(self) -> None:
        """A request begins."""
        self._headed = False
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header. Trailers count for nothing: what let a request in is known before its body."""
        if not self._headed:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._headed = True
        size = sum(len(name) + len(value) for name, value in self.headers) if self._unused > HEAD_BYTES_MAX else 0
        if size > HEAD_BYTES_MAX:
            raise HeadTooLarge
        self._unused = 0
        if self._may_be_express():
            self._held = bytearray()
        else:
            super().on_headers_complete()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        super()._start_asgi_task(cycle, app if len(self.connections) <= CONNECTIONS_MAX else _TOO_BUSY)

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._unused = 0
        if self._held is None:
            super().on_body(body)
        else:
            self._held += body

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._unused = 0
        if self._held is None:
            super().on_message_complete()
            return
        cycle, before = _ExpressCycle(self), self.cycle
        self.cycle = cycle  # type: ignore[assignment]
        fits = len(self._held) <= EXPRESS_BYTES_MAX
        if fits and self._express is not None and self._express(self.headers, bytes(self._held), cycle.send):
            self._held = None
        else:
            self.cycle = before
            self._by_the_long_way(whole=True)

    def _may_be_express(self) -> bool:
        """Whether it is a payment on a connection that is as usual."""
        return (
            self._express is not None
            and self.url == EXPRESS_PATH
            and self.parser.get_method() == b"POST"
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            and not self.parser.should_upgrade()
            and not self.expect_100_continue
            and not self.flow.write_paused
            and (self.cycle is None or self.cycle.response_complete)
            and len(self.connections) <= CONNECTIONS_MAX
        )

    def _by_the_long_way(self, whole: bool) -> None:
        """Give the application what was held back."""
        held, self._held = self._held, None
        super().on_headers_complete()
        if held:
            super().on_body(bytes(held))
        if whole:
            super().on_message_complete()

    def pause_writing(self) -> None:
        """The caller reads slower than we write."""
        super().pause_writing()
        self._reader = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The caller read on."""
        _over(self._reader)
        super().resume_writing()


class _ExpressCycle:
    """Stands where uvicorn keeps the request that is under way, so that stops and further requests wait for it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.response_complete = False
        self.disconnected = False
        self.keep_alive = True
        self.message_event = asyncio.Event()

    def send(self, status: int, headers: list[tuple[bytes, bytes]], content: bytes) -> None:
        """The answer."""
        connection = self._connection
        self.response_complete = True
        if self.disconnected or connection.transport.is_closing():
            return
        lines = [STATUS_LINE[status]]
        for name, value in (*connection.server_state.default_headers, *headers):
            lines += (name, b": ", value, b"\r\n")
        ending = b"" if self.keep_alive else b"connection: close\r\n"
        lines.append(b"content-length: %d\r\n%b\r\n%b" % (len(content), ending, content))
        connection.transport.write(b"".join(lines))
        if not self.keep_alive:
            connection.transport.close()
        connection.on_response_complete()


_TOO_BUSY: Any = too_busy


def _over(waiting: asyncio.TimerHandle | None) -> None:
    if waiting is not None:
        waiting.cancel()
