"""A payment that took effect, as the town believes: who paid what, what it earned, what has come back so far."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id
from kaquan.kernel.money import ZERO, Money
from kaquan.payments.model import Pay
from kaquan.payments.repricing import Redeemed, for_amount, for_lines
from kaquan.payments.returns import parts_back
from kaquan.payments.tenders import StoredLine, discounts_of, pack_lines, split, unpack_lines
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
    def lines(self) -> tuple[StoredLine, ...]:
        """The order's lines, as a payment keeps them."""
        return unpack_lines(pack_lines(self.command.lines, self.applied))

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

    def give_back(self, amount: Money, at: datetime, line: int | None = None) -> None:
        """Goods worth `amount`, or a line of them, come back: each part gives back what the terms say.

        The rebate shrinks. A voucher counts again when the whole order comes back at once and its time is not up.
        """
        weights = self._weights()
        given = self._given or [0] * len(weights)
        at_once = not any(given)
        parts = self._parts(amount, weights, given, line)
        returned = [Money(part) for part in parts[: len(self.shares)]]
        self._given = [gone + part for gone, part in zip(given, parts, strict=True)]
        self.member.purse.give_back(
            [(own, back) for (own, _), back in zip(self.shares, returned, strict=False) if back]
        )
        self.over = not self.left
        self._cut_rebate()
        for one in self.applied if self.over and at_once else ():
            reusable = one.stock.rules.after_refund == "reusable" and microseconds(at) < one.voucher.expires_us
            if reusable and one.voucher.holder == self.payment:
                free(one.voucher)

    def _parts(self, amount: Money, weights: list[int], given: list[int], line: int | None) -> list[int]:
        if line is None and amount == self.left:
            return [weight - gone for weight, gone in zip(weights, given, strict=True)]
        vouchers = self._redeemed(given)
        if line is not None:
            fixed = for_lines(vouchers, self.lines, {line}, amount)
        else:
            fixed = for_amount(vouchers, amount, Money(self.left - amount), self.command.amount)
        first = len(self.shares)
        return parts_back(amount, weights, given, {first + at: part for at, part in fixed.items()})

    def _redeemed(self, given: list[int]) -> list[Redeemed]:
        """The vouchers with what each funder paid, and what of it has come back."""
        found, at = [], len(self.shares)
        for one in split(self.applied):
            own = [int(part) for _, part in one.parts if part]
            gone = given[at : at + len(own)]
            first = at - len(self.shares)
            positions = list(range(first, first + len(own)))
            voucher = one.applied.voucher
            found.append(Redeemed(one.applied.stock.rules, Money(voucher.face), positions, own, gone))
            at += len(own)
        return found

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
