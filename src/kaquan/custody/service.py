"""Custody for everybody else: its handlers, how it stands, what is due."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import psycopg

from kaquan.commands.handler import Handler
from kaquan.commands.model import Entry, Kind, Plan, Routed
from kaquan.custody import rules, statements, store
from kaquan.custody.coverage import Coverage, redeemed_fen, releasable_fen
from kaquan.custody.model import AssessCustody, Books, Custody, CustodyCommand, CustodyFacts, CustodyState, LiftStop
from kaquan.custody.requirement import instants, quarter_of
from kaquan.custody.statement_model import (
    Booked,
    DiscrepancyKind,
    EnterStatement,
    ExplainDiscrepancy,
    ImportStatement,
    LookAtStatement,
    Statement,
    StatementFacts,
    statement_id,
)
from kaquan.kernel.calendar import business_date, shanghai
from kaquan.kernel.caller import SYSTEM
from kaquan.kernel.clock import microseconds
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Catalogue, Terms
from kaquan.programs.lifecycle import ProgramState

SETTLED = timedelta(minutes=10)
"""How long after midnight a day is looked at: by then whatever was stamped before has been written."""

CATCH_UP_DAYS = 31
"""Days of one program in one look; who carries them out looks again for the rest."""

_ONE_DAY = timedelta(days=1)
_OWING = (ProgramState.RUNNING, ProgramState.PAUSED, ProgramState.ENDED)
"""States of programs whose holders may have something on their cards."""

days = store.days
statements_of = store.statements_of
discrepancies = store.discrepancies


class Standing(msgspec.Struct, frozen=True):
    """How a program's custody stands now: by which terms, what is required and there, what may be released."""

    terms: Terms
    custody: Custody
    now: Coverage
    redeemed_fen: Money
    releasable_fen: Money


class CustodyHandler(Handler):
    """Deposit, release, assess, lift."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> CustodyFacts:
        """The custody first, then the books: what moves between the two is seen, and a change checks the version."""
        facts = CustodyFacts(store.known(cursor, entries), {}, {})
        named = {entry.command.program for entry in entries}
        programs = {code: terms for code in named if (terms := self._catalogue.program(code)) is not None}
        facts.custodies = store.custodies(cursor.connection, programs)
        for code, terms in programs.items():
            ended = {
                entry.command.day
                for entry in entries
                if entry.command.program == code and isinstance(entry.command, AssessCustody)
            }
            facts.books[terms.program] = books(cursor.connection, terms, business_date(at), ended)
        return facts

    def decide(self, entry: Entry, facts: CustodyFacts, at: datetime) -> Plan | Refusal:
        """See `custody.rules`."""
        return rules.decide(entry, facts, self._catalogue, at)


class StatementHandler(Handler):
    """Enter, look, import, explain."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> StatementFacts:
        """The custody first, then its statements, what is open, what the books moved since the last one."""
        connection, commands = cursor.connection, [entry.command for entry in entries]
        facts = StatementFacts(store.known(cursor, entries), {}, {})
        named = {code: found for one in commands if (found := self._catalogue.program(code := one.program))}
        facts.custodies = store.custodies(connection, named)
        wanted = {statement_id(one.program, one.number.strip()) for one in commands if hasattr(one, "number")}
        facts.statements = store.statements(connection, wanted)
        for code, terms in named.items():
            ended = {day for one in commands if one.program == code for day in _days_of(one, facts.statements)}
            facts.books[terms.program] = books(connection, terms, business_date(at), ended)
            facts.open[terms.program] = store.open_discrepancies(connection, code)
            facts.booked[terms.program] = _booked(connection, terms, facts, max(ended, default=None))
        return facts

    def decide(self, entry: Entry, facts: StatementFacts, at: datetime) -> Plan | Refusal:
        """See `custody.statements`."""
        return statements.decide(entry, facts, self._catalogue, at)


def _days_of(command: Any, known: dict[bytes, Statement]) -> list[date]:
    """The days at whose end the books are compared with what a statement says."""
    if isinstance(command, EnterStatement | ImportStatement):
        return [command.day]
    if isinstance(command, LookAtStatement) and (found := known.get(statement_id(command.program, command.number))):
        return [found.day]
    return []


