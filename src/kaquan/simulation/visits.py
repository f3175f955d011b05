"""A payment that took effect, as the town believes: who paid what, what it earned, what has come back so far."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id
from kaquan.kernel.money import ZERO, Money, allocate_next
from kaquan.payments.model import Pay
from kaquan.payments.tenders import discounts_of, split
from kaquan.rewards.tiers import rebate
from kaquan.simulation.pocket import free, keep, redeem
from kaquan.simulation.population import Member
from kaquan.simulation.purse import Part, Share, first_of, hold, spend
from kaquan.simulation.venues import Place
from kaquan.vouchers.orders import Applied


@dataclass(slots=True, eq=False)
class Visit:
    """What an order of a member is paid with: parts of the card, vouchers, money outside.

    `due` is the day on which its rebate is granted.
    """

    member: Member
    place: Place
    command: Pay
    payment: Id
    shares: list[Share]
    applied: Sequence[Applied] = ()
    rebate: Money = ZERO
    cut: Money = ZERO
    due: int = 0
    granted: Part | None = None
    over: bool = False
    _given: list[int] = field(default_factory=list)

    @property
    def by_card(self) -> Money:
        """What the card pays."""
        return Money(sum(part for _, part in self.shares))

    @property
    def left(self) -> Money:
        """How much of the order has not come back."""
        return Money(sum(self._weights()) - sum(self._given))

    def hold(self) -> None:
        """An authorization: the card's parts and the vouchers are promised to it."""
        hold(self.shares)
        for one in self.applied:
            keep(one.voucher, self.payment)

    def release(self) -> None:
        """The authorization is over, and took nothing."""
        hold(self.shares, -1)
        for one in self.applied:
            free(one.voucher)

    def capture(self, amount: Money, day: int) -> None:
        """The authorization takes `amount`: with vouchers all of it, without any perhaps less."""
        hold(self.shares, -1)
        if not self.applied:
            self.shares = first_of(self.shares, amount)
        self.pay(day)

    def pay(self, day: int) -> None:
        """Everybody pays their part, and the order earns its rebate."""
        spend(self.shares)
        for one in self.applied:
            redeem(one.voucher, one.amount, self.payment)
        terms = self.member.venue.terms
        self.rebate = rebate(self.by_card, terms.rebate)
        self.due = day + terms.refund.window_days + 1

    def give_back(self, amount: Money, at: datetime) -> None:
        """Goods worth `amount` come back: each part gives back its share, to the fen, and the rebate shrinks.

        A voucher counts again when nothing of the order is left and its time is not up.
        """
        weights = self._weights()
        given = self._given or [0] * len(weights)
        parts = allocate_next(amount, weights, given)
        self._given = [gone + part for gone, part in zip(given, parts, strict=True)]
        self.member.purse.give_back([(own, back) for (own, _), back in zip(self.shares, parts, strict=False) if back])
        self.over = not self.left
        self._cut_rebate()
        for one in self.applied if self.over else ():
            reusable = one.stock.rules.after_refund == "reusable" and microseconds(at) < one.voucher.expires_us
            if reusable and one.voucher.holder == self.payment:
                free(one.voucher)

    def _cut_rebate(self) -> None:
        still = Money(self.by_card - sum(self._given[: len(self.shares)]))
        keeps = ZERO if self.over else rebate(still, self.member.venue.terms.rebate)
        gone = Money(max(0, self.rebate - self.cut - keeps))
        self.cut = Money(self.cut + gone)
        if self.granted is not None and gone:
            self.member.purse.claw_back(gone, self.granted)

    def _weights(self) -> list[int]:
        """What each part paid, in the order in which they are rounded: the card, funders, money outside."""
        discounts = [one.amount for one in discounts_of(split(self.applied))]
        return [*(part for _, part in self.shares), *discounts, self.command.outside]
