"""The bill of an order: who pays how much of it, or why it can't be paid. Pure.

Order of precedence: not accepted here, order registry, card's state, old card number, vouchers, outside money, value
not active, not enough, the card's limits of the day. The first reason is the one that is told.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from kaquan.cards import errors as card_errors
from kaquan.cards.lots import Share, shares, spendable
from kaquan.cards.model import Card, Lot, LotState
from kaquan.cards.rules import bears, may_pay
from kaquan.commands.model import Entry
from kaquan.kernel.clock import instant, microseconds, shown
from kaquan.kernel.ids import Id
from kaquan.kernel.money import ZERO, Money
from kaquan.kernel.refusal import Refusal
from kaquan.payment_codes.errors import PAYMENT_CODE_INVALID, PAYMENT_CODE_NO_CARD
from kaquan.payment_codes.model import EMPTY
from kaquan.payment_codes.rules import in_order
from kaquan.payments import errors, tenders
from kaquan.payments.model import Pay, PayFacts
from kaquan.programs.catalogue import Catalogue, Merchant, Stock, Terms
from kaquan.risk.model import SILENT, Signals
from kaquan.risk.rules import judge, limits_of, signals
from kaquan.vouchers import errors as voucher_errors
from kaquan.vouchers.model import Discount, Voucher
from kaquan.vouchers.orders import Applied, day_number
from kaquan.vouchers.spending import applied_to, order_of


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
    signals: Signals

    def person(self) -> bytes:
        """The person part of the leaf."""
        return self.card.person() if self.card else b'{"wallet":"%b"}' % self.wallet.hex().encode()


def bill_of(entry: Entry, facts: PayFacts, catalogue: Catalogue, at: datetime) -> Bill | Refusal:
    """The bill of the card that is named, or of vouchers alone."""
    card = facts.cards.get(entry.command.card) if entry.command.card else None
    if entry.command.card and card is None:
        return Refusal(card_errors.CARD_UNKNOWN)
    return _bill(entry, card, facts, catalogue, at)


def bill_by_code(entry: Entry, facts: PayFacts, catalogue: Catalogue, at: datetime) -> Bill | Refusal:
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
    signals = _signals(card, terms, facts, at)
    if refusal := judge(signals, limits_of(terms), rest):
        return refusal
    splits = tenders.split(applied) if applied else []
    discounts = tenders.discounts_of(splits) if applied else []
    return Bill(card, wallet, merchant, terms, applied, splits, discounts, taken, discount, rest, signals)


def _signals(card: Card | None, terms: Terms, facts: PayFacts, at: datetime) -> Signals:
    """What was counted of the card today; of vouchers alone nothing."""
    return signals(card.id, limits_of(terms), facts.quotas, day_number(at)) if card else SILENT


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
