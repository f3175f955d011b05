"""What a purchase puts on a card: principal that was paid, bonus of the issuer, subsidies that vouchers pay. Pure.

A voucher's money stays its funders': it becomes a subsidy lot for each of them, is never paid out in cash, and goes
back to them when it expires.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any

import msgspec

from kaquan.cards.model import LotKind, NewLot
from kaquan.commands.model import Row
from kaquan.funders.rules import promised, release_legs, spend_legs, used
from kaquan.kernel.calendar import business_date, shanghai
from kaquan.kernel.clock import instant, microseconds
from kaquan.kernel.ids import Id, derived_id
from kaquan.kernel.money import ZERO, Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Account, Source
from kaquan.ledger.model import Leg, post
from kaquan.ledger.model import Row as Posting
from kaquan.programs.catalogue import Catalogue, Fund, Stock, Terms
from kaquan.rewards.bonus import Bonus, bonus
from kaquan.sales.errors import VOUCHER_OF_OTHER_PROGRAM, VOUCHER_VALUE_TOO_LATE
from kaquan.vouchers import errors
from kaquan.vouchers.model import SpendingFacts, Voucher, VoucherState
from kaquan.vouchers.orders import Applied, Order, apply, not_available, together

CHANNELS = {name: Id(sha256(name.encode()).digest()[:16]) for name in ("sandbox", "cash", "credit_card")}
"""Payment channels by name, with the owner of their account. Real ones come with their connectors."""


class Wish(msgspec.Struct, frozen=True):
    """A purchase that is asked for: its command's id, the card, whose it is, the offer, its price and terms.

    A `face` of zero names no offer: only vouchers put value on the card.
    """

    id: Id
    card: Id
    wallet: Id
    face: Money
    price: Money
    channel: str
    terms: Terms
    at: datetime


class ByVouchers(msgspec.Struct, frozen=True):
    """What vouchers pay of a purchase."""

    parts: tuple[Applied, ...]

    @property
    def amount(self) -> Money:
        """All of it."""
        return Money(sum(part.amount for part in self.parts))


NO_VOUCHERS = ByVouchers(())
"""The channel takes the whole price."""


class Value(msgspec.Struct, frozen=True):
    """What a purchase puts on a card, and how the money moves. `paid` is what the channel took."""

    lots: list[NewLot]
    postings: tuple[Posting, ...]
    changes: list[tuple[Row, tuple[Any, ...]]]
    paid: Money
    discounts: list[dict[str, object]]

    @property
    def active(self) -> datetime:
        """From when it can be spent."""
        return instant(self.lots[0].active_us)

    @property
    def bonus(self) -> Money:
        """What the issuer gives."""
        return Money(sum(lot.granted for lot in self.lots if lot.kind is LotKind.BONUS))

    @property
    def subsidy(self) -> Money:
        """What vouchers pay."""
        return Money(sum(lot.granted for lot in self.lots if lot.kind is LotKind.SUBSIDY))

    @property
    def subsidy_until(self) -> datetime | None:
        """When the first of that expires; None when vouchers pay nothing."""
        ends = [lot.expires_us for lot in self.lots if lot.kind is LotKind.SUBSIDY]
        return instant(min(ends)) if ends else None


def paid_by(wish: Wish, vouchers: Sequence[Id], facts: SpendingFacts, catalogue: Catalogue) -> ByVouchers | Refusal:
    """What these vouchers of the wallet pay of a purchase, or put on a card by themselves when it names no offer."""
    if not vouchers:
        return NO_VOUCHERS
    if len(set(vouchers)) != len(vouchers):
        return Refusal(errors.VOUCHER_TWICE)
    known = [one for one in map(facts.vouchers.get, vouchers) if one is not None and one.wallet == wish.wallet]
    pairs = [(one, catalogue.stock(one.terms, one.stock)) for one in known]
    if len(pairs) < len(vouchers):
        return Refusal(errors.VOUCHER_UNKNOWN)
    if refusal := together([stock for _, stock in pairs], wish.terms.terms.spending.vouchers_max):
        return refusal
    order = Order(wish.price, (), "", None, wish.id, lambda: wish.id)
    for voucher, stock in pairs:
        if refusal := _counts(voucher, stock, order, wish):
            return refusal
    if wish.face:
        applied = apply(pairs, order)
    else:
        applied = [Applied(voucher, stock, Money(voucher.face), ()) for voucher, stock in pairs]
    for one in applied:
        if not one.amount:
            return Refusal(errors.VOUCHER_NO_EFFECT, {"stock": one.stock.code})
    return ByVouchers(tuple(applied))


def _counts(voucher: Voucher, stock: Stock, order: Order, wish: Wish) -> Refusal | None:
    """Whether a voucher may pay for a purchase of this program. A threshold asks for an offer of that price."""
    rules = stock.rules
    if rules.kind != "top_up":
        return Refusal(errors.VOUCHER_PAYS, {"stock": stock.code})
    if stock.terms.program != wish.terms.program:
        return Refusal(VOUCHER_OF_OTHER_PROGRAM, {"program": stock.terms.terms.program.name_zh})
    if refusal := not_available(voucher, order, microseconds(wish.at)):
        return refusal
    if wish.price < rules.min_order_fen:
        missing = rules.min_order_fen - wish.price
        return Refusal(errors.VOUCHER_THRESHOLD, {"min_order_fen": rules.min_order_fen, "missing_fen": missing})
    first = business_date(_active_from(wish)).isoformat()
    if rules.not_after and first > rules.not_after:
        return Refusal(VOUCHER_VALUE_TOO_LATE, {"active_from": first, "not_after": rules.not_after})
    return None


def bonus_of(wish: Wish, facts: SpendingFacts, catalogue: Catalogue) -> Bonus | Refusal:
    """What the face value exceeds the price by: the issuer's, unless the terms name funds for it."""
    amount = Money(wish.face - wish.price if wish.face else 0)
    identity, (active_us, expires_us) = derived_id(wish.id, b"bonus"), _span(wish)
    lot = NewLot(identity, wish.card, wish.id, LotKind.BONUS, Source.OPERATING, amount, active_us, expires_us)
    return bonus(lot, "presale", wish.terms, facts, catalogue)


