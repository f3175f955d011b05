"""Vouchers in the database."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from kaquan.cards.model import Wanted
from kaquan.cards.service import card_rows, load_spending, lot_rows
from kaquan.commands.loading import buckets, call_load, known_commands
from kaquan.commands.model import Entry
from kaquan.db.queries import load
from kaquan.db.wire import INT2, UUID, column
from kaquan.holders.model import Wallet
from kaquan.kernel.ids import BUCKETS, Id, bucket_of
from kaquan.quotas.service import quotas
from kaquan.vouchers.codes import Code, CodeBatch, CodeFacts
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


def claimants(cursor: psycopg.Cursor[Any], entries: Sequence[Entry]) -> dict[bytes, Id]:
    """The natural person behind each command that was not decided before and whose wallet is active, by command.

    Of a wallet whose holder was not identified it is the wallet itself.
    """
    wallets = [entry.command.wallet for entry in entries]
    commands = [entry.id for entry in entries]
    labels = buckets(wallets)
    of = (column(INT2, labels), column(UUID, wallets), column(INT2, buckets(commands)), column(UUID, commands))
    found = call_load(cursor, QUERIES.claimants, (*of, column(INT2, sorted({*labels, *buckets(commands)}))))
    return {command: Id(person) for command, person in zip(found["command"], found["person"], strict=True)}


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


def take_codes(cursor: psycopg.Cursor[Any], entries: Sequence[Entry], at_us: int) -> dict[bytes, Code]:
    """Give each code that nobody has to the first command that brings it; all that are known, by digest."""
    digests = [entry.command.digest for entry in entries]
    labels = buckets(digests)
    wanted = (column(INT2, labels), column(UUID, digests), column(UUID, [entry.id for entry in entries]))
    contents = column(UUID, [entry.content for entry in entries])
    found = call_load(cursor, QUERIES.take_codes, (column(INT2, sorted(set(labels))), at_us, *wanted, contents))
    return _codes(found)


def codes(cursor: psycopg.Cursor[Any], digests: Sequence[bytes]) -> dict[bytes, Code]:
    """The codes that are known, by digest."""
    wanted = sorted(set(digests))
    labels = buckets(wanted)
    of = (column(INT2, labels), column(UUID, wanted), column(INT2, sorted(set(labels))))
    return _codes(call_load(cursor, QUERIES.codes, of))


def _codes(found: Mapping[str, Sequence[Any]]) -> dict[bytes, Code]:
    names = ("id", "stock", "batch", "command", "content", "taken_at")
    rows = (Code(*row) for row in zip(*(found[f"code_{name}"] for name in names), strict=True))
    return {code.id: code for code in rows}


def take_code_over(connection: psycopg.Connection[Any], entry: Entry, seen: Code, at_us: int) -> bool:
    """Give a code to another command, if it is still whose we saw it to be."""
    taken = connection.execute(
        QUERIES.take_code_over,
        {
            "command": entry.id.hex(),
            "content": entry.content.hex(),
            "at": at_us,
            "bucket": bucket_of(seen.id),
            "id": seen.id.hex(),
            "held_by": seen.command.hex(),
            "held_for": seen.content.hex(),
        },
    )
    return taken.rowcount == 1


def code_batches(cursor: psycopg.Cursor[Any], batches: Sequence[bytes]) -> dict[bytes, CodeBatch]:
    """The batches of codes that are there."""
    if not batches:
        return {}
    labels = buckets(batches)
    of = (column(INT2, labels), column(UUID, batches), column(INT2, sorted(set(labels))))
    found = call_load(cursor, QUERIES.code_batches, of)
    rows = zip(found["id"], found["version"], found["stock"], found["state"], strict=True)
    return {row[0]: CodeBatch(row[0], row[1], row[2], row[3] == 1) for row in rows}


def load_codes(cursor: psycopg.Cursor[Any], entries: Sequence[Entry], digests: Sequence[bytes]) -> CodeFacts:
    """Which of the codes are known, the batches, and earlier decisions."""
    commands = [entry.id for entry in entries]
    labels = buckets(commands)
    of = (column(INT2, sorted(set(labels))), column(INT2, labels), column(UUID, commands))
    decided = known_commands(call_load(cursor, QUERIES.load_commands, of))
    known = set(codes(cursor, digests)) if digests else set()
    return CodeFacts(decided, known, code_batches(cursor, sorted({entry.command.batch for entry in entries})))


def code_counts(connection: psycopg.Connection[Any], batch: Id) -> tuple[int, int]:
    """How many codes of a batch there are, and how many of them a command has taken."""
    key = {"buckets": list(BUCKETS), "batch": batch.hex()}
    row = connection.execute(QUERIES.code_counts, key).fetchone()
    return (row[0], row[1]) if row else (0, 0)


def code_batch(connection: psycopg.Connection[Any], batch: Id) -> Any | None:
    """One batch of codes for display, or None."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        key = {"bucket": bucket_of(batch), "id": batch.hex()}
        return cursor.execute(QUERIES.code_batch, key).fetchone()


def code_batches_of(
    connection: psycopg.Connection[Any], stock: int, after: tuple[int, str] | None, most: int
) -> list[Any]:
    """Up to `most` batches of a stock's codes, the earliest first, after the instant and id (in hex) of one."""
    at, identity = after or (0, bytes(16).hex())
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        key = {"stock": stock, "at": at, "id": identity, "most": most}
        return cursor.execute(QUERIES.code_batches_of, key).fetchall()
