"""Settlement commands, what they are decided on, and the arithmetic's result."""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

import msgspec

from kaquan.commands.model import Command, Plan
from kaquan.kernel.ids import Id
from kaquan.kernel.money import ZERO, Money
from kaquan.ledger.chart import Source

RESERVE_WITHHELD = 1
RESERVE_RELEASED = 2
PAYOUT_INSTRUCTED = 1


class Cut(msgspec.Struct, frozen=True):
    """Which entries a settlement counts: those before the instant `at_us`, written by transactions below `xid`.

    All transactions below `xid` had ended when the cut was taken, so the same cut always sees the same entries.
    What an earlier payment commits later has an `xid` above it, and is counted by the next cut.
    """

    at_us: int
    xid: int

    def follows(self, earlier: "Cut") -> bool:
        """Whether this cut counts everything that `earlier` counted. One that does not would count rows twice."""
        return self.at_us >= earlier.at_us and self.xid >= earlier.xid


class Settle(Command, frozen=True, kw_only=True):
    """Settle one merchant's period in a program, by the cut and the terms (their id) of a preview."""

    program: int
    merchant: Id
    period_end: date
    terms: int
    cut: Cut

    @property
    def subject(self) -> Id:
        """The merchant."""
        return self.merchant

    def content(self) -> bytes:
        """The period. Cut and terms only say how it is counted: a later run of the period is a retry of the first."""
        return msgspec.msgpack.encode((self.caller, self.program, self.merchant, self.period_end))


class ReleaseReserve(Command, frozen=True, kw_only=True):
    """Give back what a settlement held back, when its time has come."""

    settlement: Id

    @property
    def subject(self) -> Id:
        """The settlement."""
        return self.settlement


def settle_key(program: int, period_end: date) -> str:
    """The key of a merchant's settlement: a period has one, however often it is run."""
    return f"settle-{program}-{period_end:%Y-%m}"


def release_key(settlement: Id) -> str:
    """The key of a reserve's release: there is one."""
    return f"release-{settlement.hex()}"


class Entries(NamedTuple):
    """What the books say of one source within a cut: trade in, trade back, reserves released. All positive."""

    gross: Money = ZERO
    refunds: Money = ZERO
    released: Money = ZERO


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One source's share of a settlement, or the whole of it.

    gross − refunds + carried + released = fee + reserved + paid + carry. `carried` and `carry` may be negative.
    """

    gross: Money
    refunds: Money
    carried: Money
    released: Money
    fee: Money
    reserved: Money
    paid: Money
    carry: Money


PART_FIELDS = Part.__struct_fields__


class Statement(msgspec.Struct, frozen=True):
    """A settlement's arithmetic: the whole, and its parts by the source that pays."""

    total: Part
    parts: Mapping[Source, Part]


class Previous(msgspec.Struct, frozen=True):
    """The merchant's latest settlement in the program."""

    number: int
    period_end: date
    cut: Cut
    carry: Mapping[Source, Money]


class Settled(NamedTuple):
    """A settlement that a plan brings into being."""

    merchant: Id
    program: int
    period_end: date


class SettleFacts(msgspec.Struct):
    """What settlements are decided on: entries by command, latest settlements by merchant and program.

    `horizon`: all transactions below it had ended when the facts were loaded.
    """

    commands: Mapping[bytes, tuple[bytes, int, bytes]]
    horizon: int
    previous: Mapping[tuple[bytes, int], Previous]
    entries: Mapping[bytes, Mapping[Source, Entries]]
    settled: dict[tuple[bytes, int], date] = msgspec.field(default_factory=dict)

    def absorb(self, plan: Plan) -> None:
        """A merchant that this batch settled is settled; its entries were counted before that."""
        for born in plan.born:
            self.settled[born.merchant, born.program] = born.period_end


class Reserve(msgspec.Struct, frozen=True):
    """What a settlement held back."""

    id: Id
    merchant: Id
    program: int
    version: int
    state: int
    amount: Money
    release_on: date
    by_source: Mapping[Source, Money]


class ReserveFacts(msgspec.Struct):
    """What releases are decided on."""

    commands: Mapping[bytes, tuple[bytes, int, bytes]]
    reserves: dict[bytes, Reserve]

    def absorb(self, plan: Plan) -> None:
        """A reserve that this batch released is released."""
        for born in plan.born:
            self.reserves[born] = msgspec.structs.replace(self.reserves[born], state=RESERVE_RELEASED)


class PreviewRow(msgspec.Struct, frozen=True):
    """One merchant's settlement as it would be."""

    merchant: Id
    code: str
    name: str
    statement: Statement


class Preview(msgspec.Struct, frozen=True):
    """A period's settlements as a run of this preview will make them, to the fen.

    `rows` are the merchants still to be settled, `settled` counts those that are.
    """

    program: int
    terms: int
    period_end: date
    pay_on: date
    cut: Cut
    rows: tuple[PreviewRow, ...]
    totals: Part
    settled: int


class PayoutLine(NamedTuple):
    """An instruction to the bank: from the `source` account to the merchant's, on a day. Amount in fen."""

    id: Id
    merchant_code: str
    merchant_name: str
    account_bank: str
    account_no: str
    source: Source
    amount: Money
    period_end: date
    pay_on: date


class Due(NamedTuple):
    """What the timetable finds to do: periods by program, and reserves (settlement ids), oldest first."""

    periods: list[tuple[int, date]]
    reserves: list[Id]


def summed(parts: Any) -> Part:
    """The sum of parts, field by field; of none, zeros."""
    listed = list(parts)
    return Part(**{name: Money(sum(getattr(part, name) for part in listed)) for name in PART_FIELDS})
