"""Cards that lie unused (伪激活): made valid again, reminded of, counted as income. Pure.

Principal of a registered card never expires and never becomes income. Of a bearer card it stops paying when its time
is over, and stays its holder's: whoever brings the card gets it back, also after it was counted as income.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from kaquan.cards import errors as card_errors
from kaquan.cards.model import Card, Lot, LotKind, LotState
from kaquan.cards.rules import may_pay
from kaquan.commands.model import Entry, Plan
from kaquan.kernel.caller import same_person
from kaquan.kernel.clock import instant, microseconds, shown
from kaquan.kernel.ids import bucket_of, derived_id
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Account
from kaquan.ledger.model import Leg, post
from kaquan.programs.catalogue import Catalogue, Terms
from kaquan.quotas.rules import Change
from kaquan.sales import errors
from kaquan.sales.leaving_model import (
    EVIDENCE_LENGTH_MAX,
    Breakage,
    BreakageState,
    LeavingFacts,
    ReactivateCard,
    RecogniseBreakage,
    RemindIdle,
)


def decide_reactivate(entry: Entry, facts: LeavingFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Expired principal pays again, for as long as new principal would; income that was counted goes back."""
    command: ReactivateCard = entry.command
    card = facts.cards.get(command.card)
    if card is None:
        return Refusal(card_errors.CARD_UNKNOWN)
    if refusal := may_pay(card):
        return refusal
    terms = catalogue.terms[card.terms]
    counted = {one.lot: one for one in facts.breakages.get(card.id, []) if one.state == BreakageState.RECOGNISED}
    lots = [lot for lot in _expired(facts.of(card.id), at) if lot.balance or lot.id in counted]
    days = terms.terms.card.principal_valid_days
    if not lots or not days:
        return Refusal(errors.CARD_NOT_EXPIRED)
    if held := sum(lot.held for lot in lots):
        return Refusal(errors.CLOSING_HELD, {"held_fen": held})
    until_us = microseconds(at + timedelta(days=days))
    left = {lot.id: lot.balance + (counted[lot.id].amount if lot.id in counted else 0) for lot in lots}
    fee = min(_fee(terms, at), sum(left.values()))
    legs: list[Leg] = []
    changes: list[Change] = []
    rest = fee
    for lot in lots:
        taken = min(rest, left[lot.id])
        rest -= taken
        if (income := counted.get(lot.id)) is not None:
            back = Money(income.amount)
            legs.append(Leg(Account.BREAKAGE_INCOME, None, Account.CARD_PRINCIPAL, lot.id, lot.source, back))
            changes.append((income, (BreakageState.RESTORED, microseconds(at))))
        legs.append(Leg(Account.CARD_PRINCIPAL, lot.id, Account.FEE_INCOME, None, lot.source, Money(taken)))
        changes.append((lot, (left[lot.id] - taken, 0, LotState.LIVE)))
    answer = {
        "balance_fen": sum(left.values()) - fee,
        "card": card.id.hex(),
        "expires_us": until_us,
        "fee_fen": fee,
        "restored_fen": sum(one.amount for one in counted.values()),
    }
    return Plan(
        answer=msgspec.json.encode(answer, order="sorted"),
        event="card.reactivated.v1",
        subject=card.wallet,
        person=card.person(),
        changes=(card.touched(), *changes),
        cold=tuple(("lot_change", _until(lot, until_us)) for lot in lots),
        postings=post(entry.id, terms.ledger, legs),
    )


def _until(lot: Lot, until_us: int) -> dict[str, Any]:
    """The new end of a lot, written after its balance: by then its version is one higher."""
    return {"bucket": bucket_of(lot.id), "id": lot.id.hex(), "version": lot.version + 1, "expires_at": until_us}


def _fee(terms: Terms, at: datetime) -> int:
    wanted, most = terms.terms.closing.reactivation_fee_fen, terms.law(at).reactivation_fee_max_fen
    return wanted if most is None else min(wanted, most.value)


def _expired(lots: list[Lot], at: datetime) -> list[Lot]:
    """Principal whose time is over."""
    now = microseconds(at)
    return [lot for lot in lots if lot.kind == LotKind.PRINCIPAL and 0 < lot.expires_us <= now]


