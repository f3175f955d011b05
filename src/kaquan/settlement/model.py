"""Settlement commands, what they are decided on, and the arithmetic's result."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec

from kaquan.commands.model import Command, Plan
from kaquan.kernel.ids import Id
from kaquan.kernel.money import ZERO, Money
from kaquan.ledger.chart import Source
from kaquan.merchants.model import ReferenceCommand

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


class ClosePeriod(ReferenceCommand, frozen=True, kw_only=True):
    """Every merchant of a program is settled for a period: nothing within the cut is left. `terms` as in `Settle`."""

    program: int
    period_end: date
    terms: int
    cut: Cut

    def content(self) -> bytes:
        """The period: a later attempt to close it is a retry of the first."""
        return msgspec.msgpack.encode((self.caller, self.program, self.period_end))


class ReleaseReserve(Command, frozen=True, kw_only=True):
    """Give back what a settlement held back, when its time has come."""

    settlement: Id

    @property
    def subject(self) -> Id:
        """The settlement."""
        return self.settlement


def settle_key(program: int, period: str) -> str:
    """The key of a merchant's settlement: a period (by its name) has one, however often it is run."""
    return f"settle-{program}-{period}"


def close_key(program: int, period: str) -> str:
    """The key under which a period is closed."""
    return f"close-{program}-{period}"


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
    `pending_bank` is the part of `carry` that would have been paid, had there been a bank account to pay to.
    """

    gross: Money
    refunds: Money
    carried: Money
    released: Money
    fee: Money
    reserved: Money
    paid: Money
    carry: Money
    pending_bank: Money = ZERO


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
    pending: Money


class Closed(msgspec.Struct, frozen=True):
    """A program's latest closed period."""

    period_end: date
    cut: Cut


class Counted(NamedTuple):
    """What the books say, and from where it was counted.

    `horizon`: all transactions below it had ended when the facts were read. `entries` are by the id under which they
    were wanted, `since` the cut of the settlement that they follow (none: there was none).
    """

    horizon: int
    closed: Mapping[int, Closed]
    previous: dict[tuple[bytes, int], Previous]
    entries: Mapping[bytes, Mapping[Source, Entries]]
    since: Mapping[bytes, Cut | None]


class SettleFacts(msgspec.Struct):
    """What settlements are decided on. Those of one merchant in a batch stand on one another."""

    commands: Mapping[bytes, tuple[bytes, int, bytes]]
    books: Counted

    def absorb(self, plan: Plan) -> None:
        """The merchant's next settlement in this batch stands on this one."""
        for key, settled in plan.born:
            self.books.previous[key] = settled


class CloseFacts(msgspec.Struct):
    """What closing a period is decided on: the merchants that ever had money coming, by program, and their entries.

    Entries are by `close_id` of command and merchant.
    """

    commands: Mapping[bytes, tuple[bytes, int, bytes]]
    books: Counted
    traders: Mapping[int, Sequence[Id]]

    def absorb(self, plan: Plan) -> None:
        """One period of a program is closed at a time."""


def close_id(command: Id, merchant: Id) -> bytes:
    """Under which id the entries of a merchant are wanted for closing a period."""
    return command + merchant


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

    `rows` are the merchants still to be settled, `settled` counts those that are. Who has nothing to come is in
    neither. `period` is the period's name.
    """

    program: int
    terms: int
    period_end: date
    pay_on: date
    cut: Cut
    rows: tuple[PreviewRow, ...]
    totals: Part
    settled: int
    period: str


class PayoutLine(NamedTuple):
    """An instruction to the bank: from the `source` account to the merchant's, on a day. Amount in fen."""

    id: Id
    merchant_code: str
    merchant_name: str
    account_bank: str
    account_no: str
    source: Source
    amount: Money
    period: str
    pay_on: date


class Waiting(NamedTuple):
    """A payout that waits until its merchant has a bank account, or a verified one."""

    program: int
    merchant: Id
    period_end: date
    amount: Money


class Due(NamedTuple):
    """What the timetable finds to do: periods by program, and reserves (settlement ids), oldest first."""

    periods: list[tuple[int, date]]
    reserves: list[Id]


def summed(parts: Any) -> Part:
    """The sum of parts, field by field; of none, zeros."""
    listed = list(parts)
    return Part(**{name: Money(sum(getattr(part, name) for part in listed)) for name in PART_FIELDS})
