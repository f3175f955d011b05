"""A cheap load generator: one process, one epoll, requests made beforehand, of answers only status and length read.

It shares the cores with what it measures, so it says its own CPU. `closed`: every connection sends its next
request when the last is answered. `open_loop`: requests leave at a rate, whatever comes back.
"""

import multiprocessing
import select
import socket
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

RECV_BYTES = 1 << 20
SILENT_SECONDS = 30  # nothing comes: the run is over, and wrong


@dataclass
class Load:
    """What a run saw: `statuses` count answers, `bodies` are kept where asked for, `took` are seconds."""

    took: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    bodies: list[bytes] = field(default_factory=list)
    wall: float = 0.0
    cpu: float = 0.0
    unsent: int = 0


class _Caller:
    """A keep-alive connection. `due` are requests that wait for it."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.due: deque[bytes] = deque()
        self.sent = 0.0
        self.rest = b""
        self._heard: list[bytes] = []
        self._missing = 0

    def send(self, request: bytes, since: float) -> None:
        self.sent = since
        done = self._push(request)
        self.rest = request[done:]

    def push(self) -> None:
        self.rest = self.rest[self._push(self.rest) :]

    def _push(self, request: bytes) -> int:
        try:
            return self.socket.send(request)
        except BlockingIOError:
            return 0

    def hear(self) -> bytes | None:
        """The whole answer, once it is there."""
        try:
            data = self.socket.recv(RECV_BYTES)
        except BlockingIOError:
            return None
        if not data:
            raise RuntimeError("the server hung up")
        self._heard.append(data)
        if not self._missing:
            data = b"".join(self._heard)
            end = data.find(b"\r\n\r\n")
            if end < 0:
                return None
            at = data.index(b"content-length: ") + 16
            self._missing = end + 4 + int(data[at : data.index(b"\r", at)]) - len(data)
            self._heard = [data]
        else:
            self._missing -= len(data)
        if self._missing:
            return None
        heard, self._heard = self._heard, []
        return heard[0] if len(heard) == 1 else b"".join(heard)


class _Crowd:
    """All callers on one epoll."""

    def __init__(self, address: tuple[str, int], count: int, keep: bool) -> None:
        self.callers = [_Caller(address) for _ in range(count)]
        self._by_file = {one.socket.fileno(): one for one in self.callers}
        self._poll = select.epoll()
        for file in self._by_file:
            self._poll.register(file, select.EPOLLIN)
        self._keep = keep
        self.load = Load()

    def start(self, caller: _Caller, request: bytes, since: float) -> None:
        caller.send(request, since)
        if caller.rest:
            self._poll.modify(caller.socket.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def turn(self, seconds: float) -> list[_Caller]:
        """Who was answered meanwhile."""
        free = []
        for file, event in self._poll.poll(seconds):
            caller = self._by_file[file]
            if event & select.EPOLLOUT:
                caller.push()
                if not caller.rest:
                    self._poll.modify(file, select.EPOLLIN)
            if event & select.EPOLLIN and (answer := caller.hear()) is not None:
                self.load.took.append(time.perf_counter() - caller.sent)
                self.load.statuses[_status(answer)] += 1
                if self._keep:
                    self.load.bodies.append(answer[answer.index(b"\r\n\r\n") + 4 :])
                free.append(caller)
        return free


def _status(answer: bytes) -> str:
    """`200`, `200 replayed`, `503`, `503 without Retry-After`."""
    status = answer[9:12].decode()
    if b"\r\nidempotent-replayed: true\r\n" in answer[:400]:
        return f"{status} replayed"
    if status in ("503", "429") and b"\r\nretry-after:" not in answer[:400]:
        return f"{status} without Retry-After"
    return status


def closed(address: tuple[str, int], requests: Sequence[bytes], callers: int, keep: bool) -> Load:
    """All requests by so many callers."""
    crowd, left = _Crowd(address, callers, keep), deque(requests)
    begun, cpu = time.perf_counter(), time.process_time()
    busy = 0
    for caller in crowd.callers:
        if left:
            crowd.start(caller, left.popleft(), time.perf_counter())
            busy += 1
    while busy:
        free = crowd.turn(SILENT_SECONDS)
        if not free and time.perf_counter() - begun > SILENT_SECONDS * 4:
            raise RuntimeError(f"{busy} requests were never answered")
        for caller in free:
            if left:
                crowd.start(caller, left.popleft(), time.perf_counter())
            else:
                busy -= 1
    return _over(crowd, begun, cpu)


def open_loop(
    address: tuple[str, int], requests: Sequence[bytes], callers: int, rate: float, keep: bool = False
) -> Load:
    """Requests at `rate` a second; one that finds no free connection is not sent, and counted as such."""
    crowd = _Crowd(address, callers, keep)
    free, left = deque(crowd.callers), deque(requests)
    begun, cpu = time.perf_counter(), time.process_time()
    due = 0
    while left:
        now = time.perf_counter()
        should = int((now - begun) * rate)
        while due < should and left:
            due += 1
            request = left.popleft()
            if free:
                crowd.start(free.popleft(), request, now)
            else:
                crowd.load.unsent += 1
        free.extend(crowd.turn(0.001))
    wall = time.perf_counter() - begun
    while len(free) < callers and time.perf_counter() - begun < wall + SILENT_SECONDS:
        free.extend(crowd.turn(1))
    load = _over(crowd, begun, cpu)
    load.wall = wall
    return load


def _over(crowd: _Crowd, begun: float, cpu: float) -> Load:
    load = crowd.load
    load.wall, load.cpu = time.perf_counter() - begun, time.process_time() - cpu
    for caller in crowd.callers:
        caller.socket.close()
    return load


def apart(run: Any, *given: Any) -> Load:
    """The run in a process of its own."""
    fork = multiprocessing.get_context("fork")
    told = fork.SimpleQueue()
    process = fork.Process(target=lambda: told.put(run(*given)), daemon=True)
    process.start()
    load: Load = told.get()
    process.join()
    return load
