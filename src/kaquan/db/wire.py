"""Columns on the wire: arrays in PostgreSQL's binary format, built and read as whole columns.

The door sends and receives a few hundred rows as one array per column. Element by element adaptation costs
several times more than the payment itself, hence these forty lines instead of the driver's own list support.
Layout (server documentation, `array_send`): dimensions, flags, element type, length, lower bound, then each
element as a length and its bytes; length -1 is NULL.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from struct import Struct
from struct import error as StructError
from typing import Any, NamedTuple, TypeVar

import psycopg
from psycopg.adapt import Buffer, Dumper, Loader
from psycopg.pq import Format

_HEADER = Struct(">iiIii")
_NULL = b"\xff\xff\xff\xff"


@lru_cache(maxsize=2048)
def _fixed(count: int, letter: str) -> Struct:
    return Struct(">" + ("i" + letter) * count)


@lru_cache(maxsize=2048)
def _bare(count: int, letter: str) -> Struct:
    return Struct(">" + ("xxxx" + letter) * count)


def _integers(size: int, letter: str) -> "_Body":
    def body(values: Sequence[Any]) -> bytes:
        interleaved = [size] * (2 * len(values))
        interleaved[1::2] = values
        return _fixed(len(values), letter).pack(*interleaved)

    return body


def _integer(size: int) -> "_Element":
    prefix = size.to_bytes(4, "big")
    return lambda value: prefix + value.to_bytes(size, "big", signed=True)


def _uuids(values: Sequence[Any]) -> bytes:
    return b"\0\0\0\x10" + b"\0\0\0\x10".join(values)


def _blob(value: Any) -> bytes:
    return len(value).to_bytes(4, "big") + value  # type: ignore[no-any-return]


def _blobs(values: Sequence[Any]) -> bytes:
    interleaved = [b""] * (2 * len(values))
    interleaved[::2] = [len(value).to_bytes(4, "big") for value in values]
    interleaved[1::2] = values
    return b"".join(interleaved)


def _texts(values: Sequence[Any]) -> bytes:
    return _blobs([value.encode() for value in values])


_Body = Callable[[Sequence[Any]], bytes]
_Element = Callable[[Any], bytes]


class ColumnType(NamedTuple):
    """How a column travels: type numbers of array and element, its body when nothing is NULL, one element."""

    array_oid: int
    element_oid: int
    body: _Body
    element: _Element


INT2 = ColumnType(1005, 21, _integers(2, "h"), _integer(2))
INT4 = ColumnType(1007, 23, _integers(4, "i"), _integer(4))
INT8 = ColumnType(1016, 20, _integers(8, "q"), _integer(8))
UUID = ColumnType(2951, 2950, _uuids, lambda value: b"\0\0\0\x10" + value)
BYTEA = ColumnType(1001, 17, _blobs, _blob)
TEXT = ColumnType(1009, 25, _texts, lambda value: _blob(value.encode()))

_LETTERS = {21: "h", 23: "i", 20: "q"}


class Column(bytes):
    """An encoded array. One subclass per array type, so that the driver can tell the server which."""


_CLASSES = {
    kind.array_oid: type(f"Column{kind.array_oid}", (Column,), {}) for kind in (INT2, INT4, INT8, UUID, BYTEA, TEXT)
}


class RawId(bytes):
    """Sixteen bytes sent as a uuid."""


def column(kind: ColumnType, values: Sequence[Any]) -> Column | None:
    """The array of `values`, or None when there are none (the SQL functions skip what is NULL)."""
    if not values:
        return None
    nulls, body = 0, b""
    try:  # asking each value whether it is None would cost as much as encoding it
        body = kind.body(values)
    except (TypeError, AttributeError, StructError):
        if None not in values:
            raise
        nulls = 1
        body = b"".join([_NULL if value is None else kind.element(value) for value in values])
    encoded: Column = _CLASSES[kind.array_oid](_HEADER.pack(1, nulls, kind.element_oid, len(values), 1) + body)
    return encoded


def decode(data: bytes | None) -> Sequence[Any]:
    """The values of an array without NULLs: ints, or bytes for every other type; empty for NULL."""
    if data is None:
        return ()
    dimensions, _, oid, count, _ = _HEADER.unpack_from(data)
    if dimensions == 0:
        return ()
    if letter := _LETTERS.get(oid):
        return _bare(count, letter).unpack_from(data, 20)
    if oid == UUID.element_oid:
        return [data[start : start + 16] for start in range(24, 24 + 20 * count, 20)]
    values = []
    start = 20
    for _ in range(count):
        end = start + 4 + int.from_bytes(data[start : start + 4], "big")
        values.append(data[start + 4 : end])
        start = end
    return values


def _dumper(oid: int) -> type[Dumper]:
    class RawDumper(Dumper):
        format = Format.BINARY

        def dump(self, obj: Any) -> Buffer:
            return obj  # type: ignore[no-any-return]

    RawDumper.oid = oid
    return RawDumper


class _RawLoader(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


def raw_cursor(connection: psycopg.Connection[Any]) -> psycopg.Cursor[Any]:
    """A cursor that takes `Column` and `RawId` and gives arrays and uuids back as raw bytes."""
    return _fitted(connection.cursor(binary=True))


def numbered_cursor(connection: psycopg.Connection[Any]) -> psycopg.RawCursor[Any]:
    """The same for queries with `$1`: the driver would parse more than fifty `%s` anew at each call."""
    return _fitted(psycopg.RawCursor(connection))


_AnyCursor = TypeVar("_AnyCursor", bound=psycopg.Cursor[Any])


def _fitted(cursor: _AnyCursor) -> _AnyCursor:
    for oid, kind in _CLASSES.items():
        cursor.adapters.register_dumper(kind, _dumper(oid))
        cursor.adapters.register_loader(oid, _RawLoader)
    cursor.adapters.register_dumper(RawId, _dumper(UUID.element_oid))
    cursor.adapters.register_loader(UUID.element_oid, _RawLoader)
    return cursor
