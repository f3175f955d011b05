"""Draws in the database."""

from collections.abc import Collection, Sequence
from time import sleep
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from kaquan.commands.model import Entry
from kaquan.db.queries import load
from kaquan.draws.model import Draw, DrawFacts
from kaquan.kernel import clock
from kaquan.kernel.ids import Id, bucket_of
from kaquan.vouchers.service import load_facts, wanted_wallets

QUERIES = load(__package__)

WRITERS_SECONDS = 10.0
"""How long a list waits for entries that are being written; a batch of the door takes a twentieth of a second."""

_LOOK_SECONDS = 0.01


def load_draws(
    cursor: psycopg.Cursor[Any], entries: Sequence[Entry], draws: Collection[Id], wallets: Collection[Id], lock: bool
) -> DrawFacts:
    """Draws, wallets, and earlier decisions of the same ids."""
    facts = load_facts(cursor, entries, wanted_wallets(wallets), lock)
    return DrawFacts(facts.commands, {}, {}, wallets=facts.wallets, draws=find(cursor.connection, draws))


def find(connection: psycopg.Connection[Any], draws: Collection[Id]) -> dict[bytes, Draw]:
    """The draws by these ids that there are."""
    if not draws:
        return {}
    key = {"buckets": [bucket_of(draw) for draw in draws], "ids": [draw.hex() for draw in draws]}
    rows = connection.execute(QUERIES.draws, key)
    return {row[0].bytes: Draw(Id(row[0].bytes), *row[1:]) for row in rows}


def of_stocks(
    connection: psycopg.Connection[Any], buckets: list[int], stocks: list[int]
) -> dict[int, tuple[int, int]]:
    """The number of draws of each stock, and the seats in them; they lie in these buckets."""
    rows = connection.execute(QUERIES.of_stock, {"buckets": buckets, "stocks": stocks})
    return {stock: (count, seats) for stock, count, seats in rows}


def entries(connection: psycopg.Connection[Any], draw: Id) -> list[tuple[bytes, bytes]]:
    """(entry, wallet) of everybody in a draw, in the order of entries."""
    rows = connection.execute(QUERIES.entries, {"bucket": bucket_of(draw), "draw": draw.hex()})
    return [(entry.bytes, wallet.bytes) for entry, wallet in rows]


def entries_page(connection: psycopg.Connection[Any], draw: Id, after: Id | None, most: int) -> list[Id]:
    """Up to `most` entries of a draw after one, in the order of ids."""
    key = {"bucket": bucket_of(draw), "draw": draw.hex(), "after": (after or bytes(16)).hex(), "most": most}
    return [Id(row[0].bytes) for row in connection.execute(QUERIES.entries_page, key)]


def entries_of(connection: psycopg.Connection[Any], draw: Id, wallet: Id) -> list[Id]:
    """The entries of a wallet in a draw: one, or none."""
    key = {"bucket": bucket_of(draw), "draw": draw.hex(), "wallet": wallet.hex()}
    return [Id(row[0].bytes) for row in connection.execute(QUERIES.entries_of, key)]


def sealed_seed(connection: psycopg.Connection[Any], draw: Id) -> bytes | None:
    """The seed under the installation's key."""
    row = connection.execute(QUERIES.sealed_seed, {"bucket": bucket_of(draw), "id": draw.hex()}).fetchone()
    return bytes(row[0]) if row else None


def listed(connection: psycopg.Connection[Any]) -> list[Any]:
    """Every draw for display, the latest first."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(QUERIES.draws_listed).fetchall()


def writers_done(connection: psycopg.Connection[Any]) -> bool:
    """Wait until whatever was being written when this was asked is committed or gone. False when it took too long."""
    newest = _number(connection, QUERIES.newest_transaction)
    until = clock.seconds() + WRITERS_SECONDS
    while _number(connection, QUERIES.oldest_transaction) <= newest:
        if clock.seconds() > until:
            return False
        sleep(_LOOK_SECONDS)
    return True


def _number(connection: psycopg.Connection[Any], query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
