"""May money enter or leave custody, what did a day require, may sales go on? Pure.

Whoever asks is named first; then the program keeps custody at all; then the amount; then the law and the terms.
"""

from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from kaquan.commands.model import Entry, Plan
from kaquan.custody import errors
from kaquan.custody.coverage import Coverage, redeemed_fen, releasable_fen, stops
from kaquan.custody.model import (
    REFERENCE_LENGTH_MAX,
    AssessCustody,
    Books,
    Custody,
    CustodyCommand,
    CustodyFacts,
    CustodyState,
    DepositCustody,
    LiftStop,
    ReleaseCustody,
    custody_id,
)
from kaquan.custody.requirement import required
from kaquan.kernel.calendar import business_date, shanghai
from kaquan.kernel.caller import Role, same_person
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import bucket_of
from kaquan.kernel.money import MONEY_MAX, Money
from kaquan.kernel.refusal import Fact, Refusal
from kaquan.law.model import Law, law_on
from kaquan.ledger.chart import Account, Source
from kaquan.ledger.model import Leg, post
from kaquan.programs.catalogue import Catalogue, Terms
from kaquan.programs.errors import PROGRAM_UNKNOWN

_SHOWN_MAX = 40
_ONE_DAY = timedelta(days=1)


def laws_of(terms: Terms, day: date) -> list[Law]:
    """The packs of a program one by one, as they stand on a day: for custody each asks for itself."""
    return [law_on((pack,), day) for pack in terms.terms.program.law_packs]


def coverage(terms: Terms, books: Books, custody: Custody, day: date, until_us: int | None = None) -> Coverage:
    """What a day requires and what is there, by the books at an instant; None for now."""
    asked = required(terms.terms, laws_of(terms, day), books, day, until_us)
    return Coverage(asked, books.at(until_us).custody, custody.bank_short)


def end_of(day: date) -> int:
    """The instant at which a day is over in Shanghai."""
    return microseconds(shanghai(day + _ONE_DAY))


def custody_of(facts: CustodyFacts, terms: Terms) -> Custody:
    """The custody of a program; a fresh one when nothing was ever done with it."""
    return facts.custodies.get(terms.program) or fresh(terms)


def fresh(terms: Terms) -> Custody:
    """The custody of a program with which nothing was ever done."""
    return Custody(id=custody_id(terms.terms.program.code), version=1, program=terms.program, fresh=True)


def kept_by(command: CustodyCommand, catalogue: Catalogue) -> Terms | Refusal:
    """The terms of the program that a command names, if they keep money in custody."""
    terms = catalogue.program(command.program)
    if terms is None:
        return Refusal(PROGRAM_UNKNOWN, {"program": command.program[:_SHOWN_MAX]})
    return terms if terms.terms.custody.kept else Refusal(errors.CUSTODY_NOT_KEPT, {"program": command.program})


