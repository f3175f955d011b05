"""May this order be paid, by which vouchers and lots, and what does it earn? Pure.

Order of precedence: malformed, unknown, payment code, not accepted here, order registry, card's state, old card
number, vouchers, outside money, value not active, not enough. The first reason is the one that is told.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from unicodedata import is_normalized

import msgspec

from kaquan.cards import errors as card_errors
from kaquan.cards.lots import Share, shares, spendable
from kaquan.cards.model import Card, Lot, LotState
from kaquan.cards.rules import bears, may_pay
from kaquan.commands.model import Answer, Entry, Plan
from kaquan.kernel.clock import instant, microseconds, shown
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.money import ZERO, Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.model import post_all
from kaquan.payment_codes.errors import PAYMENT_CODE_INVALID, PAYMENT_CODE_NO_CARD
from kaquan.payment_codes.model import EMPTY
from kaquan.payment_codes.rules import in_order
from kaquan.payments import errors, tenders
from kaquan.payments.lifecycle import PaymentState
from kaquan.payments.model import (
    AMOUNT_MAX,
    GOODS_LENGTH_MAX,
    LINES_MAX,
    ORDER_NO_LENGTH_MAX,
    Authorize,
    Pay,
    PayFacts,
    pack_allocation,
)
from kaquan.programs.catalogue import Catalogue, Merchant, Stock, Terms
from kaquan.programs.terms import VOUCHERS_MAX
from kaquan.rewards.model import Earned
from kaquan.rewards.rules import earned
from kaquan.vouchers import errors as voucher_errors
from kaquan.vouchers.model import Discount, Voucher, pack_discounts
from kaquan.vouchers.orders import Applied
from kaquan.vouchers.spending import applied_to, order_of, used_up


class PayAnswer(Answer, frozen=True):
    """What became of a payment."""

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
    state: str
    subsidy_fen: int
    terms: int


class Bill(msgspec.Struct, frozen=True):
    """An order and who pays it: the card under its terms (none without a card), vouchers, lots, outside money.

    `terms` are those of the card, or of the first voucher; `discount` is what the vouchers take off, `by_card` what
    the lots in `taken` pay.
    """

    card: Card | None
    wallet: Id
    merchant: Merchant
    terms: Terms
    applied: Sequence[Applied]
    splits: Sequence[tenders.Split]
    discounts: Sequence[Discount]
    taken: list[Share]
    discount: Money
    by_card: Money

    def person(self) -> bytes:
        """The person part of the leaf."""
        return self.card.person() if self.card else b'{"wallet":"%b"}' % self.wallet.hex().encode()


def decide_pay(entry: Entry, facts: PayFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Pay at once, or authorize."""
    command: Pay = entry.command
    if refusal := malformed(command) or unknown_place(command, catalogue):
        return refusal
    bill = (
        _bill_of(entry, facts, catalogue, at) if command.code is None else _bill_by_code(entry, facts, catalogue, at)
    )
    if isinstance(bill, Refusal):
        return bill
    if isinstance(command, Authorize):
        return _hold(entry, bill, facts, catalogue, at)
    return _take(entry, bill, facts, catalogue, at)


def _bill_of(entry: Entry, facts: PayFacts, catalogue: Catalogue, at: datetime) -> Bill | Refusal:
    """The bill of the card that is named, or of vouchers alone."""
    card = facts.cards.get(entry.command.card) if entry.command.card else None
    if entry.command.card and card is None:
        return Refusal(card_errors.CARD_UNKNOWN)
    return _bill(entry, card, facts, catalogue, at)


def _bill_by_code(entry: Entry, facts: PayFacts, catalogue: Catalogue, at: datetime) -> Bill | Refusal:
    """The bill of the first card in their order that can pay, or of vouchers alone. When none can, of all reasons the
    one that helps: the order's, how little is missing, else why not the first."""
    barred = facts.barred.get(entry.id)
    if barred is not None and barred.code is PAYMENT_CODE_INVALID:
        return barred
    purse = facts.purses.get(entry.id, EMPTY)
    cards = [facts.cards[card] for card in purse.cards if card in facts.cards]
    alone = [None] if entry.command.vouchers else []
    refusals: list[Refusal] = []
    for card in (*in_order(cards, facts.of, purse.preferred, microseconds(at)), *alone):
        bill = _bill(entry, card, facts, catalogue, at)
        if isinstance(bill, Bill):
            return bill
        refusals.append(bill)
    if barred in refusals:
        return barred
    short = [one for one in refusals if one.code is card_errors.BALANCE_INSUFFICIENT]
    if short:
        return min(short, key=lambda one: int(one.facts["missing_fen"]))
    return refusals[0] if refusals else Refusal(PAYMENT_CODE_NO_CARD)


