"""Webhooks for everybody else: the handlers, secrets shown once, the dispatcher, the log of deliveries, replay."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import psycopg
import structlog

from kaquan.commands.handler import Handler
from kaquan.commands.loading import installation
from kaquan.commands.model import Entry, Kind, Outcome, Plan, Routed, scoped_id
from kaquan.commands.trouble import told
from kaquan.kernel import clock
from kaquan.kernel.caller import SYSTEM, Caller
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal
from kaquan.privacy.errors import SealBroken
from kaquan.privacy.subject_keys import MasterKey
from kaquan.webhooks import rules, secrets, store
from kaquan.webhooks.dispatch import dispatch
from kaquan.webhooks.model import (
    AddEndpoint,
    Answered,
    Counts,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointFacts,
    Reach,
    RotateEndpointSecret,
    StopEndpoint,
    endpoints_of,
)
from kaquan.webhooks.sending import Sender

LOOK_MAX = 200
"""Batches of the journal in one look: at 500 effects each a hundred thousand events, far less as a rule."""

AT_ONCE = 16
TAKEN_MAX = 32
"""Deliveries that are taken in one turn: two rounds of those that are sent at once."""

TAKEN_OF_ONE_MAX = 8  # a receiver that lets us wait must not take every place
LEASE = timedelta(seconds=120)
"""How long a taken delivery is left alone: looking up and sending take a third of it at most."""

KEPT = timedelta(days=30)
CLEARED_MAX = 10_000  # rows in one statement
SHOWN_MAX = 1_000
IDLE_SECONDS = 1.0
TROUBLE_SECONDS = 5.0

log = structlog.get_logger()

attempts = store.attempts
deliveries = store.deliveries
endpoint_of = store.endpoint_of
find = store.find
listed = store.listed
organisation = store.organisation


class EndpointHandler(Handler):
    """Add, change, remove, rotate, stop."""

    def __init__(self, kind: Kind, reach: Reach) -> None:
        super().__init__(kind)
        self._reach = reach

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> EndpointFacts:
        """The endpoints as they are. There is nothing to lock: a change checks the version."""
        return store.load_facts(cursor, entries)

    def decide(self, entry: Entry, facts: EndpointFacts, at: datetime) -> Plan | Refusal:
        """See `webhooks.rules`."""
        return rules.decide(entry, facts, self._reach, at)


def handlers(reach: Reach) -> dict[Kind, Handler]:
    """The handler of each kind of command here."""
    kinds = (
        Kind.ADD_ENDPOINT,
        Kind.CHANGE_ENDPOINT,
        Kind.REMOVE_ENDPOINT,
        Kind.ROTATE_ENDPOINT_SECRET,
        Kind.STOP_ENDPOINT,
    )
    return {kind: EndpointHandler(kind, reach) for kind in kinds}


def adding(master: MasterKey, caller: Caller, key: str, **asked: Any) -> tuple[AddEndpoint, str]:
    """The command that adds an endpoint, and its secret: show it once, and only if the effect is no replay."""
    secret = secrets.drawn()
    endpoint = scoped_id(caller.organisation, endpoints_of(asked["organisation"]), key)
    sealed = secrets.sealed(master, endpoint, secret)
    return AddEndpoint(key=key, caller=caller, sealed_secret=sealed, **asked), secret


def rotating(master: MasterKey, caller: Caller, key: str, endpoint: Id) -> tuple[RotateEndpointSecret, str]:
    """The command that gives an endpoint a new secret, and the secret: show it once, and only if it is no replay."""
    secret = secrets.drawn()
    sealed = secrets.sealed(master, endpoint, secret)
    return RotateEndpointSecret(key=key, caller=caller, endpoint=endpoint, sealed_secret=sealed), secret


def found(connection: psycopg.Connection[Any], caller: Caller, endpoint: Id) -> Endpoint | None:
    """An endpoint that this caller may see; what is another's does not exist for it."""
    one = store.find(connection, [endpoint]).get(endpoint)
    return one if one is not None and rules.reaches(caller, one.organisation) else None


def replay(connection: psycopg.Connection[Any], delivery: Id, now: datetime) -> int:
    """Send a delivery again, under the same `webhook-id`. How many that are: one, or none."""
    return store.replay_one(connection, delivery, microseconds(now))


