"""Settlement for everybody else: preview, run, what is due, the handlers, the bank's file."""

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from typing import Any

import psycopg

from kaquan.commands.execute import BATCH_MAX, Door
from kaquan.commands.handler import Handler
from kaquan.commands.loading import installation
from kaquan.commands.model import Entry, Kind, Outcome, Plan, Routed
from kaquan.db.wire import raw_cursor
from kaquan.kernel.calendar import Calendar, business_date, month_end
from kaquan.kernel.caller import SYSTEM, Caller
from kaquan.kernel.clock import instant
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Fault, Refusal
from kaquan.programs.catalogue import Catalogue, Terms
from kaquan.settlement import cycles, rules, store
from kaquan.settlement.errors import MERCHANT_NOT_IN_PROGRAM, PERIOD_INVALID
from kaquan.settlement.model import (
    Due,
    Preview,
    PreviewRow,
    ReleaseReserve,
    ReserveFacts,
    Settle,
    SettleFacts,
    release_key,
    settle_key,
    summed,
)
from kaquan.settlement.payouts import write_csv

RESERVES_DUE_MAX = 500  # one batch of the door; the timetable asks again

PATIENCE_SECONDS = 5.0  # far longer than any command takes; what takes longer is counted by the next settlement

payouts = store.payouts
settlements = store.settlements
write_payouts = write_csv


class SettleHandler(Handler):
    """Settle."""

    def __init__(self, catalogue: Catalogue, calendar: Calendar) -> None:
        super().__init__(Kind.SETTLE, catalogue)
        self._catalogue = catalogue
        self._calendar = calendar

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> SettleFacts:
        """Latest settlements and the entries since. There is nothing to lock: settlements are only added."""
        return store.load_settlements(cursor, entries)

    def decide(self, entry: Entry, facts: SettleFacts, at: datetime) -> Plan | Refusal:
        """See `settlement.rules`."""
        return rules.decide_settle(entry, facts, self._catalogue, self._calendar, at)


class ReleaseHandler(Handler):
    """Release a reserve."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__(Kind.RELEASE_RESERVE, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> ReserveFacts:
        """The reserves."""
        return store.load_reserves(cursor, entries, lock)

    def decide(self, entry: Entry, facts: ReserveFacts, at: datetime) -> Plan | Refusal:
        """See `settlement.rules`."""
        return rules.decide_release(entry, facts, self._catalogue, at)


def handlers(catalogue: Catalogue, calendar: Calendar) -> dict[Kind, Handler]:
    """The handler of each kind of command here."""
    return {Kind.SETTLE: SettleHandler(catalogue, calendar), Kind.RELEASE_RESERVE: ReleaseHandler(catalogue)}


def preview(
    connection: psycopg.Connection[Any],
    catalogue: Catalogue,
    calendar: Calendar,
    program: int,
    period_end: date,
    merchants: Collection[Id] | None = None,
    patience_seconds: float = PATIENCE_SECONDS,
    at: datetime | None = None,
) -> Preview | Refusal:
    """A period's settlements, of all merchants of the program's group or of `merchants`, as a run will make them.

    Nothing is written. `at` is when it would be run: late, it pays no earlier than that day. It waits up to
    `patience_seconds` for transactions in flight, so that the cut is as fresh as can be. Every merchant of the group
    is settled each period, if only for nothing: its next settlement then stands on this one and needs to read no
    further back.
    """
    catalogue.refresh(connection, installation(connection)[1])
    terms = catalogue.latest.get(program)
    if terms is None:
        return Refusal(MERCHANT_NOT_IN_PROGRAM)
    if period_end != month_end(period_end):
        return Refusal(PERIOD_INVALID, {"period_end": period_end.isoformat()})
    pay_on = cycles.pay_day(period_end, terms.terms.settlement, calendar, business_date(at) if at else None)
    if isinstance(pay_on, Refusal):
        return pay_on
    cursor = raw_cursor(connection)
    cut = rules.cut_of(period_end, terms, store.closed_horizon(cursor, patience_seconds))
    wanted = [(merchant, merchant, program, cut) for merchant in _group(catalogue, terms, merchants)]
    facts = SettleFacts({}, *store.counted(cursor, wanted))
    rows = []
    for merchant, *_ in wanted:
        previous = facts.previous.get((merchant, program))
        if previous is None or previous.period_end < period_end:
            known = catalogue.merchants[merchant]
            rows.append(PreviewRow(merchant, known.code, known.name, rules.settled(facts, merchant, previous, terms)))
    totals = summed(row.statement.total for row in rows)
    return Preview(program, terms.id, period_end, pay_on, cut, tuple(rows), totals, len(wanted) - len(rows))


def run(
    door: Door,
    handler: Handler,
    seen: Preview,
    caller: Caller = SYSTEM,
    progress: Callable[[int], None] | None = None,
) -> list[Outcome | Fault]:
    """Settle exactly what a preview showed, one outcome per row. Running it again changes nothing.

    `progress` is told after each batch how many merchants are done.
    """
    key = settle_key(seen.program, seen.period_end)
    commands = [
        Settle(
            key=key,
            caller=caller,
            program=seen.program,
            merchant=row.merchant,
            period_end=seen.period_end,
            terms=seen.terms,
            cut=seen.cut,
        )
        for row in seen.rows
    ]
    return _in_batches(door, handler, commands, progress)


def release(
    door: Door, handler: Handler, settlements_: Sequence[Id], caller: Caller = SYSTEM
) -> list[Outcome | Fault]:
    """Release the reserves of these settlements, one outcome each."""
    commands = [ReleaseReserve(key=release_key(one), caller=caller, settlement=one) for one in settlements_]
    return _in_batches(door, handler, commands, None)


def due(connection: psycopg.Connection[Any], catalogue: Catalogue, calendar: Calendar, at: datetime) -> Due:
    """Which periods are to be settled and which reserves released at `at`. Reads, changes nothing."""
    catalogue.refresh(connection, installation(connection)[1])
    today = business_date(at)
    periods = []
    for program, terms in sorted(catalogue.latest.items()):
        known = store.settled_to(connection, program)
        group = _group(catalogue, terms, None)
        rules_ = terms.terms.settlement
        opened = cycles.period_of(instant(store.opened_at_us(connection, program)), cycles.cut_off(rules_))
        found = cycles.due_periods(opened, [known.get(one) for one in group], rules_, calendar, today)
        periods += [(program, period_end) for period_end in found]
    return Due(periods, store.reserves_due(connection, today, RESERVES_DUE_MAX))


def _group(catalogue: Catalogue, terms: Terms, merchants: Collection[Id] | None) -> list[Id]:
    accepting = (known.id for known in catalogue.merchants.values() if known.group == terms.group)
    return sorted(one for one in accepting if merchants is None or one in merchants)


def _in_batches(
    door: Door, handler: Handler, commands: Sequence[Any], progress: Callable[[int], None] | None
) -> list[Outcome | Fault]:
    outcomes: list[Outcome | Fault] = []
    for start in range(0, len(commands), BATCH_MAX):
        outcomes += door.execute(handler, commands[start : start + BATCH_MAX])
        if progress is not None:
            progress(len(outcomes))
    return outcomes
