"""Card numbers that were never met: few queries for many callers, and a fault for those alone who waited for it."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping

import pytest

from kaquan.api import numbers
from kaquan.api.numbers import Met, Numbers
from kaquan.kernel.ids import BUCKETS, Id, new_id

CARDS = {f"88{place}": new_id(place, BUCKETS[place]) for place in range(5)}
WAIT_SECONDS = 10


class _Base:
    """A database of cards; each query waits until it is let go on."""

    def __init__(self) -> None:
        self.queries: list[set[str]] = []
        self.answers: asyncio.Queue[Exception | None] = asyncio.Queue()

    async def find(self, asked: Collection[str]) -> Mapping[str, Id]:
        self.queries.append(set(asked))
        if trouble := await self.answers.get():
            raise trouble
        return {number: CARDS[number] for number in asked if number in CARDS}


def _run(scene: Callable[[_Base, Numbers, dict[str, list[Met]]], Awaitable[None]]) -> None:
    async def all_of_it() -> None:
        base = _Base()
        await asyncio.wait_for(scene(base, Numbers(base.find), {}), WAIT_SECONDS)

    asyncio.run(all_of_it())


def _ask(known: Numbers, heard: dict[str, list[Met]], *asked: str) -> list[bool]:
    return [known.ask(number, heard.setdefault(number, []).append) for number in asked]


async def _until(done: Callable[[], bool]) -> None:
    while not done():
        await asyncio.sleep(0)


def test_what_came_while_a_query_was_under_way_is_the_next() -> None:
    async def scene(base: _Base, known: Numbers, heard: dict[str, list[Met]]) -> None:
        _ask(known, heard, "880")
        await _until(lambda: len(base.queries) == 1)
        _ask(known, heard, "881", "882", "nobody's", "881")
        base.answers.put_nowait(None)
        await _until(lambda: len(base.queries) == 2)
        assert heard["880"] == [CARDS["880"]] and heard["881"] == []
        base.answers.put_nowait(None)
        await _until(lambda: bool(heard["nobody's"]))
        assert base.queries == [{"880"}, {"881", "882", "nobody's"}]
        assert heard["881"] == [CARDS["881"]] * 2 and heard["nobody's"] == [None]
        _ask(known, heard, "883")  # after a rest it begins anew
        base.answers.put_nowait(None)
        await _until(lambda: heard["883"] == [CARDS["883"]])

    _run(scene)


def test_a_fault_is_told_to_all_who_waited_for_it_and_to_nobody_else() -> None:
    async def scene(base: _Base, known: Numbers, heard: dict[str, list[Met]]) -> None:
        _ask(known, heard, "880", "881")
        await _until(lambda: len(base.queries) == 1)
        _ask(known, heard, "882")
        trouble = ConnectionError("gone")
        base.answers.put_nowait(trouble)
        base.answers.put_nowait(None)
        await _until(lambda: bool(heard["882"]))
        assert heard == {"880": [trouble], "881": [trouble], "882": [CARDS["882"]]}

    _run(scene)


def test_so_many_wait_and_so_many_are_asked_for_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(base: _Base, known: Numbers, heard: dict[str, list[Met]]) -> None:
        assert _ask(known, heard, "880", "881", "882", "883") == [True, True, True, False]
        for _ in range(2):
            base.answers.put_nowait(None)
        await _until(lambda: bool(heard["882"]))
        assert base.queries == [{"880", "881"}, {"882"}] and heard["883"] == []
        assert _ask(known, heard, "884") == [True]

    monkeypatch.setattr(numbers, "WAITING_MAX", 3)
    monkeypatch.setattr(numbers, "ASKED_MAX", 2)
    _run(scene)
