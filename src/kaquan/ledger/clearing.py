"""What books owe each other for what their programs spent at each other's merchants."""

from collections.abc import Collection
from itertools import combinations
from typing import Any, NamedTuple

import psycopg

from kaquan.kernel.money import ZERO, Money
from kaquan.ledger.balances import owner_balances
from kaquan.ledger.chart import Account
from kaquan.ledger.model import book_owner


class Position(NamedTuple):
    """Two books, as the first one's accounts say: what it owes the other, what the other owes it."""

    book: int
    other: int
    due_to: Money
    due_from: Money

    @property
    def net(self) -> Money:
        """What the other owes the first after setting off; negative when the first one owes."""
        return Money(self.due_from - self.due_to)


def positions(connection: psycopg.Connection[Any], books: Collection[int]) -> list[Position]:
    """The positions of each pair of `books` that ever owed each other anything, over all programs."""
    owed = {(book, owner): amount for book in books for owner, amount in _balances(connection, book, Account.DUE_TO)}
    claimed = {
        (book, owner): amount for book in books for owner, amount in _balances(connection, book, Account.DUE_FROM)
    }
    found = []
    for book, other in combinations(sorted(books), 2):
        key = (book, book_owner(other))
        if key in owed or key in claimed:
            found.append(Position(book, other, owed.get(key, ZERO), claimed.get(key, ZERO)))
    return found


def _balances(connection: psycopg.Connection[Any], book: int, account: Account) -> list[tuple[bytes, Money]]:
    sums: dict[bytes, int] = {}
    for one in owner_balances(connection, book, account):
        if one.owner is not None:
            sums[one.owner] = sums.get(one.owner, 0) + one.balance
    return [(owner, Money(amount)) for owner, amount in sums.items()]
