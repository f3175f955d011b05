"""Vouchers in the database."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from kaquan.cards.model import Wanted
from kaquan.cards.service import card_rows, load_spending, lot_rows
from kaquan.commands.loading import known_commands
from kaquan.commands.model import Entry
from kaquan.db.queries import load
from kaquan.holders.model import Wallet
from kaquan.kernel.ids import Id, bucket_of
from kaquan.quotas.service import quotas
from kaquan.vouchers.model import SpendingFacts, Voucher

QUERIES = load(__package__)

_VOUCHER = (
    "id",
    "version",
    "wallet",
    "stock",
    "terms",
    "state",
    "face",
    "used",
    "valid_from",
    "expires_at",
    "held_until",
    "holder",
)


def voucher_rows(facts: Mapping[str, Sequence[Any]]) -> dict[bytes, Voucher]:
    """The vouchers of a load function's answer, by id."""
    columns = zip(*(facts[f"voucher_{name}"] for name in _VOUCHER), strict=True)
    return {row[0]: Voucher(*row) for row in columns}


def load_facts(cursor: psycopg.Cursor[Any], entries: Sequence[Entry], wanted: Wanted, lock: bool) -> SpendingFacts:
    """Everything wanted, in one call."""
    facts = load_spending(cursor, entries, wanted, lock)
    names = ("wallet_id", "wallet_state", "wallet_identified", "wallet_version", "wallet_person")
    wallets = zip(*(facts[name] for name in names), strict=True)
    return SpendingFacts(
        known_commands(facts),
        card_rows(facts) if facts["card_id"] else {},
        lot_rows(facts) if facts["lot_id"] else {},
        voucher_rows(facts) if facts["voucher_id"] else {},
        {
            identity: Wallet(Id(identity), state == 1, bool(identified), version, person)
            for identity, state, identified, version, person in wallets
        },
        quotas(facts),
    )


def of_wallet(connection: psycopg.Connection[Any], wallet: Id, *, every: bool = False) -> list[Any]:
    """The vouchers of a wallet for display: those that may still count, or every one; soonest expiry first."""
    query = QUERIES.vouchers_of if every else QUERIES.live_vouchers_of
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        key = {"bucket": bucket_of(wallet), "wallet": wallet.hex()}
        return cursor.execute(query, key).fetchall()


def view(connection: psycopg.Connection[Any], voucher: Id) -> Any | None:
    """One voucher for display, or None."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        key = {"bucket": bucket_of(voucher), "id": voucher.hex()}
        return cursor.execute(QUERIES.voucher, key).fetchone()


def vouchers_due(connection: psycopg.Connection[Any], at_us: int, most: int) -> list[Id]:
    """Up to `most` vouchers that expired at or before the instant and were not given back yet."""
    rows = connection.execute(QUERIES.vouchers_due, {"at": at_us, "most": most})
    return [Id(row[0].bytes) for row in rows]
