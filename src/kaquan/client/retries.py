"""How often and how long a call is repeated."""

import secrets
import time
from collections.abc import Callable
from datetime import timedelta

import msgspec


class Retries(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of repeating: `attempts` in all, within `total_seconds` from the start of the call.

    Between two attempts lie, at random, up to `first_wait_ms`, doubled each time, at most `longest_wait_ms`; or what
    the server asks for with Retry-After. A wait that would end after the time is up is not begun.
    """

    attempts: int = 6
    total_seconds: int = 60
    first_wait_ms: int = 200
    longest_wait_ms: int = 8_000

    def __post_init__(self) -> None:
        if self.attempts < 1 or min(self.total_seconds, self.first_wait_ms, self.longest_wait_ms) <= 0:
            raise ValueError("retries need one attempt at least, and times above zero")


class Patience:
    """What is left of one call's attempts and time. Used by one thread.

    `perhaps`: one of its attempts may have taken effect, and no answer has settled that.
    """

    def __init__(self, retries: Retries, sleep: Callable[[float], None] = time.sleep) -> None:
        self._retries = retries
        self._sleep = sleep
        self._until = time.monotonic() + retries.total_seconds
        self.attempts = 0
        self.perhaps = False

    def left_seconds(self) -> float:
        """How much time is left; below zero when it is over."""
        return self._until - time.monotonic()

    def wait(self, asked_seconds: int | None) -> bool:
        """Wait for the next attempt, at least `asked_seconds` if the server asked. False when there is none."""
        if self.attempts >= self._retries.attempts:
            return False
        most = min(self._retries.longest_wait_ms, self._retries.first_wait_ms * 2 ** min(self.attempts - 1, 20))
        wait = timedelta(milliseconds=1 + secrets.randbelow(most)) + timedelta(seconds=asked_seconds or 0)
        if wait.total_seconds() >= self.left_seconds():
            return False
        self._sleep(wait.total_seconds())
        return True
