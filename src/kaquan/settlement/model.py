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
from kaquan.settlement.standing import NEW, Standing

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
    """Give back what a settlement held back, when its time has come. `settlement` is the reserve's own id.

    That is the settlement's, but for parts that are released before the rest.
    """

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


class Funded(NamedTuple):
    """Trade that one party paid for: by the account it came from, and by the fund if it was one."""

    account: int
    fund: Id | None
    gross: Money
    refunds: Money


class Entries(NamedTuple):
    """What the books say of one source within a cut: trade in, trade back, what was released, debts written off.

    `released` is the sum of `back`: what came from other accounts of the merchant, by account; of disputes what was
    held back is negative, the rest is positive. `funded` says who paid for the trade.
    """

    gross: Money = ZERO
    refunds: Money = ZERO
    released: Money = ZERO
    written_off: Money = ZERO
    funded: tuple[Funded, ...] = ()
    back: tuple[tuple[int, Money], ...] = ()


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One source's share of a settlement, or the whole of it.

    gross − refunds + carried + released + written_off + drawn = fee + shared + reserved + paid + transferred + carry.
    `carried` and `carry` may be negative; `fee` with its `tax` too, when more is given back than taken, and
    `shared`, when partners give back. `drawn` is taken out of what was held back earlier. `transferred` is what the
    issuer's own store has coming. `pending_bank` and `pending_minimum` are the part of `carry` that would have been
    paid, had there been a bank account to pay to, or enough to pay.
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
    tax: Money = ZERO
    shared: Money = ZERO
    drawn: Money = ZERO
    written_off: Money = ZERO
    transferred: Money = ZERO
    pending_minimum: Money = ZERO


PART_FIELDS = Part.__struct_fields__


class Reserve(msgspec.Struct, frozen=True):
    """What a settlement held back, or the part of it that is released on one day; of it, what is gone by source."""

    id: Id
    settlement: Id
    merchant: Id
    program: int
    version: int
    state: int
    amount: Money
    release_on: date
    by_source: Mapping[Source, Money]
    drawn_by_source: Mapping[Source, Money] = {}

    @property
    def rest(self) -> dict[Source, Money]:
        """What is still held, by source."""
        gone = self.drawn_by_source
        return {source: Money(amount - gone.get(source, 0)) for source, amount in self.by_source.items()}


class Draw(NamedTuple):
    """What a settlement takes out of a reserve, by source."""

    reserve: Reserve
    by_source: Mapping[Source, Money]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a statement: what, how much for the merchant (negative: against it), by which rule, from where.

    `rule` is the path of the term that says so, or what the books call it; `funder` who paid, `source` from which
    money. `facts` are what the amount was computed from.
    """

    line: str
    amount: Money
    rule: str
    source: str = ""
    funder: str = ""
    facts: Mapping[str, int | str] = {}


class Statement(msgspec.Struct, frozen=True):
    """A settlement's arithmetic: the whole, its parts by the source that pays, what each partner gets or gives back.

    `draws` are on earlier reserves, `lines` explain it all, `after` is what the next settlement stands on.
    """

    total: Part
    parts: Mapping[Source, Part]
    shares: Mapping[str, Mapping[Source, Money]] = {}
    draws: tuple[Draw, ...] = ()
    lines: tuple[Line, ...] = ()
    after: Standing = NEW


class Previous(msgspec.Struct, frozen=True):
    """The merchant's latest settlement in the program. `pending` is what of the carry waited for a payout."""

    number: int
    period_end: date
    cut: Cut
    carry: Mapping[Source, Money]
    pending: Money
    standing: Standing = NEW


class Closed(msgspec.Struct, frozen=True):
    """A program's latest closed period."""

    period_end: date
    cut: Cut


class Counted(NamedTuple):
    """What the books say, and from where it was counted.

    `horizon`: all transactions below it had ended when the facts were read. `entries` are by the id under which they
    were wanted, `since` the cut of the settlement that they follow (none: there was none). `reserves` are what is
    still held back of each merchant in a program, oldest first.
    """

    horizon: int
    closed: Mapping[int, Closed]
    previous: dict[tuple[bytes, int], Previous]
    entries: Mapping[bytes, Mapping[Source, Entries]]
    since: Mapping[bytes, Cut | None]
    reserves: dict[tuple[bytes, int], tuple[Reserve, ...]]


class SettleFacts(msgspec.Struct):
    """What settlements are decided on. Those of one merchant in a batch stand on one another."""

    commands: Mapping[bytes, tuple[bytes, int, bytes]]
    books: Counted

    def absorb(self, plan: Plan) -> None:
        """The merchant's next settlement in this batch stands on this one, and finds what it left held back."""
        for key, settled, reserves in plan.born:
            self.books.previous[key] = settled
            self.books.reserves[key] = reserves


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
