"""A receiver of webhooks on a real socket: what came, and what it answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple

from standardwebhooks.webhooks import Webhook

from kaquan.kernel.ids import Id
from kaquan.webhooks.model import Reach

LOCAL = Reach(http=True, private=True)
"""What a test lets webhooks reach: itself."""


class Came(NamedTuple):
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """By which a receiver knows what it has seen."""
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """The event, by the library of the specification. Raises when it was not signed with the secret."""
        return Webhook(secret).verify(self.body, self.headers)


class Receiver:
    """Answers every request with `status`, and keeps what came."""

    def __init__(self) -> None:
        self.came: list[Came] = []
        self.status = 204
        self.answer = b""
        self.location = ""
        self.port = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        """The ids of what came, in its order."""
        return [one.id for one in self.came]


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """A receiver that listens as long as this."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): given for name, given in self.headers.items()}
            receiver.came.append(Came(self.path, headers, body))
            self.send_response(receiver.status)
            if receiver.location:
                self.send_header("location", receiver.location)
            self.send_header("content-length", str(len(receiver.answer)))
            self.end_headers()
            self.wfile.write(receiver.answer)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        receiver.port = server.server_port
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield receiver
        finally:
            server.shutdown()


class Hooked(NamedTuple):
    """An endpoint and its secret."""

    id: Id
    secret: str
