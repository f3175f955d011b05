"""Legs of a transfer, and the rows they become."""

from collections.abc import Iterable
from typing import NamedTuple

from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.money import Money
from kaquan.ledger.chart import Account


class Leg(NamedTuple):
    """`amount` from the debited account to the credited one, in one book.

    An owner is None for the entity itself. `source` is a `Source`, or the number of one as a row has it.
    """

    debit: Account
    debit_owner: Id | None
    credit: Account
    credit_owner: Id | None
    source: int
    amount: Money


class Ledger(NamedTuple):
    """Where legs are posted: the book of the legal entity and the program they are for."""

    book: int
    program: int


Row = tuple[int, Id, int, int, int, int, Id | None, int, Id | None, int, int]


def post(transfer: Id, ledger: Ledger, legs: Iterable[Leg]) -> tuple[Row, ...]:
    """The posting rows of a transfer, in the order of `apply_batch`. Legs of nothing are left out.

    `transfer` is the id of the command that moves the money. A negative leg is a bug and raises.
    """
    bucket = bucket_of(transfer)
    book, program = ledger
    rows: list[Row] = []
    for debit, debit_owner, credit, credit_owner, source, amount in legs:
        if amount == 0:
            continue
        if amount < 0:
            raise ValueError(f"a leg moves a positive amount, not {amount}")
        line = len(rows) + 1
        rows.append((bucket, transfer, line, book, program, debit, debit_owner, credit, credit_owner, source, amount))
    return tuple(rows)
