"""What one caller may take: size and time of a body, requests a second. Kept in memory, per process."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from threading import Lock
from typing import Any

from kaquan.api.errors import BODY_TOO_LARGE, BODY_TOO_SLOW, TOO_MANY_REQUESTS
from kaquan.api.problems import Problem
from kaquan.kernel.clock import seconds

BODY_BYTES_MAX = 2 * 1024 * 1024  # a batch of 500 payments with lines has about 200 kB
BODY_SECONDS = 15.0
CALLERS_MAX = 10_000  # how many are remembered; the longest silent is forgotten first

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
            left, before = self._left.pop(caller, (float(self._burst), now))
            left = min(float(self._burst), left + (now - before) * self._rate)
            lacking = min(count, self._burst) - left
            if lacking <= 0:
                left -= count
            self._left[caller] = (left, now)
            while len(self._left) > CALLERS_MAX:
                self._left.popitem(last=False)
        if lacking > 0:
            raise Problem(TOO_MANY_REQUESTS, {"wait_seconds": max(1, -int(-lacking // self._rate))})


async def body(receive: Receive, announced: str | None) -> bytes:
    """The whole body of a request. Raises `Problem` when it is too large, or too slow."""
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
