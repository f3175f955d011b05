"""From the journal to deliveries: what happened since the last look, for each endpoint that wants and may know it.

The journal is read between two transactions, never by id or instant: below the horizon nothing can appear any more.
Deliveries and the new position are written together, so a dispatcher that dies has done a part wholly or not at all,
and of two at once one writes.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg

from kaquan.db.wire import raw_cursor
from kaquan.kernel.ids import Id
from kaquan.webhooks import messages, rules, store
from kaquan.webhooks.model import OPERATORS, Endpoint, Happened, delivery_id

WORTH_MOVING = 10_000
"""Transactions that brought nothing are passed over together: moving on is a transaction itself."""


class Dispatched(NamedTuple):
    """Batches of the journal that were looked at, and deliveries that were written."""

    looked: int
    queued: int


def dispatch(connection: psycopg.Connection[Any], now_us: int, most: int) -> Dispatched:
    """Write the deliveries of the next `most` batches of the journal, due at `now_us`.

    The horizon is read before the endpoints: whatever happens after an endpoint was added lies above it, or finds the
    endpoint here.
    """
    since, horizon = store.bounds(connection)
    if horizon <= since:
        return Dispatched(0, 0)
    endpoints = store.running(connection)
    part = store.look(connection, since, horizon, most) if endpoints else store.Look(since, horizon, 0, [])
    if not part.rows and horizon - since < WORTH_MOVING:
        return Dispatched(0, 0)
    deliveries = _deliveries(connection, endpoints, part.happened)
    if not store.queue(raw_cursor(connection), part, deliveries, now_us):
        return Dispatched(0, 0)  # somebody else was faster
    return Dispatched(part.rows, len(deliveries))


def _deliveries(
    connection: psycopg.Connection[Any], endpoints: Sequence[Endpoint], happened: Sequence[Happened]
) -> list[store.Queued]:
    wanted = [
        (one, wanting)
        for one in happened
        if (wanting := [each for each in endpoints if rules.hears(each, one.name, one.at_us)])
    ]
    if not wanted:
        return []
    answers = store.answers(connection, [one.effect for one, _ in wanted])
    programs = store.programs(connection)
    told = [(one._replace(answer=answers[one.effect]), wanting) for one, wanting in wanted]
    asking = any(each.organisation != OPERATORS for _, wanting in told for each in wanting)
    concerned = _concerned(connection, [one for one, _ in told], programs) if asking else {}
    queued = []
    for number, (one, wanting) in enumerate(told):
        allowed = [each for each in wanting if rules.may_see(each.organisation, concerned.get(number, ()))]
        if not allowed:
            continue
        body = messages.body(one, programs)
        for each in allowed:
            identity = delivery_id(each.id, one.effect)
            queued.append(store.Queued(identity, each.id, one.effect, one.at_us, one.name, body))
    return queued


def _concerned(
    connection: psycopg.Connection[Any], happened: Sequence[Happened], programs: dict[int, str]
) -> dict[int, set[int]]:
    """The organisations that each event concerns, by its place."""
    things = [
        store.Thing(number, kind, id=Id(told)) if isinstance(told, bytes) else store.Thing(number, kind, code=told)
        for number, one in enumerate(happened)
        for kind, told in messages.named(one, programs)
    ]
    return store.concerned(connection, things) if things else {}
