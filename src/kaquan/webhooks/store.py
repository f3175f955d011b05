"""Endpoints, deliveries and attempts in the database."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import psycopg
from psycopg.rows import namedtuple_row

from kaquan.commands.loading import buckets, call_load, known_commands
from kaquan.commands.model import Entry
from kaquan.db.queries import load
from kaquan.db.wire import BYTEA, INT2, INT8, TEXT, UUID, column
from kaquan.kernel.ids import Id, bucket_of
from kaquan.webhooks.model import AddEndpoint, Answered, Delivery, DeliveryState, Endpoint, EndpointFacts, Happened

QUERIES = load(__package__)


class Look(NamedTuple):
    """A part of the journal: what happened from one transaction up to another. `rows` counts its batches."""

    since: int
    until: int
    rows: int
    happened: list[Happened]


class Queued(NamedTuple):
    """A delivery that is to be written."""

    id: Id
    endpoint: Id
    event: Id
    at_us: int
    name: str
    body: bytes


class Thing(NamedTuple):
    """Something that an event names: what it is, and its id or its code."""

    number: int
    kind: str
    id: Id | None = None
    code: str | None = None


def load_facts(cursor: psycopg.Cursor[Any], entries: Sequence[Entry]) -> EndpointFacts:
    """The endpoints, organisations and earlier decisions of a batch. Nothing is locked: changes check versions."""
    commands = [entry.id for entry in entries]
    labels = buckets(commands)
    arguments = (column(INT2, sorted(set(labels))), column(INT2, labels), column(UUID, commands))
    adding = [entry.command for entry in entries if isinstance(entry.command, AddEndpoint)]
    meant = {entry.command.endpoint for entry in entries if not isinstance(entry.command, AddEndpoint)}
    read = cursor.connection.execute
    codes = sorted({command.organisation for command in adding})
    return EndpointFacts(
        commands=known_commands(call_load(cursor, QUERIES.load_commands, arguments)),
        endpoints=dict(find(cursor.connection, meant)),
        organisations=dict(read(QUERIES.organisations, {"codes": codes})) if adding else {},
        of_organisation=dict(read(QUERIES.of_organisation)) if adding else {},
    )


def find(connection: psycopg.Connection[Any], endpoints: Collection[Id]) -> dict[bytes, Endpoint]:
    """The endpoints by these ids that there are."""
    if not endpoints:
        return {}
    rows = connection.execute(QUERIES.endpoints, _keys(endpoints))
    return {row[0].bytes: _endpoint(row) for row in rows}


def organisation(connection: psycopg.Connection[Any], code: str) -> int | None:
    """The number of an organisation."""
    row = connection.execute(QUERIES.organisations, {"codes": [code]}).fetchone()
    return int(row[1]) if row else None


def running(connection: psycopg.Connection[Any]) -> list[Endpoint]:
    """Every endpoint that hears of events."""
    return [_endpoint(row) for row in connection.execute(QUERIES.running)]


def listed(connection: psycopg.Connection[Any], owner: int | None, most: int) -> list[Any]:
    """Endpoints for display, of one organisation or of all."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(QUERIES.listed, {"organisation": owner, "most": most}).fetchall()


def bounds(connection: psycopg.Connection[Any]) -> tuple[int, int]:
    """The transactions from which and below which the journal is to be looked at now."""
    return _number(connection, QUERIES.position), _number(connection, QUERIES.horizon)


def look(connection: psycopg.Connection[Any], since: int, until: int, most: int) -> Look:
    """The next `most` rows of the journal, or a few more: those of one transaction stay together."""
    row = connection.execute(QUERIES.until, {"since": since, "until": until, "most": most}).fetchone()
    if row and row[0] is not None:
        until = max(row[0], since + 1)
    batches = connection.execute(QUERIES.happened, {"since": since, "until": until}).fetchall()
    return Look(since, until, len(batches), [one for batch in batches for one in _events(*batch)])


def answers(connection: psycopg.Connection[Any], commands: Collection[Id]) -> dict[bytes, dict[str, Any]]:
    """What commands answered."""
    rows = connection.execute(QUERIES.answers, _keys(commands))
    return {identity.bytes: msgspec.json.decode(answer) for identity, answer in rows}


def programs(connection: psycopg.Connection[Any]) -> dict[int, str]:
    """Codes of programs by their numbers."""
    return dict(connection.execute(QUERIES.programs).fetchall())


def concerned(connection: psycopg.Connection[Any], things: Sequence[Thing]) -> dict[int, set[int]]:
    """The organisations that things concern, by the number of each thing."""
    arguments = {
        "numbers": [thing.number for thing in things],
        "kinds": [thing.kind for thing in things],
        "buckets": [None if thing.id is None else bucket_of(thing.id) for thing in things],
        "ids": [None if thing.id is None else thing.id.hex() for thing in things],
        "codes": [thing.code for thing in things],
    }
    found: dict[int, set[int]] = {}
    for number, owner in connection.execute(QUERIES.concerned, arguments):
        found.setdefault(number, set()).add(owner)
    return found