def decide(entry: Entry, facts: CustodyFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Any command on custody."""
    command = entry.command
    terms = kept_by(command, catalogue)
    if isinstance(terms, Refusal):
        return terms
    if refusal := _said(command):
        return refusal
    custody, books = custody_of(facts, terms), facts.books[terms.program]
    match command:
        case DepositCustody():
            return _misstated(command) or _deposit(entry, terms, custody, books, at)
        case ReleaseCustody():
            return _misstated(command) or _release(entry, terms, custody, books, at)
        case AssessCustody():
            return _assess(command, terms, custody, books, at)
        case LiftStop():
            return _lift(terms, custody, books, at)
    raise TypeError(f"not a command on custody: {type(command).__name__}")


def _said(command: Any) -> Refusal | None:
    """Who acts is said; what takes two persons names the second, and it is another one. The timetable lifts alone
    what the terms let it lift."""
    person = command.caller.person.strip()
    if not person:
        return Refusal(errors.CUSTODY_PERSON)
    if not isinstance(command, ReleaseCustody | LiftStop) or command.caller.role is Role.SYSTEM:
        return None
    second = command.approved_by.strip()
    if second and not same_person(person, second):
        return None
    return Refusal(errors.CUSTODY_SECOND_PERSON, {"person": person[:_SHOWN_MAX]})


def _misstated(command: DepositCustody | ReleaseCustody) -> Refusal | None:
    if not 0 < command.amount <= MONEY_MAX:
        return Refusal(errors.CUSTODY_AMOUNT, {"most_fen": MONEY_MAX})
    if not 0 < len(command.reference.strip()) <= REFERENCE_LENGTH_MAX or not command.reference.isprintable():
        return Refusal(errors.CUSTODY_REFERENCE, {"length_max": REFERENCE_LENGTH_MAX})
    return None


def _deposit(entry: Entry, terms: Terms, custody: Custody, books: Books, at: datetime) -> Plan:
    """More money lies there. Sales that stand still go on at once, when it is enough and the terms say so."""
    command: DepositCustody = entry.command
    before = coverage(terms, books, custody, business_date(at))
    now = msgspec.structs.replace(before, ledger_fen=Money(before.ledger_fen + command.amount))
    new = _risen(custody, terms, now)
    leg = Leg(Account.BANK_CUSTODY, None, Account.BANK_OPERATING, None, Source.CUSTODY, command.amount)
    moved = {"amount_fen": command.amount, "reference": command.reference.strip()}
    return plan_of(
        terms,
        custody,
        new,
        now,
        event="custody.deposited.v1",
        answer=moved,
        postings=post(entry.id, terms.ledger, (leg,)),
    )


def _release(entry: Entry, terms: Terms, custody: Custody, books: Books, at: datetime) -> Plan | Refusal:
    """What is above the requirement, and was redeemed. Decided on one snapshot of the books."""
    command: ReleaseCustody = entry.command
    now, rules = coverage(terms, books, custody, business_date(at)), terms.terms.custody
    if rules.release == "never":
        return Refusal(errors.CUSTODY_RELEASE_NEVER, {"program": command.program})
    if command.amount > now.surplus_fen:
        facts = {**_told(now), "surplus_fen": max(0, now.surplus_fen)}
        return Refusal(errors.CUSTODY_RELEASE_ABOVE, facts)
    redeemed = redeemed_fen(books)
    if command.amount > releasable_fen(now, books, custody, rules):
        left = max(0, redeemed - custody.released)
        shown: dict[str, Fact] = {"redeemed_fen": redeemed, "released_fen": custody.released, "left_fen": left}
        return Refusal(errors.CUSTODY_NOT_REDEEMED, shown)
    after = msgspec.structs.replace(now, ledger_fen=Money(now.ledger_fen - command.amount))
    new = msgspec.structs.replace(custody, released=Money(custody.released + command.amount), fresh=False)
    leg = Leg(Account.BANK_OPERATING, None, Account.BANK_CUSTODY, None, Source.CUSTODY, command.amount)
    answer = {
        "amount_fen": command.amount,
        "reference": command.reference.strip(),
        "redeemed_fen": redeemed,
        "released_fen": new.released,
        "approved_by": command.approved_by.strip(),
    }
    return plan_of(
        terms,
        custody,
        new,
        after,
        event="custody.released.v1",
        answer=answer,
        postings=post(entry.id, terms.ledger, (leg,)),
    )


def _assess(command: AssessCustody, terms: Terms, custody: Custody, books: Books, at: datetime) -> Plan | Refusal:
    """A day as it ended. Sales stop when it was short, the grace is over, and it is short still."""
    day, rules = command.day, terms.terms.custody
    if day >= business_date(at) or (custody.day is not None and day <= custody.day):
        return Refusal(errors.CUSTODY_DAY, {"day": day.isoformat()})
    ended, now = coverage(terms, books, custody, day, end_of(day)), coverage(terms, books, custody, business_date(at))
    level = ended.level(rules.warn_bps)
    short_since = (custody.short_since or day) if level is CustodyState.SHORT else None
    new = msgspec.structs.replace(custody, day=day, short_since=short_since, fresh=False)
    event, current = _EVENTS[level], now.level(rules.warn_bps)
    if current is CustodyState.SHORT and stops(custody, rules, day, short_since):
        new.state, new.stop, event = CustodyState.SALES_STOPPED, _stop(now, day), "program.sales_stopped.v1"
    elif custody.state is not CustodyState.SALES_STOPPED:
        new.state = current
    row = ("custody_day", _day_row(day, ended, level, terms, custody, at))
    return plan_of(
        terms, custody, new, ended, event=event, answer={"day": day.isoformat(), "level": level.word}, kept=(row,)
    )


_EVENTS = {
    CustodyState.COVERED: "custody.covered.v1",
    CustodyState.WARNED: "custody.warned.v1",
    CustodyState.SHORT: "custody.short.v1",
}


def _lift(terms: Terms, custody: Custody, books: Books, at: datetime) -> Plan | Refusal:
    if custody.state is not CustodyState.SALES_STOPPED:
        return Refusal(errors.CUSTODY_NOT_STOPPED, {"program": terms.terms.program.code})
    now = coverage(terms, books, custody, business_date(at))
    if now.missing_fen:
        return Refusal(errors.CUSTODY_STILL_SHORT, _told(now))
    new = msgspec.structs.replace(custody, state=now.level(terms.terms.custody.warn_bps), stop=None, fresh=False)
    return plan_of(terms, custody, new, now, event="program.sales_resumed.v1", answer={})


def _risen(custody: Custody, terms: Terms, now: Coverage) -> Custody:
    """The custody after money came in: what stands still goes on only where the terms let it by itself."""
    level, rules = now.level(terms.terms.custody.warn_bps), terms.terms.custody
    if custody.state is CustodyState.SALES_STOPPED and (rules.lift != "automatic" or level is CustodyState.SHORT):
        return msgspec.structs.replace(custody, fresh=False)
    return msgspec.structs.replace(custody, state=level, stop=None, fresh=False)


def _told(now: Coverage) -> dict[str, Fact]:
    """What is required and there, and which rule says so."""
    strictest = now.requirement.strictest
    by = strictest.facts if strictest else {"rule": "", "article_zh": "没有规则", "article_en": "no rule"}
    amounts = {"required_fen": now.required_fen, "covered_fen": now.covered_fen, "missing_fen": now.missing_fen}
    return {**amounts, **by}


def _stop(now: Coverage, day: date) -> dict[str, Fact]:
    return {**_told(now), "day": day.isoformat()}


def _day_row(
    day: date, ended: Coverage, level: CustodyState, terms: Terms, custody: Custody, at: datetime
) -> dict[str, Any]:
    law = law_on(terms.terms.program.law_packs, day)
    return {
        "at": microseconds(at),
        "required": ended.required_fen,
        "ledger": ended.ledger_fen,
        "covered": ended.covered_fen,
        "quarter_end": ended.requirement.quarter_end_fen,
        "bank": custody.bank_fen if custody.bank_day == day else None,
        "id": custody.id.hex(),
        "day": day.isoformat(),
        "bucket": bucket_of(custody.id),
        "program": terms.program,
        "terms": terms.id,
        "state": int(level),
        "law_pack": law.ids,
        "law_version": law.versions,
        "rules": msgspec.json.encode(ended.requirement.lines).decode(),
    }


def plan_of(
    terms: Terms,
    old: Custody,
    new: Custody,
    now: Coverage,
    *,
    event: str,
    answer: dict[str, Any],
    postings: tuple[Any, ...] = (),
    kept: tuple[tuple[str, dict[str, Any]], ...] = (),
) -> Plan:
    """What changes the custody, and is read with the programs when sales stop or go on."""
    told = {
        "program": terms.terms.program.code,
        "state": new.state.word,
        "required_fen": now.required_fen,
        "covered_fen": now.covered_fen,
        "surplus_fen": now.surplus_fen,
        "rule": now.requirement.strictest.rule if now.requirement.strictest else "",
        **answer,
    }
    cold = list(kept)
    if (old.stop is None) != (new.stop is None):
        cold.append(("reference", {}))
    born: tuple[Custody, ...] = ()
    if old.fresh:
        row = {**new.columns(), "bucket": bucket_of(new.id), "id": new.id.hex(), "version": 1, "program": new.program}
        cold.append(("custody", row))
        born = (new,)
    changes = () if old.fresh else ((old, (new,)),)
    return Plan(
        answer=msgspec.json.encode(told, order="sorted"),
        event=event,
        changes=changes,
        cold=tuple(cold),
        postings=postings,
        born=born,
    )
