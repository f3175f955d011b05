"""A connection in the middle: passes bytes on to a server, and breaks off, or holds answers back, when told."""

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

PART = 65_536


class Pipe:
    """Listens on a free port; use as a context manager."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._lock = threading.Lock()
        self._to_cut = 0
        self._passing = threading.Event()
        self._passing.set()
        self._open: list[socket.socket] = []
        self.answer_came = threading.Event()
        self.cut = 0

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        _started(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._passing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut_all()

    def cut_next(self, count: int) -> None:
        """Break off at the next answers: the request was sent, and answered, and the answer is lost."""
        with self._lock:
            self._to_cut = count

    def hold_answers(self) -> None:
        """Let no answer through; `answer_came` tells that one is there."""
        self.answer_came.clear()
        self._passing.clear()

    def pass_answers(self) -> None:
        """Let answers through again."""
        self._passing.set()

    def cut_all(self) -> None:
        """Break off every connection."""
        with self._lock:
            ends, self._open = self._open, []
        for end in ends:
            _torn(end)

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._port))
            except OSError:
                _torn(caller)
                continue
            with self._lock:
                self._open += [caller, server]
            _started(lambda ends=(caller, server): self._requests(*ends))
            _started(lambda ends=(caller, server): self._answers(*ends))

    def _requests(self, caller: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while part := caller.recv(PART):
                server.sendall(part)
        _torn(server)

    def _answers(self, caller: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while part := server.recv(PART):
                self.answer_came.set()
                self._passing.wait()
                with self._lock:
                    cutting = self._to_cut > 0
                    self._to_cut -= cutting
                    self.cut += cutting
                if cutting:
                    break
                caller.sendall(part)
        _torn(caller)
        _torn(server)


def _started(work: Callable[[], None]) -> None:
    threading.Thread(target=work, daemon=True).start()


def _torn(end: socket.socket) -> None:
    """Closed without a goodbye; also for a thread that waits on it."""
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
    end.close()
