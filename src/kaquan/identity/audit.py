"""Who called what from outside, and what came of it: a log that only grows, without personal data and secrets."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import psycopg

from kaquan.identity import store
from kaquan.identity.model import NOBODY
from kaquan.kernel.caller import Caller
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id, bucket_of, new_id

PAGE_MAX = 500
"""Rows on one page."""

TEXT_MAX = 80
"""Characters of one text: what came from outside is cut, and never fills the log."""


class AuditRow(msgspec.Struct, frozen=True):
    """One call. `object` is the public id of what was addressed, `outcome` `ok` or the code of the refusal."""

    id: Id
    at_us: int
    command: Id | None
    organisation: int
    role: str
    person: str
    key_prefix: str
    operation: str
    object: str
    outcome: str
    request: str


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What a page is about; None lets everything through."""

    organisation: int | None = None
    merchant: Id | None = None
    person: str | None = None
    key_prefix: str | None = None
    operation: str | None = None
    object: str | None = None
    outcome: str | None = None


EVERYTHING = Filters()


def row(
    at: datetime,
    caller: Caller,
    operation: str,
    *,
    outcome: str,
    key_prefix: str = "",
    object: str = "",
    command: Id | None = None,
    request: str = "",
) -> AuditRow:
    """One call as the log keeps it. It gets its id here, so that writing it twice writes it once."""
    at_us = microseconds(at)
    texts = (caller.person, key_prefix, operation, object, outcome, request)
    person, key_prefix, operation, object, outcome, request = map(_kept, texts)
    return AuditRow(
        new_id(at_us // 1000, bucket_of(NOBODY)),
        at_us,
        command,
        caller.organisation,
        caller.role.value,
        person,
        key_prefix,
        operation,
        object,
        outcome,
        request,
    )


def write(connection: psycopg.Connection[Any], rows: Sequence[AuditRow]) -> None:
    """Append rows, all in one statement. A row that was written before is left as it is."""
    if not rows:
        return
    columns = {name: [getattr(one, field) for one in rows] for field, name in _COLUMNS}
    for name in ("id", "command"):
        columns[name] = [None if value is None else value.hex() for value in columns[name]]
    store.write_audit(connection, columns)


def list_page(
    connection: psycopg.Connection[Any],
    cursor: Id | None = None,
    filters: Filters = EVERYTHING,
    limit: int = PAGE_MAX,
) -> list[AuditRow]:
    """A page, the latest first; `cursor` is the id of the last row of the page before."""
    told = {
        **msgspec.structs.asdict(filters),
        "bucket": bucket_of(NOBODY),
        "merchant": filters.merchant.hex() if filters.merchant else None,
        "before": cursor.hex() if cursor else None,
        "limit": min(limit, PAGE_MAX),
    }
    return [_read(values) for values in store.audit_listed(connection, told)]


_COLUMNS = tuple((field, "at" if field == "at_us" else field) for field in AuditRow.__struct_fields__)


def _kept(text: str) -> str:
    """A text from outside that fits a line: no control characters, no half characters, cut."""
    readable = text.encode("utf-8", "replace").decode()
    return "".join(letter if letter.isprintable() else "?" for letter in readable[:TEXT_MAX])


def _read(values: Sequence[Any]) -> AuditRow:
    identity, at_us, command, *rest = values
    return AuditRow(Id(identity.bytes), at_us, Id(command.bytes) if command else None, *rest)
