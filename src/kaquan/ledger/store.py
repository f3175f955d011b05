"""The queries of the ledger, for its own modules."""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.rows import dict_row, namedtuple_row

from kaquan.db.queries import load
from kaquan.kernel.ids import Id, bucket_of

QUERIES = load(__package__)


def one_row(
    connection: psycopg.Connection[Any], query: str, arguments: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The only row of a query, by column. The query must give one."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(query, arguments).fetchone()
    if row is None:
        raise RuntimeError("a query of one row gave none")
    return row


def latest(connection: psycopg.Connection[Any], most: int) -> list[Any]:
    """The latest postings, newest first."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(QUERIES.latest, {"most": most}).fetchall()


def transfer(connection: psycopg.Connection[Any], identity: Id) -> list[Any]:
    """The postings of one transfer, which is the command that moved the money."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        key = {"bucket": bucket_of(identity), "transfer": identity.hex()}
        return cursor.execute(QUERIES.transfer, key).fetchall()


def page(
    connection: psycopg.Connection[Any],
    books: list[int],
    account: int | None,
    before: tuple[int, str, int] | None,
    most: int,
) -> list[Any]:
    """Up to `most` postings of books, newest first, before the instant, transfer (in hex) and line of one."""
    at, identity, line = before or (2**62, "f" * 32, 0)
    values = {"books": books, "account": account, "at": at, "transfer": identity, "line": line, "most": most}
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(QUERIES.postings_page, values).fetchall()


def rollup_state(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    """Up to which transaction the roll-up has everything, and up to which it could."""
    return one_row(connection, QUERIES.rollup_state)
