"""How answers come from the lanes' threads to those who wait in the loop: many at a time, no future for each."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import Any

from kaquan.commands.model import Outcome

Answer = Outcome | BaseException
"""What a lane says: an outcome, or `Fault` or `Unavailable`."""


class Hub:
    """Calls that other threads want made in the loop; the loop is woken once for all that came meanwhile."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._calls: deque[tuple[Callable[..., None], Any]] = deque()
        self._woken = False

    def call(self, told: Callable[[Any], None], given: Any) -> None:
        """Have `told(given)` called in the loop."""
        self._calls.append((told, given))
        if not self._woken:  # set false before the queue is emptied: what is added now is not left behind
            self._woken = True
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self.loop.call_soon_threadsafe(self._all)

    def _all(self) -> None:
        self._woken = False
        while self._calls:
            told, given = self._calls.popleft()
            told(given)


class One:
    """A `committer.Reply` that calls `told` in the loop. `dropped`: nobody wants it carried out any more."""

    __slots__ = ("_hub", "_told", "dropped")

    def __init__(self, hub: Hub, told: Callable[[Answer], None]) -> None:
        self._hub = hub
        self._told = told
        self.dropped = False

    def set_running_or_notify_cancel(self) -> bool:
        """See `committer.Reply`."""
        return not self.dropped

    def set_result(self, outcome: Outcome, /) -> None:
        """See `committer.Reply`."""
        self._hub.call(self._told, outcome)

    def set_exception(self, trouble: BaseException | None, /) -> None:
        """See `committer.Reply`."""
        self._hub.call(self._told, trouble)


class Many:
    """The answers to a batch, in its order; those that nobody gave yet are None."""

    def __init__(self, hub: Hub, count: int) -> None:
        self.answers: list[Answer | None] = [None] * count
        self.dropped = False
        self._left = 0
        self._lock = Lock()
        self._hub = hub
        self._done = hub.loop.create_future()

    def place(self, position: int) -> "Place":
        """The `committer.Reply` for one of the batch."""
        self._left += 1
        return Place(self, position)

    def answer(self, position: int, answer: Answer) -> None:
        """One of them, from any thread."""
        self.answers[position] = answer
        with self._lock:
            self._left -= 1
            last = self._left == 0
        if last:
            self._hub.call(self._over, None)

    def _over(self, _: None) -> None:
        if not self._done.done():
            self._done.set_result(None)

    async def all(self, seconds: float) -> None:
        """Wait for all, but not for ever: what is not under way by then is not carried out."""
        await asyncio.wait({self._done}, timeout=seconds)
        self.dropped = True


class Place:
    """One of a batch."""

    __slots__ = ("_many", "_position")

    def __init__(self, many: Many, position: int) -> None:
        self._many = many
        self._position = position

    def set_running_or_notify_cancel(self) -> bool:
        """See `committer.Reply`."""
        return not self._many.dropped

    def set_result(self, outcome: Outcome, /) -> None:
        """See `committer.Reply`."""
        self._many.answer(self._position, outcome)

    def set_exception(self, trouble: BaseException | None, /) -> None:
        """See `committer.Reply`."""
        self._many.answer(self._position, trouble or RuntimeError("an answer is missing"))
