"""Settlements in the database."""

from collections.abc import Mapping, Sequence
from datetime import date
from time import sleep
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from kaquan.commands.loading import buckets, call_load, known_commands
from kaquan.commands.model import Entry
from kaquan.db.queries import load
from kaquan.db.wire import INT2, INT8, UUID, column, raw_cursor
from kaquan.kernel.clock import seconds
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.ledger.chart import Source
from kaquan.settlement.model import (
    Cut,
    Entries,
    PayoutLine,
    Previous,
    Reserve,
    ReserveFacts,
    SettleFacts,
)

QUERIES = load(__package__)

_NOTHING = Cut(0, 0)
_LOOK_SECONDS = 0.01

Wanted = tuple[bytes, bytes, int, Cut]
"""Under which id the entries are wanted, of which merchant, in which program, within which cut."""


def load_settlements(cursor: psycopg.Cursor[Any], entries: Sequence[Entry]) -> SettleFacts:
    """Earlier decisions, latest settlements and entries for a batch of settlements."""
    wanted = [(entry.id, entry.command.merchant, entry.command.program, entry.command.cut) for entry in entries]
    known = _known(cursor, entries)
    return SettleFacts(known, *counted(cursor, wanted))


def counted(
    cursor: psycopg.Cursor[Any], wanted: Sequence[Wanted]
) -> tuple[int, dict[tuple[bytes, int], Previous], dict[bytes, dict[Source, Entries]]]:
    """The horizon, the latest settlements, and the entries of each wanted cut since the cut before it.

    The three are read one after the other: a settlement that is made in between breaks the chain of numbers,
    so a decision that stands on stale facts is never written.
    """
    horizon, _ = _horizon(cursor)
    latest = latest_settlements(cursor, [(merchant, program) for _, merchant, program, _ in wanted])
    before = [latest[key].cut if (key := one[1:3]) in latest else _NOTHING for one in wanted]
    cuts = [cut for *_, cut in wanted]
    rows = cursor.execute(
        QUERIES.entries,
        {
            "merchant": column(UUID, [merchant for _, merchant, _, _ in wanted]),
            "program": column(INT2, [program for _, _, program, _ in wanted]),
            "cut_at": column(INT8, [cut.at_us for cut in cuts]),
            "cut_xid": column(INT8, [cut.xid for cut in cuts]),
            "previous_at": column(INT8, [cut.at_us for cut in before]),
            "previous_xid": column(INT8, [cut.xid for cut in before]),
            "since_at": min((cut.at_us for cut in before), default=0),
            "since_xid": min((cut.xid for cut in before), default=0),
            "until_at": max((cut.at_us for cut in cuts), default=0),
            "until_xid": max((cut.xid for cut in cuts), default=0),
        },
    )
    entries: dict[bytes, dict[Source, Entries]] = {}
    for position, source, gross, refunds, released in rows:
        found = Entries(Money(gross), Money(refunds), Money(released))
        entries.setdefault(wanted[position - 1][0], {})[Source(source)] = found
    return horizon, latest, entries


def closed_horizon(cursor: psycopg.Cursor[Any], patience_seconds: float) -> int:
    """A transaction below which everything has ended.

    Waits until all that is running now has ended, so that nothing recent is left for the next settlement, but
    no longer than `patience_seconds`: a transaction that hangs holds nobody up, its entries are merely counted later.
    """
    give_up = seconds() + patience_seconds
    horizon, wanted = _horizon(cursor)
    while horizon < wanted and seconds() < give_up:
        sleep(_LOOK_SECONDS)
        horizon, _ = _horizon(cursor)
    return horizon


def _horizon(cursor: psycopg.Cursor[Any]) -> tuple[int, int]:
    row = cursor.execute(QUERIES.horizon).fetchone()
    if row is None:
        raise RuntimeError("the server gave no snapshot")
    return int(row[0]), int(row[1])


