"""Commands on statements of the bank, and what they are decided on."""

from collections.abc import Sequence
from datetime import date
from enum import IntEnum
from typing import Any, ClassVar

import msgspec

from kaquan.commands.model import Plan, SlowRow
from kaquan.custody.model import CustodyCommand, CustodyFacts, custody_id
from kaquan.kernel.ids import Id, derived_id
from kaquan.kernel.money import Money


def statement_id(program: str, number: str) -> Id:
    """A statement is known by its number: who brings it twice names the same one."""
    return derived_id(custody_id(program), b"statement " + number.encode("utf-8", "surrogatepass"))


class BankEntry(msgspec.Struct, frozen=True):
    """A movement on a statement; below zero it left the account."""

    amount: Money
    day: date
    reference: str


class EnterStatement(CustodyCommand, frozen=True, kw_only=True):
    """What a statement on paper says of a day. It counts when another person has looked at it."""

    number: str
    day: date
    opening: Money
    closing: Money
    reference: str


class LookAtStatement(CustodyCommand, frozen=True, kw_only=True):
    """A second person compared what was entered with the paper: it counts from now on, or not at all."""

    number: str
    agrees: bool


class ImportStatement(CustodyCommand, frozen=True, kw_only=True):
    """A statement as the bank's own file has it, entry by entry."""

    number: str
    account_no: str
    day: date
    opening: Money
    closing: Money
    entries: tuple[BankEntry, ...]


class ExplainDiscrepancy(CustodyCommand, frozen=True, kw_only=True):
    """Say why a statement and the books differ, so that it is open no longer."""

    discrepancy: Id
    reason: str


class StatementState(IntEnum):
    """Stored."""

    ENTERED = 1
    CONFIRMED = 2
    REJECTED = 3


class DiscrepancyKind(IntEnum):
    """Stored. What a discrepancy is: an entry without a posting, a posting without an entry, a whole balance."""

    NOT_IN_BOOKS = 1
    NOT_AT_BANK = 2
    BALANCE = 3

    @property
    def word(self) -> str:
        """As machines read it."""
        return self.name.lower()


class DiscrepancyState(IntEnum):
    """Stored."""

    OPEN = 1
    MATCHED = 2
    EXPLAINED = 3

    @property
    def word(self) -> str:
        """As machines read it."""
        return self.name.lower()


class Statement(SlowRow):
    """A loaded statement."""

    table: ClassVar[str] = "custody_statement"
    day: date
    opening: Money
    closing: Money
    state: StatementState
    person: str
    looked_by: str | None = None

    def become(self, values: Sequence[Any]) -> None:
        """The new state, and who looked."""
        self.state, self.looked_by = values

    def columns(self) -> dict[str, Any]:
        """See `SlowRow`."""
        return {"state": int(self.state), "looked_by": self.looked_by}


class Discrepancy(SlowRow):
    """A loaded discrepancy that is open."""

    table: ClassVar[str] = "custody_discrepancy"
    kind: DiscrepancyKind
    amount: Money
    day: date
    reference: str
    state: DiscrepancyState = DiscrepancyState.OPEN
    transfer: Id | None = None
    person: str | None = None
    reason: str | None = None

    def become(self, values: Sequence[Any]) -> None:
        """The new state, what it was matched to, who explained it and how."""
        self.state, self.transfer, self.person, self.reason = values

    def columns(self) -> dict[str, Any]:
        """See `SlowRow`."""
        return {
            "state": int(self.state),
            "transfer": self.transfer.hex() if self.transfer else None,
            "person": self.person,
            "reason": self.reason,
        }


class Booked(msgspec.Struct, frozen=True):
    """A movement of custody by the books that no entry of the bank was matched to."""

    transfer: Id
    amount: Money
    day: date
    reference: str


class StatementFacts(CustodyFacts):
    """Custody with the statements that are named, by id; movements without an entry; open discrepancies."""

    statements: dict[bytes, Statement] = msgspec.field(default_factory=dict)
    booked: dict[int, list[Booked]] = msgspec.field(default_factory=dict)
    open: dict[int, list[Discrepancy]] = msgspec.field(default_factory=dict)

    def absorb(self, plan: Plan) -> None:
        """A statement of this batch is known to the next. What it matched is gone."""
        super().absorb(plan)
        for born in plan.born:
            if isinstance(born, Statement):
                self.statements[born.id] = born
            elif isinstance(born, tuple):
                program, matched, found = born
                self.booked[program] = [one for one in self.booked.get(program, []) if one.transfer not in matched]
                still = [one for one in self.open.get(program, []) if one.state is DiscrepancyState.OPEN]
                self.open[program] = [*still, *found]