def decide_breakage(entry: Entry, facts: LeavingFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Income out of an expired bearer card, with a document and two persons, after the law's years."""
    command: RecogniseBreakage = entry.command
    card = facts.cards.get(command.card)
    if card is None:
        return Refusal(card_errors.CARD_UNKNOWN)
    if refusal := _signed(command):
        return refusal
    if card.registered:
        return Refusal(errors.BREAKAGE_REGISTERED)
    if refusal := may_pay(card):
        return refusal
    terms = catalogue.terms[card.terms]
    lots = [lot for lot in _expired(facts.of(card.id), at) if lot.balance > lot.held]
    if refusal := _too_early(card, lots, facts, terms, at):
        return refusal
    rows = [_income(entry, lot, terms, at) for lot in lots]
    legs = [
        Leg(Account.CARD_PRINCIPAL, lot.id, Account.BREAKAGE_INCOME, None, lot.source, Money(lot.balance - lot.held))
        for lot in lots
    ]
    answer = {
        "amount_fen": sum(leg.amount for leg in legs),
        "approved_by": command.approved_by.strip(),
        "card": card.id.hex(),
        "evidence": command.evidence.strip(),
        "person": command.caller.person,
    }
    return Plan(
        answer=msgspec.json.encode(answer, order="sorted"),
        event="card.breakage_recognised.v1",
        subject=card.wallet,
        person=card.person(),
        changes=(card.touched(), *((lot, (lot.held, lot.held, LotState.EXPIRED)) for lot in lots)),
        cold=tuple(("breakage", row) for row in rows),
        postings=post(entry.id, terms.ledger, legs),
    )


def _signed(command: RecogniseBreakage) -> Refusal | None:
    """Whether the document or the second signature is missing."""
    evidence, second = command.evidence.strip(), command.approved_by.strip()
    if not evidence or len(evidence) > EVIDENCE_LENGTH_MAX or not evidence.isprintable():
        return Refusal(errors.BREAKAGE_EVIDENCE, {"length_max": EVIDENCE_LENGTH_MAX})
    if not second or not command.caller.person.strip() or same_person(second, command.caller.person):
        return Refusal(errors.BREAKAGE_ONE_PERSON)
    return None


def _too_early(card: Card, lots: list[Lot], facts: LeavingFacts, terms: Terms, at: datetime) -> Refusal | None:
    """Whether no pack allows it, nothing has expired, or not enough years have passed since it did and was moved."""
    law = terms.law(at)
    least = law.breakage_idle_days_min
    if least is None:
        return Refusal(errors.BREAKAGE_NO_LAW)
    if not lots:
        return Refusal(errors.CARD_NOT_EXPIRED)
    since = max(facts.moved[card.id], *(instant(lot.expires_us) for lot in lots))
    due = since + timedelta(days=least.value)
    if at < due:
        return Refusal(errors.BREAKAGE_EARLY, {"days": least.value, "due": shown(due), **least.facts})
    return None


def _income(entry: Entry, lot: Lot, terms: Terms, at: datetime) -> dict[str, Any]:
    command: RecogniseBreakage = entry.command
    row = Breakage(
        id=derived_id(entry.id, lot.id),
        version=1,
        card=lot.card,
        lot=lot.id,
        source=lot.source,
        state=BreakageState.RECOGNISED,
        amount=lot.balance - lot.held,
    )
    return {
        **row.columns(),
        "amount": row.amount,
        "at": microseconds(at),
        "id": row.id.hex(),
        "card": row.card.hex(),
        "lot": row.lot.hex(),
        "version": 1,
        "bucket": bucket_of(row.id),
        "program": terms.program,
        "source": row.source,
        "evidence": command.evidence.strip(),
        "person": command.caller.person.strip(),
        "approved_by": command.approved_by.strip(),
    }


def decide_remind(entry: Entry, facts: LeavingFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Tell of an idle card, once for each time that it lies idle."""
    command: RemindIdle = entry.command
    card = facts.cards.get(command.card)
    if card is None:
        return Refusal(card_errors.CARD_UNKNOWN)
    days = catalogue.terms[card.terms].terms.closing.idle_days
    balance, moved = sum(lot.balance for lot in facts.of(card.id)), facts.moved[card.id]
    idle = bool(days) and bool(balance) and at >= moved + timedelta(days=days)
    reminded = facts.reminded.get(card.id)
    if not idle or may_pay(card) is not None or (reminded is not None and reminded >= moved):
        return Refusal(errors.CARD_NOT_IDLE)
    row = {"at": microseconds(at), "card": card.id.hex(), "bucket": bucket_of(card.id)}
    return Plan(
        answer=msgspec.json.encode(
            {"balance_fen": balance, "card": card.id.hex(), "idle_days": (at - moved).days}, order="sorted"
        ),
        event="card.idle.v1",
        subject=card.wallet,
        person=card.person(),
        checks=(card,),
        cold=(("idle_reminder", row),),
    )
