"""Reference data in the database."""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from kaquan.commands.loading import buckets, call_load, known_commands
from kaquan.commands.model import Entry
from kaquan.db.queries import load
from kaquan.db.wire import INT2, UUID, column
from kaquan.merchants.model import ReferenceFacts

QUERIES = load(__package__)


def load_facts(cursor: psycopg.Cursor[Any], entries: Sequence[Entry]) -> ReferenceFacts:
    """All codes, and the next free numbers. A clash with another process breaks the primary key: retried."""
    commands = [entry.id for entry in entries]
    labels = buckets(commands)
    found = call_load(
        cursor,
        QUERIES.load_commands,
        (column(INT2, sorted(set(labels))), column(INT2, labels), column(UUID, commands)),
    )
    read = cursor.connection.execute
    numbers = read(QUERIES.next_numbers).fetchone() or (1, 1, 1, 1)
    return ReferenceFacts(
        commands=known_commands(found),
        organisations=dict(read(QUERIES.organisations)),
        merchants={code: identity.bytes for code, identity in read(QUERIES.merchants)},
        stores={row[0] for row in read(QUERIES.stores)},
        programs=dict(read(QUERIES.programs)),
        next_organisation=numbers[0],
        next_book=numbers[1],
        next_program=numbers[2],
        next_terms=numbers[3],
    )


def directory(connection: psycopg.Connection[Any]) -> list[Any]:
    """Merchants with their group and number of stores."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(QUERIES.directory).fetchall()
