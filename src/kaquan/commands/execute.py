"""The door: `Door.execute` takes a batch of commands of one kind and makes it true, or says why not.

load → decide → apply. Loading takes no locks; applying checks the version of every row that a rule read. A
conflict rolls back, and the batch is loaded and decided again, the last times under row locks so that it gets
through; what still conflicts or faults is halved until the culprit stands alone.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Protocol

import msgspec
import psycopg
import structlog
from opentelemetry import trace
from psycopg import errors as pg

from kaquan.commands import store
from kaquan.commands.errors import CONTENT_INVALID, KEY_INVALID, KEY_REUSED
from kaquan.commands.handler import Handler
from kaquan.commands.model import TOMBSTONE, Effect, Entry, Outcome, Plan, Refused, Row, SlowRow, scoped_id
from kaquan.commands.trouble import told
from kaquan.db.wire import numbered_cursor, raw_cursor
from kaquan.events.catalogue import EVENTS
from kaquan.kernel import clock, ids
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.refusal import CATALOGUE, Fault, Refusal
from kaquan.trail.leaf import leaf

BATCH_MAX = 500  # everyone in a batch waits for all of it: at 500 half of them wait 50 ms (docs/benchmarks.md)
KEY_LENGTH_MAX = 64
OPTIMISTIC_ATTEMPTS = 1  # then the rows are locked while the batch is decided
ATTEMPTS_MAX = 6  # a batch that still conflicts under locks is halved

_CONFLICTS = (
    pg.SerializationFailure,
    pg.DeadlockDetected,
    pg.LockNotAvailable,
    pg.UniqueViolation,
)
_UNKEEPABLE = (UnicodeEncodeError, OverflowError, pg.CharacterNotInRepertoire, pg.UntranslatableCharacter)
"""What half a surrogate pair, a NUL or a number of more than 64 bits ends in: the caller's doing, not ours."""

log = structlog.get_logger()
_TRACER = trace.get_tracer("kaquan.commands")


class Unavailable(Exception):
    """The database did not answer. Nothing is known of the batch: retry it with the same keys."""


class Sealer(Protocol):
    """Gives the keys that leaves are sealed with."""

    money_key: bytes

    def subject_keys(self, cursor: psycopg.Cursor[Any], subjects: Sequence[Id]) -> Mapping[Id, bytes]:
        """The keys of these subjects; a subject whose key was erased is missing."""