def latest_settlements(
    cursor: psycopg.Cursor[Any], pairs: Sequence[tuple[bytes, int]]
) -> dict[tuple[bytes, int], Previous]:
    """The latest settlement of each (merchant, program) that has one."""
    unique = sorted(set(pairs))
    rows = cursor.execute(
        QUERIES.previous,
        {
            "bucket": column(INT2, buckets([merchant for merchant, _ in unique])),
            "merchant": column(UUID, [merchant for merchant, _ in unique]),
            "program": column(INT2, [program for _, program in unique]),
        },
    )
    return {
        (merchant, program): Previous(number, period_end, Cut(cut_at, cut_xid), _by_source(by_source, "carry"))
        for merchant, program, number, period_end, cut_at, cut_xid, by_source in rows
    }


def load_reserves(cursor: psycopg.Cursor[Any], entries: Sequence[Entry], lock: bool) -> ReserveFacts:
    """Earlier decisions and reserves for a batch of releases."""
    wanted = sorted({entry.command.settlement for entry in entries})
    labels = buckets(wanted)
    if lock:
        cursor.execute(
            QUERIES.lock_reserves, {"buckets": column(INT2, sorted(set(labels))), "id": column(UUID, wanted)}
        )
    known = _known(cursor, entries)
    rows = cursor.execute(QUERIES.reserves, {"bucket": column(INT2, labels), "id": column(UUID, wanted)})
    return ReserveFacts(
        known,
        {row[0]: _reserve(*row) for row in rows},
    )


def _reserve(
    identity: bytes,
    merchant: bytes,
    program: int,
    version: int,
    state: int,
    amount: int,
    release_on: date,
    by_source: Mapping[str, Any],
) -> Reserve:
    return Reserve(
        Id(identity), Id(merchant), program, version, state, Money(amount), release_on, _by_source(by_source)
    )


def _known(cursor: psycopg.Cursor[Any], entries: Sequence[Entry]) -> dict[bytes, tuple[bytes, int, bytes]]:
    commands = [entry.id for entry in entries]
    labels = buckets(commands)
    return known_commands(
        call_load(
            cursor,
            QUERIES.load_commands,
            (column(INT2, sorted(set(labels))), column(INT2, labels), column(UUID, commands)),
        )
    )


def _by_source(stored: Mapping[str, Any], field: str = "") -> dict[Source, Money]:
    return {
        Source[name.upper()]: Money(part[field] if field else part)
        for name, part in stored.items()
        if (part[field] if field else part)
    }


def settled_to(connection: psycopg.Connection[Any], program: int) -> dict[bytes, date]:
    """The last settled period of each merchant that has one."""
    return dict(raw_cursor(connection).execute(QUERIES.settled_to, {"program": program}))


def opened_at_us(connection: psycopg.Connection[Any], program: int) -> int:
    """When the program's first terms came into force, in microseconds; 0 for an unknown program."""
    row = connection.execute(QUERIES.opened, {"program": program}).fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def reserves_due(connection: psycopg.Connection[Any], today: date, most: int) -> list[Id]:
    """Up to `most` settlements whose reserve is due for release."""
    rows = raw_cursor(connection).execute(QUERIES.reserves_due, {"today": today, "most": most})
    return [Id(row[0]) for row in rows]


def settlements(connection: psycopg.Connection[Any], program: int, period_end: date) -> list[Any]:
    """The settlements of a period, for display."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(QUERIES.settlements, {"program": program, "period_end": period_end}).fetchall()


def payouts(connection: psycopg.Connection[Any], program: int, period_end: date) -> list[PayoutLine]:
    """What the bank is instructed to pay for a period."""
    rows = raw_cursor(connection).execute(QUERIES.payouts, {"program": program, "period_end": period_end})
    return [
        PayoutLine(Id(identity), code, name, bank, account, Source(source), Money(amount), period_end, pay_on)
        for identity, code, name, bank, account, source, amount, period_end, pay_on in rows
    ]
