"""Cards and lots in the database."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import namedtuple_row

from kaquan.cards.model import Card, CardFacts, Lot, Wanted
from kaquan.commands.loading import buckets, call_load, known_commands
from kaquan.commands.model import Entry
from kaquan.db.queries import load
from kaquan.db.wire import INT2, UUID, column
from kaquan.kernel.ids import Id, bucket_of
from kaquan.quotas.service import slice_columns, tally_columns

QUERIES = load(__package__)


def card_rows(facts: Mapping[str, Sequence[Any]]) -> dict[bytes, Card]:
    """The cards of a load function's answer, by id."""
    columns = zip(
        facts["card_id"],
        facts["card_version"],
        facts["card_wallet"],
        facts["card_terms"],
        facts["card_program"],
        facts["card_state"],
        facts["card_registered"],
        facts["card_number"],
        strict=True,
    )
    return {
        identity: Card(identity, version, wallet, terms, program, state, registered, number.decode())
        for identity, version, wallet, terms, program, state, registered, number in columns
    }


def lot_rows(facts: Mapping[str, Sequence[Any]]) -> dict[bytes, list[Lot]]:
    """The lots of a load function's answer, by card."""
    lots: dict[bytes, list[Lot]] = {}
    for values in zip(
        facts["lot_id"],
        facts["lot_version"],
        facts["lot_card"],
        facts["lot_kind"],
        facts["lot_source"],
        facts["lot_state"],
        facts["lot_balance"],
        facts["lot_held"],
        facts["lot_active_from"],
        facts["lot_expires_at"],
        facts["lot_fund"],
        strict=True,
    ):
        lot = Lot(*values)
        lots.setdefault(lot.card, []).append(lot)
    return lots


def load_spending(
    cursor: psycopg.Cursor[Any], entries: Sequence[Entry], wanted: Wanted, lock: bool
) -> dict[str, Sequence[Any]]:
    """Everything wanted and earlier decisions of the same ids, by column; with `lock` it stays until the commit."""
    commands = [entry.id for entry in entries]
    cards, vouchers, wallets = sorted(set(wanted.cards)), sorted(set(wanted.vouchers)), sorted(set(wanted.wallets))
    slices, tallies = sorted(set(wanted.slices)), sorted(set(wanted.tallies))
    of_commands, of_cards, of_vouchers, of_wallets = map(buckets, (commands, cards, vouchers, wallets))
    touched = {*of_commands, *of_cards, *of_vouchers, *of_wallets}
    touched.update(key.bucket for key in slices)
    touched.update(bucket_of(key.subject) for key in tallies)
    labels = column(INT2, sorted(touched))
    of_slices, of_tallies = slice_columns(slices), tally_columns(tallies)
    if lock:
        addressed = (labels, column(UUID, cards), column(UUID, vouchers), *of_slices, *of_tallies, wanted.use_day)
        cursor.execute(QUERIES.lock_spending, addressed, prepare=True)
    return call_load(
        cursor,
        QUERIES.load_spending,
        (
            min(touched),
            labels,
            column(INT2, of_commands),
            column(UUID, commands),
            column(INT2, of_wallets),
            column(UUID, wallets),
            column(INT2, of_cards),
            column(UUID, cards),
            column(INT2, of_vouchers),
            column(UUID, vouchers),
            *of_slices,
            *of_tallies,
            wanted.use_day,
        ),
    )


def load_cards(cursor: psycopg.Cursor[Any], entries: Sequence[Entry], cards: Sequence[Id], lock: bool) -> CardFacts:
    """The cards a batch addresses, each once, with their lots."""
    facts = load_spending(cursor, entries, Wanted(cards=cards), lock)
    return CardFacts(known_commands(facts), card_rows(facts), lot_rows(facts))


class CardView(NamedTuple):
    """A card with its lots, for display."""

    card: Any
    lots: list[Any]


def view(connection: psycopg.Connection[Any], card: Id) -> CardView | None:
    """A card and all its lots, or None."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        key = {"bucket": bucket_of(card), "id": _uuid(card), "card": _uuid(card)}
        found = cursor.execute(QUERIES.card, key).fetchone()
        if found is None:
            return None
        return CardView(found, cursor.execute(QUERIES.lots, key).fetchall())


def of_wallet(connection: psycopg.Connection[Any], wallet: Id) -> list[Any]:
    """The cards of a wallet, for display."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        key = {"bucket": bucket_of(wallet), "wallet": _uuid(wallet)}
        return cursor.execute(QUERIES.cards_of, key).fetchall()


def by_number(connection: psycopg.Connection[Any], bucket: int, number: str) -> Id | None:
    """The card that bears or bore this number."""
    row = connection.execute(QUERIES.find_by_number, {"bucket": bucket, "number": number}).fetchone()
    return Id(row[1].bytes) if row else None


def by_numbers(connection: psycopg.Connection[Any], numbers: Mapping[str, int]) -> dict[str, Id]:
    """The cards that bear or bore these numbers, each of which is given its bucket; whose none is, is left out."""
    wanted = {"numbers": list(numbers), "buckets": list(numbers.values())}
    rows = connection.execute(QUERIES.find_by_numbers, wanted, prepare=True).fetchall()
    return {number: Id(card.bytes) for number, card in rows}


def lots_due(connection: psycopg.Connection[Any], at_us: int, most: int) -> list[tuple[Id, Id]]:
    """(lot, card) of up to `most` lots that expired at or before the instant and hold something that no
    authorization holds."""
    rows = connection.execute(QUERIES.lots_due, {"at": at_us, "most": most}).fetchall()
    return [(Id(lot.bytes), Id(card.bytes)) for lot, card in rows]


def _uuid(identity: Id) -> str:
    return identity.hex()
