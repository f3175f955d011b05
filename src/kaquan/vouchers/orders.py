"""What vouchers take off an order, one after the other in their rank. Pure.

A threshold is judged on the price of the eligible goods before any discount, so that no voucher spoils another's.
What a voucher takes off is at most what earlier ones have left of those goods. An order without lines is one line of
no particular goods.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, time
from functools import lru_cache

import msgspec

from kaquan.kernel.calendar import business_date
from kaquan.kernel.clock import SHANGHAI, instant, microseconds, shown
from kaquan.kernel.ids import Id
from kaquan.kernel.money import ZERO, Money, allocate, share
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Stock
from kaquan.programs.grants import Stock as StockTerms
from kaquan.vouchers import errors
from kaquan.vouchers.lifecycle import WORDS_ZH
from kaquan.vouchers.model import Voucher, VoucherState


class Line(msgspec.Struct, frozen=True):
    """A line of an order: code of the goods, and what it costs altogether."""

    goods: str
    amount: Money


class Order(msgspec.Struct, frozen=True):
    """An order as vouchers see it: `holder` would use them, `reserved` tells who may have reserved them for it."""

    amount: Money
    lines: tuple[Line, ...]
    merchant: str
    store: str | None
    holder: Id
    reserved: Callable[[], Id]


class Applied(msgspec.Struct, frozen=True):
    """What a voucher takes off an order, and how much of it off each line."""

    voucher: Voucher
    stock: Stock
    amount: Money
    by_line: tuple[Money, ...]


def usable(voucher: Voucher, stock: Stock, order: Order, at: datetime) -> Refusal | None:
    """Whether a voucher counts for an order at all: its state, its time, its place, its goods and its threshold."""
    at_us, rules = microseconds(at), stock.rules
    if rules.kind == "top_up":
        return Refusal(errors.VOUCHER_TOPS_UP, {"stock": stock.code})
    if refusal := not_available(voucher, order, at_us):
        return refusal
    if rules.weekdays and str(at.astimezone(SHANGHAI).isoweekday()) not in rules.weekdays:
        return Refusal(errors.VOUCHER_NOT_TODAY, {"weekdays": rules.weekdays})
    if rules.hours and not _within(rules.hours, at.astimezone(SHANGHAI).time()):
        return Refusal(errors.VOUCHER_NOT_NOW, {"hours": rules.hours})
    if rules.places and not {order.merchant, order.store} & set(rules.places.split(",")):
        return Refusal(errors.VOUCHER_NOT_HERE, {"stock": stock.code})
    eligible = _eligible(rules, order)
    if not eligible:
        return Refusal(errors.VOUCHER_GOODS, {"goods": rules.goods})
    if eligible < rules.min_order_fen:
        missing = rules.min_order_fen - eligible
        return Refusal(errors.VOUCHER_THRESHOLD, {"min_order_fen": rules.min_order_fen, "missing_fen": missing})
    return None


def not_available(voucher: Voucher, order: Order, at_us: int) -> Refusal | None:
    """Whether the voucher's state and time let it be used for the order."""
    if voucher.state not in (VoucherState.ISSUED, VoucherState.HELD):
        state = VoucherState(voucher.state)
        return Refusal(errors.VOUCHER_STATE, {"state": state.name.lower(), "state_zh": WORDS_ZH[state]})
    if at_us >= voucher.expires_us:
        return Refusal(errors.VOUCHER_EXPIRED, {"expired": shown(instant(voucher.expires_us))})
    if at_us < voucher.valid_us:
        return Refusal(errors.VOUCHER_NOT_YET, {"valid_from": shown(instant(voucher.valid_us))})
    if voucher.held_by_other(order.holder, at_us) and voucher.holder != order.reserved():
        return Refusal(errors.VOUCHER_HELD, {"held_until": shown(instant(voucher.held_us))})
    return None


def _eligible(rules: StockTerms, order: Order) -> int:
    """The price of the goods for which a voucher of these rules counts."""
    if not rules.goods:
        return order.amount
    return sum([line.amount for line in order.lines if counts_for(rules, line.goods)])


def counts_for(rules: StockTerms, goods: str) -> bool:
    """Whether a voucher of these rules counts for goods of this code."""
    return not rules.goods or goods.startswith(tuple(rules.goods.split(",")))


def together(stocks: Sequence[Stock], most: int) -> Refusal | None:
    """Whether vouchers of these stocks may count for one order, at most `most`; each of their programs has a say."""
    for stock in stocks:
        most = min(most, stock.terms.terms.spending.vouchers_max)
    if len(stocks) > most:
        return Refusal(errors.VOUCHERS_TOO_MANY, {"count": len(stocks), "most": most})
    if len(stocks) < 2:
        return None
    for stock in stocks:
        if stock.rules.exclusive:
            return Refusal(errors.VOUCHER_EXCLUSIVE, {"stock": stock.code})
    seen: set[str] = set()
    for stock in stocks:
        if stock.rules.category in seen:
            return Refusal(errors.VOUCHER_CATEGORY, {"category": stock.rules.category})
        seen.add(stock.rules.category)
    return None


def apply(vouchers: Sequence[tuple[Voucher, Stock]], order: Order) -> list[Applied]:
    """What each voucher takes off, in the order of their ranks; of one that finds nothing left, nothing."""
    if len(vouchers) > 1:
        vouchers = sorted(vouchers, key=_rank)
    if not order.lines:
        return _off_whole(vouchers, order.amount)
    applied = []
    lines = order.lines
    left = [line.amount for line in lines]
    for voucher, stock in vouchers:
        eligible = [
            free if counts_for(stock.rules, line.goods) else ZERO for line, free in zip(lines, left, strict=True)
        ]
        amount = worth(stock.rules, Money(voucher.face), Money(sum(eligible)))
        by_line = allocate(amount, eligible) if amount and len(lines) > 1 else [amount] * len(lines)
        left = [Money(free - part) for free, part in zip(left, by_line, strict=True)]
        applied.append(Applied(voucher, stock, amount, tuple(by_line)))
    return applied


def _off_whole(vouchers: Sequence[tuple[Voucher, Stock]], left: Money) -> list[Applied]:
    """What each voucher takes off an order without lines, none of which counts for certain goods only."""
    applied = []
    for voucher, stock in vouchers:
        amount = worth(stock.rules, Money(voucher.face), ZERO if stock.rules.goods else left)
        left = Money(left - amount)
        applied.append(Applied(voucher, stock, amount, (amount,)))
    return applied


def worth(rules: StockTerms, face: Money, eligible: Money) -> Money:
    """What a voucher of this face takes off goods of this price, its threshold being reached."""
    if rules.kind == "percent":
        return min(share(eligible, rules.rate_bps), face)
    return min(face, eligible)


def _rank(pair: tuple[Voucher, Stock]) -> tuple[int, int, int, bytes]:
    """Of equal ranks the older stock comes first: vouchers of one kind have one place, so any of them does."""
    voucher, stock = pair
    return stock.rules.rank, voucher.stock, voucher.terms, voucher.id


def _within(hours: str, now: time) -> bool:
    start, _, end = hours.partition("-")
    begins = time.fromisoformat(start)
    if end == "24:00":
        return begins <= now
    ends = time.fromisoformat(end)
    return begins <= now < ends if begins <= ends else now >= begins or now < ends


@lru_cache(maxsize=64)  # a batch has one instant
def day_number(at: datetime) -> int:
    """The business date as days since 1970: the day of a quota."""
    return business_date(at).toordinal() - _EPOCH_ORDINAL


_EPOCH_ORDINAL = 719_163
"""`date(1970, 1, 1).toordinal()`."""
