"""May this be disputed, answered, resolved so, and what moves then? Pure.

What is disputed is held back from the merchant's money, whichever is nearest: a payout that was not told to the bank
yet, else what the next settlement pays. It lies in merchant.disputed, named by its source, until a person resolves
the dispute; then it goes back to what the merchant has coming. For the holder the payment was refunded before, so
that what comes back only covers what the refund took.
"""

from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from kaquan.casework import errors
from kaquan.casework.model import (
    About,
    AnswerDispute,
    Deadlines,
    Dispute,
    DisputeFacts,
    DisputeState,
    OpenDispute,
    ResolveDispute,
)
from kaquan.commands.model import Entry, Plan
from kaquan.kernel.calendar import Calendar, CalendarHorizon, business_date
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.money import ZERO, Money, allocate
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Account
from kaquan.ledger.model import Leg, post
from kaquan.payouts.lifecycle import WAITING, PayoutState, account_of
from kaquan.payouts.model import Payout
from kaquan.programs.catalogue import Catalogue

ANSWER_DAYS = 5  # business days: a week for the merchant
DECIDE_DAYS = 15  # business days: three weeks in all, what consumers' law gives for most complaints
TEXT_LENGTH_MAX = 300  # what a person can say in three lines; papers have numbers

_HOLDABLE = WAITING | {PayoutState.INSTRUCTED}


def decide_open(
    entry: Entry, facts: DisputeFacts, catalogue: Catalogue, calendar: Calendar, at: datetime
) -> Plan | Refusal:
    """Hold back what is disputed."""
    command: OpenDispute = entry.command
    if refusal := _unsaid(command.reason):
        return refusal
    payment = facts.payments.get(command.object) if command.about is About.PAYMENT else None
    payout = facts.payouts.get(command.object) if command.about is About.PAYOUT else None
    found = payment or payout
    if found is None:
        return Refusal(errors.DISPUTE_UNKNOWN)
    if command.object in facts.open:
        return Refusal(errors.DISPUTE_OPEN)
    left = payment.left if payment else {payout.source: payout.outgoing} if payout else {}
    most = Money(sum(left.values()))
    if not 0 < command.amount <= most:
        return Refusal(errors.DISPUTE_AMOUNT, {"most_fen": most})
    parts = allocate(command.amount, list(left.values()))
    by_source = {source: part for source, part in zip(left, parts, strict=True) if part}
    dispute = Dispute(
        id=entry.id,
        version=1,
        about=command.about,
        object=command.object,
        merchant=found.merchant,
        program=found.program,
        amount=command.amount,
        by_source=by_source,
        refunded=payment.refunded if payment else ZERO,
        state=DisputeState.OPEN,
    )
    held = payout is not None and payout.state in _HOLDABLE
    source_account = account_of(payout.state, payout.source) if payout and held else Account.MERCHANT_PAYABLE
    return Plan(
        answer=_answer(dispute, "payout" if held else "next"),
        event="dispute.opened.v1",
        changes=_withheld(payout, command.amount) if payout and held else (),
        cold=(("dispute", _row(entry, dispute, deadlines(calendar, at), at)),),
        postings=_moved(entry.id, dispute, catalogue, (source_account, Account.MERCHANT_DISPUTED)),
        born=(command.object,),
    )


def decide_answer(entry: Entry, facts: DisputeFacts, at: datetime) -> Plan | Refusal:
    """Keep what the merchant says."""
    command: AnswerDispute = entry.command
    dispute = facts.disputes.get(command.dispute)
    if refusal := _unsaid(command.text):
        return refusal
    if dispute is None or dispute.state is not DisputeState.OPEN:
        return Refusal(errors.DISPUTE_CLOSED if dispute else errors.DISPUTE_UNKNOWN)
    new = msgspec.structs.replace(dispute, answer=command.text.strip())
    return Plan(answer=_answer(new, ""), event="dispute.answered.v1", changes=((dispute, (new,)),))


