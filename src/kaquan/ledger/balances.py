"""Balances of accounts: the roll-up and the postings since, in one snapshot."""

from typing import Any, NamedTuple

import psycopg

from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.ledger.chart import CHART, Account, Source
from kaquan.ledger.store import QUERIES

OWNERS_MAX = 100_000  # merchants and channels, not holders: a lot keeps its own balance

_NOBODY = bytes(16)


class Balance(NamedTuple):
    """An account of a book and program, by source. `balance` is positive on the account's normal side."""

    book: int
    program: int
    account: Account
    source: Source
    debits: Money
    credits: Money

    @property
    def balance(self) -> Money:
        """Debits less credits for an asset or expense, credits less debits for a liability or income."""
        return normal(self.account, self.debits, self.credits)


class OwnerBalance(NamedTuple):
    """One owner's part of an account, by source; the owner is None for the entity itself."""

    owner: Id | None
    source: Source
    balance: Money


def balances(connection: psycopg.Connection[Any]) -> list[Balance]:
    """Every account that was ever posted to, in the order of book, program, account and source."""
    return [
        Balance(book, program, Account(account), Source(source), Money(debits), Money(credits))
        for book, program, account, source, debits, credits in connection.execute(QUERIES.balances)
    ]


def owner_balances(
    connection: psycopg.Connection[Any], book: int, account: Account, most: int = OWNERS_MAX
) -> list[OwnerBalance]:
    """Up to `most` owners of one account of a book. Not for lots: they keep their own balance."""
    if Account.CARD_PRINCIPAL <= account <= Account.CARD_SUBSIDY:
        raise ValueError("the balance of a lot is in the lot")
    rows = connection.execute(QUERIES.owner_balances, {"book": book, "account": int(account), "most": most})
    return [
        OwnerBalance(
            None if owner.bytes == _NOBODY else Id(owner.bytes),
            Source(source),
            normal(account, Money(debits), Money(credits)),
        )
        for owner, source, debits, credits in rows
    ]


def normal(account: Account, debits: Money, credits: Money) -> Money:
    """The balance on the account's normal side."""
    return Money(debits - credits if CHART[account].side == "debit" else credits - debits)
