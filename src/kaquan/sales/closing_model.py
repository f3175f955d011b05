"""Returning a card (退卡) as commands, as a loaded row, and what it is decided on."""

from collections.abc import Sequence
from datetime import datetime
from enum import IntEnum
from typing import Any, ClassVar, Literal

import msgspec

from kaquan.cards.model import CardCommand, Lot
from kaquan.commands.model import Command, SlowRow
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.rewards.plan_model import MonthlyPlan
from kaquan.vouchers.model import SpendingFacts

REASON_LENGTH_MAX = 200  # two lines
REFERENCE_LENGTH_MAX = 64  # a bank's or an app's receipt

Route = Literal["original", "bank", "cash"]
"""How a holder is paid: the way the money came, to an account in her name, or in cash."""


class Cause(IntEnum):
    """Why a card is returned. Stored. Passed on: it went to another holder, and nothing is owed for it."""

    ISSUER = 1
    HOLDER = 2
    PASSED_ON = 3

    @property
    def word(self) -> str:
        """As machines read it."""
        return self.name.lower()


CAUSES = {"issuer": Cause.ISSUER, "holder": Cause.HOLDER}
"""What may be told as a cause."""


class ClosingState(IntEnum):
    """The life of a request. Stored."""

    ASKED = 1
    OWED = 2
    PAID = 3
    CANCELLED = 4

    @property
    def word(self) -> str:
        """As machines read it."""
        return self.name.lower()


WORDS_ZH = {
    ClosingState.ASKED: "待结清",
    ClosingState.OWED: "待付款",
    ClosingState.PAID: "已付款",
    ClosingState.CANCELLED: "已撤销",
}
"""The states as a clerk reads them in Chinese."""


class RequestClosing(CardCommand, frozen=True, kw_only=True):
    """The holder returns the card, or the one `purchase` on it that she may still withdraw from: the clock starts.

    `cause` says whose it is; being within the time to withdraw is found out from the days.
    """

    cause: str
    reason: str
    purchase: Id | None = None


class ClosingCommand(Command, frozen=True, kw_only=True):
    """A command on a request."""

    closing: Id

    @property
    def subject(self) -> Id:
        """The request."""
        return self.closing


class CloseCard(ClosingCommand, frozen=True, kw_only=True):
    """Count what comes back, take everything from the card, owe it to the holder.

    `cost` of withdrawing was incurred and is kept where the law allows it; `cost_reference` names the document.
    """

    cost: Money = Money(0)
    cost_reference: str = ""


class CancelClosing(ClosingCommand, frozen=True, kw_only=True):
    """The holder keeps the card."""

    reason: str


class PayOutClosing(ClosingCommand, frozen=True, kw_only=True):
    """What is owed was paid, with interest up to today. `reference` is the bank's or app's receipt.

    To a bank account: `same_name` tells whether it is in the name of the card's holder, none when nobody knows who
    holds the card: then the payee's identity number is on record, `identified`. `payee` is who was paid, sealed, and
    `payee_digest` what a retry must repeat of it.
    """

    route: Route
    reference: str
    same_name: bool | None = None
    identified: bool = False
    payee: bytes | None = None
    payee_digest: bytes = b""

    def content(self) -> bytes:
        """See `Command`: ciphertexts are drawn anew each time."""
        return msgspec.msgpack.encode(msgspec.structs.replace(self, payee=None))


class NoteOverdue(ClosingCommand, frozen=True, kw_only=True):
    """The legal deadline of a request passed before it was paid: whoever watches events is told."""


class ClosingRow(SlowRow):
    """A loaded request: amounts in fen, instants in microseconds, 0 for none. `purchase` zeros: the whole card."""

    table: ClassVar[str] = "closing"
    card: Id
    wallet: Id
    purchase: Id
    terms: int
    cause: int
    state: int
    card_state: int
    at_us: int
    deadline_us: int
    closed_us: int
    paid_us: int
    overdue_us: int
    amount: int
    paid: int
    interest: int
    lines: str
    route: str = ""
    reference: str = ""
    payee: bytes | None = None

    @property
    def whole(self) -> bool:
        """Whether it is about the whole card."""
        return not any(self.purchase)

    @property
    def unpaid(self) -> Money:
        """What closing owed and nobody paid yet."""
        return Money(self.amount if self.state == ClosingState.OWED else 0)

    def become(self, values: Sequence[Any]) -> None:
        """One value: the row as a plan leaves it."""
        (new,) = values
        for name in _CHANGING:
            setattr(self, name, getattr(new, name))

    def columns(self) -> dict[str, Any]:
        """See `SlowRow`."""
        return {
            "state": int(self.state),
            "closed_at": self.closed_us or None,
            "paid_at": self.paid_us or None,
            "overdue_at": self.overdue_us or None,
            "amount": self.amount,
            "paid": self.paid,
            "interest": self.interest,
            "lines": self.lines,
            "route": self.route,
            "reference": self.reference,
            "payee": None if self.payee is None else "\\x" + self.payee.hex(),
        }

    def person(self) -> bytes:
        """The person part of a leaf about this request."""
        return b'{"card":"%b","wallet":"%b"}' % (self.card.hex().encode(), self.wallet.hex().encode())


_CHANGING = (
    *("state", "closed_us", "paid_us", "overdue_us", "amount", "paid", "interest", "lines"),
    *("route", "reference", "payee"),
)


class Purchase(msgspec.Struct, frozen=True):
    """A sale or top-up as a return sees it. `bonus` is what the issuer gave on top, `used` what of both was spent.

    What funds gave, as bonus or subsidy, is no discount of the issuer: it counts neither way, and the rest of it goes
    back to them. `lots` are the principal lots; `channel` is who took the money.
    """

    id: Id
    paid_at: datetime
    active_us: int
    paid: Money
    bonus: Money
    used: Money
    channel: Id
    lots: tuple[Lot, ...]

    @property
    def left(self) -> Money:
        """Principal that is still on the card."""
        return Money(sum(lot.balance for lot in self.lots))


class ClosingFacts(SpendingFacts):
    """What is decided about requests: cards with all their lots, purchases and running plans by card, requests, what
    the books owe by card and source."""

    purchases: dict[bytes, list[Purchase]] = msgspec.field(default_factory=dict)
    plans: dict[bytes, list[MonthlyPlan]] = msgspec.field(default_factory=dict)
    closings: dict[bytes, ClosingRow] = msgspec.field(default_factory=dict)
    owed: dict[bytes, dict[int, int]] = msgspec.field(default_factory=dict)
    origins: dict[bytes, Id] = msgspec.field(default_factory=dict)

    def of_card(self, card: Id) -> list[ClosingRow]:
        """The requests about a card."""
        return [one for one in self.closings.values() if one.card == card]

    def absorb(self, plan: Any) -> None:
        """A new request counts from the next decision on."""
        SpendingFacts.absorb(self, plan)
        self.closings.update((born.id, born) for born in plan.born if isinstance(born, ClosingRow))
