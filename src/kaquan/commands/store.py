"""The door's side of the SQL functions: columns in the order of `apply_batch`, and the two small reads."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import psycopg

from kaquan.db.queries import load
from kaquan.db.wire import BYTEA, INT2, INT4, INT8, TEXT, UUID, ColumnType, RawId, column

QUERIES = load(__package__)

# The tables of apply_batch with their columns, in the order of its parameters (migration 0006).
TABLES: tuple[tuple[str, tuple[ColumnType, ...]], ...] = (
    ("command", (INT2, UUID, UUID, INT2, BYTEA)),
    ("card_check", (INT2, UUID, INT4)),
    ("card_change", (INT2, UUID, INT4, INT2, TEXT)),
    ("lot_change", (INT2, UUID, INT4, INT8, INT8, INT2)),
    ("payment_change", (INT2, UUID, INT4, INT2, INT8, INT8, INT8, BYTEA)),
    ("reward_change", (INT2, UUID, INT4, INT2, UUID)),
    ("lot", (INT2, UUID, UUID, UUID, INT2, INT2, INT8, INT8, INT8)),
    ("payment", (INT2, UUID, UUID, UUID, UUID, UUID, INT4, INT2, INT2, INT8, INT8, INT8, TEXT, BYTEA)),
    ("refund", (INT2, UUID, UUID, INT8, BYTEA, TEXT)),
    ("reward", (INT2, UUID, UUID, INT8, INT8, INT4)),
    ("posting", (INT2, UUID, INT2, INT2, INT2, INT2, UUID, INT2, UUID, INT2, INT8)),
)
_COLUMNS = sum(len(columns) for _, columns in TABLES)
_APPLY = (
    "SELECT apply_batch(%s::smallint, %s, %s::smallint, %s::bigint, %s, %s::smallint, %s, %s::bytea, %s::bytea, "
    + ", ".join(["%s"] * _COLUMNS)
    + ", %s::jsonb)"
)

Writes = Mapping[str, list[tuple[Any, ...]]]


class Journal(msgspec.Struct, frozen=True):
    """The batch's journal row: effects in order, their leaves, the events."""

    id: bytes
    lane: int
    effects: Sequence[bytes]
    leaves: bytes
    events: bytes


def installation(connection: psycopg.Connection[Any]) -> tuple[int, int]:
    """The clock's offset in microseconds and the version of the reference data."""
    row = connection.execute(QUERIES.installation, prepare=True).fetchone()
    if row is None:
        raise RuntimeError("the database has no installation row: run the migrations")
    return int(row[0]), int(row[1])


def apply(
    cursor: psycopg.Cursor[Any],
    kind: int,
    at_us: int,
    journal: Journal,
    writes: Writes,
    cold: Mapping[str, list[dict[str, Any]]],
) -> None:
    """Write a decided batch in one call. The server raises when anything it stands on has changed."""
    commands = writes["command"]
    labels = sorted({row[0] for row in commands})
    arguments: list[Any] = [
        commands[0][0],
        column(INT2, labels),
        kind,
        at_us,
        RawId(journal.id),
        journal.lane,
        column(UUID, journal.effects),
        journal.leaves,
        journal.events,
    ]
    for table, columns in TABLES:
        rows = writes.get(table)
        if not rows:
            arguments.extend([None] * len(columns))
            continue
        arguments.extend(
            column(kind_, values) for kind_, values in zip(columns, zip(*rows, strict=True), strict=True)
        )
    arguments.append(msgspec.json.encode(cold).decode() if cold else None)
    cursor.execute(_APPLY, arguments, prepare=True)