def _span(wish: Wish) -> tuple[int, int]:
    """From when the value of an offer can be spent, and until when."""
    active = _active_from(wish)
    return microseconds(active), _days_after(active, wish.terms.terms.card.principal_valid_days)


@lru_cache(maxsize=64)
def _days_after(active: datetime, days: int) -> int:
    return microseconds(active + timedelta(days=days)) if days else 0


def value_of(wish: Wish, by_vouchers: ByVouchers, on_top: Bonus, besides: Sequence[Leg] = ()) -> Value:
    """What is paid becomes principal under custody; vouchers' money and what is granted on top are lots of their own.

    `besides`: the legs of what the purchase starts, in the same transfer.
    """
    active_us, expires_us = _span(wish)
    active = instant(active_us)
    paid = Money(wish.price - by_vouchers.amount) if wish.face else ZERO
    lots: list[NewLot] = []
    legs: list[Leg] = []
    if paid:
        identity, channel = derived_id(wish.id, b"principal"), CHANNELS[wish.channel]
        lots.append(
            NewLot(identity, wish.card, wish.id, LotKind.PRINCIPAL, Source.CUSTODY, paid, active_us, expires_us)
        )
        legs.append(Leg(Account.CHANNEL, channel, Account.CARD_PRINCIPAL, identity, Source.CUSTODY, paid))
    lots += on_top.lots
    legs += on_top.legs
    changes: list[tuple[Row, tuple[Any, ...]]] = list(on_top.changes)
    discounts: list[dict[str, object]] = []
    for part in by_vouchers.parts:
        changes.append((part.voucher, (VoucherState.REDEEMED, part.amount, 0, wish.id)))
        for fund, amount in _subsidies(part, legs):
            lot = _subsidy_lot(wish, part, fund, amount, active)
            legs += spend_legs(fund, amount, Account.CARD_SUBSIDY, lot.id)
            lots.append(lot)
            discounts.append({"fund": fund.code, "fund_fen": amount, "voucher": part.voucher.id.hex()})
    return Value(lots, post(wish.id, wish.terms.ledger, [*legs, *besides]), changes, paid, discounts)


def _subsidies(part: Applied, legs: list[Leg]) -> list[tuple[Fund, Money]]:
    """What each funder pays of a voucher's part; what it had promised beyond is free again."""
    promise = promised(part.stock.funding, Money(part.voucher.face))
    shares = used(promise, part.amount)
    legs += release_legs((fund, Money(all_ - one)) for (fund, all_), (_, one) in zip(promise, shares, strict=True))
    return [(fund, one) for fund, one in shares if fund is not None and one]


def _subsidy_lot(wish: Wish, part: Applied, fund: Fund, amount: Money, active: datetime) -> NewLot:
    """A funder's money on a card: it stays as long as a voucher of its stock that was handed out on that day."""
    rules = part.stock.rules
    last = business_date(active) + timedelta(days=rules.valid_days - 1)
    if rules.not_after:
        last = min(last, date.fromisoformat(rules.not_after))
    expires = shanghai(last + timedelta(days=1))
    return NewLot(
        derived_id(wish.id, b"subsidy" + part.voucher.id + fund.id),
        wish.card,
        wish.id,
        LotKind.SUBSIDY,
        fund.source,
        amount,
        microseconds(active),
        microseconds(expires),
        fund.id,
    )


def _active_from(wish: Wish) -> datetime:
    """From when it can be spent: an offer waits as its presale says, vouchers by themselves count at once."""
    return _activation(wish.terms.terms.presale.activation_days if wish.face else 0, wish.at)


@lru_cache(maxsize=64)
def _activation(days: int, at: datetime) -> datetime:
    """Of a batch all of a program's offers are alike."""
    return shanghai(business_date(at) + timedelta(days=days)) if days else at
