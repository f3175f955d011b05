"""What the bank says of custody: entered by one and looked at by another, or imported; and what differs. Pure."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from kaquan.commands.model import Entry, Plan
from kaquan.custody import errors
from kaquan.custody.matching import Matched, matched
from kaquan.custody.model import REFERENCE_LENGTH_MAX, Books, Custody
from kaquan.custody.rules import coverage, custody_of, end_of, kept_by, plan_of
from kaquan.custody.statement_model import (
    BankEntry,
    Discrepancy,
    DiscrepancyKind,
    DiscrepancyState,
    EnterStatement,
    ExplainDiscrepancy,
    ImportStatement,
    LookAtStatement,
    Statement,
    StatementFacts,
    StatementState,
    statement_id,
)
from kaquan.kernel.calendar import business_date
from kaquan.kernel.caller import same_person
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import bucket_of, derived_id
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Fact, Refusal
from kaquan.programs.catalogue import Catalogue, Terms

REASON_LENGTH_MAX = 200  # two lines: what needs more belongs in a file of its own
_SHOWN_MAX = 40

Cold = tuple[str, dict[str, Any]]


class Said(msgspec.Struct, frozen=True):
    """What a statement says, whoever brings it."""

    number: str
    day: date
    opening: Money
    closing: Money
    reference: str


def decide(entry: Entry, facts: StatementFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Any command on a statement or on what differs."""
    command = entry.command
    terms = kept_by(command, catalogue)
    if isinstance(terms, Refusal):
        return terms
    if not command.caller.person.strip():
        return Refusal(errors.CUSTODY_PERSON)
    custody, books = custody_of(facts, terms), facts.books[terms.program]
    match command:
        case EnterStatement():
            said = Said(command.number.strip(), command.day, command.opening, command.closing, command.reference)
            return _unfit(said, custody, facts, command.program, at) or _enter(
                command, said, terms, custody, books, at
            )
        case ImportStatement():
            return _import(command, terms, custody, facts, at)
        case LookAtStatement():
            return _look(command, terms, custody, facts, at)
        case ExplainDiscrepancy():
            return _explain(command, terms, custody, facts, at)
    raise TypeError(f"not a command on a statement: {type(command).__name__}")


def _unfit(said: Said, custody: Custody, facts: StatementFacts, program: str, at: datetime) -> Refusal | None:
    """A number, once; a day that is over and later than the last; an opening that continues it."""
    if not 0 < len(said.number) <= REFERENCE_LENGTH_MAX or not said.number.isprintable():
        return Refusal(errors.STATEMENT_NUMBER, {"length_max": REFERENCE_LENGTH_MAX})
    known = facts.statements.get(statement_id(program, said.number))
    if known is not None:
        told: dict[str, Fact] = {"number": said.number, "day": known.day.isoformat(), "closing_fen": known.closing}
        return Refusal(errors.STATEMENT_KNOWN, told)
    last = custody.bank_day
    if said.day >= business_date(at) or (last is not None and said.day <= last):
        return Refusal(errors.STATEMENT_DAY, {"day": said.day.isoformat(), "last": str(last or "-")})
    if custody.bank_fen is not None and said.opening != custody.bank_fen:
        amounts = {"opening_fen": said.opening, "closing_fen": custody.bank_fen}
        return Refusal(errors.STATEMENT_GAP, {**amounts, "last": str(last)})
    return None


def _enter(
    command: EnterStatement, said: Said, terms: Terms, custody: Custody, books: Books, at: datetime
) -> Plan | Refusal:
    """Kept, but it does not count before somebody else has looked at it."""
    if not 0 < len(said.reference.strip()) <= REFERENCE_LENGTH_MAX or not said.reference.isprintable():
        return Refusal(errors.CUSTODY_REFERENCE, {"length_max": REFERENCE_LENGTH_MAX})
    now = coverage(terms, books, custody, business_date(at))
    born, row = _statement(command.program, custody, said, command.caller.person, StatementState.ENTERED, at)
    new = msgspec.structs.replace(custody, fresh=False)
    answer = {"number": said.number, "day": said.day.isoformat(), "closing_fen": said.closing, "statement": "entered"}
    plan = plan_of(terms, custody, new, now, event="custody.statement_entered.v1", answer=answer, kept=(row,))
    plan.born = (*plan.born, born)
    return plan


