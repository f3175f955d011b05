"""Sales in the database."""

from typing import Any

import psycopg

from kaquan.db.queries import load
from kaquan.kernel.ids import Id, bucket_of

QUERIES = load(__package__)


def purchases(connection: psycopg.Connection[Any], card: Id) -> list[tuple[int, bytes]]:
    """When a card was sold and topped up, and what was answered, oldest first; instants in microseconds."""
    return connection.execute(QUERIES.purchases, {"bucket": bucket_of(card), "card": card.hex()}).fetchall()
