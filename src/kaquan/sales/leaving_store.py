"""Cards that are passed on or lie unused, in the database."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from kaquan.kernel.clock import instant
from kaquan.kernel.ids import Id, bucket_of
from kaquan.sales.leaving_model import Breakage, LeavingFacts
from kaquan.sales.passing import transfer_of
from kaquan.sales.store import QUERIES

Connection = psycopg.Connection[Any]

AGES = (180, 365, 730, 1_095)
"""Days at which the report of idle balances begins another column."""


class IdleCard(NamedTuple):
    """A card that lies idle: its program by number, what is on it, when it last moved."""

    card: Id
    program: int
    registered: bool
    balance: int
    moved: datetime


class IdleBalance(NamedTuple):
    """Idle balances of a program: `age` counts the steps of `AGES` that were passed."""

    program: str
    registered: bool
    age: int
    cards: int
    principal: int
    balance: int


def breakages(connection: Connection, cards: Collection[Id], facts: LeavingFacts) -> None:
    """Income that was recognised from cards, into the facts."""
    for identity, version, card, lot, *rest in connection.execute(QUERIES.breakages, _keys(cards)):
        one = Breakage(Id(identity.bytes), version, Id(card.bytes), Id(lot.bytes), *rest)
        facts.breakages.setdefault(one.card, []).append(one)


def movements(connection: Connection, cards: Collection[Id], facts: LeavingFacts) -> None:
    """When cards last moved and their holders were reminded, into the facts."""
    for card, moved_us, reminded_us in connection.execute(QUERIES.movements_of, _keys(cards)):
        facts.moved[card.bytes] = instant(moved_us)
        if reminded_us is not None:
            facts.reminded[card.bytes] = instant(reminded_us)


def transfers(connection: Connection, ids: Collection[Id], to: Collection[Id], facts: LeavingFacts) -> None:
    """Cards on their way, and which of them arrived with `to`, into the facts."""
    for row in connection.execute(QUERIES.transfers, _keys(ids)):
        one = transfer_of(row)
        facts.transfers[one.id] = one
    labels = sorted({bucket_of(wallet) for wallet in to})
    asked = {"to": labels, "ids": _keys(ids)["ids"]}
    facts.arrived = {row[0].bytes for row in connection.execute(QUERIES.arrivals, asked)}


def arrival(connection: Connection, transfer: Id, to: Id) -> Id | None:
    """The card that came of a transfer, or None."""
    asked = {"to": [bucket_of(to)], "ids": [UUID(bytes=transfer)]}
    row = connection.execute(QUERIES.arrivals, asked).fetchone()
    return None if row is None else Id(row[1].bytes)


def transfers_due(connection: Connection, most: int) -> list[tuple[Id, Id]]:
    """(transfer, receiver) of up to `most` cards that are on their way."""
    rows = connection.execute(QUERIES.transfers_due, {"most": most})
    return [(Id(one.bytes), Id(to.bytes)) for one, to in rows]


def idle_cards(connection: Connection, since: Sequence[tuple[int, int]], most: int) -> list[IdleCard]:
    """Up to `most` cards that did not move since the instant beside their program, and whose holders nobody
    reminded since; longest idle first."""
    asked = {"programs": [one for one, _ in since], "since": [at_us for _, at_us in since], "most": most}
    rows = connection.execute(QUERIES.idle_cards, asked)
    return [IdleCard(Id(row[0].bytes), row[1], row[2], row[3], instant(row[4])) for row in rows]


def idle_balances(connection: Connection, at_us: int, program: str | None) -> list[IdleBalance]:
    """Balances by how long they have not moved, of one program or of all."""
    rows = connection.execute(QUERIES.idle_balances, {"at": at_us, "program": program})
    return [IdleBalance(*row) for row in rows]


def _keys(ids: Collection[Id]) -> dict[str, list[Any]]:
    return {"buckets": sorted({bucket_of(one) for one in ids}), "ids": [UUID(bytes=one) for one in sorted(set(ids))]}
