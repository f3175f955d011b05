"""Card numbers that this process never met: whatever came while a query was under way is looked up by the next."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping

import structlog

from kaquan.commands.trouble import told
from kaquan.kernel.ids import Id

log = structlog.get_logger()

WAITING_MAX = 5_000  # as many as commands of a lane: beyond it a caller is better told to come back
ASKED_MAX = 500  # of one query, as commands of one batch

Met = Id | Exception | None
"""The card of a number; None when no card ever bore it; or why that is not known."""

Find = Callable[[Collection[str]], Awaitable[Mapping[str, Id]]]


class Numbers:
    """One for a process; used in its loop only. `find` gives the cards of numbers, without those that have none."""

    def __init__(self, find: Find) -> None:
        self._find = find
        self._waiting: deque[tuple[str, Callable[[Met], None]]] = deque()
        self._asking: asyncio.Task[None] | None = None

    def ask(self, number: str, hears: Callable[[Met], None]) -> bool:
        """Have `hears` told whose number it is. False when too many wait for that."""
        if len(self._waiting) >= WAITING_MAX:
            return False
        self._waiting.append((number, hears))
        if self._asking is None:
            self._asking = asyncio.get_running_loop().create_task(self._ask_all())
        return True

    async def _ask_all(self) -> None:
        """A query at a time. One that fails fails for those who waited for it, and for nobody else."""
        try:
            while self._waiting:
                asked = [self._waiting.popleft() for _ in range(min(len(self._waiting), ASKED_MAX))]
                cards, trouble = await self._found({number for number, _ in asked})
                for number, hears in asked:
                    _tell(hears, trouble or cards.get(number))
        finally:
            self._asking = None

    async def _found(self, numbers: Collection[str]) -> tuple[Mapping[str, Id], Exception | None]:
        try:
            return await self._find(numbers), None
        except Exception as trouble:  # whatever it was, who waits must be told
            return {}, trouble


def _tell(hears: Callable[[Met], None], answer: Met) -> None:
    try:
        hears(answer)
    except Exception as fault:  # the others must hear as well
        log.error("numbers.fault", error=told(fault))
