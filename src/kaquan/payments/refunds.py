"""Refunds and reversals: a new transfer that returns to the lots it came from. Pure."""

from datetime import datetime, timedelta

import msgspec

from kaquan.cards.lots import Share
from kaquan.cards.model import LotKind, LotState
from kaquan.commands.model import TOMBSTONE, Entry, Plan
from kaquan.kernel.caller import Role
from kaquan.kernel.clock import instant, shown
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.money import ZERO, Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Account, Source
from kaquan.ledger.model import Leg, post
from kaquan.payments import errors
from kaquan.payments.holds import not_possible, release
from kaquan.payments.lifecycle import PaymentState
from kaquan.payments.model import (
    REASON_LENGTH_MAX,
    Payment,
    PaymentFacts,
    Refund,
    Reverse,
    unpack_allocation,
)
from kaquan.programs.catalogue import Catalogue, Terms
from kaquan.rewards.model import Clawback, Reward, RewardState
from kaquan.rewards.rules import clawback, window_end

REVERSED = "reversed"
REVERSAL_MIN = timedelta(days=1)
"""A till that does not know what became of a payment may ask this long, even in a program without refunds."""


def decide_refund(entry: Entry, facts: PaymentFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Give back all of a payment to the lots that paid it, and take back what it earned."""
    command: Refund = entry.command
    payment = facts.reached(command)
    if payment is None:
        return Refusal(errors.PAYMENT_UNKNOWN)
    if refusal := not_possible(payment, "refund"):
        return refusal
    terms = catalogue.terms[payment.terms]
    if refusal := _too_late(command, payment, terms, at):
        return refusal
    return _give_back(entry, payment, facts, terms, command.reason[:REASON_LENGTH_MAX], "payment.refunded.v1")


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
        return release(payment, facts, PaymentState.VOIDED)
    if refusal := not_possible(payment, "refund"):
        return refusal
    terms = catalogue.terms[payment.terms]
    end = max(_refundable_until(payment, terms), instant(payment.moved_us) + REVERSAL_MIN)
    if at >= end:
        return _window_over(terms, end)
    return _give_back(entry, payment, facts, terms, REVERSED, "payment.reversed.v1")


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
    return window_end(instant(payment.moved_us), terms.terms.refund.window_days)


def _window_over(terms: Terms, end: datetime) -> Refusal:
    days = terms.terms.refund.window_days
    return Refusal(errors.REFUND_WINDOW_OVER, {"window_days": days, "window_end": shown(end)})


def _give_back(entry: Entry, payment: Payment, facts: PaymentFacts, terms: Terms, reason: str, event: str) -> Plan:
    amount = Money(payment.captured - payment.refunded)
    lots = facts.of(payment.card)
    returned = unpack_allocation(payment.allocation, lots)
    balances = {lot.id: lot.balance + part for lot, part in returned}
    legs = return_legs(returned, payment.merchant)
    reward = facts.rewards.get(payment.id)
    taken_back = Clawback([], ZERO)
    changes = []
    if reward is not None and reward.state == RewardState.GRANTED:
        taken_back = clawback(reward, lots, balances, terms.terms.rebate.clawback_allow_negative)
        for lot, part in taken_back.taken:
            balances[lot.id] = balances.get(lot.id, lot.balance) - part
            legs.append(Leg(Account.CARD_BONUS, lot.id, Account.PROMO_DEFERRED, None, lot.source, Money(part)))
        changes.append((reward, (RewardState.CLAWED_BACK, reward.lot)))
    elif reward is not None and reward.state == RewardState.WAITING:
        changes.append((reward, (RewardState.CANCELLED, reward.lot)))
    return Plan(
        answer=_refund_answer(entry.id, payment, amount, reward, taken_back, reason),
        event=event,
        subject=payment.wallet,
        person=facts.card_of(payment).person(),
        changes=(
            *((lot, (balances[lot.id], lot.held, LotState.LIVE)) for lot in lots if lot.id in balances),
            (
                payment,
                (PaymentState.REFUNDED, payment.captured, payment.captured, payment.moved_us, payment.allocation),
            ),
            *changes,
        ),
        inserts=(("refund", (bucket_of(entry.id), entry.id, payment.id, amount, payment.allocation, reason)),),
        postings=post(entry.id, terms.ledger, legs),
    )


def return_legs(returned: list[Share], merchant: Id) -> list[Leg]:
    """The mirror of `spend_legs`: from the merchant back to the lots, and the expense undone."""
    legs = [
        Leg(Account.MERCHANT_PAYABLE, merchant, lot.account, lot.id, lot.source, Money(part))
        for lot, part in returned
    ]
    unused = sum(part for lot, part in returned if lot.kind == LotKind.BONUS)
    if unused:
        legs.append(Leg(Account.PROMO_DEFERRED, None, Account.PROMO_EXPENSE, None, Source.NONE, Money(unused)))
    return legs


def _refund_answer(
    refund: Id, payment: Payment, amount: Money, reward: Reward | None, taken_back: Clawback, reason: str
) -> bytes:
    waiting = reward is not None and reward.state == RewardState.WAITING
    return msgspec.json.encode(
        {
            "amount_fen": amount,
            "clawback_fen": sum(part for _, part in taken_back.taken),
            "clawback_short_fen": taken_back.short,
            "merchant": payment.merchant.hex(),
            "order_no": payment.order_no,
            "payment": payment.id.hex(),
            "reason": reason,
            "rebate_cancelled_fen": reward.amount if waiting and reward else 0,
            "refund": refund.hex(),
            "state": "refunded",
        },
        order="sorted",
    )


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
