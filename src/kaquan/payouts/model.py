"""Commands on payouts, what they are decided on, and what the bank tells."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import IntEnum
from typing import Any, ClassVar, NamedTuple

import msgspec

from kaquan.commands.model import Command, Plan, SlowRow
from kaquan.kernel.ids import Id, bucket_of, public
from kaquan.kernel.money import Money
from kaquan.ledger.chart import Source
from kaquan.merchants.model import REFERENCE, ReferenceCommand
from kaquan.payouts.lifecycle import PayoutState

Commands = Mapping[bytes, tuple[bytes, int, bytes]]


class FileFormat(IntEnum):
    """How a file of instructions is written. Stored."""

    PAIN_001 = 1
    CSV_UTF8 = 2
    CSV_GBK = 3

    @property
    def word(self) -> str:
        """As it is typed."""
        return self.name.lower().replace("_", "-")


class FileState(IntEnum):
    """Stored. An open file has its list and no content yet; one whose lines all went elsewhere is empty."""

    OPEN = 1
    MADE = 2
    EMPTY = 3

    @property
    def word(self) -> str:
        """As machines read it."""
        return self.name.lower()


class Said(IntEnum):
    """What the bank says of a payout. Stored."""

    UNREADABLE = 0
    CONFIRMED = 3
    FAILED = 4
    RETURNED = 5

    @property
    def word(self) -> str:
        """As machines read it."""
        return self.name.lower()


class Verdict(IntEnum):
    """How a person explains what fitted nothing. Stored."""

    DISMISSED = 1
    PAID = 2

    @property
    def word(self) -> str:
        """As machines read it."""
        return self.name.lower()


class SetSourceAccount(ReferenceCommand, frozen=True, kw_only=True):
    """The bank account that a book (the code of its organisation) pays merchants from, by the source of the money."""

    organisation: str
    source: Source
    account_name: str
    account_bank: str
    account_no: str


class OpenFile(ReferenceCommand, frozen=True, kw_only=True):
    """List what is due by a day from one bank account: it will be told to the bank in one file."""

    organisation: str
    source: Source
    format: FileFormat
    until: date


class SendPayout(Command, frozen=True, kw_only=True):
    """Put a payout into the file that lists it."""

    payout: Id
    file: Id

    @property
    def subject(self) -> Id:
        """The payout."""
        return self.payout


class CloseFile(Command, frozen=True, kw_only=True):
    """Write a file, once: all that it lists is decided."""

    file: Id

    @property
    def subject(self) -> Id:
        """The file."""
        return self.file

    def content(self) -> bytes:
        """The file, whoever finishes it."""
        return msgspec.msgpack.encode(self.file)


class RecordResult(Command, frozen=True, kw_only=True):
    """A line of what the bank tells. `number` is the instruction as it was written, `payout` and `attempt` what was
    read in it; `amount` none when the bank tells no amount."""

    payout: Id | None
    attempt: int | None
    said: Said
    amount: Money | None
    number: str
    reference: str
    reason: str

    @property
    def subject(self) -> Id:
        """The payout; reference data for a line that names none."""
        return self.payout or REFERENCE

    def content(self) -> bytes:
        """The line, whoever brings it: the same line is one result, in however many files it stands."""
        told = (self.number, self.said, self.amount, self.reference, self.reason)
        return msgspec.msgpack.encode(told)


class ReissuePayout(Command, frozen=True, kw_only=True):
    """Tell the bank again what failed or came back, under the same number."""

    payout: Id
    reason: str

    @property
    def subject(self) -> Id:
        """The payout."""
        return self.payout


class ExplainException(Command, frozen=True, kw_only=True):
    """What a line that fitted nothing turned out to be. It takes two persons: `approved_by` names the second, or a
    request has one."""

    exception: Id
    verdict: Verdict
    explanation: str
    approved_by: str = ""

    @property
    def subject(self) -> Id:
        """The exception."""
        return self.exception


class Payout(SlowRow):
    """A loaded payout. `held` is what disputes hold back of it, `questions` the exceptions that are open about it."""

    table: ClassVar[str] = "payout"
    settlement: Id
    merchant: Id
    program: int
    source: Source
    amount: Money
    held: Money
    state: PayoutState
    attempt: int
    questions: int
    file: Id | None
    reference: str
    account_bank: str
    account_no: str
    pay_on: date

    @property
    def outgoing(self) -> Money:
        """What the bank is told to pay."""
        return Money(self.amount - self.held)

    @property
    def instruction(self) -> str:
        """How the bank knows this attempt: the payout's number and the attempt's."""
        return instruction(self.id, self.attempt)

    def become(self, values: Sequence[Any]) -> None:
        """One value: the payout as a plan leaves it."""
        (other,) = values
        for name in ("held", "state", "attempt", "questions", "file", "reference", "account_bank", "account_no"):
            setattr(self, name, getattr(other, name))

    def columns(self) -> dict[str, Any]:
        """See `SlowRow`."""
        return {
            "held": self.held,
            "state": int(self.state),
            "attempt": self.attempt,
            "questions": self.questions,
            "file": self.file.hex() if self.file else None,
            "reference": self.reference,
            "account_bank": self.account_bank,
            "account_no": self.account_no,
        }


def instruction(payout: bytes, attempt: int) -> str:
    """The number of an instruction: 35 characters at most, as banks allow."""
    return f"{public('pyo', payout)}-{attempt}"


class BankException(SlowRow):
    """A loaded line that fitted nothing."""

    table: ClassVar[str] = "payout_exception"
    payout: Id | None
    attempt: int | None
    said: Said
    amount: Money | None
    reference: str
    code: str
    open: bool
    verdict: Verdict | None = None
    explanation: str = ""
    person: str = ""
    explained_us: int | None = None

    def become(self, values: Sequence[Any]) -> None:
        """One value: the exception as a plan leaves it."""
        (other,) = values
        for name in ("open", "verdict", "explanation", "person", "explained_us"):
            setattr(self, name, getattr(other, name))

    def columns(self) -> dict[str, Any]:
        """See `SlowRow`."""
        return {
            "state": 1 if self.open else 2,
            "verdict": self.verdict,
            "explanation": self.explanation,
            "explained_by": self.person,
            "explained_at": self.explained_us,
        }


class PayoutFacts(msgspec.Struct):
    """The payouts and exceptions that commands are about. `confirmed`: references under which the bank confirmed a
    payout before, by payout."""

    commands: Commands
    payouts: dict[bytes, Payout]
    exceptions: dict[bytes, BankException] = {}
    confirmed: dict[bytes, frozenset[str]] = {}

    def absorb(self, plan: Plan) -> None:
        """Rows have become what the plan says already; a confirmation is remembered."""
        for payout, reference in plan.born:
            self.confirmed[payout] = self.confirmed.get(payout, frozenset()) | {reference}


class SourceAccount(NamedTuple):
    """The bank account that pays."""

    name: str
    bank: str
    number: str


class Ready(NamedTuple):
    """A payout that could be told to the bank."""

    payout: Id
    merchant: Id
    program: int


class FileFacts(msgspec.Struct):
    """What opening files is decided on; `organisations` are books by code."""

    commands: Commands
    ready: dict[bytes, list[Ready]]
    accounts: dict[tuple[int, int], SourceAccount]
    next_number: int

    def absorb(self, plan: Plan) -> None:
        """A file took its number; an account is the one that pays from now on."""
        for table, row in plan.cold:
            if table == "payout_file":
                self.next_number += 1
            if table == "source_account":
                account = SourceAccount(row["account_name"], row["account_bank"], row["account_no"])
                self.accounts[row["book"], row["source"]] = account


class Line(NamedTuple):
    """An instruction in a file."""

    payout: Id
    attempt: int
    name: str
    bank: str
    account_no: str
    amount: Money
    period_end: date

    @property
    def number(self) -> str:
        """See `instruction`."""
        return instruction(self.payout, self.attempt)


class PayoutFile(SlowRow):
    """A loaded file with its lines. `undecided` counts what it lists and nobody has put in or left out yet."""

    table: ClassVar[str] = "payout_file"
    number: int
    format: FileFormat
    state: FileState
    account: SourceAccount
    source: Source
    pay_on: date
    at_us: int
    listed: int
    lines: tuple[Line, ...] = ()
    undecided: int = 0
    sha256: str = ""
    sealed: bytes = b""

    @property
    def total(self) -> Money:
        """The control sum."""
        return Money(sum(line.amount for line in self.lines))

    def become(self, values: Sequence[Any]) -> None:
        """One value: the file as a plan leaves it."""
        (other,) = values
        self.state, self.sha256, self.sealed = other.state, other.sha256, other.sealed

    def columns(self) -> dict[str, Any]:
        """See `SlowRow`."""
        return {
            "state": int(self.state),
            "sha256": self.sha256,
            "lines": len(self.lines),
            "total": self.total,
            "content": f"\\x{self.sealed.hex()}",
        }


class ClosingFacts(msgspec.Struct):
    """The files that are to be written."""

    commands: Commands
    files: dict[bytes, PayoutFile]

    def absorb(self, plan: Plan) -> None:
        """A file has become what the plan says already."""


def send_key(file: Id) -> str:
    """Under which key a payout is put into a file: there is one, whoever does it."""
    return f"send-{public('pof', file)}"


def close_key(file: Id) -> str:
    """Under which key a file is written: there is one."""
    return f"close-{public('pof', file)}"


def placed(identity: Id) -> dict[str, Any]:
    """Where a new row lies."""
    return {"bucket": bucket_of(identity), "id": identity.hex()}
