"""Capture, void and expiry of authorizations. Pure."""

from datetime import datetime

import msgspec

from kaquan.cards.lots import part_of
from kaquan.commands.model import Entry, Plan
from kaquan.kernel.clock import instant, microseconds, shown
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.model import post
from kaquan.payments import errors
from kaquan.payments.lifecycle import WORDS_ZH, Operation, PaymentState, after
from kaquan.payments.model import (
    AMOUNT_MAX,
    Capture,
    ExpireHold,
    Payment,
    PaymentFacts,
    pack_allocation,
    unpack_allocation,
)
from kaquan.payments.rules import by_kind, reward_rows, spend_legs
from kaquan.programs.catalogue import Catalogue
from kaquan.rewards.rules import earned


def decide_capture(entry: Entry, facts: PaymentFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Take what was held, or less: the lots pay by the burn order up to the amount, the rest is available again."""
    command: Capture = entry.command
    payment = facts.reached(command)
    if payment is None:
        return Refusal(errors.PAYMENT_UNKNOWN)
    amount = Money(payment.amount) if command.amount is None else command.amount
    if amount <= 0:
        return Refusal(errors.AMOUNT_INVALID, {"amount_max_fen": AMOUNT_MAX})
    if refusal := not_possible(payment, "capture"):
        return refusal
    if amount > payment.amount:
        return Refusal(errors.CAPTURE_EXCEEDS_HOLD, {"authorized_fen": payment.amount})
    at_us = microseconds(at)
    if payment.expires_us <= at_us:
        return Refusal(errors.HOLD_EXPIRED, {"expired_at": shown(instant(payment.expires_us))})
    held = unpack_allocation(payment.allocation, facts.of(payment.card))
    card, terms = facts.card_of(payment), catalogue.terms[payment.terms]
    taken = part_of(held, amount, terms.terms.spending.burn_order)
    paid = {lot.id: part for lot, part in taken}
    reward = earned(amount, terms, at)
    principal, bonus = by_kind(taken)
    return Plan(
        answer=msgspec.json.encode(
            {
                "amount_fen": amount,
                "bonus_fen": bonus,
                "merchant": payment.merchant.hex(),
                "order_no": payment.order_no,
                "payment": payment.id.hex(),
                "principal_fen": principal,
                "rebate_fen": reward.amount if reward else 0,
                "released_fen": payment.amount - amount,
                "state": "captured",
            },
            order="sorted",
        ),
        event="payment.captured.v1",
        subject=payment.wallet,
        person=card.person(),
        changes=(
            *((lot, (lot.balance - paid.get(lot.id, 0), lot.held - part, lot.state)) for lot, part in held),
            (payment, (PaymentState.CAPTURED, amount, 0, at_us, pack_allocation(taken))),
        ),
        inserts=reward_rows(reward, payment.id, card.id, terms.id),
        postings=post(entry.id, terms.ledger, spend_legs(taken, payment.merchant)),
    )


def decide_release(entry: Entry, facts: PaymentFacts, at: datetime) -> Plan | Refusal:
    """Void, by the merchant's wish, or expire, because the time is up."""
    payment = facts.reached(entry.command)
    if payment is None:
        return Refusal(errors.PAYMENT_UNKNOWN)
    expiring = isinstance(entry.command, ExpireHold)
    if refusal := not_possible(payment, "expire" if expiring else "void"):
        return refusal
    if expiring and payment.expires_us > microseconds(at):
        return Refusal(errors.HOLD_NOT_EXPIRED)
    return release(payment, facts, PaymentState.EXPIRED if expiring else PaymentState.VOIDED)


def release(payment: Payment, facts: PaymentFacts, state: PaymentState) -> Plan:
    """Everything an authorization held is available again. No money moves."""
    held = unpack_allocation(payment.allocation, facts.of(payment.card))
    name = state.name.lower()
    return Plan(
        answer=msgspec.json.encode(
            {
                "merchant": payment.merchant.hex(),
                "order_no": payment.order_no,
                "payment": payment.id.hex(),
                "released_fen": payment.amount,
                "state": name,
            },
            order="sorted",
        ),
        event=f"payment.{name}.v1",
        subject=payment.wallet,
        person=facts.card_of(payment).person(),
        changes=(
            *((lot, (lot.balance, lot.held - part, lot.state)) for lot, part in held),
            (payment, (state, 0, 0, payment.moved_us, payment.allocation)),
        ),
    )


def not_possible(payment: Payment, operation: Operation) -> Refusal | None:
    """Whether the payment's state allows the operation."""
    if after(payment.state, operation) is None:
        state = PaymentState(payment.state)
        return Refusal(errors.PAYMENT_STATE, {"state": state.name.lower(), "state_zh": WORDS_ZH[state]})
    return None
