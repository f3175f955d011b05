"""Monthly plans (按月返还): vouchers promised month after month to who bought a card or topped one up."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, ClassVar

import msgspec

from kaquan.commands.model import Command, SlowRow
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.vouchers.model import SpendingFacts


class PlanState(IntEnum):
    """Stored."""

    RUNNING = 1
    DONE = 2
    CANCELLED = 3


PLAN_WORDS_ZH = {PlanState.RUNNING: "进行中", PlanState.DONE: "已发完", PlanState.CANCELLED: "已取消"}
"""The states as a clerk reads them in Chinese."""


class MonthlyPlan(SlowRow):
    """A loaded plan: `given` of `months` have been granted, `each_month` vouchers of `face` fen a month.

    `started_us` is when it was bought, `next_us` when the next month falls due.
    """

    table: ClassVar[str] = "plan"
    wallet: Id
    card: Id
    stock: int
    terms: int
    state: int
    months: int
    given: int
    each_month: int
    face: int
    started_us: int
    next_us: int

    def become(self, values: Sequence[Any]) -> None:
        """state, given, next_us."""
        self.state, self.given, self.next_us = values

    def columns(self) -> dict[str, Any]:
        """See `SlowRow`."""
        return {"given": self.given, "next_at": self.next_us, "state": int(self.state)}

    @property
    def vouchers_left(self) -> int:
        """Vouchers that are promised and not granted yet."""
        return (self.months - self.given) * self.each_month if self.state == PlanState.RUNNING else 0

    @property
    def promised(self) -> Money:
        """What the vouchers that are not granted yet are worth."""
        return Money(self.vouchers_left * self.face)

    def person(self) -> bytes:
        """The person part of a leaf about this plan."""
        return b'{"card":"%b","wallet":"%b"}' % (self.card.hex().encode(), self.wallet.hex().encode())


class PlanCommand(Command, frozen=True, kw_only=True):
    """A command about a monthly plan."""

    plan: Id

    @property
    def subject(self) -> Id:
        """The plan."""
        return self.plan


class GrantDrip(PlanCommand, frozen=True, kw_only=True):
    """Hand out the vouchers of a plan's month, counted from 1, when it has fallen due."""

    month: int


class CancelPlan(PlanCommand, frozen=True, kw_only=True):
    """Grant nothing more: the card is closed, or what was bought is given back. What was granted stays."""

    reason: str


class PlanFacts(SpendingFacts):
    """What is decided about plans: plans, and what is left of their stocks."""

    plans: dict[bytes, MonthlyPlan] = msgspec.field(default_factory=dict)
