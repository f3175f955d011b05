"""Settlement for everybody else: preview, run, what is due, the handlers, the bank's file."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

import psycopg

from kaquan.commands.execute import BATCH_MAX, Door
from kaquan.commands.handler import Handler
from kaquan.commands.model import Entry, Kind, Outcome, Plan, Routed
from kaquan.db.wire import raw_cursor
from kaquan.kernel.calendar import Calendar, business_date
from kaquan.kernel.caller import SYSTEM, Caller
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Fault, Refusal
from kaquan.programs.catalogue import Catalogue
from kaquan.settlement import closing, cycles, debts, partners, previews, rules, store, write_offs
from kaquan.settlement.model import (
    CloseFacts,
    ClosePeriod,
    Due,
    PayoutLine,
    Preview,
    ReleaseReserve,
    ReserveFacts,
    Settle,
    SettleFacts,
    close_key,
    release_key,
    settle_key,
)
from kaquan.settlement.payouts import write_csv

RESERVES_DUE_MAX = 500  # one batch of the door; the timetable asks again

closed_horizon = store.closed_horizon
coming = previews.coming
owing = debts.owing
preview = previews.preview
settlement = store.settlement
settlements = store.settlements
settlements_page = store.settlements_page
payouts_page = store.payouts_page
transfers_page = store.transfers_page
Asked = store.Asked
waiting = store.waiting


def settled_until(connection: psycopg.Connection[Any], merchant: Id, program: int) -> int:
    """Until when a merchant's trade in a program is settled, in microseconds; 0 when nothing of it is."""
    with raw_cursor(connection) as cursor:
        found = store.latest_settlements(cursor, [(merchant, program)]).get((merchant, program))
    return found.cut.at_us if found is not None else 0


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


class CloseHandler(Handler):
    """Close a period."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__(Kind.CLOSE_PERIOD, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> CloseFacts:
        """What everybody has left. There is nothing to lock: closed periods are only added."""
        return store.load_closing(cursor, entries)

    def decide(self, entry: Entry, facts: CloseFacts, at: datetime) -> Plan | Refusal:
        """See `settlement.closing`."""
        return closing.decide_close(entry, facts, self._catalogue, at)


class PartnerHandler(Handler):
    """Pay a partner."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__(Kind.PAY_PARTNER, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> partners.PartnerFacts:
        """What partners have. There is nothing to lock: each payment has a number of its own."""
        return store.load_partners(cursor, entries)

    def decide(self, entry: Entry, facts: partners.PartnerFacts, at: datetime) -> Plan | Refusal:
        """See `settlement.partners`."""
        return partners.decide_pay(entry, facts, self._catalogue, microseconds(at))


class WriteOffHandler(Handler):
    """Write off a debt."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__(Kind.WRITE_OFF_DEBT, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> write_offs.DebtFacts:
        """Latest settlements. There is nothing to lock: a settlement's debt is written off once."""
        return store.load_debts(cursor, entries)

    def decide(self, entry: Entry, facts: write_offs.DebtFacts, at: datetime) -> Plan | Refusal:
        """See `settlement.write_offs`."""
        return write_offs.decide_write_off(entry, facts, self._catalogue, microseconds(at))


def handlers(catalogue: Catalogue, calendar: Calendar) -> dict[Kind, Handler]:
    """The handler of each kind of command here."""
    return {
        Kind.SETTLE: SettleHandler(catalogue, calendar),
        Kind.RELEASE_RESERVE: ReleaseHandler(catalogue),
        Kind.CLOSE_PERIOD: CloseHandler(catalogue),
        Kind.PAY_PARTNER: PartnerHandler(catalogue),
        Kind.WRITE_OFF_DEBT: WriteOffHandler(catalogue),
    }


def settle_commands(seen: Preview, caller: Caller = SYSTEM) -> list[Settle]:
    """The settlements that a preview showed, as commands."""
    key = settle_key(seen.program, seen.period)
    return [
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


def close_command(seen: Preview, caller: Caller = SYSTEM) -> ClosePeriod:
    """The command that closes the period of a preview, once all that it showed is settled."""
    return ClosePeriod(
        key=close_key(seen.program, seen.period),
        caller=caller,
        program=seen.program,
        period_end=seen.period_end,
        terms=seen.terms,
        cut=seen.cut,
    )


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
    return _in_batches(door, handler, settle_commands(seen, caller), progress)


def release(
    door: Door, handler: Handler, settlements_: Sequence[Id], caller: Caller = SYSTEM
) -> list[Outcome | Fault]:
    """Release the reserves of these settlements, one outcome each."""
    commands = [ReleaseReserve(key=release_key(one), caller=caller, settlement=one) for one in settlements_]
    return _in_batches(door, handler, commands, None)


def due(connection: psycopg.Connection[Any], catalogue: Catalogue, calendar: Calendar, at: datetime) -> Due:
    """Which periods are to be settled and which reserves released at `at`. Reads, changes nothing."""
    today = business_date(at)
    periods = previews.due_periods(connection, catalogue, calendar, today)
    return Due(periods, store.reserves_due(connection, today, RESERVES_DUE_MAX))


def previews_due(
    connection: psycopg.Connection[Any], catalogue: Catalogue, calendar: Calendar, found: Due, at: datetime
) -> list[Preview]:
    """What the settlements of the periods that are due would be: those of a program stand on one another."""
    return previews.previews(connection, catalogue, calendar, found.periods, business_date(at))


def payouts(
    connection: psycopg.Connection[Any], catalogue: Catalogue, program: int, period_end: date
) -> list[PayoutLine]:
    """What the bank is instructed to pay for a period."""
    name = cycles.period_name(period_end, catalogue.latest[program].terms.settlement)
    return store.payouts(connection, program, period_end, name)


def partner_balances(connection: psycopg.Connection[Any]) -> dict[tuple[bytes, int], Money]:
    """What each partner has of a program's merchants; negative: owes, until later shares offset it."""
    found = store.partner_balances(raw_cursor(connection))
    return {key: Money(sum(by_source.values())) for key, by_source in found.items()}


def partners_due(connection: psycopg.Connection[Any], caller: Caller = SYSTEM) -> list[partners.PayPartner]:
    """The commands that pay all partners who have something."""
    found = [key for key, amount in partner_balances(connection).items() if amount > 0]
    numbers = store.partner_numbers(raw_cursor(connection), found)
    return [
        partners.PayPartner(
            key=partners.pay_key(program, Id(partner), numbers[partner, program] + 1),
            caller=caller,
            program=program,
            partner=Id(partner),
        )
        for partner, program in found
    ]


def _in_batches(
    door: Door, handler: Handler, commands: Sequence[Any], progress: Callable[[int], None] | None
) -> list[Outcome | Fault]:
    outcomes: list[Outcome | Fault] = []
    for start in range(0, len(commands), BATCH_MAX):
        outcomes += door.execute(handler, commands[start : start + BATCH_MAX])
        if progress is not None:
            progress(len(outcomes))
    return outcomes
