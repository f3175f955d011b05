"""Vouchers in a payment: do these count together for this order, and what becomes of them. Pure."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from kaquan.commands.model import Row
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Merchant, Stock
from kaquan.quotas.model import Quotas, Tally
from kaquan.quotas.rules import add
from kaquan.vouchers import errors
from kaquan.vouchers.model import NOBODY, Voucher, VoucherState
from kaquan.vouchers.orders import Applied, Line, Order, apply, day_number, together, usable
from kaquan.vouchers.rules import reservation

Changes = list[tuple[Row, tuple[Any, ...]]]


def order_of(
    holder: Id, merchant: Merchant, store: str | None, order_no: str, *, amount: Money, lines: tuple[Line, ...]
) -> Order:
    """An order as vouchers see it."""
    return Order(amount, lines, merchant.code, store, holder, partial(reservation, merchant.id, order_no))


def applied_to(
    order: Order, vouchers: Sequence[tuple[Voucher, Stock]], most: int, quotas: Quotas, at: datetime
) -> list[Applied] | Refusal:
    """What the vouchers take off an order when all of them count; the first reason why one does not."""
    if refusal := together([stock for _, stock in vouchers], most):
        return refusal
    for voucher, stock in vouchers:
        if refusal := usable(voucher, stock, order, at):
            return refusal
    return taken_off(order, vouchers, quotas, at)


def taken_off(
    order: Order, vouchers: Sequence[tuple[Voucher, Stock]], quotas: Quotas, at: datetime
) -> list[Applied] | Refusal:
    """The same of vouchers each of which counts for the order, and which count together."""
    uses: dict[int, int] = {}
    for voucher, stock in vouchers:
        if refusal := _used_enough(voucher, stock, quotas, at, uses):
            return refusal
    applied = apply(vouchers, order)
    for one in applied:
        if not one.amount:
            return Refusal(errors.VOUCHER_NO_EFFECT, {"stock": one.stock.code})
    return applied


def used_up(applied: Sequence[Applied], holder: Id, quotas: Quotas, at: datetime, held_until_us: int = 0) -> Changes:
    """What becomes of vouchers that a payment uses, or holds until an instant; and of the tallies of their use."""
    changes: Changes = []
    counted: dict[int, int] = {}
    for one in applied:
        voucher = one.voucher
        if held_until_us:
            changes.append((voucher, (VoucherState.HELD, voucher.used, held_until_us, holder)))
        else:
            changes.append((voucher, (VoucherState.REDEEMED, one.amount, 0, holder)))
        if one.stock.rules.use_person_day:
            counted[one.stock.id] = counted.get(one.stock.id, 0) + 1
            changes.append(add(use_tally(voucher, quotas, day_number(at)), counted[one.stock.id]))
    return changes


def use_tally(voucher: Voucher, quotas: Quotas, day: int) -> Tally:
    """How many vouchers of this one's stock its holder used on a day."""
    return quotas.tally(voucher.wallet, voucher.stock, day)


def freed(voucher: Voucher) -> tuple[Any, ...]:
    """What a voucher becomes when it counts again."""
    return (VoucherState.ISSUED, 0, 0, NOBODY)


def _used_enough(
    voucher: Voucher, stock: Stock, quotas: Quotas, at: datetime, uses: dict[int, int]
) -> Refusal | None:
    most = stock.rules.use_person_day
    if not most:
        return None
    uses[stock.id] = uses.get(stock.id, 0) + 1
    used = use_tally(voucher, quotas, day_number(at)).count
    if used + uses[stock.id] <= most:
        return None
    return Refusal(errors.VOUCHER_PERSON_DAY, {"stock": stock.code, "limit": most, "used": used})