def _import(
    command: ImportStatement, terms: Terms, custody: Custody, facts: StatementFacts, at: datetime
) -> Plan | Refusal:
    """The bank's own file: each of its entries is matched, and it counts at once."""
    expected = terms.terms.custody.account_no
    if command.account_no != expected:
        told = {"account_no": command.account_no[:_SHOWN_MAX], "expected": expected}
        return Refusal(errors.STATEMENT_ACCOUNT, told)
    said = Said(command.number.strip(), command.day, command.opening, command.closing, "camt.053")
    if refusal := _unfit(said, custody, facts, command.program, at):
        return refusal
    moved = sum(entry.amount for entry in command.entries)
    if said.opening + moved != said.closing:
        amounts = {"opening_fen": said.opening, "entries_fen": moved, "closing_fen": said.closing}
        return Refusal(errors.STATEMENT_SUM, amounts)
    known = facts.open.get(terms.program, [])
    until = [one for one in facts.booked.get(terms.program, []) if one.day <= said.day]
    found = matched(command.entries, until, known)
    born, row = _statement(command.program, custody, said, command.caller.person, StatementState.CONFIRMED, at)
    entries = [_entry_row(born, line, one, at) for line, one in enumerate(found.entries, start=1)]
    return _counted(terms, custody, facts, (born, said), found, at, kept=(row, *entries))


def _look(
    command: LookAtStatement, terms: Terms, custody: Custody, facts: StatementFacts, at: datetime
) -> Plan | Refusal:
    """Another person than who entered it."""
    statement = facts.statements.get(statement_id(command.program, command.number.strip()))
    if statement is None or statement.state is not StatementState.ENTERED:
        return Refusal(errors.STATEMENT_UNKNOWN, {"number": command.number[:_SHOWN_MAX]})
    person = command.caller.person.strip()
    if same_person(person, statement.person):
        return Refusal(errors.CUSTODY_SECOND_PERSON, {"person": statement.person})
    said = Said(command.number.strip(), statement.day, statement.opening, statement.closing, "")
    if not command.agrees:
        now = coverage(terms, facts.books[terms.program], custody, business_date(at))
        new = msgspec.structs.replace(custody, fresh=False)
        answer = {"number": said.number, "statement": "rejected"}
        plan = plan_of(terms, custody, new, now, event="custody.statement_rejected.v1", answer=answer)
        plan.changes = (*plan.changes, (statement, (StatementState.REJECTED, person)))
        return plan
    if custody.bank_day is not None and said.day <= custody.bank_day:
        told = {"day": said.day.isoformat(), "last": str(custody.bank_day)}
        return Refusal(errors.STATEMENT_DAY, told)
    if custody.bank_fen is not None and said.opening != custody.bank_fen:
        amounts = {"opening_fen": said.opening, "closing_fen": custody.bank_fen}
        return Refusal(errors.STATEMENT_GAP, {**amounts, "last": str(custody.bank_day)})
    plan = _counted(terms, custody, facts, (statement, said), None, at)
    plan.changes = (*plan.changes, (statement, (StatementState.CONFIRMED, person)))
    return plan


def _counted(
    terms: Terms,
    custody: Custody,
    facts: StatementFacts,
    brought: tuple[Statement, Said],
    found: Matched | None,
    at: datetime,
    kept: tuple[Cold, ...] = (),
) -> Plan:
    """The bank's balance counts from now on: what it has less than the books at the end of its day does not cover."""
    statement, said = brought
    books = facts.books[terms.program]
    short = Money(books.at(end_of(said.day)).custody - said.closing)
    new = msgspec.structs.replace(custody, bank_day=said.day, bank_fen=said.closing, bank_short=short, fresh=False)
    now = coverage(terms, books, new, business_date(at))
    new.state = custody.state if custody.stop is not None else now.level(terms.terms.custody.warn_bps)
    differing = list(_differing(statement, said, short, found, facts.open.get(terms.program, [])))
    rows = tuple(("custody_discrepancy", _discrepancy_row(one, custody, statement, at)) for one in differing)
    answer = {
        "number": said.number,
        "day": said.day.isoformat(),
        "closing_fen": said.closing,
        "bank_short_fen": short,
        "differing": len(differing),
        "matched": sum(transfer is not None for _, transfer in found.entries) if found else 0,
        "statement": "confirmed",
    }
    plan = plan_of(
        terms, custody, new, now, event="custody.statement_confirmed.v1", answer=answer, kept=(*kept, *rows)
    )
    settled = found.settled if found else ()
    plan.changes = (*plan.changes, *((one, (DiscrepancyState.MATCHED, by, None, None)) for one, by in settled))
    gone = {transfer for _, transfer in found.entries if transfer} | {by for _, by in settled} if found else set()
    plan.born = (*plan.born, statement, (terms.program, gone, differing))
    return plan


