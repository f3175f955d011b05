"""Commands on custody, and what they are decided on."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import IntEnum
from hashlib import sha256
from typing import Any, ClassVar

import msgspec

from kaquan.commands.model import Command, Plan, SlowRow
from kaquan.kernel.ids import Id
from kaquan.kernel.money import ZERO, Money
from kaquan.ledger.chart import Account

REFERENCE_LENGTH_MAX = 64  # what a bank's reference or a document's number needs


def custody_id(program: str) -> Id:
    """The custody of a program has an id that follows from the program's code."""
    return Id(sha256(b"custody " + program.encode("utf-8", "surrogatepass")).digest()[:16])


class CustodyCommand(Command, frozen=True, kw_only=True):
    """A command on the custody of a program, by the program's code."""

    program: str

    @property
    def subject(self) -> Id:
        """The custody."""
        return custody_id(self.program)


class DepositCustody(CustodyCommand, frozen=True, kw_only=True):
    """The issuer moved money into the custody account. `reference`: of the bank."""

    amount: Money
    reference: str


class ReleaseCustody(CustodyCommand, frozen=True, kw_only=True):
    """Move money out of custody that is above the requirement and was redeemed. `approved_by` names the second
    person, who agreed beforehand."""

    amount: Money
    reference: str
    approved_by: str


class AssessCustody(CustodyCommand, frozen=True, kw_only=True):
    """Keep what a day that has ended required and had; warn, or stop sales, when it was too little."""

    day: date


class LiftStop(CustodyCommand, frozen=True, kw_only=True):
    """Sell again: what is required is covered. `approved_by` as in `ReleaseCustody`; empty for the timetable."""

    approved_by: str = ""


class CustodyState(IntEnum):
    """Stored. How the custody of a program stands."""

    COVERED = 1
    WARNED = 2
    SHORT = 3
    SALES_STOPPED = 4

    @property
    def word(self) -> str:
        """As machines read it."""
        return self.name.lower()


class Custody(SlowRow):
    """A loaded custody. `stop`: facts of why sales stand still. `bank_short`: what the bank's last statement lacked
    beside the books. `fresh`: it has no row yet."""

    table: ClassVar[str] = "custody"
    program: int
    state: CustodyState = CustodyState.COVERED
    released: Money = ZERO
    day: date | None = None
    short_since: date | None = None
    bank_day: date | None = None
    bank_fen: Money | None = None
    bank_short: Money = ZERO
    stop: dict[str, Any] | None = None
    fresh: bool = False

    def become(self, values: Sequence[Any]) -> None:
        """One custody: this one as a plan leaves it."""
        (other,) = values
        for field in ("state", "released", "day", "short_since", "bank_day", "bank_fen", "bank_short", "stop"):
            setattr(self, field, getattr(other, field))

    def columns(self) -> dict[str, Any]:
        """See `SlowRow`."""
        return {
            "state": int(self.state),
            "released": self.released,
            "day": self.day.isoformat() if self.day else None,
            "short_since": self.short_since.isoformat() if self.short_since else None,
            "bank_day": self.bank_day.isoformat() if self.bank_day else None,
            "bank_fen": self.bank_fen,
            "bank_short": self.bank_short,
            "stop": msgspec.json.encode(self.stop, order="sorted").decode() if self.stop is not None else None,
        }


class Moved(msgspec.Struct, frozen=True):
    """Of a program, by its issuer's book: principal, all that is held for holders and merchants, what was taken for
    sales and top-ups, money in custody. Either all there is, or what came since an instant."""

    principal: Money
    owed: Money
    topped_up: Money
    custody: Money


class Books(msgspec.Struct):
    """What the books say of a program in one snapshot: all of it, and what came since some instants."""

    total: Moved
    since: Mapping[int, Moved]
    quarter_end: dict[date, Money]
    """The principal at the end of quarters, by the first day of the quarter after, as far as it was kept before."""

    def at(self, instant_us: int | None) -> Moved:
        """What there was at an instant that was asked for; None for now."""
        if instant_us is None:
            return self.total
        later = self.since[instant_us]
        return Moved(
            Money(self.total.principal - later.principal),
            Money(self.total.owed - later.owed),
            Money(self.total.topped_up - later.topped_up),
            Money(self.total.custody - later.custody),
        )


class CustodyFacts(msgspec.Struct):
    """The custody and the books of programs, by the program's number."""

    commands: dict[bytes, tuple[bytes, int, bytes]]
    custodies: dict[int, Custody]
    books: dict[int, Books]

    def absorb(self, plan: Plan) -> None:
        """What this batch began and moved counts from the next decision on."""
        for born in plan.born:
            if isinstance(born, Custody):
                self.custodies[born.program] = born
        for _, _, _, _, program, debit, _, credit, _, _, amount in plan.postings:
            moved = amount * ((debit == Account.BANK_CUSTODY) - (credit == Account.BANK_CUSTODY))
            total = self.books[program].total
            self.books[program].total = msgspec.structs.replace(total, custody=Money(total.custody + moved))
