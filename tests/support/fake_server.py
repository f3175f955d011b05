"""A server that answers by a script, and remembers what it was asked: for what no real one can be made to do."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from kaquan.client import Client, NewPayment, Retries

TOKEN = "kq_live_abcdefghijkl_mzxw6ytboi"
QUICK = Retries(attempts=4, total_seconds=20, first_wait_ms=2, longest_wait_ms=10)
ORDER = NewPayment(merchant="mall-1", amount_fen=1_230, order_no="0001", card="9286001234567897")

Step = Callable[["Handler"], None]


@dataclass
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Script:
    """What the server says next; the last step is repeated."""

    address: str = ""
    steps: list[Step] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self) -> Step:
        """The step for a request that just came."""
        with self.lock:
            return self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]

    def keys(self) -> list[str | None]:
        """The idempotency keys of all requests."""
        return [one.headers.get("idempotency-key") for one in self.asked]


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    script: Script

    def answer(self, status: int, content: bytes, **headers: str) -> None:
        """A whole answer."""
        self.send_response(status)
        for name, given in {"content_length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), given)
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        """Remember, then play a step."""
        length = int(self.headers.get("content-length", 0))
        content = self.rfile.read(length)
        body = json.loads(content) if content else None
        headers = {name.lower(): given for name, given in self.headers.items()}
        with self.script.lock:
            self.script.asked.append(Asked(self.command, self.path, headers, body))
        self.script.next()(self)

    do_GET = do_POST

    def log_message(self, format: str, *arguments: Any) -> None:
        """Quietly."""


def says(status: int, document: Any = None, **headers: str) -> Step:
    """An answer with a document."""
    return lambda handler: handler.answer(status, json.dumps(document or {}).encode(), **headers)


def problem(status: int, code: str, *, retry_after: str | None = None, **more: Any) -> Step:
    """Problem details."""
    told = {"type": f"urn:kaquan:problem:{code}", "status": status, "code": code, "title": code.upper(), **more}
    headers = {"retry_after": retry_after} if retry_after is not None else {}
    return says(status, told, **headers)


def cut(handler: Handler) -> None:
    """The connection is torn down after the request was read, without an answer."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def hangs(seconds: float) -> Step:
    """No answer for so long, then a torn connection."""

    def step(handler: Handler) -> None:
        threading.Event().wait(seconds)
        handler.close_connection = True

    return step


def drips(seconds: float, parts: int) -> Step:
    """An answer that comes byte by byte."""

    def step(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("content-length", str(parts))
        handler.end_headers()
        handler.close_connection = True
        for _ in range(parts):
            try:
                handler.wfile.write(b" ")
            except OSError:
                return
            threading.Event().wait(seconds)

    return step


@contextmanager
def playing(*steps: Step) -> Iterator[Script]:
    """A server that plays these steps."""
    script = Script(steps=list(steps))
    handler = type("Played", (Handler,), {"script": script})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    script.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def client(script: Script, retries: Retries = QUICK, timeout: float = 10) -> Client:
    """A client of the server that plays a script."""
    return Client(script.address, TOKEN, timeout=timeout, retries=retries)
