"""May this payment be taken, from which lots, and what does it earn? Pure.

Order of precedence: malformed, unknown, not accepted here, order registry, card's state, old card number, value not
active, not enough. The first reason is the one that is told.
"""

from datetime import datetime, timedelta
from unicodedata import is_normalized

import msgspec

from kaquan.cards import errors as card_errors
from kaquan.cards.lots import Share, shares, spendable
from kaquan.cards.model import LOT_ACCOUNT, Card, Lot, LotKind, LotState
from kaquan.cards.rules import bears, may_pay
from kaquan.commands.model import Entry, Plan
from kaquan.kernel.clock import instant, microseconds, shown
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Account, Source
from kaquan.ledger.model import Leg, post
from kaquan.payments import errors
from kaquan.payments.lifecycle import PaymentState
from kaquan.payments.model import AMOUNT_MAX, ORDER_NO_LENGTH_MAX, Authorize, Pay, PayFacts, pack_allocation
from kaquan.programs.catalogue import Catalogue, Terms
from kaquan.rewards.model import Earned
from kaquan.rewards.rules import earned


class PayAnswer(msgspec.Struct, frozen=True):
    """The money part of a payment's leaf, and its answer. Fields in the order of canonical JSON."""

    amount_fen: int
    bonus_fen: int
    merchant: str
    order_no: str
    payment: str
    principal_fen: int
    rebate_fen: int
    state: str
    terms: int


_encode = msgspec.json.Encoder().encode


