"""What a program may cost at worst, before it is launched: by funder, to the fen. Pure.

A stock costs at most its budget, each voucher at its face (percent vouchers at their cap), split as each promise
will be split. Monthly plans, referrals and packets hand out vouchers of a stock, so that the stock's budget bounds
them and its funding pays. What grows with sales or spending has no bound of its own: it is told as a rate.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from kaquan.kernel.money import WHOLE, ZERO, Money, Rate, allocate
from kaquan.programs.grants import Stock
from kaquan.programs.terms import ProgramTerms

ISSUER = "issuer"
"""As a funder: the issuer's own expense, for which no fund is kept."""

Cause = Literal["stock", "drip", "referral", "packets", "bonus", "rebate"]


class FunderPart(NamedTuple):
    """What a funder, by the code of its fund, pays at worst."""

    fund: str
    worst_fen: Money


class LiabilityItem(msgspec.Struct, frozen=True):
    """One thing that a program gives. `within`: the stock whose budget bounds it, and counts it already.

    `worst_fen` is None for what grows with sales or spending: at most `rate_bps` of that, and of one order or sale at
    most `each_fen`.
    """

    cause: Cause
    code: str
    worst_fen: Money | None
    parts: tuple[FunderPart, ...] = ()
    within: str = ""
    rate_bps: Rate = Rate(0)
    each_fen: Money = ZERO


class Liability(msgspec.Struct, frozen=True):
    """The worst case of a program: item by item, and by funder what all that is bounded may cost."""

    items: tuple[LiabilityItem, ...]
    funders: tuple[FunderPart, ...]

    @property
    def unbounded(self) -> tuple[LiabilityItem, ...]:
        """What grows with sales or spending."""
        return tuple(item for item in self.items if item.worst_fen is None)


def supply(stock: Stock) -> tuple[int, Money]:
    """How many vouchers of a stock there are, and what they may cost together."""
    return stock.count, stock.budget_fen or Money(stock.count * stock.face_fen)


def faces_vary(terms: ProgramTerms, stock: Stock) -> bool:
    """Whether vouchers of a stock are worth different amounts, because packets are split at random."""
    return any(pool.stock == stock.code for pool in terms.packets)


def worst_parts(face: Money, count: int, budget: Money, shares: Sequence[int], *, varying: bool) -> list[Money]:
    """What `count` vouchers out of `budget` cost each of those who bear `shares` (bps) at worst.

    Each voucher is split to the fen by itself, so that roundings add up; where faces vary a part may be rounded up
    once for every voucher.
    """
    if not varying:
        vouchers = min(count, budget // face)
        return [Money(part * vouchers) for part in allocate(face, shares)]
    return [_rounded_up(budget, count, share) for share in shares]


def _rounded_up(budget: Money, count: int, share: int) -> Money:
    exact = share in (0, WHOLE)
    return Money(min(budget, -(-budget * share // WHOLE) + (0 if exact else count)))


def liability(terms: ProgramTerms) -> Liability:
    """The worst case of terms that passed `validate`."""
    stocks = {stock.code: _of_stock(terms, stock) for stock in terms.stocks}
    items = [*stocks.values(), *_within(terms, stocks), *_growing_with(terms)]
    sums: dict[str, int] = {}
    for item in stocks.values():
        for fund, worst in item.parts:
            sums[fund] = sums.get(fund, 0) + worst
    return Liability(tuple(items), tuple(FunderPart(fund, Money(fen)) for fund, fen in sorted(sums.items())))


def _of_stock(terms: ProgramTerms, stock: Stock) -> LiabilityItem:
    funding = [each for each in terms.funding if each.of == stock.code]
    count, budget = supply(stock)
    varying = faces_vary(terms, stock)
    parts = worst_parts(stock.face_fen, count, budget, [each.share_bps for each in funding], varying=varying)
    worst = budget if varying else Money(min(count, budget // stock.face_fen) * stock.face_fen)
    named = tuple(FunderPart(each.fund, part) for each, part in zip(funding, parts, strict=True))
    return LiabilityItem("stock", stock.code, worst, named)


def _within(terms: ProgramTerms, stocks: dict[str, LiabilityItem]) -> list[LiabilityItem]:
    """What hands out vouchers of a stock costs at most what the stock does."""
    items = [
        LiabilityItem("drip", plan.code, stocks[plan.stock].worst_fen, within=plan.stock) for plan in terms.drips
    ]
    for one in terms.referrals:
        for stock in filter(None, (one.inviter_stock, one.invitee_stock)):
            items.append(LiabilityItem("referral", one.code, stocks[stock].worst_fen, within=stock))
    return [*items, *(LiabilityItem("packets", one.code, one.total_fen, within=one.stock) for one in terms.packets)]


def _growing_with(terms: ProgramTerms) -> list[LiabilityItem]:
    """Bonus and rebates, as much as is sold and spent: the issuer's own, or of the funds that are named for them."""
    items = []
    bonuses = [
        (offer.face_fen - offer.paid_fen, offer) for offer in terms.presale.offers if offer.face_fen > offer.paid_fen
    ]
    if bonuses:
        rate = max(-(-bonus * WHOLE // max(1, offer.paid_fen)) for bonus, offer in bonuses)
        most = Money(max(bonus for bonus, _ in bonuses))
        items.append(_growing("bonus", _payers(terms, "presale"), Rate(rate), most))
    rates = [band.rate_bps for band in terms.rebate.bands if band.rate_bps]
    if rates:
        items.append(_growing("rebate", _payers(terms, "rebate"), Rate(max(rates)), terms.rebate.cap_fen))
    return items


def _payers(terms: ProgramTerms, of: str) -> str:
    return ", ".join(each.fund for each in terms.funding if each.of == of) or ISSUER


def _growing(cause: Cause, payers: str, rate: Rate, each: Money) -> LiabilityItem:
    return LiabilityItem(cause, payers, None, rate_bps=rate, each_fen=each)