class Door:
    """One connection's way in. Not shared between threads: every lane has its own."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        sealer: Sealer,
        lane: int = 0,
        now: Callable[[], datetime] = clock.system_now,
    ) -> None:
        self.connection = connection
        self._sealer = sealer
        self._lane = lane
        self._now = now
        self._cursor = raw_cursor(connection)
        self._writing = numbered_cursor(connection)

    def at(self) -> datetime:
        """Installation time: what the next batch would be stamped with."""
        offset_us, _ = store.installation(self.connection)
        return self._now() + timedelta(microseconds=offset_us)

    def execute(self, handler: Handler, commands: Sequence[Any], *, dry_run: bool = False) -> list[Outcome | Fault]:
        """Execute up to `BATCH_MAX` commands of the handler's kind; one outcome each, in order.

        A `Fault` in the list stands for a command that broke on our side: nothing of it happened, and its id
        is free. Raises `Unavailable` when the database is gone: then nothing is known, and the same ids tell.
        """
        if len(commands) > BATCH_MAX:
            raise ValueError(f"a batch has at most {BATCH_MAX} commands")
        outcomes: list[Outcome | Fault | None] = [None] * len(commands)
        first: dict[bytes, tuple[int, Entry]] = {}
        twins: list[tuple[int, int, bytes]] = []
        for position, command in enumerate(commands):
            entry = _read(handler.kind, command)
            if isinstance(entry, Refused):
                outcomes[position] = entry
            elif entry.id in first:
                twins.append((position, first[entry.id][0], entry.content))
            else:
                first[entry.id] = (position, entry)
        entries = [entry for _, entry in first.values()]
        if entries:
            decided = self._settle(handler, entries, dry_run)
            for (position, _), outcome in zip(first.values(), decided, strict=True):
                outcomes[position] = outcome
        for position, original, content in twins:
            if _burns_nothing(outcomes[original]):  # then its twin was not decided with it
                outcomes[position] = self.execute(handler, [commands[position]], dry_run=dry_run)[0]
                continue
            outcomes[position] = _as_replay(
                outcomes[original], content, _entry(handler.kind, commands[original]).content
            )
        return [outcome for outcome in outcomes if outcome is not None]

    def one(self, handler: Handler, command: Any, *, dry_run: bool = False) -> Outcome:
        """A batch of one. Raises the fault, if it is one."""
        outcome = self.execute(handler, [command], dry_run=dry_run)[0]
        if isinstance(outcome, Fault):
            raise outcome
        return outcome

    def _settle(self, handler: Handler, entries: list[Entry], dry_run: bool) -> list[Outcome | Fault]:
        trouble: Exception | None = None
        for attempt in range(ATTEMPTS_MAX):
            try:
                return list(self._attempt(handler, entries, attempt >= OPTIMISTIC_ATTEMPTS, dry_run))
            except _CONFLICTS as conflict:
                trouble = conflict
                if isinstance(conflict, pg.LockNotAvailable) and len(entries) > 1:
                    break  # somebody sits on a row: who does not need it must not wait for him again and again
            except (psycopg.OperationalError, psycopg.InterfaceError) as gone:
                raise Unavailable(told(gone)) from gone
            except Exception as fault:  # whatever broke, its neighbours must not suffer: halve
                trouble = fault
                break
        if len(entries) == 1:
            return [_broken(handler, entries[0], trouble)]
        half = len(entries) // 2
        return self._settle(handler, entries[:half], dry_run) + self._settle(handler, entries[half:], dry_run)

    def _attempt(self, handler: Handler, entries: list[Entry], lock: bool, dry_run: bool) -> Sequence[Outcome]:
        offset_us, reference_version = store.installation(self.connection)
        at = self._now() + timedelta(microseconds=offset_us)
        handler.prepare(self.connection, reference_version)
        routed = handler.route(self._cursor, entries, at, dry_run)
        scope: AbstractContextManager[Any] = self.connection.transaction() if lock else nullcontext()
        with scope:
            with _TRACER.start_as_current_span("load"):
                facts = handler.load(self._cursor, entries, routed, lock, at)
            batch = _Batch(at, self._lane)
            with _TRACER.start_as_current_span("decide"):
                for entry in entries:
                    batch.take(entry, _decide(handler, entry, facts, at), facts)
            if not dry_run:
                with _TRACER.start_as_current_span("apply"):
                    self._apply(handler, batch)
        return batch.outcomes

    def _apply(self, handler: Handler, batch: "_Batch") -> None:
        if not batch.writes["command"]:
            return
        subjects = [plan.subject for _, plan in batch.plans if plan.subject and plan.subject_key is None]
        keys = self._sealer.subject_keys(self._cursor, subjects)
        store.apply(
            self._writing,
            int(handler.kind),
            clock.microseconds(batch.at),
            batch.journal(self._sealer.money_key, keys),
            batch.writes,
            batch.cold,
        )


class _Batch:
    """What the decisions of one attempt add up to."""

    def __init__(self, at: datetime, lane: int) -> None:
        self.at = at
        self.lane = lane
        self.outcomes: list[Outcome] = []
        self.plans: list[tuple[Id, Plan]] = []
        self.writes: dict[str, list[tuple[Any, ...]]] = {name: [] for name, _ in store.TABLES}
        self.cold: dict[str, list[dict[str, Any]]] = {}
        self._changed: dict[int, Row] = {}
        self._checked: dict[int, Row] = {}

    def take(self, entry: Entry, decision: "Plan | Refusal | Outcome", facts: Any) -> None:
        """Count one decision, and let the facts move on."""
        if isinstance(decision, Plan):
            self.outcomes.append(Effect(entry.id, decision.answer))
            self._record(entry, 0, decision.answer)
            self._take_plan(entry.id, decision)
            facts.absorb(decision)
        elif isinstance(decision, Refusal):
            self.outcomes.append(Refused(entry.id, decision))
            if decision.code.burns:
                answer = msgspec.json.encode({"code": decision.code.code, "facts": dict(decision.facts)})
                self._record(entry, 1, answer)
        else:
            self.outcomes.append(decision)

    def _record(self, entry: Entry, outcome: int, answer: bytes) -> None:
        self.writes["command"].append((bucket_of(entry.id), entry.id, entry.content, outcome, answer))

    def _take_plan(self, identity: Id, plan: Plan) -> None:
        self.plans.append((identity, plan))
        writes, changed = self.writes, self._changed
        for row, values in plan.changes:
            row.become(values)
            changed[id(row)] = row
        for row in plan.checks:
            self._checked[id(row)] = row
        for table, values in plan.inserts:
            writes[table].append(values)
        if plan.postings:
            writes["posting"] += plan.postings
        for table, record in plan.cold:
            self.cold.setdefault(table, []).append(record)

    def journal(self, money_key: bytes, keys: Mapping[Id, bytes]) -> store.Journal:
        """Seal the effects, and gather the rows that changed in the order of their keys (no deadlocks)."""
        for row in sorted(self._changed.values(), key=_by_key):
            if isinstance(row, SlowRow):
                self.cold.setdefault(f"{row.table}_change", []).append(row.record())
            else:
                self.writes[f"{row.table}_change"].append(row.changed())
        for key, row in self._checked.items():
            if key not in self._changed:
                self.writes[f"{row.table}_check"].append(row.checked())
        leaves = b"".join(
            leaf(money_key, _person_key(plan, keys), identity, plan.answer, plan.person)
            for identity, plan in self.plans
        )
        events: dict[str, list[int]] = {}
        for position, (_, plan) in enumerate(self.plans):
            events.setdefault(plan.event, []).append(position)
        if unknown := events.keys() - EVENTS.keys():
            raise Fault(f"events without an entry in the catalogue: {sorted(unknown)}")
        return store.Journal(
            id=ids.new_id(clock.microseconds(self.at) // 1000, self.writes["command"][0][0]),
            lane=self.lane,
            effects=[identity for identity, _ in self.plans],
            leaves=leaves,
            events=msgspec.json.encode(events),
        )


def _by_key(row: Row) -> bytes:
    return row.rank()


def _person_key(plan: Plan, keys: Mapping[Id, bytes]) -> bytes | None:
    if plan.subject is None:
        return None
    if plan.subject_key is not None:
        return plan.subject_key
    if plan.subject not in keys:
        raise Fault("the subject's key is gone: an erased person can't take part")
    return keys[plan.subject]


def key_refusal(key: str) -> Refusal | None:
    """Why a text can't be a key, or None."""
    try:
        possible = 1 <= len(key) <= KEY_LENGTH_MAX and bool(key.encode())
    except UnicodeEncodeError:
        possible = False
    return None if possible else Refusal(KEY_INVALID, {"length_max": KEY_LENGTH_MAX})


