"""Requests in the database."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from kaquan.approvals.model import NOBODY, Approval, ApprovalFacts, ApprovalState
from kaquan.commands.loading import buckets, call_load, known_commands
from kaquan.commands.model import Entry, Kind
from kaquan.db.queries import load
from kaquan.db.wire import INT2, UUID, column
from kaquan.kernel.caller import Caller, Role
from kaquan.kernel.ids import Id, bucket_of

QUERIES = load(__package__)

_BUCKET = {"bucket": bucket_of(NOBODY)}


def load_facts(cursor: psycopg.Cursor[Any], entries: Sequence[Entry], named: Sequence[Id]) -> ApprovalFacts:
    """The requests that a batch names; a change checks their versions. Decisions are read after them, so that a twin
    which is decided meanwhile is answered as it was, and never judged by the state that it left."""
    found: dict[bytes, Approval] = {one.id: one for one in find(cursor.connection, named)}
    commands = [entry.id for entry in entries]
    labels = buckets(commands)
    arguments = (column(INT2, sorted(set(labels))), column(INT2, labels), column(UUID, commands))
    known = known_commands(call_load(cursor, QUERIES.load_commands, arguments))
    return ApprovalFacts(known, found)


def find(connection: psycopg.Connection[Any], named: Sequence[Id]) -> list[Approval]:
    """The requests by these ids that there are."""
    if not named:
        return []
    rows = connection.execute(QUERIES.approvals_by_id, {**_BUCKET, "ids": [one.hex() for one in named]})
    return [_approval(row) for row in rows]


def waiting(connection: psycopg.Connection[Any], told: Mapping[str, Any]) -> list[Approval]:
    """See `approvals.service.pending`."""
    return [_approval(row) for row in connection.execute(QUERIES.waiting, {**_BUCKET, **told})]


def latest(connection: psycopg.Connection[Any], told: Mapping[str, Any]) -> list[Approval]:
    """See `approvals.service.page`."""
    return [_approval(row) for row in connection.execute(QUERIES.latest, {**_BUCKET, **told})]


def _approval(row: Sequence[Any]) -> Approval:
    identity, version, kind, state, organisation, role, merchant, wallet, person, body, reason, *rest = row
    requester = Caller(
        organisation,
        Role(role),
        Id(merchant.bytes) if merchant else None,
        person,
        Id(wallet.bytes) if wallet else None,
    )
    return Approval(
        Id(identity.bytes),
        version,
        Kind(kind),
        ApprovalState(state),
        requester,
        body.encode(),
        reason,
        *rest,
    )
