"""Disputes in the database."""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from kaquan.casework.model import About, Dispute, DisputeFacts, DisputeState, Paid
from kaquan.commands.loading import buckets, call_load, known_commands
from kaquan.commands.model import Entry
from kaquan.db.queries import load
from kaquan.db.wire import INT2, UUID, column
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.ledger.chart import Source
from kaquan.payouts import service as payouts

QUERIES = load(__package__)

Cursor = psycopg.Cursor[Any]


def load_opening(cursor: Cursor, entries: Sequence[Entry], lock: bool) -> DisputeFacts:
    """The payments and payouts that are disputed. That nobody else disputes one is said by a unique index."""
    about = {entry.command.object: entry.command.about for entry in entries}
    found = payouts.payouts(cursor, [one for one, what in about.items() if what is About.PAYOUT], lock)
    paid = _payments(cursor, [one for one, what in about.items() if what is About.PAYMENT])
    disputed = {row[0] for row in cursor.execute(QUERIES.open, _named(list(about)))}
    return DisputeFacts(_known(cursor, entries), payments=paid, payouts=found, open=disputed)


def load_disputes(cursor: Cursor, entries: Sequence[Entry]) -> DisputeFacts:
    """Disputes with their payments. There is nothing to lock: a change checks the dispute's version."""
    rows = cursor.execute(QUERIES.disputes, _named([entry.command.dispute for entry in entries])).fetchall()
    found = {row[0]: _dispute(row) for row in rows}
    paid = _payments(cursor, [one.object for one in found.values() if one.about is About.PAYMENT])
    return DisputeFacts(_known(cursor, entries), payments=paid, disputes=found)


def _payments(cursor: Cursor, wanted: Sequence[Id]) -> dict[bytes, Paid]:
    named = _named(wanted)
    left: dict[bytes, dict[Source, Money]] = {}
    for identity, source, amount in cursor.execute(QUERIES.earned, named):
        left.setdefault(identity, {})[Source(source)] = Money(amount)
    return {
        identity: Paid(Id(identity), Id(merchant), program, left.get(identity, {}), Money(refunded))
        for identity, merchant, program, refunded in cursor.execute(QUERIES.payments, named)
    }


def listed(connection: psycopg.Connection[Any], every: bool = False, merchant: Id | None = None) -> list[Any]:
    """Disputes for display, the nearest deadline first; 500 at most."""
    asked = {"every": every, "merchant": merchant and merchant.hex(), "most": 500}
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(QUERIES.disputes_page, asked).fetchall()


def _dispute(row: Sequence[Any]) -> Dispute:
    identity, version, about, subject, merchant, program, amount, by_source, refunded, state, answer = row
    return Dispute(
        Id(identity),
        version,
        About(about),
        Id(subject),
        Id(merchant),
        program,
        Money(amount),
        {Source[name.upper()]: Money(part) for name, part in by_source.items()},
        Money(refunded),
        DisputeState(state),
        answer,
    )


def _known(cursor: Cursor, entries: Sequence[Entry]) -> Any:
    commands = [entry.id for entry in entries]
    labels = buckets(commands)
    arguments = (column(INT2, sorted(set(labels))), column(INT2, labels), column(UUID, commands))
    return known_commands(call_load(cursor, QUERIES.load_commands, arguments))


def _named(wanted: Sequence[bytes]) -> dict[str, Any]:
    unique = sorted(set(wanted))
    return {"bucket": column(INT2, buckets(unique)), "id": column(UUID, unique)}