def replay_range(
    connection: psycopg.Connection[Any],
    endpoint: Id,
    span: tuple[datetime, datetime],
    now: datetime,
    *,
    failed: bool = False,
) -> int:
    """Send again what happened in a span, or of it only what did not arrive; how many deliveries that are."""
    since, until = map(microseconds, span)
    return store.replay_range(connection, endpoint, (since, until), microseconds(now), failed)


def clear(connection: psycopg.Connection[Any], at: datetime) -> int:
    """Forget the deliveries that were kept long enough; how many were forgotten. For the timetable."""
    before_us, cleared = microseconds(at - KEPT), 0
    while count := store.clear(connection, before_us, CLEARED_MAX):
        cleared += count
        if count < CLEARED_MAX:
            break
    return cleared


class Dispatcher:
    """Makes deliveries of what happened, and sends those that are due. Any number may run at once.

    `execute` sends a command through the door, because an endpoint that is gone is stopped: `Kaquan.one`, or a
    committer. The connection of a turn is used by the turn alone.
    """

    def __init__(self, master: MasterKey, sender: Sender, execute: Callable[[Kind, Any], Outcome]) -> None:
        self._master = master
        self._sender = sender
        self._execute = execute

    def run_once(self, connection: psycopg.Connection[Any], now: datetime, most: int = LOOK_MAX) -> Counts:
        """One look at `most` batches of the journal, and one turn of sending. `now` is the system's time."""
        done = dispatch(connection, microseconds(now), most)
        sent = self._send_due(connection, now)
        return Counts(done.looked, done.queued, *sent)

    def run(self, connect: Callable[[], psycopg.Connection[Any]], stop: Event) -> None:
        """Turn after turn until `stop` is set and what was taken is sent. A lost connection is opened again."""
        while not stop.is_set():
            try:
                with connect() as connection:
                    while not stop.is_set():
                        if self.run_once(connection, clock.system_now()).idle:
                            stop.wait(IDLE_SECONDS)
            except Exception as trouble:  # the thread must outlive whatever it was
                log.warning("webhooks.trouble", error=told(trouble))
                stop.wait(TROUBLE_SECONDS)

    def _send_due(self, connection: psycopg.Connection[Any], now: datetime) -> tuple[int, int, int, int]:
        """How many arrived, failed, were given up, and how many endpoints were stopped."""
        leased_us = microseconds(now + LEASE)
        taken = store.take(connection, microseconds(now), leased_us, TAKEN_MAX, TAKEN_OF_ONE_MAX)
        if not taken:
            return 0, 0, 0, 0
        endpoints = store.find(connection, {one.endpoint for one in taken})
        offset_us, _ = installation(connection)
        counts = dict.fromkeys(DeliveryState, 0)
        gone: set[Id] = set()
        with ThreadPoolExecutor(AT_ONCE, "webhooks") as pool:
            waiting: dict[Future[Answered], Delivery] = {
                pool.submit(self._attempt, endpoints[one.endpoint], one, now, offset_us): one for one in taken
            }
            for future in as_completed(waiting):
                delivery, answered = waiting[future], future.result()
                after = rules.outcome(
                    delivery.id, delivery.attempts + 1, delivery.started_us, answered, microseconds(now)
                )
                store.record(connection, delivery, answered, microseconds(now), after)
                counts[after[0]] += 1
                if answered.status == rules.GONE:
                    gone.add(delivery.endpoint)
        for endpoint in gone:
            self._stop(endpoint, endpoints[endpoint])
        return (
            counts[DeliveryState.DELIVERED],
            counts[DeliveryState.WAITING],
            counts[DeliveryState.GIVEN_UP],
            len(gone),
        )

    def _attempt(self, endpoint: Endpoint, delivery: Delivery, now: datetime, offset_us: int) -> Answered:
        try:
            keys = secrets.opened(self._master, endpoint, microseconds(now) + offset_us)
        except SealBroken:  # restored beside another master key: the others must not wait for it
            return Answered(0, 0, failure="secret_unreadable")
        return self._sender.send(endpoint.url, secrets.headers(delivery, keys, now), delivery.body)

    def _stop(self, endpoint: Id, known: Endpoint) -> None:
        """The key follows from what was read, so that two dispatchers stop it once."""
        key = f"stop {endpoint.hex()[:24]} {known.version}"
        self._execute(
            Kind.STOP_ENDPOINT, StopEndpoint(key=key, caller=SYSTEM, endpoint=endpoint, reason=rules.REASON_GONE)
        )
        log.info("webhooks.stopped", endpoint=endpoint.hex())