def _booked(
    connection: psycopg.Connection[Any], terms: Terms, facts: StatementFacts, until: date | None
) -> list[Booked]:
    """What the books moved since the last statement, after what was not at the bank by then."""
    if until is None:
        return []
    waiting = [
        Booked(one.transfer, one.amount, one.day, one.reference)
        for one in facts.open[terms.program]
        if one.kind is DiscrepancyKind.NOT_AT_BANK and one.transfer is not None
    ]
    custody = facts.custodies.get(terms.program)
    since = rules.end_of(custody.bank_day) if custody is not None and custody.bank_day is not None else 0
    return [*waiting, *store.booked(connection, terms, since, rules.end_of(until))]


STATEMENT_KINDS = {
    Kind.ENTER_STATEMENT: EnterStatement,
    Kind.LOOK_AT_STATEMENT: LookAtStatement,
    Kind.IMPORT_STATEMENT: ImportStatement,
    Kind.EXPLAIN_DISCREPANCY: ExplainDiscrepancy,
}
"""Every kind of command on a statement."""


def handlers(catalogue: Catalogue) -> dict[Kind, Handler]:
    """The handler of each kind of command here."""
    kinds = (Kind.DEPOSIT_CUSTODY, Kind.RELEASE_CUSTODY, Kind.ASSESS_CUSTODY, Kind.LIFT_STOP)
    moves: dict[Kind, Handler] = {kind: CustodyHandler(kind, catalogue) for kind in kinds}
    return {**moves, **{kind: StatementHandler(kind, catalogue) for kind in STATEMENT_KINDS}}


def books(connection: psycopg.Connection[Any], terms: Terms, today: date, ended: set[date]) -> Books:
    """What a decision of today, or on days that have ended, needs to know. A quarter's end that was kept is not
    counted again: it may be millions of postings back."""
    wanted = {today, *ended}
    kept = store.quarter_ends(connection, terms, wanted)
    since = {moment for day in wanted for moment in instants(terms.terms, day)}
    since -= {microseconds(shanghai(quarter)) for quarter in kept} - _periods(terms, wanted)
    since |= {rules.end_of(day) for day in ended}
    return store.books(connection, terms, kept, since)


def _periods(terms: Terms, wanted: set[date]) -> set[int]:
    """Instants at which periods of rules begin."""
    return {
        moment
        for day in wanted
        for moment in instants(terms.terms, day)
        if moment != microseconds(shanghai(quarter_of(day)))
    }


def standing(connection: psycopg.Connection[Any], terms: Terms, at: datetime) -> Standing:
    """How a program's custody stands now, whether or not the terms name an account."""
    code, today = terms.terms.program.code, business_date(at)
    custody = store.custodies(connection, [code]).get(terms.program) or rules.fresh(terms)
    known = books(connection, terms, today, set())
    now = rules.coverage(terms, known, custody, today)
    free = releasable_fen(now, known, custody, terms.terms.custody)
    return Standing(terms, custody, now, redeemed_fen(known), free)


def due(connection: psycopg.Connection[Any], catalogue: Catalogue, at: datetime) -> dict[Kind, list[CustodyCommand]]:
    """Days that have ended and were not looked at, and stops that the terms lift by themselves, once covered."""
    kept = [one for one in catalogue.latest.values() if one.terms.custody.kept and one.state in _OWING]
    if not kept:
        return {}
    last, known = business_date(at - SETTLED) - _ONE_DAY, store.all_custodies(connection)
    assess: list[CustodyCommand] = []
    lift: list[CustodyCommand] = []
    for terms in kept:
        code, custody = terms.terms.program.code, known.get(terms.program)
        first = custody.day + _ONE_DAY if custody is not None and custody.day is not None else last
        for count in range(min(CATCH_UP_DAYS, (last - first).days + 1)):
            day = first + count * _ONE_DAY
            assess.append(AssessCustody(key=f"assess {day}", caller=SYSTEM, program=code, day=day))
        if custody is not None and custody.state is CustodyState.SALES_STOPPED and _lifts(connection, terms, at):
            lift.append(LiftStop(key=f"lift {custody.version}", caller=SYSTEM, program=code))
    return {Kind.ASSESS_CUSTODY: assess, Kind.LIFT_STOP: lift}


def _lifts(connection: psycopg.Connection[Any], terms: Terms, at: datetime) -> bool:
    return terms.terms.custody.lift == "automatic" and not standing(connection, terms, at).now.missing_fen