def decide_resolve(entry: Entry, facts: DisputeFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Give back what was held: to what the merchant has coming, in either case."""
    command: ResolveDispute = entry.command
    dispute = facts.disputes.get(command.dispute)
    if refusal := _unsaid(command.text):
        return refusal
    if dispute is None or dispute.state is not DisputeState.OPEN:
        return Refusal(errors.DISPUTE_CLOSED if dispute else errors.DISPUTE_UNKNOWN)
    if command.side is DisputeState.FOR_HOLDER:
        payment = facts.payments.get(dispute.object)
        if payment is None:
            return Refusal(errors.DISPUTE_SIDE)
        back = Money(payment.refunded - dispute.refunded)
        if back < dispute.amount:
            return Refusal(errors.DISPUTE_REFUND, {"refunded_fen": back, "disputed_fen": dispute.amount})
    new = msgspec.structs.replace(
        dispute,
        state=command.side,
        decision=command.text.strip(),
        decided_by=command.caller.person,
        decided_us=microseconds(at),
    )
    return Plan(
        answer=_answer(new, ""),
        event="dispute.resolved.v1",
        changes=((dispute, (new,)),),
        postings=_moved(entry.id, dispute, catalogue, (Account.MERCHANT_DISPUTED, Account.MERCHANT_PAYABLE)),
    )


def deadlines(calendar: Calendar, at: datetime) -> Deadlines:
    """Business days from the day of the dispute; past what the calendar knows, as many plain days: the stricter."""
    today = business_date(at)
    return Deadlines(_after(calendar, today, ANSWER_DAYS), _after(calendar, today, DECIDE_DAYS))


def _after(calendar: Calendar, today: date, days: int) -> date:
    try:
        return calendar.add_business_days(today, days)
    except CalendarHorizon:
        return today + timedelta(days=days)


def _unsaid(text: str) -> Refusal | None:
    if text.isprintable() and 0 < len(text.strip()) <= TEXT_LENGTH_MAX:
        return None
    return Refusal(errors.DISPUTE_TEXT, {"length_max": TEXT_LENGTH_MAX})


def _withheld(payout: Payout, amount: Money) -> tuple[Any, ...]:
    held = Money(payout.held + amount)
    state = PayoutState.WITHHELD if held == payout.amount else payout.state
    return ((payout, (msgspec.structs.replace(payout, held=held, state=state),)),)


def _moved(transfer: Id, dispute: Dispute, catalogue: Catalogue, way: tuple[Account, Account]) -> tuple[Any, ...]:
    merchant = dispute.merchant
    ledger = catalogue.latest[dispute.program].ledger_of(catalogue.merchants[merchant])
    legs = [Leg(way[0], merchant, way[1], merchant, source, part) for source, part in dispute.by_source.items()]
    return post(transfer, ledger, legs)


def _row(entry: Entry, dispute: Dispute, until: Deadlines, at: datetime) -> dict[str, Any]:
    return {
        **dispute.columns(),
        "bucket": bucket_of(entry.id),
        "id": entry.id.hex(),
        "version": 1,
        "about": int(dispute.about),
        "object": dispute.object.hex(),
        "merchant": dispute.merchant.hex(),
        "program": dispute.program,
        "amount": dispute.amount,
        "by_source": {source.name.lower(): part for source, part in dispute.by_source.items()},
        "refunded": dispute.refunded,
        "reason": entry.command.reason.strip(),
        "opened_by": entry.command.caller.person,
        "at": microseconds(at),
        "answer_by": until.answer_by.isoformat(),
        "decide_by": until.decide_by.isoformat(),
    }


def _answer(dispute: Dispute, held_from: str) -> bytes:
    told = {
        "amount_fen": dispute.amount,
        "dispute": dispute.id.hex(),
        "merchant": dispute.merchant.hex(),
        "program": dispute.program,
        "state": dispute.state.word,
    }
    return msgspec.json.encode(told | ({"held_from": held_from} if held_from else {}), order="sorted")
