"""Taking from a pool, from one's own slice first, then the fullest, until all are empty; and filling it. Pure."""

from collections.abc import Iterable, Sequence
from copy import copy
from typing import Any

from kaquan.commands.model import Row
from kaquan.kernel.money import Money, allocate
from kaquan.quotas.model import Quotas, Slice, Tally, own_slice

Change = tuple[Row, tuple[Any, ...]]


def take(slices: Sequence[Slice], bucket: int, count: int, amount: Money) -> list[Change] | None:
    """`count` things and `amount` out of a pool for a taker of `bucket`; None when all its slices hold less."""
    own = own_slice(bucket)
    mine = slices[own] if own < len(slices) and slices[own].number == own else None
    if mine is not None and mine.count_left >= count and mine.fen_left >= amount:
        return [(mine, (mine.count_left - count, mine.fen_left - amount))]
    ordered = sorted(slices, key=lambda one: (one is not mine, -one.fen_left, -one.count_left, one.number))
    counts = _spread([one.count_left for one in ordered], count)
    amounts = _spread([one.fen_left for one in ordered], amount)
    if counts is None or amounts is None:
        return None
    return [
        (one, (one.count_left - number, one.fen_left - part))
        for one, number, part in zip(ordered, counts, amounts, strict=True)
        if number or part
    ]


def put_back(slices: Sequence[Slice], bucket: int, count: int, amount: Money) -> list[Change]:
    """`count` things and `amount` back into a pool, to the slice of the takers of `bucket`."""
    if not slices:
        return []
    own = own_slice(bucket)
    mine = next((one for one in slices if one.number == own), slices[0])
    return [(mine, (mine.count_left + count, mine.fen_left + amount))]


def after(quotas: Quotas, changes: Iterable[Change]) -> Quotas:
    """What is left once these changes are made, as copies: more can be taken in the same plan (see `together`)."""
    left = dict(quotas.slices)
    for row, values in changes:
        if isinstance(row, Slice):
            key = (row.id, row.day)
            left[key] = [_changed(one, values) if one.number == row.number else one for one in left[key]]
    return Quotas(left, quotas.tallies)


def together(first: Iterable[Change], second: Iterable[Change]) -> list[Change]:
    """Changes of one plan, the second taken from what the first had left: each slice once, as it ends."""
    found: dict[bytes, Change] = {}
    for row, values in (*first, *second):
        key = row.rank() if isinstance(row, Slice) else b"%d" % id(row)
        found[key] = (found[key][0], values) if key in found else (row, values)
    return list(found.values())


def _changed(one: Slice, values: tuple[Any, ...]) -> Slice:
    taken = copy(one)
    taken.become(values)
    return taken


def _spread(available: Sequence[int], wanted: int) -> list[int] | None:
    parts = []
    for free in available:
        parts.append(min(free, wanted))
        wanted -= parts[-1]
    return None if wanted else parts


def level(slices: Sequence[Slice], count: int, amount: Money) -> list[Change]:
    """All slices of a pool anew, so that together they hold `count` things and `amount`, evenly.

    Every slice is written, and so every one checked: whoever took from any of them since it was read comes first.
    """
    counts, amounts = allocate(Money(count), [1] * len(slices)), allocate(amount, [1] * len(slices))
    return [(one, (number, part)) for one, number, part in zip(slices, counts, amounts, strict=True)]


def add(tally: Tally, count: int = 1) -> Change:
    """A tally that counts `count` more, or less when it is negative; never below nothing."""
    return tally, (max(0, tally.count + count),)