def decide_pay(entry: Entry, facts: PayFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Pay at once, or authorize."""
    command: Pay = entry.command
    if refusal := malformed(command) or unknown_place(command, catalogue):
        return refusal
    card = facts.cards.get(command.card)
    if card is None:
        return Refusal(card_errors.CARD_UNKNOWN)
    terms = catalogue.terms[card.terms]
    merchant = catalogue.merchants[command.merchant]
    if not merchant.active or merchant.group != terms.group:
        return Refusal(errors.MERCHANT_NOT_ACCEPTING, {"program": terms.terms.program.name_zh})
    if refusal := _barred(facts.barred.get(entry.id), terms) or may_pay(card) or bears(card, command.number):
        return refusal
    at_us = microseconds(at)
    lots = spendable(facts.of(card.id), at_us)
    if refusal := _not_enough(command.amount, lots, facts.of(card.id), at_us):
        return refusal
    taken = shares(lots, command.amount, terms.terms.spending.burn_order)
    if isinstance(command, Authorize):
        return _hold(entry, card, taken, terms, at)
    return _take(entry, card, taken, terms, at)


def malformed(command: Pay) -> Refusal | None:
    """Whether amount and order number can be what anybody means. A malformed payment claims no order."""
    if not 0 < command.amount <= AMOUNT_MAX:
        return Refusal(errors.AMOUNT_INVALID, {"amount_max_fen": AMOUNT_MAX})
    return order_refusal(command.order_no)


def order_refusal(order_no: str) -> Refusal | None:
    """Why a text can't be an order number, or None."""
    printable = order_no.isprintable() and is_normalized("NFC", order_no)  # one number must have one spelling
    if 1 <= len(order_no) <= ORDER_NO_LENGTH_MAX and printable:
        return None
    return Refusal(errors.ORDER_NO_INVALID, {"length_max": ORDER_NO_LENGTH_MAX})


def unknown_place(command: Pay, catalogue: Catalogue) -> Refusal | None:
    """Whether merchant and store exist for the caller and belong together. What names none claims no order."""
    if command.merchant not in catalogue.merchants or not command.caller.reaches(command.merchant):
        return Refusal(errors.MERCHANT_UNKNOWN)
    if command.store is not None and catalogue.store_merchants.get(command.store) != command.merchant:
        return Refusal(errors.STORE_UNKNOWN)
    return None


def may_claim(command: Pay, catalogue: Catalogue) -> bool:
    """Whether a payment may claim its order number before it is decided."""
    return malformed(command) is None and unknown_place(command, catalogue) is None


def _barred(refusal: Refusal | None, terms: Terms) -> Refusal | None:
    """A reversed order bars every program; an order paid before bars those that want one payment per order."""
    if refusal is None or refusal.code is errors.ORDER_REVERSED or terms.terms.spending.one_payment_per_order:
        return refusal
    return None


def _not_enough(amount: Money, lots: list[Lot], all_lots: list[Lot], at_us: int) -> Refusal | None:
    free = sum([lot.balance - lot.held for lot in lots])
    if free >= amount:
        return None
    later = [lot.active_us for lot in all_lots if lot.active_us > at_us and lot.state == LotState.LIVE]
    if not free and later:
        return Refusal(card_errors.VALUE_NOT_ACTIVE, {"active_from": shown(instant(min(later)))})
    return Refusal(card_errors.BALANCE_INSUFFICIENT, {"available_fen": free, "missing_fen": amount - free})


def _take(entry: Entry, card: Card, taken: list[Share], terms: Terms, at: datetime) -> Plan:
    command: Pay = entry.command
    reward = earned(command.amount, terms, at)
    return Plan(
        answer=_answer(entry.id, command, taken, "captured", reward, terms.id),
        event="payment.captured.v1",
        subject=card.wallet,
        person=card.person(),
        changes=tuple([(lot, (lot.balance - part, lot.held, lot.state)) for lot, part in taken]),
        checks=(card,),
        inserts=(
            ("payment", _row(entry.id, command, card, taken, terms, PaymentState.CAPTURED, None)),
            *reward_rows(reward, entry.id, card.id, terms.id),
        ),
        postings=post(entry.id, terms.ledger, spend_legs(taken, command.merchant)),
    )


def _hold(entry: Entry, card: Card, taken: list[Share], terms: Terms, at: datetime) -> Plan:
    command: Pay = entry.command
    expires = microseconds(at + timedelta(minutes=terms.terms.spending.hold_minutes))
    return Plan(
        answer=_answer(entry.id, command, taken, "authorized", None, terms.id),
        event="payment.authorized.v1",
        subject=card.wallet,
        person=card.person(),
        changes=tuple([(lot, (lot.balance, lot.held + part, lot.state)) for lot, part in taken]),
        checks=(card,),
        inserts=(("payment", _row(entry.id, command, card, taken, terms, PaymentState.AUTHORIZED, expires)),),
    )


def spend_legs(taken: list[Share], merchant: Id) -> list[Leg]:
    """Card lots to the merchant, each by its source; granted value becomes an expense as it is used."""
    legs = []
    used = 0
    for lot, part in taken:
        legs.append(Leg(LOT_ACCOUNT[lot.kind], lot.id, Account.MERCHANT_PAYABLE, merchant, lot.source, Money(part)))
        if lot.kind == LotKind.BONUS:
            used += part
    if used:
        legs.append(Leg(Account.PROMO_EXPENSE, None, Account.PROMO_DEFERRED, None, Source.NONE, Money(used)))
    return legs


def reward_rows(
    reward: Earned | None, payment: Id, card: Id, terms: int
) -> tuple[tuple[str, tuple[object, ...]], ...]:
    """The row of a rebate that waits for the end of the refund window; none for none."""
    if reward is None:
        return ()
    return (("reward", (bucket_of(payment), payment, card, reward.amount, reward.due_us, terms)),)


def by_kind(taken: list[Share]) -> tuple[int, int]:
    """Fen from principal and fen from granted value."""
    principal = bonus = 0
    for lot, part in taken:
        if lot.kind == LotKind.PRINCIPAL:
            principal += part
        else:
            bonus += part
    return principal, bonus


def _answer(payment: Id, command: Pay, taken: list[Share], state: str, reward: Earned | None, terms: int) -> bytes:
    principal, bonus = by_kind(taken)
    return _encode(
        PayAnswer(
            command.amount,
            bonus,
            command.merchant.hex(),
            command.order_no,
            payment.hex(),
            principal,
            reward.amount if reward else 0,
            state,
            terms,
        )
    )


def _row(
    payment: Id,
    command: Pay,
    card: Card,
    taken: list[Share],
    terms: Terms,
    state: PaymentState,
    expires_us: int | None,
) -> tuple[object, ...]:
    return (
        bucket_of(payment),
        payment,
        card.wallet,
        card.id,
        command.merchant,
        command.store,
        terms.id,
        card.program,
        state,
        command.amount,
        command.amount if state == PaymentState.CAPTURED else 0,
        expires_us,
        command.order_no,
        pack_allocation(taken),
    )
