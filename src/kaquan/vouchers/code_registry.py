"""Codes are taken like tokens: by one command each, in the code's own bucket, before anything is decided.

A code is its command's for as long as that may take effect or has done so. One that was refused gives it up, and so
does one of which nothing was heard for a while, whose id is then burnt.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg

from kaquan.commands.model import Decision, Entry
from kaquan.commands.tombstones import bury, decisions
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id
from kaquan.quotas.slots import GRACE_SECONDS, given_up
from kaquan.vouchers import store
from kaquan.vouchers.codes import NOT_TAKEN, Code


def take(
    cursor: psycopg.Cursor[Any], entries: Sequence[Entry], at: datetime, lost_code: str, *, dry_run: bool = False
) -> dict[bytes, Code]:
    """The code of each command that may use the one it brings; a dry run only looks.

    Left out are codes that are unknown, stopped, used, or another's for now: nobody hears which.
    """
    if not entries:
        return {}
    at_us = microseconds(at)
    digests = [entry.command.digest for entry in entries]
    codes = store.codes(cursor, digests) if dry_run else store.take_codes(cursor, entries, at_us)
    batches = store.code_batches(cursor, sorted({code.batch for code in codes.values()}))
    known = decisions(cursor, sorted({code.command for code in codes.values()} - {entry.id for entry in entries}))
    taken: dict[bytes, Code] = {}
    for entry in entries:
        code = codes.get(entry.command.digest)
        if code is None or code.batch not in batches or not batches[code.batch].open:
            continue
        if code.command in (entry.id, NOT_TAKEN):
            if code.content in (entry.content, NOT_TAKEN):
                taken[entry.id] = code
        elif _given_up(code, known.get(code.command), at_us) and (
            dry_run or _take_over(cursor.connection, entry, code, known.get(code.command), at_us, lost_code)
        ):
            taken[entry.id] = code
            codes[code.id] = Code(code.id, code.stock, code.batch, entry.id, entry.content, at_us)
    return taken


def _given_up(code: Code, decision: Decision | None, at_us: int) -> bool:
    if decision is None:
        return at_us - code.taken_us >= GRACE_SECONDS * 1_000_000
    return given_up(code.content, decision)


def _take_over(
    connection: psycopg.Connection[Any],
    entry: Entry,
    code: Code,
    decision: Decision | None,
    at_us: int,
    lost_code: str,
) -> bool:
    if decision is None and not bury(connection, Id(code.command), lost_code, at_us):
        return False
    return store.take_code_over(connection, entry, code, at_us)
