"""One book over closed days, opened for reading: its titles, its trial balance, what it is tied to."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any, NamedTuple

import psycopg

from kaquan.accounting import errors, store
from kaquan.accounting.mapping import TitleMap
from kaquan.accounting.model import PERIOD_DAYS_MAX, Period
from kaquan.accounting.owners import Titles, account_name, kind_of
from kaquan.accounting.rules import period
from kaquan.accounting.trial import Trial, trial
from kaquan.kernel.refusal import Refusal
from kaquan.ledger import service as ledger
from kaquan.programs.catalogue import Catalogue

_CLOSED_MAX = PERIOD_DAYS_MAX + 1
"""The days of a period and the one before it."""


class Asked(NamedTuple):
    """Which book, from which day to which, by which titles."""

    book: str
    since: date
    until: date
    mapping: TitleMap


class Book(NamedTuple):
    """A book over a period. It can be read from only while the snapshot it was opened in lasts."""

    code: str
    number: int
    period: Period
    titles: Titles
    mapping: TitleMap
    trial: Trial
    programs: Mapping[int, str]


class Tie(NamedTuple):
    """What an account came to by the days, what it moved outside them, and what the ledger says it holds now."""

    account: str
    closing: int
    later: int
    ledger: int

    @property
    def holds(self) -> bool:
        """Whether the two ways of adding agree."""
        return self.closing + self.later == self.ledger


@contextmanager
def opened(connection: psycopg.Connection[Any], catalogue: Catalogue, asked: Asked) -> Iterator[Book | Refusal]:
    """A book for a period of closed days, all of it out of one snapshot; or why it cannot be read."""
    with store.snapshot(connection):
        yield _opened(connection, catalogue, asked)


def _opened(connection: psycopg.Connection[Any], catalogue: Catalogue, asked: Asked) -> Book | Refusal:
    number = catalogue.organisations.get(asked.book, (0, None))[1]
    if number is None:
        return Refusal(errors.BOOK_UNKNOWN, {"book": asked.book[:40]})
    closed = store.closed_days(connection, asked.until, _CLOSED_MAX)
    days = period(asked.since, asked.until, closed, PERIOD_DAYS_MAX)
    if isinstance(days, Refusal):
        return days
    kind = kind_of(asked.book, catalogue, asked.mapping)
    if isinstance(kind, Refusal):
        return kind
    titles = Titles(asked.book, kind, asked.mapping, catalogue)
    found = trial(store.figures(connection, number, days), titles)
    if isinstance(found, Refusal):
        return found
    programs = {one: code for code, one in catalogue.programs.items()}
    return Book(asked.book, number, days, titles, asked.mapping, found, programs)


def ties(connection: psycopg.Connection[Any], book: Book) -> list[Tie]:
    """Each account of a book, added up by days and as the ledger's own balances (its roll-up) have it."""
    later = store.after(connection, book.number, book.period)
    held: dict[int, int] = {}
    for one in ledger.balances(connection):
        if one.book == book.number:
            held[one.account] = held.get(one.account, 0) + one.debits - one.credits
    accounts = sorted({*book.trial.by_account, *later, *held})
    return [
        Tie(
            account_name(account),
            book.trial.by_account.get(account, 0),
            later.get(account, (0, 0))[0] - later.get(account, (0, 0))[1],
            held.get(account, 0),
        )
        for account in accounts
    ]
