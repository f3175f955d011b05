"""What every capability's load has in common: one call, columns back, and earlier decisions of the same ids."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from kaquan.commands import store
from kaquan.db.wire import decode
from kaquan.kernel.ids import bucket_of

installation = store.installation


def buckets(ids: Sequence[bytes]) -> list[int]:
    """The bucket of each id."""
    return [bucket_of(identity) for identity in ids]


def call_load(cursor: psycopg.Cursor[Any], sql: str, arguments: Sequence[Any]) -> dict[str, Sequence[Any]]:
    """One load function's row of arrays, decoded, by output name."""
    row = cursor.execute(sql, arguments, prepare=True).fetchone()
    if row is None or cursor.description is None:
        raise RuntimeError("a load function gave no row")
    return {field.name: decode(value) for field, value in zip(cursor.description, row, strict=True)}


def known_commands(facts: Mapping[str, Sequence[Any]]) -> dict[bytes, tuple[bytes, int, bytes]]:
    """Earlier decisions by command id: content, outcome, answer."""
    return {
        identity: (content, outcome, answer)
        for identity, content, outcome, answer in zip(
            facts["command_id"],
            facts["command_content"],
            facts["command_outcome"],
            facts["command_answer"],
            strict=True,
        )
    }