def queue(cursor: psycopg.Cursor[Any], part: Look, deliveries: Sequence[Queued], due_us: int) -> bool:
    """Write deliveries and move the position past this part. False, and nothing, when somebody else was faster."""
    row = cursor.execute(
        QUERIES.queue,
        (
            part.since,
            part.until,
            column(INT2, [bucket_of(one.endpoint) for one in deliveries]),
            column(UUID, [one.id for one in deliveries]),
            column(UUID, [one.endpoint for one in deliveries]),
            column(UUID, [one.event for one in deliveries]),
            column(INT8, [one.at_us for one in deliveries]),
            due_us,
            column(TEXT, [one.name for one in deliveries]),
            column(BYTEA, [one.body for one in deliveries]),
        ),
    ).fetchone()
    return bool(row and row[0])


def take(connection: psycopg.Connection[Any], now_us: int, leased_us: int, most: int, each: int) -> list[Delivery]:
    """Due deliveries, at most `each` of an endpoint. Until `leased_us` nobody else takes them."""
    wanted = {"now": now_us, "leased": leased_us, "most": most, "each": each}
    rows = connection.execute(QUERIES.take, wanted)
    return [
        Delivery(Id(identity.bytes), version, Id(endpoint.bytes), Id(event.bytes), attempts, started, body)
        for identity, version, endpoint, event, attempts, started, body in rows
    ]


def record(
    connection: psycopg.Connection[Any],
    delivery: Delivery,
    answered: Answered,
    now_us: int,
    after: tuple[DeliveryState, int],
) -> None:
    """Write an attempt, and what it made of its delivery."""
    told = (answered.milliseconds, answered.status, answered.failure, answered.answer)
    key = (bucket_of(delivery.id), delivery.id.hex(), delivery.version)
    connection.execute(QUERIES.record, (*key, now_us, *told, int(after[0]), after[1]))


def deliveries(
    connection: psycopg.Connection[Any],
    endpoint: Id,
    state: DeliveryState | None,
    most: int,
    behind: tuple[int, Id] | None = None,
) -> list[Any]:
    """Deliveries of an endpoint with their last attempt, latest first, behind one: when it happened, and its id."""
    at_us, last = behind or (None, None)
    wanted = {
        **_of(endpoint),
        "state": None if state is None else int(state),
        "most": most,
        "behind_at": at_us,
        "behind": last.hex() if last else None,
    }
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(QUERIES.deliveries, wanted).fetchall()


def endpoint_of(connection: psycopg.Connection[Any], delivery: Id) -> Id | None:
    """Whose delivery this is."""
    row = connection.execute(QUERIES.delivery, _key(delivery)).fetchone()
    return Id(row[0].bytes) if row else None


def attempts(connection: psycopg.Connection[Any], delivery: Id) -> list[Any]:
    """Every attempt of a delivery, first ones first."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(QUERIES.attempts, _key(delivery)).fetchall()


def replay_one(connection: psycopg.Connection[Any], delivery: Id, now_us: int) -> int:
    """A delivery is due again; how many that are: one, or none."""
    return connection.execute(QUERIES.replay_one, {**_key(delivery), "now": now_us}).rowcount


def replay_range(
    connection: psycopg.Connection[Any], endpoint: Id, span: tuple[int, int], now_us: int, failed: bool
) -> int:
    """What happened in a span is due again, or only what was not delivered; how many deliveries that are."""
    wanted = {**_of(endpoint), "since": span[0], "until": span[1], "now": now_us, "failed": failed}
    return connection.execute(QUERIES.replay_range, wanted).rowcount


def clear(connection: psycopg.Connection[Any], before_us: int, most: int) -> int:
    """Forget the deliveries of what happened before an instant; how many were forgotten."""
    return connection.execute(QUERIES.clear, {"before": before_us, "most": most}).rowcount


def _events(at_us: int, commands: Sequence[Any], events: bytes) -> Iterable[Happened]:
    named: Mapping[str, Sequence[int]] = msgspec.json.decode(events)
    for name, positions in named.items():
        for position in positions:
            yield Happened(Id(commands[position].bytes), name, at_us, {})


def _endpoint(row: Sequence[Any]) -> Endpoint:
    identity, version, owner, state, url, events, secret, *rest = row
    return Endpoint(Id(identity.bytes), version, owner, state, url, tuple(events), bytes(secret), *rest)


def _keys(identities: Collection[Id]) -> dict[str, Any]:
    return {"buckets": [bucket_of(one) for one in identities], "ids": [one.hex() for one in identities]}


def _key(identity: Id) -> dict[str, Any]:
    return {"bucket": bucket_of(identity), "id": identity.hex()}


def _of(endpoint: Id) -> dict[str, Any]:
    return {"bucket": bucket_of(endpoint), "endpoint": endpoint.hex()}


def _number(connection: psycopg.Connection[Any], query: str) -> int:
    row = connection.execute(query).fetchone()
    if row is None:
        raise RuntimeError("the webhooks have no position: run the migrations")
    return int(row[0])
