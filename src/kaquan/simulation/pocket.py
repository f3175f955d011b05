"""Vouchers as their holder believes them to be: rows of the real kind, moved by the terms and not by the database."""

from dataclasses import dataclass, field
from datetime import datetime

from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.programs.catalogue import Stock
from kaquan.quotas.model import Quotas
from kaquan.vouchers.model import NOBODY, NewVoucher, Voucher, VoucherState
from kaquan.vouchers.orders import Applied, Order
from kaquan.vouchers.quote import Candidate, choose

NO_LIMITS = Quotas()
"""The town's stocks do not limit how many vouchers a person uses a day."""


@dataclass(slots=True)
class Pocket:
    """The vouchers of one holder in one program."""

    held: list[Candidate] = field(default_factory=list)

    def take(self, new: NewVoucher, stock: Stock) -> Voucher:
        """A voucher that was handed out."""
        voucher = Voucher(
            id=new.id,
            version=1,
            wallet=new.wallet,
            stock=new.stock,
            terms=new.terms,
            state=VoucherState.ISSUED,
            face=new.face,
            used=0,
            valid_us=new.valid_us,
            expires_us=new.expires_us,
            held_us=0,
            holder=NOBODY,
        )
        self.held.append((voucher, stock))
        return voucher

    def lose(self, voucher: Voucher) -> None:
        """A voucher is taken back; one that has paid already never counts again, whatever is refunded.

        An authorization that holds it has run out by then, even if the timetable has not looked yet.
        """
        self.held = [pair for pair in self.held if pair[0] is not voucher]

    def clear(self, at: datetime) -> None:
        """Forget vouchers whose time is up. Who paid with one remembers it."""
        now = microseconds(at)
        self.held = [pair for pair in self.held if now < pair[0].expires_us]

    def best(self, order: Order, at: datetime, most: int, room: Money) -> list[Applied]:
        """What the quote would choose for an order."""
        able = [pair for pair in self.held if pair[0].state == VoucherState.ISSUED]
        return list(choose(order, able, NO_LIMITS, at, most=most, room=room).applied) if able else []

    def within_reach(self, amount: Money, at: datetime) -> Money | None:
        """The least threshold above an amount that some voucher has; None when no voucher asks for more."""
        now = microseconds(at)
        wanted = [
            stock.rules.min_order_fen
            for voucher, stock in self.held
            if voucher.state == VoucherState.ISSUED and voucher.valid_us <= now and stock.rules.kind != "top_up"
        ]
        return min((threshold for threshold in wanted if threshold > amount), default=None)

    def for_top_up(self, at: datetime) -> Candidate | None:
        """A voucher that tops up a card, if there is one."""
        now = microseconds(at)
        for voucher, stock in self.held:
            if voucher.state == VoucherState.ISSUED and stock.rules.kind == "top_up" and voucher.valid_us <= now:
                return voucher, stock
        return None


def redeem(voucher: Voucher, amount: Money, payment: Id) -> None:
    """The voucher has paid."""
    voucher.become((VoucherState.REDEEMED, amount, 0, payment))


def keep(voucher: Voucher, payment: Id) -> None:
    """An authorization holds the voucher. Until when is not asked: what ends the hold says so."""
    voucher.become((VoucherState.HELD, 0, 0, payment))


def free(voucher: Voucher) -> None:
    """The voucher counts again."""
    voucher.become((VoucherState.ISSUED, 0, 0, NOBODY))
