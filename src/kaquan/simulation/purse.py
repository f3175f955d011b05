"""What a holder believes to be on the card: the town's own, small idea of lots, holds and rebates.

It follows the terms, not the database, so that a day can be told from its seed alone: a town that was stopped,
or killed, goes on without asking what it did. Days are counted from the town's first.
"""

from dataclasses import dataclass, field

from kaquan.cards.model import LotKind
from kaquan.kernel.money import ZERO, Money

Share = tuple["Part", Money]
"""A part and how much of it is meant."""


@dataclass(slots=True, eq=False)
class Part:
    """Value of one origin. `expires` is the first day on which it no longer pays, None for never."""

    kind: LotKind
    balance: Money
    active: int
    expires: int | None = None
    held: Money = ZERO


@dataclass(slots=True)
class Purse:
    """The parts of one card, oldest first."""

    parts: list[Part] = field(default_factory=list)

    def load(self, kind: LotKind, amount: Money, active: int, expires: int | None = None) -> Part:
        """Value that pays from the day `active`."""
        part = Part(kind, amount, active, expires)
        if amount:
            self.parts.append(part)
        return part

    def total(self) -> Money:
        """Everything on the card, active or not, held or not."""
        return Money(sum(part.balance for part in self.parts))

    def free(self, day: int) -> Money:
        """What could be paid on a day."""
        return Money(sum(part.balance - part.held for part in self.parts if _pays(part, day)))

    def inactive(self, day: int) -> Money:
        """What will pay only later."""
        return Money(sum(part.balance for part in self.parts if part.active > day))

    def choose(self, amount: Money, day: int) -> list[Share]:
        """Which parts pay `amount`: principal first, then what expires first. There must be enough."""
        able = [part for part in self.parts if _pays(part, day) and part.balance > part.held]
        able.sort(key=lambda part: (part.kind != LotKind.PRINCIPAL, part.expires is None, part.expires or 0))
        chosen, left = [], amount
        for part in able:
            if not left:
                break
            taken = Money(min(left, part.balance - part.held))
            chosen.append((part, taken))
            left = Money(left - taken)
        if left:
            raise ValueError("the purse holds less than the amount")
        return chosen

    def clear(self) -> None:
        """Forget parts that are used up: a card lives long."""
        self.parts = [part for part in self.parts if part.balance or part.held]

    def give_back(self, shares: list[Share]) -> None:
        """A refund returns to the parts it came from."""
        for part, amount in shares:
            part.balance = Money(part.balance + amount)
            if part not in self.parts:
                self.parts.append(part)

    def claw_back(self, amount: Money, own: Part) -> None:
        """Take a granted rebate back: from its own part first, then from other bonus, never below zero."""
        for part in [own, *(part for part in self.parts if part.kind == LotKind.BONUS and part is not own)]:
            taken = Money(min(amount, part.balance - part.held))
            part.balance = Money(part.balance - taken)
            amount = Money(amount - taken)

    def expire(self, day: int) -> None:
        """Bonus whose time is up is taken back."""
        for part in self.parts:
            if part.expires is not None and part.expires <= day:
                part.balance = part.held


def spend(shares: list[Share]) -> None:
    """The parts pay."""
    for part, amount in shares:
        part.balance = Money(part.balance - amount)


def hold(shares: list[Share], sign: int = 1) -> None:
    """The parts are promised; with -1 they are free again."""
    for part, amount in shares:
        part.held = Money(part.held + sign * amount)


def first_of(shares: list[Share], amount: Money) -> list[Share]:
    """The first `amount` of what was held."""
    taken, left = [], amount
    for part, share in shares:
        if left:
            taken.append((part, Money(min(share, left))))
            left = Money(left - taken[-1][1])
    return taken


def _pays(part: Part, day: int) -> bool:
    return part.active <= day and (part.expires is None or day < part.expires)
