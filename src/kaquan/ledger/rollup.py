"""The roll-up: totals of all postings below a transaction horizon, so that balances need not add up years.

A transaction's number says when it began, not when it ended, so the horizon is the oldest transaction still
running: below it nothing can appear any more. Ids and instants could not say that.
"""

from typing import Any, NamedTuple

import psycopg

from kaquan.ledger.store import QUERIES


class Rolled(NamedTuple):
    """From which transaction to which the roll-up has just grown, and how many totals it changed."""

    since: int
    until: int
    rows: int


def roll_up(connection: psycopg.Connection[Any]) -> Rolled:
    """Add everything that is closed by now. Callers at the same time take turns, and each row is added once."""
    with connection.transaction():
        since = _number(connection, QUERIES.lock_horizon)
        until = _number(connection, QUERIES.closed_horizon)
        if until <= since:
            return Rolled(since, since, 0)
        span = {"since": since, "until": until}
        rows = connection.execute(QUERIES.roll_up, span).rowcount
        connection.execute(QUERIES.move_horizon, {"until": until})
        return Rolled(since, until, rows)


def _number(connection: psycopg.Connection[Any], query: str) -> int:
    row = connection.execute(query).fetchone()
    if row is None:
        raise RuntimeError("the roll-up has no horizon: run the migrations")
    return int(row[0])
