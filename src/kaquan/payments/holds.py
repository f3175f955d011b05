"""Capture, void and expiry of authorizations. Pure."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from kaquan.cards.lots import Share, part_of
from kaquan.commands.model import Answer, Entry, Plan
from kaquan.kernel.clock import instant, microseconds, shown
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.model import post_all
from kaquan.payments import errors, tenders
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
from kaquan.payments.rules import reward_rows
from kaquan.programs.catalogue import Catalogue, Terms
from kaquan.quotas.rules import add
from kaquan.rewards.model import Earned
from kaquan.rewards.rules import earned
from kaquan.vouchers.model import Voucher, VoucherState, pack_discounts, unpack_discounts
from kaquan.vouchers.orders import Applied, day_number, worth
from kaquan.vouchers.spending import Changes, freed, use_tally


class Captured(msgspec.Struct, frozen=True):
    """What a capture takes of what the lots `held`: off by vouchers, from lots, outside; the vouchers it gives up."""

    amount: Money
    held: list[Share]
    applied: Sequence[Applied]
    dropped: Sequence[Voucher]
    outside: Money
    taken: list[Share]

    @property
    def by_card(self) -> Money:
        """What the card pays."""
        return Money(sum([part for _, part in self.taken]))


class CaptureAnswer(Answer, frozen=True):
    """What became of a capture."""

    amount_fen: int
    bonus_fen: int
    discount_fen: int
    discounts: list[dict[str, object]]
    merchant: str
    order_no: str
    outside_fen: int
    payment: str
    principal_fen: int
    rebate_fen: int
    released_fen: int
    state: str
    subsidy_fen: int


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
    if payment.expires_us <= microseconds(at):
        return Refusal(errors.HOLD_EXPIRED, {"expired_at": shown(instant(payment.expires_us))})
    terms = catalogue.terms[payment.terms]
    captured = _captured(payment, amount, facts, catalogue, terms)
    reward = earned(captured.by_card, terms, at) if payment.card in facts.cards else None
    return _capture(entry, payment, captured, reward, facts, catalogue, at)


def _captured(payment: Payment, amount: Money, facts: PaymentFacts, catalogue: Catalogue, terms: Terms) -> Captured:
    """Who pays how much of a capture. In full, all as held. Of a smaller one each voucher takes off what it is worth
    there; one that falls below its threshold is kept or dropped by its terms, and dropped only if the hold pays
    for it. One that finds nothing left to take off is given up, never used up for nothing."""
    held = unpack_allocation(payment.allocation, facts.of(payment.card))
    whole = amount == payment.amount
    applied: list[Applied] = []
    dropped: list[Voucher] = []
    most = sum(part for _, part in held) + payment.outside
    lines = tenders.unpack_lines(payment.lines)
    off = _discounted(payment)
    for position, (identity, was) in enumerate(off.items()):
        voucher = facts.vouchers[identity]
        stock = catalogue.stock(voucher.terms, voucher.stock)
        left = Money(amount - sum(one.amount for one in applied))
        now = was if whole else min(was, worth(stock.rules, Money(voucher.face), left))
        below = not whole and amount < stock.rules.min_order_fen
        if not now or (below and stock.rules.below_threshold == "drop" and left <= most):
            dropped.append(voucher)
            continue
        by_line = tuple(Money(line.discounts[position]) for line in lines) if whole else ()
        applied.append(Applied(voucher, stock, Money(now), by_line))
    due = Money(amount - sum(one.amount for one in applied))
    outside = min(Money(payment.outside), due)
    taken = part_of(held, Money(due - outside), terms.terms.spending.burn_order)
    return Captured(amount, held, applied, dropped, outside, taken)


def _discounted(payment: Payment) -> dict[bytes, int]:
    """What each voucher of a payment takes off, all funders together."""
    off: dict[bytes, int] = {}
    for one in unpack_discounts(payment.discounts):
        off[one.voucher] = off.get(one.voucher, 0) + one.amount
    return off


def _capture(
    entry: Entry,
    payment: Payment,
    captured: Captured,
    reward: Earned | None,
    facts: PaymentFacts,
    catalogue: Catalogue,
    at: datetime,
) -> Plan:
    paid = {lot.id: part for lot, part in captured.taken}
    terms, merchant = catalogue.terms[payment.terms], catalogue.merchants[payment.merchant]
    splits = tenders.split(captured.applied)
    discounts = tenders.discounts_of(splits)
    posted = tenders.charge(captured.taken, terms.ledger, merchant) + tenders.redeem(splits, merchant)
    whole = captured.amount == payment.amount
    values = payment.values(
        state=PaymentState.CAPTURED,
        captured=captured.amount,
        moved_us=microseconds(at),
        outside=captured.outside,
        allocation=pack_allocation(captured.taken),
        discounts=pack_discounts(discounts),
        lines=payment.lines if whole else b"",
    )
    return Plan(
        answer=_answer(payment, captured, tenders.named(discounts, catalogue), reward),
        event="payment.captured.v1",
        subject=payment.wallet,
        person=facts.person(payment),
        changes=(
            *((lot, (lot.balance - paid.get(lot.id, 0), lot.held - part, lot.state)) for lot, part in captured.held),
            *((one.voucher, (VoucherState.REDEEMED, one.amount, 0, payment.id)) for one in captured.applied),
            *_freed(payment, captured.dropped, facts, catalogue),
            (payment, values),
        ),
        inserts=reward_rows(reward, payment.id, payment.card, terms.id),
        postings=post_all(entry.id, posted),
    )


def _answer(payment: Payment, captured: Captured, discounts: list[dict[str, object]], reward: Earned | None) -> bytes:
    principal, bonus, subsidy = tenders.by_kind(captured.taken)
    return CaptureAnswer(
        captured.amount,
        bonus,
        sum([one.amount for one in captured.applied]),
        discounts,
        payment.merchant.hex(),
        payment.order_no,
        captured.outside,
        payment.id.hex(),
        principal,
        reward.amount if reward else 0,
        payment.amount - captured.amount,
        "captured",
        subsidy,
    ).written()


def decide_release(entry: Entry, facts: PaymentFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Void, by the merchant's wish, or expire, because the time is up."""
    payment = facts.reached(entry.command)
    if payment is None:
        return Refusal(errors.PAYMENT_UNKNOWN)
    expiring = isinstance(entry.command, ExpireHold)
    if refusal := not_possible(payment, "expire" if expiring else "void"):
        return refusal
    if expiring and payment.expires_us > microseconds(at):
        return Refusal(errors.HOLD_NOT_EXPIRED)
    return release(payment, facts, catalogue, PaymentState.EXPIRED if expiring else PaymentState.VOIDED)


