"""Columns arrive as they were sent: compared by the server with the same values written as text."""

from struct import error as StructError
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaquan.db.pool import connect
from kaquan.db.wire import (
    BYTEA,
    INT2,
    INT4,
    INT8,
    TEXT,
    UUID,
    ColumnType,
    column,
    decode,
    numbered_cursor,
    raw_cursor,
)
from support.database import Database

COLUMNS: list[tuple[str, ColumnType, Any]] = [
    ("smallint", INT2, st.integers(-(2**15), 2**15 - 1)),
    ("integer", INT4, st.integers(-(2**31), 2**31 - 1)),
    ("bigint", INT8, st.integers(-(2**63), 2**63 - 1)),
    ("uuid", UUID, st.binary(min_size=16, max_size=16)),
    ("bytea", BYTEA, st.binary(max_size=300)),
    ("text", TEXT, st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)),
]


def as_text(kind: ColumnType, value: Any) -> str | None:
    """The value as the server prints it."""
    if value is None or kind is TEXT:
        return value  # type: ignore[no-any-return]
    return value.hex() if isinstance(value, bytes) else str(value)


@pytest.mark.parametrize(("name", "kind", "values"), COLUMNS, ids=[name for name, _, _ in COLUMNS])
def test_the_server_reads_what_was_sent_also_where_nothing_stands(
    name: str, kind: ColumnType, values: Any, database: Database
) -> None:
    shown = {"uuid": "replace(v::text, '-', '')", "bytea": "encode(v, 'hex')"}.get(name, "v::text")
    with connect(database.app_url) as connection:

        @settings(max_examples=40)
        @given(st.lists(st.none() | values, min_size=1, max_size=20))
        def check(sent: list[Any]) -> None:
            encoded = column(kind, sent)
            for cursor, mark in ((raw_cursor(connection), "%s"), (numbered_cursor(connection), "$1")):
                query = f"SELECT {shown} FROM unnest({mark}::{name}[]) WITH ORDINALITY AS u (v, n) ORDER BY n"
                found = [text for (text,) in cursor.execute(query, [encoded]).fetchall()]
                assert found == [as_text(kind, value) for value in sent]

        check()


@pytest.mark.parametrize(("name", "kind", "values"), COLUMNS, ids=[name for name, _, _ in COLUMNS])
def test_what_was_sent_comes_back(name: str, kind: ColumnType, values: Any, database: Database) -> None:
    with connect(database.app_url) as connection:

        @settings(max_examples=40)
        @given(st.lists(values, min_size=1, max_size=20))
        def check(sent: list[Any]) -> None:
            row = raw_cursor(connection).execute(f"SELECT %s::{name}[]", [column(kind, sent)]).fetchone()
            assert row is not None
            back = [value.decode() if kind is TEXT else value for value in decode(row[0])]
            assert back == sent

        check()


def test_nothing_is_sent_for_nothing() -> None:
    assert column(INT8, []) is None
    assert list(decode(None)) == []


@pytest.mark.parametrize("kind", [INT2, INT4, INT8])
def test_a_number_that_does_not_fit_is_never_sent_as_another(kind: ColumnType) -> None:
    with pytest.raises(StructError):
        column(kind, [1, 2**63])
    with pytest.raises(OverflowError):
        column(kind, [None, 2**63])


@pytest.mark.parametrize(("kind", "wrong"), [(UUID, "text"), (BYTEA, "text"), (TEXT, b"\xff\xfe"), (INT8, "1")])
def test_what_is_not_of_the_type_is_never_sent(kind: ColumnType, wrong: Any) -> None:
    with pytest.raises((TypeError, AttributeError, StructError)):
        column(kind, [wrong])
