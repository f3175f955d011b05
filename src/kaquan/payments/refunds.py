"""Refunds and reversals: a new transfer that returns to the lots it came from. Pure."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from kaquan.cards.model import LotState
from kaquan.commands.model import TOMBSTONE, Answer, Entry, Plan
from kaquan.kernel.caller import Role
from kaquan.kernel.clock import instant, shown
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.model import post_all
from kaquan.payments import errors, tenders
from kaquan.payments.holds import not_possible, release
from kaquan.payments.lifecycle import PaymentState
from kaquan.payments.model import (
    REASON_LENGTH_MAX,
    Payment,
    PaymentFacts,
    Refund,
    Reverse,
    pack_allocation,
)
from kaquan.payments.returns import Back, RebateCut, Returns, all_of, back_of, rebate_cut, returns
from kaquan.programs.catalogue import Catalogue, Terms
from kaquan.rewards.bonus import back_legs
from kaquan.rewards.rules import window_end
from kaquan.vouchers.model import pack_discounts

REVERSED = "reversed"
REVERSAL_MIN = timedelta(days=1)
"""A till that does not know what became of a payment may ask this long, even in a program without refunds."""


class RefundAnswer(Answer, frozen=True):
    """What became of a refund."""

    amount_fen: int
    bonus_fen: int
    card_fen: int
    clawback_fen: int
    clawback_short_fen: int
    discount_fen: int
    merchant: str
    order_no: str
    outside_fen: int
    payment: str
    principal_fen: int
    reason: str
    rebate_cancelled_fen: int
    refund: str
    state: str
    subsidy_fen: int
    vouchers_usable: int


def decide_refund(entry: Entry, facts: PaymentFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Give back a payment, or part of it, to the lots and funders that paid it, and take back what it earned."""
    command: Refund = entry.command
    payment = facts.reached(command)
    if payment is None:
        return Refusal(errors.PAYMENT_UNKNOWN)
    if refusal := not_possible(payment, "refund"):
        return refusal
    if refusal := _too_late(command, payment, catalogue.terms[payment.terms], at):
        return refusal
    back = back_of(command, payment, facts, catalogue)
    if isinstance(back, Refusal):
        return back
    return _give_back(entry, payment, back, facts, catalogue, "payment.refunded.v1", at)