def release(payment: Payment, facts: PaymentFacts, catalogue: Catalogue, state: PaymentState) -> Plan:
    """Everything an authorization held is available again, vouchers too. No money moves."""
    held = unpack_allocation(payment.allocation, facts.of(payment.card))
    vouchers = [facts.vouchers[identity] for identity in _discounted(payment)]
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
        person=facts.person(payment),
        changes=(
            *((lot, (lot.balance, lot.held - part, lot.state)) for lot, part in held),
            *_freed(payment, vouchers, facts, catalogue),
            (payment, payment.values(state=state, captured=0, refunded=0)),
        ),
    )


def _freed(payment: Payment, vouchers: Sequence[Voucher], facts: PaymentFacts, catalogue: Catalogue) -> Changes:
    """Vouchers that a payment held count again; those that passed on after the hold ran out are left alone."""
    changes: Changes = []
    for voucher in vouchers:
        if voucher.state == VoucherState.HELD and voucher.holder == payment.id:
            changes.append((voucher, freed(voucher)))
    return [*changes, *uses_undone(payment, vouchers, facts, catalogue)]


def uses_undone(payment: Payment, vouchers: Sequence[Voucher], facts: PaymentFacts, catalogue: Catalogue) -> Changes:
    """The day's tallies without the use of these vouchers, which did not come about."""
    if not vouchers:
        return []
    day = day_number(instant(payment.at_us))
    counted: dict[int, int] = {}
    changes: Changes = []
    for voucher in vouchers:
        if catalogue.stock(voucher.terms, voucher.stock).rules.use_person_day:
            counted[voucher.stock] = counted.get(voucher.stock, 0) + 1
            changes.append(add(use_tally(voucher, facts.quotas, day), -counted[voucher.stock]))
    return changes


def not_possible(payment: Payment, operation: Operation) -> Refusal | None:
    """Whether the payment's state allows the operation."""
    if after(payment.state, operation) is None:
        state = PaymentState(payment.state)
        return Refusal(errors.PAYMENT_STATE, {"state": state.name.lower(), "state_zh": WORDS_ZH[state]})
    return None
