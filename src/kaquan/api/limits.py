"""What one caller may take: size and time of a body, requests a second. Kept in memory, per process."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from threading import Lock
from typing import Any

from kaquan.api.errors import BODY_TOO_LARGE, BODY_TOO_SLOW, TOO_BUSY, TOO_MANY_REQUESTS
from kaquan.api.problems import Problem
from kaquan.kernel.clock import seconds

BODY_BYTES_MAX = 2 * 1024 * 1024  # a batch of 1,000 payments without lines has about 300 kB
BODY_SECONDS = 15.0
BODIES_BYTES_MAX = 256 * 1024 * 1024
STRANGERS_BYTES_MAX = 32 * 1024 * 1024
"""Bodies of all requests at a time, and of those whose key is not known yet: they are read before it is looked up."""

CALLERS_MAX = 10_000  # how many are remembered; the longest silent is forgotten first
RATE, BURST = 2_000, 4_000  # requests a second of one key: ten cash desks' worth is 20, a shop's server 500
WRONG_A_SECOND = 20 / 60  # codes and numbers of one key that do not exist
WRONG_AT_ONCE = 200  # also how many may be under way at a time: a shop's server at its busiest has 50

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


class Rates:
    """Token buckets by caller: `rate` requests a second, `burst` at once. Thread-safe."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, burst
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, caller: str, count: int = 1) -> None:
        """Count `count` requests. Raises `Problem` with the seconds to wait."""
        now = seconds()
        with self._lock:
            left = self._now_left(caller, now)
            lacking = min(count, self._burst) - left
            self._left.pop(caller, None)  # to the end: it is the longest silent that is forgotten
            self._left[caller] = (left if lacking > 0 else left - count, now)
            while len(self._left) > CALLERS_MAX:
                self._left.popitem(last=False)
        self._must_not_lack(lacking)

    def look(self, caller: str) -> None:
        """Raises `Problem` as `take` would, and counts nothing."""
        with self._lock:
            left = self._now_left(caller, seconds())
        self._must_not_lack(1 - left)

    def _now_left(self, caller: str, now: float) -> float:
        left, before = self._left.get(caller, (float(self._burst), now))
        return min(float(self._burst), left + (now - before) * self._rate)

    def _must_not_lack(self, lacking: float) -> None:
        if lacking > 0:
            raise Problem(TOO_MANY_REQUESTS, {"wait_seconds": max(1, -int(-lacking // self._rate))})

    def give_back(self, caller: str) -> None:
        """One that was counted counts no more."""
        with self._lock:
            left, before = self._left.get(caller, (float(self._burst), seconds()))
            self._left[caller] = (min(float(self._burst), left + 1), before)


class Room:
    """Memory for bodies that are read or worked on: many callers together must not take all there is."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.taken = 0

    @contextmanager
    def share(self) -> Iterator[Callable[[int], None]]:
        """What takes some bytes more, or raises `Problem`; all are given back when the block ends."""
        own = 0

        def take(size: int) -> None:
            nonlocal own
            if self.taken + size > self._most:
                raise Problem(TOO_BUSY)
            self.taken += size
            own += size

        try:
            yield take
        finally:
            self.taken -= own


async def body(receive: Receive, announced: str | None, take: Callable[[int], None] = lambda _: None) -> bytes:
    """The whole body of a request; `take` hears of its bytes as they come. Raises `Problem` when it is too large, or
    too slow."""
    if announced is not None and announced.isdigit() and int(announced) > BODY_BYTES_MAX:
        raise Problem(BODY_TOO_LARGE, {"bytes_max": BODY_BYTES_MAX})
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return b"".join(parts)
                part = message.get("body", b"")
                size += len(part)
                if size > BODY_BYTES_MAX:
                    raise Problem(BODY_TOO_LARGE, {"bytes_max": BODY_BYTES_MAX})
                take(len(part))
                parts.append(part)
                if not message.get("more_body"):
                    return b"".join(parts)
    except TimeoutError:
        raise Problem(BODY_TOO_SLOW, {"seconds": int(BODY_SECONDS)}) from None


def replayed(content: bytes, receive: Receive) -> Receive:
    """A `receive` that gives a body that was read already, then waits for the end like the real one."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": content, "more_body": False}

    return again