def _bill(entry: Entry, card: Card | None, facts: PayFacts, catalogue: Catalogue, at: datetime) -> Bill | Refusal:
    command: Pay = entry.command
    wallet = card.wallet if card else command.wallet
    if wallet is None or not (card or command.vouchers):
        return Refusal(errors.PAYER_MISSING)
    named = _named(command, wallet, facts, catalogue) if command.vouchers else ()
    if named is None:
        return Refusal(voucher_errors.VOUCHER_UNKNOWN)
    terms = catalogue.terms[card.terms] if card else named[0][1].terms
    merchant = catalogue.merchants[command.merchant]
    refusal = not_accepted(terms, merchant) or _elsewhere(named, terms, merchant)
    refusal = refusal or _barred(facts.barred.get(entry.id), terms)
    if refusal is None and card is not None:
        refusal = may_pay(card) or bears(card, command.number)
    if refusal is not None:
        return refusal
    applied = _applied(entry, named, terms, facts, catalogue, at) if named else []
    if isinstance(applied, Refusal):
        return applied
    discount = Money(sum([one.amount for one in applied])) if applied else ZERO
    due = Money(command.amount - discount)
    if command.outside > due:
        return Refusal(errors.OUTSIDE_INVALID, {"outside_fen": command.outside, "due_fen": due})
    rest = Money(due - command.outside)
    taken = _taken(card, rest, facts, terms, at)
    if isinstance(taken, Refusal):
        return taken
    splits = tenders.split(applied) if applied else []
    discounts = tenders.discounts_of(splits) if applied else []
    return Bill(card, wallet, merchant, terms, applied, splits, discounts, taken, discount, rest)


Named = Sequence[tuple[Voucher, Stock]]
"""The vouchers that a payment names, each with its stock."""


def _named(command: Pay, wallet: Id, facts: PayFacts, catalogue: Catalogue) -> Named | None:
    """The vouchers of the command; None when the payer does not have one of them."""
    found = []
    for identity in command.vouchers:
        voucher = facts.vouchers.get(identity)
        if voucher is None or voucher.wallet != wallet:
            return None
        found.append((voucher, catalogue.stock(voucher.terms, voucher.stock)))
    return found


def _elsewhere(named: Named, terms: Terms, merchant: Merchant) -> Refusal | None:
    """Whether a voucher of other terms than the card's is not accepted at the merchant."""
    for _, stock in named:
        if stock.terms is not terms and (refusal := not_accepted(stock.terms, merchant)):
            return refusal
    return None


def _applied(
    entry: Entry, named: Named, terms: Terms, facts: PayFacts, catalogue: Catalogue, at: datetime
) -> list[Applied] | Refusal:
    """What the vouchers take off."""
    command: Pay = entry.command
    merchant = catalogue.merchants[command.merchant]
    store = catalogue.store_codes[command.store] if command.store else None
    order = order_of(entry.id, merchant, store, command.order_no, amount=command.amount, lines=command.lines)
    return applied_to(order, named, terms.terms.spending.vouchers_max, facts.quotas, at)


def _taken(card: Card | None, rest: Money, facts: PayFacts, terms: Terms, at: datetime) -> list[Share] | Refusal:
    """What the card's lots pay of the rest."""
    if not rest:
        return []
    if card is None:
        return Refusal(errors.ORDER_NOT_COVERED, {"missing_fen": rest})
    at_us, lots = microseconds(at), facts.of(card.id)
    free = spendable(lots, at_us)
    if refusal := _not_enough(rest, free, lots, at_us):
        return refusal
    return shares(free, rest, terms.terms.spending.burn_order)


def not_accepted(terms: Terms, merchant: Merchant) -> Refusal | None:
    """Whether cards and vouchers of these terms can be spent at the merchant."""
    if merchant.active and terms.accepts(merchant):
        return None
    return Refusal(errors.MERCHANT_NOT_ACCEPTING, {"program": terms.terms.program.name_zh})


def malformed(command: Pay) -> Refusal | None:
    """Whether amount, lines and order number can be what anybody means. A malformed payment claims no order."""
    if not 0 < command.amount <= AMOUNT_MAX or not 0 <= command.outside <= AMOUNT_MAX:
        return Refusal(errors.AMOUNT_INVALID, {"amount_max_fen": AMOUNT_MAX})
    if command.lines:
        total = sum(line.amount for line in command.lines)
        fits = len(command.lines) <= LINES_MAX and all(
            line.amount > 0 and len(line.goods) <= GOODS_LENGTH_MAX for line in command.lines
        )
        if not fits or total != command.amount:
            facts = {"lines_max": LINES_MAX, "amount_fen": command.amount, "lines_fen": total}
            return Refusal(errors.ORDER_LINES, facts)
    if command.vouchers and (refusal := _too_many(command.vouchers)):
        return refusal
    if command.code is not None:
        if command.card is not None or command.wallet is None:
            return Refusal(errors.PAYER_MISSING)
    elif command.card is None and (command.wallet is None or not command.vouchers):
        return Refusal(errors.PAYER_MISSING)
    return order_refusal(command.order_no)


