"""What the simulation reads, and what it does beside the door: it moves the clock, and forgets a town."""

from typing import Any

import msgspec
import psycopg
from psycopg.rows import dict_row

from kaquan.db.queries import load
from kaquan.kernel.money import Money

QUERIES = load(__package__)

LOCK_WAIT = "10s"
"""How long forgetting waits for others to leave the database."""


class Details(msgspec.Struct, frozen=True):
    """Beside the ledger's totals: how often things happened, what holders paid, what waits. Amounts in fen.

    `payable_fen` is earned by merchants and not settled yet, `reserve_fen` held back and not released yet.
    """

    topped_up: int
    cards_sold_paid_fen: Money
    topped_up_paid_fen: Money
    payable_fen: Money
    reserve_fen: Money
    payments: int
    holds: int
    refunds: int
    rebates_waiting: int
    rebates_waiting_fen: Money
    rebates_granted: int
    rebates_cancelled: int
    rebates_cancelled_fen: Money
    rebates_clawed_back: int
    lots_expired: int
    reserves_released: int
    commands_effective: int
    commands_refused: int
    settlements: int


def set_clock(connection: psycopg.Connection[Any], offset_us: int) -> None:
    """Let installation time be system time plus so many microseconds."""
    connection.execute(QUERIES.set_clock, {"clock_offset_us": offset_us})


def organisations(connection: psycopg.Connection[Any]) -> list[str]:
    """The codes of all organisations."""
    return [row[0] for row in connection.execute(QUERIES.organisations)]


def refusals(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Recorded refusals by code, the most frequent first. What burns no key is recorded nowhere."""
    return {code: int(count) for code, count in connection.execute(QUERIES.refusals)}


def details(connection: psycopg.Connection[Any]) -> Details:
    """The details of everything on the database."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return msgspec.convert(cursor.execute(QUERIES.details).fetchone(), Details)


def forget(owner_url: str) -> None:
    """Drop the schema with everything in it. Raises `psycopg.errors.LockNotAvailable` while others use it."""
    with psycopg.connect(owner_url, autocommit=True, options=f"-c lock_timeout={LOCK_WAIT}") as connection:
        connection.execute(QUERIES.forget)
