"""Requests to return cards in the database, and what they are decided on."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg.rows import namedtuple_row

from kaquan.cards.model import NO_FUND, Lot, LotKind
from kaquan.kernel.clock import instant
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.money import Money
from kaquan.sales.closing_model import ClosingFacts, ClosingRow, Purchase
from kaquan.sales.store import QUERIES

Connection = psycopg.Connection[Any]

_NOBODY = bytes(16)
_COLUMNS = 21
"""How many columns of a request's row fill a `ClosingRow`."""


class Before(NamedTuple):
    """What had been paid, given on top and used of a purchase before the card was passed on."""

    paid: int
    bonus: int
    used: int


Told = dict[bytes, tuple[int, Id, Before | None]]
"""When each purchase was paid and through whom, and what came before."""


def closings(connection: Connection, ids: Collection[Id], cards: Collection[Id], *, lock: bool) -> list[ClosingRow]:
    """Requests by id, and all others about their cards or about `cards`; with `lock` those by id stay as they are."""
    if lock and ids:
        connection.execute(QUERIES.lock_closings, _keys(ids))
    asked = {"buckets": _buckets([*ids, *cards]), "cards": _hex(cards), "ids": _hex(ids)}
    rows = connection.execute(QUERIES.closings_by_id, asked)
    return [_row(row) for row in rows]


def owed(connection: Connection, ids: Collection[Id], facts: ClosingFacts, *, lock: bool) -> None:
    """Requests with what the books owe for their cards, in one snapshot, into the facts."""
    if lock:
        connection.execute(QUERIES.lock_closings, _keys(ids))
    for row in connection.execute(QUERIES.owed_and_requests, _keys(ids)):
        one = _row(row[:_COLUMNS])
        facts.closings[one.id] = one
        facts.owed[one.card] = {int(source): int(fen) for source, fen in (row[_COLUMNS] or {}).items()}


def fill(connection: Connection, cards: Collection[Id], facts: ClosingFacts) -> None:
    """All lots of the cards, spent up or not, and the purchases that they came from, into the facts."""
    rows = connection.execute(QUERIES.closing_lots, {"cards": _hex(cards), "buckets": _buckets(cards)}).fetchall()
    granted: dict[bytes, tuple[int, int]] = {}
    for card in cards:
        facts.lots[card] = []
    for row in rows:
        lot = _lot(row)
        facts.lots[lot.card].append(lot)
        facts.origins[lot.id] = Id(row[11].bytes)
        granted[lot.id] = (row[12], row[13])
    principal = [lot for card in cards for lot in facts.lots[card] if lot.kind == LotKind.PRINCIPAL]
    told = _purchase_facts(connection, {facts.origins[lot.id] for lot in principal})
    inherited = _inherited(connection, cards)
    for card in cards:
        facts.purchases[card] = _purchases(facts, card, granted, told | inherited.get(card, {}))


def _inherited(connection: Connection, cards: Collection[Id]) -> dict[bytes, Told]:
    """What cards that were passed on had been bought for, by card and purchase."""
    found: dict[bytes, Told] = {}
    for card, purchase, paid, bonus, used, at_us, _, channel in connection.execute(QUERIES.inherited, _keys(cards)):
        before = Before(paid, bonus, used)
        found.setdefault(card.bytes, {})[purchase.bytes] = (at_us, Id(channel.bytes), before)
    return found


def _purchases(facts: ClosingFacts, card: Id, granted: dict[bytes, tuple[int, int]], told: Told) -> list[Purchase]:
    """The purchases of a card, oldest first: what a lot was granted less what left it unspent and what is left was
    spent."""
    own = [lot for lot in facts.lots[card] if lot.kind != LotKind.SUBSIDY and lot.fund == NO_FUND]
    found = []
    for origin in dict.fromkeys(facts.origins[lot.id] for lot in own if lot.kind == LotKind.PRINCIPAL):
        lots = [lot for lot in own if facts.origins[lot.id] == origin]
        principal = tuple(lot for lot in lots if lot.kind == LotKind.PRINCIPAL)
        used = sum(granted[lot.id][0] - granted[lot.id][1] - lot.balance for lot in lots)
        at_us, channel, before = told[origin]
        paid = sum(granted[lot.id][0] - granted[lot.id][1] for lot in principal)
        bonus = sum(granted[lot.id][0] for lot in lots if lot.kind == LotKind.BONUS)
        if before is not None:
            paid = before.paid - sum(granted[lot.id][1] for lot in principal)
            bonus, used = before.bonus, before.used + used
        found.append(
            Purchase(
                id=origin,
                paid_at=instant(at_us),
                active_us=min(lot.active_us for lot in principal),
                paid=Money(paid),
                bonus=Money(bonus),
                used=Money(used),
                channel=channel,
                lots=principal,
            )
        )
    return sorted((one for one in found if one.paid), key=lambda one: (one.paid_at, one.id))


def _purchase_facts(connection: Connection, origins: Collection[Id]) -> Told:
    rows = connection.execute(QUERIES.purchase_facts, _keys(origins))
    return {row[0].bytes: (row[1], Id(row[2].bytes if row[2] else _NOBODY), None) for row in rows}


def closing(connection: Connection, identity: Id) -> Any | None:
    """One request for display, or None."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(QUERIES.closing, {"bucket": bucket_of(identity), "id": identity.hex()}).fetchone()


def closings_of(
    connection: Connection, card: Id | None, programs: Sequence[str] | None = None, most: int = 1_000
) -> list[Any]:
    """The requests about a card, or all that are open, the most urgent first; `programs` by code, None for all."""
    key = {
        "bucket": None if card is None else bucket_of(card),
        "card": None if card is None else card.hex(),
        "programs": None if programs is None else list(programs),
        "most": most,
    }
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(QUERIES.closings_of, key).fetchall()


def closings_due(connection: Connection, at_us: int, most: int) -> list[Id]:
    """Up to `most` requests whose legal deadline passed and was not told of."""
    return [Id(row[0].bytes) for row in connection.execute(QUERIES.closings_due, {"at": at_us, "most": most})]


def _row(row: Sequence[Any]) -> ClosingRow:
    """A request as its columns come: ids, numbers (none is 0), words, who was paid."""
    identity, version, card, wallet, purchase, *rest = row
    values: list[Any] = [Id(identity.bytes), version, Id(card.bytes), Id(wallet.bytes)]
    values.append(Id(purchase.bytes if purchase else _NOBODY))
    values += [0 if one is None else one for one in rest[:-1]]
    values.append(None if rest[-1] is None else bytes(rest[-1]))
    return ClosingRow(*values)


def _lot(row: Sequence[Any]) -> Lot:
    identity, version, card, kind, source, state, balance, held, active_us, expires_us, fund = row[:11]
    owner = NO_FUND if fund is None else fund.bytes
    return Lot(
        Id(identity.bytes),
        version,
        Id(card.bytes),
        kind,
        source,
        state,
        balance,
        held,
        active_us,
        expires_us or 0,
        owner,
    )


def _keys(ids: Collection[Id]) -> dict[str, list[Any]]:
    return {"buckets": _buckets(ids), "ids": _hex(ids)}


def _buckets(ids: Collection[Id]) -> list[int]:
    return sorted({bucket_of(one) for one in ids})


def _hex(ids: Collection[Id]) -> list[Any]:
    return [UUID(bytes=one) for one in sorted(set(ids))]