def _read(kind: int, command: Any) -> Entry | Refused:
    """The command's entry; what can have none is refused alone, before anything."""
    organisation, subject = command.caller.organisation, command.subject
    if refusal := key_refusal(command.key):
        return Refused(scoped_id(organisation, subject, ""), refusal)
    try:
        return _entry(kind, command)
    except _UNKEEPABLE:
        return Refused(scoped_id(organisation, subject, command.key), Refusal(CONTENT_INVALID))


def _entry(kind: int, command: Any) -> Entry:
    """What was asked includes the kind: freeze and unfreeze, pay and authorize carry the same fields."""
    return Entry(
        command=command,
        id=scoped_id(command.caller.organisation, command.subject, command.key),
        content=sha256(b"%d\0%b" % (kind, command.content())).digest()[:16],
    )


def _broken(handler: Handler, entry: Entry, trouble: Exception | None) -> Refused | Fault:
    """What becomes of a command that could not be carried out by itself."""
    if isinstance(trouble, _UNKEEPABLE):
        return Refused(entry.id, Refusal(CONTENT_INVALID))
    log.error("command.fault", kind=handler.kind.name, id=entry.id.hex(), error=told(trouble))
    fault = Fault(f"{handler.kind.name} {entry.id.hex()} could not be carried out")
    fault.__cause__ = trouble
    return fault


def _decide(handler: Handler, entry: Entry, facts: Any, at: datetime) -> Plan | Refusal | Outcome:
    known = facts.commands.get(entry.id)
    if known is not None:
        return replay(entry.id, entry.content, known)
    return handler.decide(entry, facts, at)


def replay(identity: Id, content: bytes, known: tuple[bytes, int, bytes]) -> Outcome:
    """The answer an earlier decision gave; a refusal (409, nothing recorded) when the content differs."""
    stored, outcome, answer = known
    if stored not in (content, TOMBSTONE):
        return Refused(identity, Refusal(KEY_REUSED), replayed=True)
    if outcome == 0:
        return Effect(identity, answer, replayed=True)
    record = msgspec.json.decode(answer)
    return Refused(identity, Refusal(CATALOGUE[record["code"]], record["facts"]), replayed=True)


def _burns_nothing(outcome: Outcome | Fault | None) -> bool:
    return isinstance(outcome, Fault) or (isinstance(outcome, Refused) and not outcome.refusal.code.burns)


def _as_replay(outcome: Outcome | Fault | None, content: bytes, original: bytes) -> Outcome | Fault | None:
    if outcome is None or isinstance(outcome, Fault):
        return outcome
    if content != original:
        return Refused(outcome.id, Refusal(KEY_REUSED), replayed=True)
    if isinstance(outcome, Effect):
        return Effect(outcome.id, outcome.answer, replayed=True)
    return Refused(outcome.id, outcome.refusal, replayed=True)
