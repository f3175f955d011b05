"""Slices, tallies and tokens in the database."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import psycopg

from kaquan.commands.loading import call_load
from kaquan.db.queries import load
from kaquan.db.wire import INT2, INT4, UUID, Column, column, decode
from kaquan.kernel.ids import Id, bucket_of
from kaquan.quotas.model import Held, Quotas, Slice, SliceKey, Tally, TallyKey, Want

QUERIES = load(__package__)


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


def take(cursor: psycopg.Cursor[Any], wants: Sequence[Want], at_us: int) -> list[Want]:
    """Take the first free slot for each want; those that got none."""
    labels = [bucket_of(want.subject) for want in wants]
    row = cursor.execute(
        QUERIES.take_tokens,
        (
            column(INT2, sorted(set(labels))),
            at_us,
            column(INT2, labels),
            column(UUID, [want.subject for want in wants]),
            column(INT4, [want.rule for want in wants]),
            column(INT4, [want.day for want in wants]),
            column(INT2, [want.most for want in wants]),
            column(UUID, [want.command for want in wants]),
            column(UUID, [want.content for want in wants]),
        ),
        prepare=True,
    ).fetchone()
    slots = decode(row[0]) if row else ()
    return [want for want, slot in zip(wants, slots, strict=True) if not slot] if slots else []


def held(cursor: psycopg.Cursor[Any], wants: Sequence[Want]) -> dict[tuple[bytes, int, int], list[Held]]:
    """The tokens that are taken of what is wanted, by key, in the order of their slots."""
    keys = sorted({want.key for want in wants})
    found: dict[tuple[bytes, int, int], list[Held]] = {key: [] for key in keys}
    if not keys:
        return found
    labels = [bucket_of(subject) for subject, _, _ in keys]
    facts = call_load(
        cursor,
        QUERIES.held_tokens,
        (
            column(INT2, labels),
            column(UUID, [subject for subject, _, _ in keys]),
            column(INT4, [rule for _, rule, _ in keys]),
            column(INT4, [day for _, _, day in keys]),
            column(INT2, sorted(set(labels))),
        ),
    )
    names = ("subject", "rule", "day", "slot", "command", "content", "at")
    for subject, rule, day, *token in sorted(zip(*(facts[name] for name in names), strict=True)):
        found[subject, rule, day].append(Held(*token))
    return found


def take_over(connection: psycopg.Connection[Any], want: Want, seen: Held, at_us: int) -> bool:
    """Give a slot to another command, if the one that was seen still has it."""
    taken = connection.execute(
        QUERIES.take_token_over,
        {
            "command": want.command.hex(),
            "content": want.content.hex(),
            "at": at_us,
            "bucket": bucket_of(want.subject),
            "subject": want.subject.hex(),
            "rule": want.rule,
            "day": want.day,
            "slot": seen.slot,
            "held_by": seen.command.hex(),
            "held_for": seen.content.hex(),
        },
    )
    return taken.rowcount == 1


def open_days(connection: psycopg.Connection[Any], rows: Sequence[Mapping[str, Any]]) -> None:
    """Put the slices of days there, unless they are there already."""
    connection.execute(QUERIES.open_days, {"rows": msgspec.json.encode(rows).decode()})