def decide_reverse(entry: Entry, facts: PaymentFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Undo a payment by its order number, whatever became of it; what has not arrived is barred for ever.

    Money that was taken comes back within the refund window: a reversal is no way around it.
    """
    command: Reverse = entry.command
    if not command.caller.reaches(command.merchant):
        return Refusal(errors.MERCHANT_UNKNOWN)
    payment = facts.payments.get(command.payment)
    if payment is None:
        known = command.payment in facts.decided
        return _nothing_taken(entry, command.payment, command.merchant, command.order_no, bury=not known)
    if (payment.merchant, payment.order_no) != (command.merchant, command.order_no):
        # The claimant's id had been used for another order, so it never took effect for this one.
        return _nothing_taken(entry, command.payment, command.merchant, command.order_no, bury=False)
    if payment.state in (PaymentState.VOIDED, PaymentState.EXPIRED):
        return _nothing_taken(entry, command.payment, command.merchant, command.order_no, bury=False)
    if payment.state == PaymentState.AUTHORIZED:
        return release(payment, facts, catalogue, PaymentState.VOIDED)
    if refusal := not_possible(payment, "refund"):
        return refusal
    terms = catalogue.terms[payment.terms]
    end = max(_refundable_until(payment, terms), instant(payment.moved_us) + REVERSAL_MIN)
    if at >= end:
        return _window_over(terms, end)
    back = all_of(payment, facts)
    return _give_back(entry, payment, back, facts, catalogue, "payment.reversed.v1", at)


def decide_reverse_unknown(entry: Entry) -> Plan:
    """Nobody has tried to pay the order yet; the registry already bars it."""
    return _nothing_taken(entry, None, entry.command.merchant, entry.command.order_no, bury=False)


def _too_late(command: Refund, payment: Payment, terms: Terms, at: datetime) -> Refusal | None:
    end = _refundable_until(payment, terms)
    if at < end:
        return None
    if not command.late:
        return _window_over(terms, end)
    if command.caller.role not in (Role.ISSUER, Role.OPERATOR):
        return Refusal(errors.LATE_REFUND_FORBIDDEN)
    return None


def _refundable_until(payment: Payment, terms: Terms) -> datetime:
    return _window_end(payment.moved_us, terms.terms.refund.window_days)


@lru_cache(maxsize=1024)
def _window_end(moved_us: int, window_days: int) -> datetime:
    return window_end(instant(moved_us), window_days)


def _window_over(terms: Terms, end: datetime) -> Refusal:
    days = terms.terms.refund.window_days
    return Refusal(errors.REFUND_WINDOW_OVER, {"window_days": days, "window_end": shown(end)})


def _give_back(
    entry: Entry, payment: Payment, back: Back, facts: PaymentFacts, catalogue: Catalogue, event: str, at: datetime
) -> Plan:
    """Carry out a return: money to the lots and funders it came from, vouchers by their terms, the rebate cut."""
    terms, merchant = catalogue.terms[payment.terms], catalogue.merchants[payment.merchant]
    lots = facts.of(payment.card)
    balances = {lot.id: lot.balance for lot in lots}
    for lot, part in back.shares:
        balances[lot.id] += part
    posted = tenders.give_back(back.shares, terms.ledger, merchant)
    vouchers = returns(payment, back, facts, catalogue, at)
    cut = rebate_cut(payment, back, facts, catalogue, balances)
    for lot, part in cut.taken:
        balances[lot.id] -= part
    claws = [leg for lot, part in cut.taken for leg in back_legs(lot, Money(part), catalogue)]
    posted += [*vouchers.posted, (terms.ledger, claws)]
    touched = {lot.id for lot, _ in (*back.shares, *cut.taken)}
    return Plan(
        answer=_refund_answer(entry.id, payment, back, cut, vouchers, entry.command),
        event=event,
        subject=payment.wallet,
        person=facts.person(payment),
        changes=(
            *((lot, (balances[lot.id], lot.held, LotState.LIVE)) for lot in lots if lot.id in touched),
            (payment, _after(payment, back)),
            *cut.changes,
            *vouchers.changes,
        ),
        inserts=(("refund", _row(entry, payment, back)),),
        postings=post_all(entry.id, posted),
    )


def _after(payment: Payment, back: Back) -> tuple[Any, ...]:
    return payment.values(
        state=PaymentState.REFUNDED if back.last else PaymentState.PARTLY_REFUNDED,
        refunded=payment.refunded + back.amount,
        returned=tenders.pack_returned(back.so_far),
        lines=tenders.pack_changed_lines(back.lines) if back.lines else payment.lines,
    )


def _reason(command: Refund | Reverse) -> str:
    return command.reason[:REASON_LENGTH_MAX] if isinstance(command, Refund) else REVERSED


def _row(entry: Entry, payment: Payment, back: Back) -> tuple[object, ...]:
    return (
        bucket_of(entry.id),
        entry.id,
        payment.id,
        back.amount,
        back.outside,
        pack_allocation(back.shares),
        pack_discounts(back.discounts),
        _reason(entry.command),
    )


def _refund_answer(
    refund: Id, payment: Payment, back: Back, cut: RebateCut, vouchers: Returns, command: Refund | Reverse
) -> bytes:
    principal, bonus, subsidy = tenders.by_kind(back.shares)
    return RefundAnswer(
        back.amount,
        bonus,
        principal + bonus + subsidy,
        sum([part for _, part in cut.taken]),
        cut.short,
        sum([one.amount for one in back.discounts]),
        payment.merchant.hex(),
        payment.order_no,
        back.outside,
        payment.id.hex(),
        principal,
        _reason(command),
        cut.cancelled,
        refund.hex(),
        "refunded" if back.last else "partly_refunded",
        subsidy,
        vouchers.usable,
    ).written()


def _nothing_taken(entry: Entry, payment: Id | None, merchant: Id, order_no: str, *, bury: bool) -> Plan:
    """Answer that nothing was taken. `bury` burns the id of a payment that may still arrive."""
    answer = msgspec.json.encode(
        {"merchant": merchant.hex(), "order_no": order_no, "state": "nothing_taken"}, order="sorted"
    )
    cold: tuple[tuple[str, dict[str, object]], ...] = ()
    if bury and payment is not None:
        cold = (("tombstone", tombstone(payment, errors.ORDER_REVERSED.code)),)
    return Plan(answer=answer, event="order.barred.v1", cold=cold)


def tombstone(command: Id, code: str) -> dict[str, object]:
    """A decision for a command that has not arrived: refused, whatever it will contain."""
    answer = msgspec.json.encode({"code": code, "facts": {}})
    return {
        "at": 0,
        "id": command.hex(),
        "content": TOMBSTONE.hex(),
        "answer": "\\x" + answer.hex(),
        "bucket": bucket_of(command),
        "kind": 0,
        "outcome": 1,
    }