def _too_many(vouchers: Sequence[Id]) -> Refusal | None:
    """Whether more vouchers are named than any program lets count, or one of them twice."""
    if len(vouchers) > VOUCHERS_MAX:
        return Refusal(voucher_errors.VOUCHERS_TOO_MANY, {"count": len(vouchers), "most": VOUCHERS_MAX})
    return Refusal(voucher_errors.VOUCHER_TWICE) if len(set(vouchers)) != len(vouchers) else None


def order_refusal(order_no: str) -> Refusal | None:
    """Why a text can't be an order number, or None."""
    one_spelling = order_no.isascii() or is_normalized("NFC", order_no)
    if 1 <= len(order_no) <= ORDER_NO_LENGTH_MAX and one_spelling and order_no.isprintable():
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


def _take(entry: Entry, bill: Bill, facts: PayFacts, catalogue: Catalogue, at: datetime) -> Plan:
    command: Pay = entry.command
    reward = earned(bill.by_card, bill.terms, at) if bill.card else None
    posted = tenders.charge(bill.taken, bill.terms.ledger, bill.merchant)
    if bill.applied:
        posted += tenders.redeem(bill.splits, bill.merchant)
    return Plan(
        answer=_answer(entry.id, command, bill, "captured", reward, catalogue),
        event="payment.captured.v1",
        subject=bill.wallet,
        person=bill.person(),
        changes=(
            *[(lot, (lot.balance - part, lot.held, lot.state)) for lot, part in bill.taken],
            *used_up(bill.applied, entry.id, facts.quotas, at),
        ),
        checks=(bill.card,) if bill.card else (),
        inserts=(
            ("payment", _row(entry.id, command, bill, PaymentState.CAPTURED, None)),
            *reward_rows(reward, entry.id, bill.card.id if bill.card else entry.id, bill.terms.id),
        ),
        postings=post_all(entry.id, posted),
    )


def _hold(entry: Entry, bill: Bill, facts: PayFacts, catalogue: Catalogue, at: datetime) -> Plan:
    command: Pay = entry.command
    expires = microseconds(at + timedelta(minutes=bill.terms.terms.spending.hold_minutes))
    return Plan(
        answer=_answer(entry.id, command, bill, "authorized", None, catalogue),
        event="payment.authorized.v1",
        subject=bill.wallet,
        person=bill.person(),
        changes=(
            *[(lot, (lot.balance, lot.held + part, lot.state)) for lot, part in bill.taken],
            *used_up(bill.applied, entry.id, facts.quotas, at, held_until_us=expires),
        ),
        checks=(bill.card,) if bill.card else (),
        inserts=(("payment", _row(entry.id, command, bill, PaymentState.AUTHORIZED, expires)),),
    )


def reward_rows(
    reward: Earned | None, payment: Id, card: Id, terms: int
) -> tuple[tuple[str, tuple[object, ...]], ...]:
    """The row of a rebate that waits for the end of the refund window; none for none."""
    if reward is None:
        return ()
    return (("reward", (bucket_of(payment), payment, card, reward.amount, reward.due_us, terms)),)


def _answer(payment: Id, command: Pay, bill: Bill, state: str, reward: Earned | None, catalogue: Catalogue) -> bytes:
    principal, bonus, subsidy = tenders.by_kind(bill.taken)
    return PayAnswer(
        command.amount,
        bonus,
        bill.discount,
        tenders.named(bill.discounts, catalogue) if bill.discounts else [],
        command.merchant.hex(),
        command.order_no,
        command.outside,
        payment.hex(),
        principal,
        reward.amount if reward else 0,
        state,
        subsidy,
        bill.terms.id,
    ).written()


def _row(payment: Id, command: Pay, bill: Bill, state: PaymentState, expires_us: int | None) -> tuple[object, ...]:
    return (
        bucket_of(payment),
        payment,
        bill.wallet,
        bill.card.id if bill.card else None,
        command.merchant,
        command.store,
        bill.terms.id,
        bill.terms.program,
        state,
        command.amount,
        command.amount if state == PaymentState.CAPTURED else 0,
        expires_us,
        command.order_no,
        command.outside,
        pack_allocation(bill.taken),
        pack_discounts(bill.discounts),
        tenders.pack_lines(command.lines, bill.applied),
    )
