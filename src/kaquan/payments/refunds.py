"""Refunds and reversals: a new transfer that returns to the lots it came from. Pure."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from kaquan.cards.lots import Share
from kaquan.cards.model import CardState
from kaquan.commands.model import TOMBSTONE, Answer, Entry, Plan
from kaquan.kernel.caller import Role
from kaquan.kernel.clock import instant, microseconds, shown
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.model import post_all
from kaquan.payments import errors, tenders
from kaquan.payments.claws import RebateCut, rebate_cut, set_off, written_down
from kaquan.payments.holds import not_possible, release
from kaquan.payments.landing import Arrival, Landed, land
from kaquan.payments.lifecycle import PaymentState
from kaquan.payments.model import (
    REASON_LENGTH_MAX,
    Payment,
    PaymentFacts,
    Refund,
    Refunded,
    Reverse,
    pack_allocation,
)
from kaquan.payments.returns import Back, all_of, back_of
from kaquan.payments.vouchers_back import Returns, returns
from kaquan.programs.catalogue import Catalogue, Terms
from kaquan.rewards.bonus import back_legs
from kaquan.rewards.rules import window_end
from kaquan.vouchers.model import pack_discounts

REVERSED = "reversed"
REVERSAL_MIN = timedelta(days=1)
"""A till that does not know what became of a payment may ask this long, even in a program without refunds."""


class RefundAnswer(Answer, frozen=True):
    """What became of a refund.

    `card_fen` came from lots of the card. Of it `holder_fen` is owed to the holder outside the card, `payer_fen` went
    on to who had granted it, `set_off_fen` too, for rebates that had been spent.
    """

    amount_fen: int
    bonus_fen: int
    card_fen: int
    clawback_fen: int
    clawback_short_fen: int
    discount_fen: int
    holder_fen: int
    merchant: str
    order_no: str
    outside_fen: int
    payer_fen: int
    payment: str
    principal_fen: int
    reason: str
    rebate_cancelled_fen: int
    refund: str
    set_off_fen: int
    state: str
    subsidy_fen: int
    vouchers_issued: int
    vouchers_usable: int


def decide_refund(entry: Entry, facts: PaymentFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Give back a payment, or part of it, to the lots and funders that paid it, and take back what it earned."""
    command: Refund = entry.command
    payment = facts.reached(command)
    if payment is None:
        return Refusal(errors.PAYMENT_UNKNOWN)
    if refusal := not_possible(payment, "refund"):
        return refusal
    terms = catalogue.terms[payment.terms]
    if refusal := _too_late(command, payment, terms, at) or _frozen(payment, facts, terms):
        return refusal
    back = back_of(command, payment, facts, catalogue)
    if isinstance(back, Refusal):
        return back
    most = terms.terms.refund.count_max
    if most and not back.last and facts.refunds.get(payment.id, 0) >= most:
        return Refusal(errors.REFUND_COUNT, {"count_max": most})
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


def _frozen(payment: Payment, facts: PaymentFacts, terms: Terms) -> Refusal | None:
    """Whether the program wants the card unfrozen first. Not of a reversal: its till does not know what it did."""
    card = facts.cards.get(payment.card)
    if card is None or card.state != CardState.FROZEN or terms.terms.refund.frozen_card == "accept":
        return None
    return Refusal(errors.REFUND_CARD_FROZEN)


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
    card, lots = facts.cards.get(payment.card), facts.of(payment.card)
    balances = {lot.id: lot.balance for lot in lots}
    off = set_off(payment.card, back.shares, facts)
    landed = land(Arrival(entry.id, card, terms.terms.refund, at), _without(back.shares, off), catalogue)
    for lot, part in landed.stays:
        balances[lot.id] += part
    vouchers = returns(entry.id, payment, back, facts, catalogue, at=at)
    cut = rebate_cut(payment, back, facts, catalogue, balances)
    for lot, part in cut.taken:
        balances[lot.id] -= part
    onward = [leg for lot, part in (*off, *cut.taken) for leg in back_legs(lot, Money(part), catalogue)]
    posted = tenders.give_back(back.shares, terms.ledger, merchant)
    posted += [*vouchers.posted, (terms.ledger, [*landed.legs, *onward])]
    touched = {lot.id for lot, _ in (*landed.stays, *cut.taken)}
    owed = written_down(entry.id, payment.card, off, cut.short)
    return Plan(
        answer=_refund_answer(entry, payment, _Came(back, landed, off, cut, vouchers)),
        event=event,
        subject=payment.wallet,
        person=facts.person(payment),
        changes=(
            # Its state and what it owes were read: whoever changes either, or reads them too, comes before or after.
            *([card.touched()] if card is not None else []),
            *((lot, (balances[lot.id], lot.held, lot.state)) for lot in lots if lot.id in touched),
            (payment, _after(payment, back)),
            *cut.changes,
            *vouchers.changes,
        ),
        inserts=(
            ("refund", _row(entry, payment, back)),
            *(("lot", lot.row()) for lot in landed.lots),
            *(("voucher", voucher.row()) for voucher in vouchers.issued),
        ),
        cold=tuple(one.record(microseconds(at)) for one in owed),
        postings=post_all(entry.id, posted),
        born=(Refunded(payment.id), *landed.lots, *vouchers.issued, *owed),
    )


class _Came(NamedTuple):
    """What came of a refund."""

    back: Back
    landed: Landed
    off: list[Share]
    cut: RebateCut
    vouchers: Returns


def _without(shares: list[Share], off: list[Share]) -> list[Share]:
    """Shares less what of them was set off."""
    if not off:
        return shares
    gone = {lot.id: part for lot, part in off}
    rest = [(lot, part - gone.get(lot.id, 0)) for lot, part in shares]
    return [(lot, part) for lot, part in rest if part]


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


def _refund_answer(entry: Entry, payment: Payment, came: _Came) -> bytes:
    back, landed, off, cut, vouchers = came
    principal, bonus, subsidy = tenders.by_kind(back.shares)
    return RefundAnswer(
        amount_fen=back.amount,
        bonus_fen=bonus,
        card_fen=principal + bonus + subsidy,
        clawback_fen=sum([part for _, part in cut.taken]),
        clawback_short_fen=sum([part for _, part in cut.short]),
        discount_fen=sum([one.amount for one in back.discounts]),
        holder_fen=landed.holder,
        merchant=payment.merchant.hex(),
        order_no=payment.order_no,
        outside_fen=back.outside,
        payer_fen=landed.payers,
        payment=payment.id.hex(),
        principal_fen=principal,
        reason=_reason(entry.command),
        rebate_cancelled_fen=cut.cancelled,
        refund=entry.id.hex(),
        set_off_fen=sum([part for _, part in off]),
        state="refunded" if back.last else "partly_refunded",
        subsidy_fen=subsidy,
        vouchers_issued=len(vouchers.issued),
        vouchers_usable=vouchers.usable,
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