def _differing(
    statement: Statement, said: Said, short: Money, found: Matched | None, known: Sequence[Discrepancy]
) -> Iterator[Discrepancy]:
    """New discrepancies: entry by entry where the file has them, else the balance as a whole."""
    if found is None:
        if short:
            yield _born(statement, DiscrepancyKind.BALANCE, 0, (Money(-short), said.day, said.number))
        return
    for line, (entry, transfer) in enumerate(found.entries, start=1):
        if transfer is None:
            yield _born(statement, DiscrepancyKind.NOT_IN_BOOKS, line, (entry.amount, entry.day, entry.reference))
    told = {one.transfer for one in known if one.kind is DiscrepancyKind.NOT_AT_BANK}
    settled = {by for _, by in found.settled}
    for line, one in enumerate(found.left, start=1):
        if one.transfer not in told | settled:
            born = _born(statement, DiscrepancyKind.NOT_AT_BANK, line, (one.amount, one.day, one.reference))
            yield msgspec.structs.replace(born, transfer=one.transfer)


def _born(statement: Statement, kind: DiscrepancyKind, line: int, what: tuple[Money, date, str]) -> Discrepancy:
    amount, day, reference = what
    identity = derived_id(statement.id, f"discrepancy {kind.value} {line}".encode())
    return Discrepancy(id=identity, version=1, kind=kind, amount=amount, day=day, reference=reference)


def _explain(
    command: ExplainDiscrepancy, terms: Terms, custody: Custody, facts: StatementFacts, at: datetime
) -> Plan | Refusal:
    reason = command.reason.strip()
    if not 0 < len(reason) <= REASON_LENGTH_MAX or not reason.isprintable():
        return Refusal(errors.DISCREPANCY_REASON, {"length_max": REASON_LENGTH_MAX})
    known = {one.id: one for one in facts.open.get(terms.program, [])}
    one = known.get(command.discrepancy)
    if one is None or one.state is not DiscrepancyState.OPEN:
        return Refusal(errors.DISCREPANCY_UNKNOWN)
    now = coverage(terms, facts.books[terms.program], custody, business_date(at))
    new = msgspec.structs.replace(custody, fresh=False)
    answer = {"amount_fen": one.amount, "kind": one.kind.word, "reason": reason}
    plan = plan_of(terms, custody, new, now, event="custody.discrepancy_explained.v1", answer=answer)
    person = command.caller.person.strip()
    plan.changes = (*plan.changes, (one, (DiscrepancyState.EXPLAINED, one.transfer, person, reason)))
    return plan


def _statement(
    program: str, custody: Custody, said: Said, person: str, state: StatementState, at: datetime
) -> tuple[Statement, Cold]:
    identity = statement_id(program, said.number)
    born = Statement(
        id=identity,
        version=1,
        day=said.day,
        opening=said.opening,
        closing=said.closing,
        state=state,
        person=person.strip(),
    )
    row = {
        **born.columns(),
        "at": microseconds(at),
        "opening": said.opening,
        "closing": said.closing,
        "id": identity.hex(),
        "custody": custody.id.hex(),
        "day": said.day.isoformat(),
        "version": 1,
        "bucket": bucket_of(identity),
        "number": said.number,
        "reference": said.reference.strip(),
        "person": born.person,
    }
    return born, ("custody_statement", row)


def _entry_row(statement: Statement, line: int, one: tuple[BankEntry, Any], at: datetime) -> Cold:
    entry, transfer = one
    row = {
        "at": microseconds(at),
        "amount": entry.amount,
        "statement": statement.id.hex(),
        "transfer": transfer.hex() if transfer else None,
        "day": entry.day.isoformat(),
        "bucket": bucket_of(statement.id),
        "line": line,
        "reference": entry.reference[:REFERENCE_LENGTH_MAX],
    }
    return "custody_entry", row


def _discrepancy_row(one: Discrepancy, custody: Custody, statement: Statement, at: datetime) -> dict[str, Any]:
    return {
        **one.columns(),
        "at": microseconds(at),
        "amount": one.amount,
        "id": one.id.hex(),
        "custody": custody.id.hex(),
        "statement": statement.id.hex(),
        "day": one.day.isoformat(),
        "version": 1,
        "bucket": bucket_of(one.id),
        "kind": int(one.kind),
        "reference": one.reference[:REFERENCE_LENGTH_MAX],
    }
