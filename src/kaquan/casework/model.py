"""Disputes as commands, and what they are decided on."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import IntEnum
from typing import Any, ClassVar

import msgspec

from kaquan.commands.model import Command, Plan, SlowRow
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.ledger.chart import Source
from kaquan.payouts.model import Payout


class About(IntEnum):
    """What a dispute is about. Stored."""

    PAYMENT = 1
    PAYOUT = 2

    @property
    def word(self) -> str:
        """As machines read it."""
        return self.name.lower()


class DisputeState(IntEnum):
    """Stored."""

    OPEN = 1
    FOR_MERCHANT = 2
    FOR_HOLDER = 3

    @property
    def word(self) -> str:
        """As machines read it."""
        return self.name.lower()


class OpenDispute(Command, frozen=True, kw_only=True):
    """Somebody disputes an amount of a payment or a payout: it is held back from what the merchant is paid."""

    about: About
    object: Id
    amount: Money
    reason: str

    @property
    def subject(self) -> Id:
        """The payment or payout."""
        return self.object


class DisputeCommand(Command, frozen=True, kw_only=True):
    """A command on a dispute."""

    dispute: Id
    text: str

    @property
    def subject(self) -> Id:
        """The dispute."""
        return self.dispute


class AnswerDispute(DisputeCommand, frozen=True, kw_only=True):
    """What the merchant says to it."""


class ResolveDispute(DisputeCommand, frozen=True, kw_only=True):
    """Decide it for one side. For the holder, the payment was refunded before."""

    side: DisputeState


class Paid(msgspec.Struct, frozen=True):
    """A payment as far as a dispute needs it: `left` is what was taken and not refunded, by the source that pays."""

    id: Id
    merchant: Id
    program: int
    left: Mapping[Source, Money]
    refunded: Money


class Dispute(SlowRow):
    """A loaded dispute. `refunded` is what had come back of the payment when it was opened."""

    table: ClassVar[str] = "dispute"
    about: About
    object: Id
    merchant: Id
    program: int
    amount: Money
    by_source: Mapping[Source, Money]
    refunded: Money
    state: DisputeState
    answer: str = ""
    decision: str = ""
    decided_by: str = ""
    decided_us: int | None = None

    def become(self, values: Sequence[Any]) -> None:
        """One value: the dispute as a plan leaves it."""
        (other,) = values
        for name in ("state", "answer", "decision", "decided_by", "decided_us"):
            setattr(self, name, getattr(other, name))

    def columns(self) -> dict[str, Any]:
        """See `SlowRow`."""
        return {
            "state": int(self.state),
            "answer": self.answer,
            "decision": self.decision,
            "decided_by": self.decided_by,
            "decided_at": self.decided_us,
        }


class DisputeFacts(msgspec.Struct):
    """What disputes are decided on. `open` are the objects about which one is open."""

    commands: Mapping[bytes, tuple[bytes, int, bytes]]
    payments: Mapping[bytes, Paid] = {}
    payouts: dict[bytes, Payout] = {}
    disputes: dict[bytes, Dispute] = {}
    open: set[bytes] = set()

    def absorb(self, plan: Plan) -> None:
        """What this batch disputed is disputed."""
        self.open |= set(plan.born)


class Deadlines(msgspec.Struct, frozen=True):
    """Until when the merchant answers, and until when it is decided."""

    answer_by: date
    decide_by: date
