"""The door's side of the SQL functions: columns in the order of `apply_batch`, and the two small reads."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import psycopg

from kaquan.db.queries import load
from kaquan.db.wire import BYTEA, INT2, INT4, INT8, TEXT, UUID, ColumnType, RawId, column

QUERIES = load(__package__)

# The tables of apply_changes and apply_batch with their columns, in the order of their parameters (migration 0008).
CHANGES: tuple[tuple[str, tuple[ColumnType, ...]], ...] = (
    ("card_check", (INT2, UUID, INT4)),
    ("card_change", (INT2, UUID, INT4, INT2, TEXT)),
    ("lot_change", (INT2, UUID, INT4, INT8, INT8, INT2)),
    ("payment_change", (INT2, UUID, INT4, INT2, INT8, INT8, INT8, INT8, BYTEA, BYTEA, BYTEA, BYTEA)),
    ("reward_change", (INT2, UUID, INT4, INT2, INT8, INT8, UUID)),
    ("voucher_change", (INT2, UUID, INT4, INT2, INT8, INT8, UUID)),
    ("slice_change", (INT2, UUID, INT4, INT2, INT4, INT8, INT8)),
    ("tally_change", (INT2, UUID, INT4, INT4, INT4, INT8)),
)
BIRTHS: tuple[tuple[str, tuple[ColumnType, ...]], ...] = (
    ("command", (INT2, UUID, UUID, INT2, BYTEA)),
    ("lot", (INT2, UUID, UUID, UUID, INT2, INT2, INT8, INT8, INT8, UUID)),
    (
        "payment",
        (INT2, UUID, UUID, UUID, UUID, UUID, INT4, INT2, INT2, INT8, INT8, INT8, TEXT, INT8, BYTEA, BYTEA, BYTEA),
    ),
    ("refund", (INT2, UUID, UUID, INT8, INT8, BYTEA, BYTEA, TEXT)),
    ("reward", (INT2, UUID, UUID, INT8, INT8, INT4)),
    ("voucher", (INT2, UUID, UUID, UUID, INT4, INT4, INT8, INT8, INT8)),
    ("posting", (INT2, UUID, INT2, INT2, INT2, INT2, UUID, INT2, UUID, INT2, INT8)),
)
TABLES = CHANGES + BIRTHS


def _width(tables: tuple[tuple[str, tuple[ColumnType, ...]], ...]) -> int:
    return sum(len(columns) for _, columns in tables)


def _call(first: int, function: str, *types: str) -> str:
    """A call of `function` whose parameters are numbered from `first`; each of `types` casts one."""
    return f"{function}({', '.join(f'${number}{cast}' for number, cast in enumerate(types, first))})"


_BORN: tuple[str, ...] = ("::smallint", "", "::smallint", "::bigint", "", "::smallint", "", "::bytea", "::bytea")
_BORN += ("",) * _width(BIRTHS) + ("::jsonb",)
_CHANGED = ("::smallint", "") + ("",) * _width(CHANGES)
_APPLY = f"SELECT {_call(1, 'apply_batch', *_BORN)}"
_APPLY_CHANGES = f"SELECT {_call(1, 'apply_changes', *_CHANGED)}, {_call(1 + len(_CHANGED), 'apply_batch', *_BORN)}"

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
    cursor: psycopg.RawCursor[Any],
    kind: int,
    at_us: int,
    journal: Journal,
    writes: Writes,
    cold: Mapping[str, list[dict[str, Any]]],
) -> None:
    """Write a decided batch in one call. The server raises when anything it stands on has changed."""
    commands = writes["command"]
    labels = column(INT2, sorted({row[0] for row in commands} | {row[0] for row in writes["slice_change"]}))
    bucket = commands[0][0]
    changing = any(writes[table] for table, _ in CHANGES)
    changes = [bucket, labels, *_columns(CHANGES, writes)] if changing else []
    head = (bucket, labels, kind, at_us, RawId(journal.id), journal.lane, column(UUID, journal.effects))
    body = (journal.leaves, journal.events, *_columns(BIRTHS, writes))
    slow = msgspec.json.encode(cold).decode() if cold else None
    cursor.execute(_APPLY_CHANGES if changing else _APPLY, [*changes, *head, *body, slow], prepare=True)


def _columns(tables: Iterable[tuple[str, tuple[ColumnType, ...]]], writes: Writes) -> Iterator[Any]:
    """The rows of each table as columns; NULL for what has none."""
    for table, kinds in tables:
        if rows := writes[table]:
            yield from (column(kind, values) for kind, values in zip(kinds, zip(*rows, strict=True), strict=True))
        else:
            yield from [None] * len(kinds)
