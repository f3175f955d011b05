"""Closed days and postings by day, in the database."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from time import sleep
from typing import Any

import psycopg

from kaquan.accounting.model import ClosedDay, CloseFacts, Figure, Period, cut_us
from kaquan.commands.loading import buckets, call_load, known_commands
from kaquan.commands.model import Entry
from kaquan.db.queries import load
from kaquan.db.wire import INT2, UUID, column
from kaquan.kernel.calendar import business_date
from kaquan.kernel.clock import instant, seconds
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money

QUERIES = load(__package__)
FETCH_ROWS = 5_000  # some megabytes at a time, however long the books are
PATIENCE_SECONDS = 2.0
"""How long closing waits for what is being written: a payment takes milliseconds."""
_LOOK_SECONDS = 0.05


def load_closing(cursor: psycopg.Cursor[Any], entries: Sequence[Entry]) -> CloseFacts:
    """Earlier decisions, the last closed day, and what of the days to be closed is still being written."""
    commands = [entry.id for entry in entries]
    labels = buckets(commands)
    arguments = (column(INT2, sorted(set(labels))), column(INT2, labels), column(UUID, commands))
    known = known_commands(call_load(cursor, QUERIES.load_commands, arguments))
    ends = {entry.command.through: cut_us(entry.command.through) for entry in entries}
    horizon, unsettled = _settled(cursor, ends)
    first = _one(cursor, QUERIES.first_posting)
    return CloseFacts(
        commands=known,
        last=_one(cursor, QUERIES.last_closed),
        first=None if first is None else business_date(instant(first)),
        horizon=horizon,
        unsettled=unsettled,
    )


def _settled(cursor: psycopg.Cursor[Any], ends: dict[date, int]) -> tuple[int, dict[date, int]]:
    """The horizon, and by last day how many postings are not below it; waits a moment for none."""
    give_up = seconds() + PATIENCE_SECONDS
    while True:
        horizon = int(_one(cursor, QUERIES.horizon))
        counted = {
            day: int(_one(cursor, QUERIES.unsettled, {"cut_at": end, "horizon": horizon}))
            for day, end in ends.items()
        }
        if not any(counted.values()) or seconds() >= give_up:
            return horizon, counted
        sleep(_LOOK_SECONDS)


def _one(cursor: psycopg.Cursor[Any], query: str, arguments: Any = None) -> Any:
    row = cursor.execute(query, arguments).fetchone()
    if row is None:
        raise RuntimeError("a query of one row gave none")
    return row[0]


@contextmanager
def snapshot(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Everything inside reads one state of the books."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def closed_days(connection: psycopg.Connection[Any], until: date, most: int) -> list[ClosedDay]:
    """The latest closed days up to `until`, in order."""
    return [ClosedDay(*row) for row in connection.execute(QUERIES.closed_days, {"until": until, "most": most})]


def latest_closed(connection: psycopg.Connection[Any], before: date, most: int) -> list[ClosedDay]:
    """The latest closed days before a day, newest first."""
    return [ClosedDay(*row) for row in connection.execute(QUERIES.latest_closed, {"before": before, "most": most})]


def figures(connection: psycopg.Connection[Any], book: int, period: Period) -> Iterator[Figure]:
    """What each account came to, day by day from 0, which is all before the period. Streamed."""
    for day, account, owner, source, debits, credits in _streamed(
        connection, "figures", QUERIES.figures, book, period
    ):
        yield Figure(day, account, _id(owner), source, Money(debits), Money(credits))


def journal(
    connection: psycopg.Connection[Any], book: int, period: Period, *, full: bool
) -> Iterator[tuple[Any, ...]]:
    """The period's postings: one by one, or added up by day, kind and program. Streamed.

    Rows are day (from 1), kind, program, transfer or None, debit, its owner, credit, its owner, source, fen.
    """
    query = QUERIES.journal_full if full else QUERIES.journal_daily
    return _streamed(connection, "journal", query, book, period)


def references(connection: psycopg.Connection[Any], book: int, period: Period) -> dict[Any, tuple[int, Id, Id, str]]:
    """Which commands moved money, by day, kind and program: how many, first, last, digest of all."""
    rows = connection.execute(QUERIES.references, _arguments(book, period))
    return {
        (day, kind, program): (count, Id(first.bytes), Id(last.bytes), digest)
        for day, kind, program, count, first, last, digest in rows
    }


def invoices(
    connection: psycopg.Connection[Any], book: int, period: Period, pairs: Sequence[tuple[int, int]]
) -> Iterator[tuple[Any, ...]]:
    """What commands moved between these pairs of accounts, transfer by transfer. Streamed.

    Rows are day (from 1), kind, program, transfer, debit, credit, merchant or None, source, fen.
    """
    more = {"debit": [debit for debit, _ in pairs], "credit": [credit for _, credit in pairs]}
    return _streamed(connection, "invoices", QUERIES.invoices, book, period, more)


def after(connection: psycopg.Connection[Any], book: int, period: Period) -> dict[int, tuple[int, int]]:
    """Debits and credits of each account that are not within the period's last cut."""
    rows = connection.execute(QUERIES.after, _arguments(book, period))
    return {account: (debits, credits) for account, debits, credits in rows}


def _streamed(
    connection: psycopg.Connection[Any], name: str, query: str, book: int, period: Period, more: Any = None
) -> Iterator[tuple[Any, ...]]:
    with connection.cursor(name=f"accounting_{name}", binary=True) as cursor:
        cursor.itersize = FETCH_ROWS
        yield from cursor.execute(query, {**_arguments(book, period), **(more or {})})


def _arguments(book: int, period: Period) -> dict[str, Any]:
    return {
        "book": book,
        "cut_at": [one.cut_us for one in period.cuts],
        "cut_xid": [one.cut_xid for one in period.cuts],
        "since_at": period.cuts[0].cut_us,
        "since_xid": period.cuts[0].cut_xid,
        "until_at": period.cuts[-1].cut_us,
        "until_xid": period.cuts[-1].cut_xid,
    }


def _id(owner: Any) -> Id | None:
    return None if owner is None else Id(owner.bytes)
