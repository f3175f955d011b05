"""A payment that took effect, as the town believes: who paid what, what it earned, what has come back so far."""

from dataclasses import dataclass, field

from kaquan.kernel.ids import Id
from kaquan.kernel.money import ZERO, Money, allocate_next
from kaquan.payments.model import Pay
from kaquan.rewards.tiers import rebate
from kaquan.simulation.population import Member
from kaquan.simulation.purse import Part, Share
from kaquan.simulation.venues import Place


@dataclass(slots=True, eq=False)
class Visit:
    """What an order of a member was paid with. `due` is the day on which its rebate is granted."""

    member: Member
    place: Place
    command: Pay
    payment: Id
    shares: list[Share]
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

    def earn(self, day: int) -> None:
        """The rebate of the order, and when it comes."""
        terms = self.member.venue.terms.terms
        self.rebate = rebate(self.by_card, terms.rebate)
        self.due = day + terms.refund.window_days + 1

    def give_back(self, amount: Money) -> None:
        """Goods worth `amount` come back: each part gives back its share, to the fen, and the rebate shrinks."""
        purse, weights = self.member.purse, self._weights()
        given = self._given or [0] * len(weights)
        parts = allocate_next(amount, weights, given)
        self._given = [gone + part for gone, part in zip(given, parts, strict=True)]
        purse.give_back([(own, back) for (own, _), back in zip(self.shares, parts, strict=True) if back])
        self.over = not self.left
        still = Money(sum(weights) - sum(self._given))
        keeps = ZERO if self.over else rebate(still, self.member.venue.terms.terms.rebate)
        gone_now = Money(max(0, self.rebate - self.cut - keeps))
        self.cut = Money(self.cut + gone_now)
        if self.granted is not None and gone_now:
            purse.claw_back(gone_now, self.granted)

    def _weights(self) -> list[int]:
        return [part for _, part in self.shares]
