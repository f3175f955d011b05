"""What the simulation reads and the one thing it writes beside the door: the installation clock."""

from typing import Any

import psycopg

from kaquan.db.queries import load

QUERIES = load(__package__)


def set_clock(connection: psycopg.Connection[Any], offset_us: int) -> None:
    """Let installation time be system time plus so many microseconds."""
    connection.execute(QUERIES.set_clock, {"clock_offset_us": offset_us})


def organisations(connection: psycopg.Connection[Any]) -> list[str]:
    """The codes of all organisations."""
    return [row[0] for row in connection.execute(QUERIES.organisations)]


def refusals(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Recorded refusals by code, the most frequent first. What burns no key is recorded nowhere."""
    return {code: int(count) for code, count in connection.execute(QUERIES.refusals)}
