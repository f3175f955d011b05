"""What accounting knows: closed days, titles (会计科目) for our accounts, entries, vouchers."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

import msgspec

from kaquan.commands.model import Plan
from kaquan.kernel.calendar import shanghai
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id
from kaquan.kernel.money import ZERO, Money
from kaquan.merchants.model import ReferenceCommand

DAYS_MAX = 4_000
"""Days that one command closes: eleven years, more than any book waits."""
PERIOD_DAYS_MAX = 366
"""Days in one export: a year, the longest period that anybody closes."""


class BookKind(StrEnum):
    """What kind of entity keeps a book: it decides by which titles its accounts are called."""

    SINGLE_PURPOSE = "single_purpose"
    LICENSED = "licensed"
    PLATFORM = "platform"
    GOVERNMENT_FUND = "government_fund"


class Root(StrEnum):
    """The part of the balance sheet or income statement; `memo` is kept outside both."""

    ASSETS = "assets"
    LIABILITIES = "liabilities"
    INCOME = "income"
    EXPENSES = "expenses"
    MEMO = "memo"


class CloseDays(ReferenceCommand, frozen=True, kw_only=True):
    """Close the books for every day up to `through`: what is in a closed day never changes again."""

    through: date

    def content(self) -> bytes:
        """The last day and who closes it."""
        return msgspec.msgpack.encode((self.caller, self.through))


class ClosedDay(NamedTuple):
    """A day in Shanghai that is closed: what has an instant before `cut_us`, committed below `cut_xid`.

    What commits later with an earlier instant belongs to the next day, as in a settlement's cut.
    """

    day: date
    cut_us: int
    cut_xid: int


def cut_us(day: date) -> int:
    """The instant at which a day ends in Shanghai."""
    return microseconds(shanghai(day + timedelta(days=1)))


class CloseFacts(msgspec.Struct):
    """What closing stands on: earlier decisions, the last closed day, the first posting, what is still being written.

    `unsettled` counts the postings of the time to be closed that are not below the horizon.
    """

    commands: Mapping[bytes, tuple[bytes, int, bytes]]
    last: date | None
    first: date | None
    horizon: int
    unsettled: Mapping[date, int]

    def absorb(self, plan: Plan) -> None:
        """Days that an earlier command of the batch closed."""
        for row in plan.born:
            self.last = row


class Title(NamedTuple):
    """An accounting title (会计科目): its code, its names, where it stands, and by which standard."""

    code: str
    zh: str
    en: str
    root: Root
    cites: str


class Period(NamedTuple):
    """Closed days of one export. `cuts` begins with the cut before the first of `days`."""

    since: date
    until: date
    days: tuple[date, ...]
    cuts: tuple[ClosedDay, ...]


class Line(NamedTuple):
    """A line of a voucher: a title, whose it is, and an amount on one side."""

    title: Title
    account: str
    owner: str
    source: str
    debit: Money = ZERO
    credit: Money = ZERO


class Voucher(NamedTuple):
    """A voucher (记账凭证): what happened on a day, and the commands it stands for.

    `transfers` counts the commands; `first` and `last` are the first and the last of their ids, `digest` the SHA-256
    over all their ids in order (empty when there is one).
    """

    day: date
    number: str
    movement: str
    program: str
    transfers: int
    first: Id
    last: Id
    digest: str
    lines: Sequence[Line]


class Figure(NamedTuple):
    """What an account of an owner came to: debits and credits before the period (0) or on its n-th day."""

    day: int
    account: int
    owner: Id | None
    source: int
    debits: Money
    credits: Money
