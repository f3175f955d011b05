"""What became of other commands, and burning the id of one that has not arrived.

For who finds something claimed by a command of which nothing was heard: once its id is burnt it can never take effect
late, and what it claimed is free.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg

from kaquan.commands.loading import buckets, call_load
from kaquan.commands.model import TOMBSTONE, Decision
from kaquan.commands.store import QUERIES
from kaquan.db.wire import INT2, UUID, column
from kaquan.kernel.ids import Id, bucket_of


def bury(connection: psycopg.Connection[Any], command: Id, code: str, at_us: int) -> bool:
    """Burn the id of a command that has not arrived, with this refusal. False when it was decided meanwhile."""
    buried = connection.execute(
        QUERIES.bury,
        {
            "at": at_us,
            "id": command.hex(),
            "content": TOMBSTONE.hex(),
            "answer": msgspec.json.encode({"code": code, "facts": {}}),
            "bucket": bucket_of(command),
        },
    )
    return buried.rowcount == 1


def decisions(cursor: psycopg.Cursor[Any], commands: Sequence[bytes]) -> dict[bytes, Decision]:
    """Those of the commands that were decided; `cursor` is a raw one (`db.wire.raw_cursor`)."""
    if not commands:
        return {}
    labels = buckets(commands)
    of = (column(INT2, labels), column(UUID, commands), column(INT2, sorted(set(labels))))
    found = call_load(cursor, QUERIES.decisions, of)
    rows = zip(found["id"], found["outcome"], found["content"], strict=True)
    return {identity: Decision(outcome == 0, content) for identity, outcome, content in rows}
