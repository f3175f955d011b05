"""Passing a card on, making an expired one valid again, idle cards and breakage: commands, rows, facts."""

from collections.abc import Sequence
from datetime import datetime
from enum import IntEnum
from typing import Any, ClassVar

import msgspec

from kaquan.cards.model import CardCommand
from kaquan.commands.model import Command, SlowRow
from kaquan.kernel.ids import Id
from kaquan.sales.closing_model import ClosingFacts

EVIDENCE_LENGTH_MAX = 80  # the number of a document


class TransferCard(CardCommand, frozen=True, kw_only=True):
    """The holder of a registered card passes it on to another holder: all that is on it, and what was bought."""

    to: Id
    reason: str


class ReceiveCard(Command, frozen=True, kw_only=True):
    """What was passed on arrives in the receiver's wallet as a card with a new number, whose id is the command's."""

    to: Id
    transfer: Id

    @property
    def subject(self) -> Id:
        """The receiver's wallet."""
        return self.to


class ReactivateCard(CardCommand, frozen=True, kw_only=True):
    """Make an expired bearer card valid again, its balance as it was, less the fee."""


class RecogniseBreakage(CardCommand, frozen=True, kw_only=True):
    """What is left of an expired bearer card that nobody has used for years counts as income.

    `evidence` names the document that shows why; `approved_by` is the second person, who agreed.
    """

    evidence: str
    approved_by: str


class RemindIdle(CardCommand, frozen=True, kw_only=True):
    """Tell whoever watches events that a card lies idle, so that its holder is reminded."""


class BreakageState(IntEnum):
    """Stored."""

    RECOGNISED = 1
    RESTORED = 2


class Breakage(SlowRow):
    """Income that was recognised from a lot."""

    table: ClassVar[str] = "breakage"
    card: Id
    lot: Id
    source: int
    state: int
    amount: int
    restored_us: int | None = None

    def become(self, values: Sequence[Any]) -> None:
        """state, restored_us."""
        self.state, self.restored_us = values

    def columns(self) -> dict[str, Any]:
        """See `SlowRow`."""
        return {"state": int(self.state), "restored_at": self.restored_us}


class Transfer(msgspec.Struct, frozen=True):
    """A card on its way to another holder, as it is kept with the giver: lots and purchases as they were."""

    id: Id
    to: Id
    terms: int
    lots: list[dict[str, Any]]
    purchases: list[dict[str, Any]]


class LeavingFacts(ClosingFacts):
    """What is decided on besides: breakage by card, when a card last moved and its holder was reminded, transfers and
    those of them that arrived."""

    breakages: dict[bytes, list[Breakage]] = msgspec.field(default_factory=dict)
    moved: dict[bytes, datetime] = msgspec.field(default_factory=dict)
    reminded: dict[bytes, datetime] = msgspec.field(default_factory=dict)
    transfers: dict[bytes, Transfer] = msgspec.field(default_factory=dict)
    arrived: set[bytes] = msgspec.field(default_factory=set)

    def absorb(self, plan: Any) -> None:
        """A transfer that arrived in this batch has arrived from the next decision on."""
        if self.transfers:
            self.arrived.update(plan.born)
        else:
            ClosingFacts.absorb(self, plan)
