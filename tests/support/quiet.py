"""Wait until everything that runs on the server now has ended: other tests share it, and its transaction horizon."""

from time import sleep
from typing import Any

import psycopg

LOOKS_MAX = 6_000
LOOK_SECONDS = 0.01


def quiet(connection: psycopg.Connection[Any]) -> None:
    """Return when every transaction that has begun by now has ended; fail after a minute."""
    wanted = None
    for _ in range(LOOKS_MAX):
        row = connection.execute(
            "SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint FROM pg_current_snapshot() s"
        ).fetchone()
        assert row is not None
        wanted = wanted or row[1]
        if row[0] >= wanted:
            return
        sleep(LOOK_SECONDS)
    raise AssertionError("a transaction has been running for a minute")
