"""Slices and tallies in the database."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kaquan.db.wire import INT2, INT4, UUID, Column, column
from kaquan.kernel.ids import Id, bucket_of
from kaquan.quotas.model import Quotas, Slice, SliceKey, Tally, TallyKey


def slice_columns(keys: Sequence[SliceKey]) -> tuple[Column | None, ...]:
    """The arguments by which a load function looks slices up."""
    return (
        column(INT2, [key.bucket for key in keys]),
        column(UUID, [key.pool for key in keys]),
        column(INT4, [key.day for key in keys]),
        column(INT2, [key.number for key in keys]),
    )


def tally_columns(keys: Sequence[TallyKey]) -> tuple[Column | None, ...]:
    """The arguments by which a load function looks tallies up."""
    return (
        column(INT2, [bucket_of(key.subject) for key in keys]),
        column(UUID, [key.subject for key in keys]),
        column(INT4, [key.rule for key in keys]),
        column(INT4, [key.day for key in keys]),
    )


def quotas(facts: Mapping[str, Sequence[Any]]) -> Quotas:
    """The slices and tallies of a load function's answer."""
    return Quotas(_by_pool(_slices(facts)), {TallyKey(one.id, one.rule, one.day): one for one in _tallies(facts)})


def slices_only(facts: Mapping[str, Sequence[Any]]) -> Quotas:
    """The slices of a load function's answer that has no tallies."""
    return Quotas(_by_pool(_slices(facts)), {})


def tallies_only(facts: Mapping[str, Sequence[Any]]) -> Quotas:
    """The tallies of a load function's answer that has no slices."""
    return Quotas({}, {TallyKey(one.id, one.rule, one.day): one for one in _tallies(facts)})


def _by_pool(slices: Iterable[Slice]) -> dict[tuple[bytes, int], list[Slice]]:
    found: dict[tuple[bytes, int], list[Slice]] = {}
    for one in sorted(slices, key=lambda one: one.number):
        found.setdefault((one.id, one.day), []).append(one)
    return found


def _slices(facts: Mapping[str, Sequence[Any]]) -> Iterable[Slice]:
    names = ("pool", "version", "bucket", "day", "number", "count_left", "fen_left")
    return (Slice(*row) for row in zip(*(facts[f"slice_{name}"] for name in names), strict=True))


def _tallies(facts: Mapping[str, Sequence[Any]]) -> Iterable[Tally]:
    names = ("subject", "version", "rule", "day", "count")
    return (Tally(Id(row[0]), *row[1:]) for row in zip(*(facts[f"tally_{name}"] for name in names), strict=True))
