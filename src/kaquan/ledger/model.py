"""Legs of a transfer, and the rows they become."""

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from kaquan.kernel.ids import BUCKET_COUNT, Id, bucket_of
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


NO_PROGRAM = 0
"""The program of postings that belong to none, such as what a funder pays in: funds serve many."""

Row = tuple[int, Id, int, int, int, int, Id | None, int, Id | None, int, int]


def post(transfer: Id, ledger: Ledger, legs: Iterable[Leg]) -> tuple[Row, ...]:
    """The posting rows of a transfer in one book, in the order of `apply_batch`. See `post_all`."""
    return post_all(transfer, ((ledger, legs),))


def post_all(transfer: Id, parts: Iterable[tuple[Ledger, Iterable[Leg]]]) -> tuple[Row, ...]:
    """The posting rows of a transfer that touches several books or programs. Legs of nothing are left out.

    `transfer` is the id of the command that moves the money. A negative leg is a bug and raises.
    """
    bucket = bucket_of(transfer)
    rows: list[Row] = []
    for (book, program), legs in parts:
        for debit, debit_owner, credit, credit_owner, source, amount in legs:
            if amount == 0:
                continue
            if amount < 0:
                raise ValueError(f"a leg moves a positive amount, not {amount}")
            line = len(rows) + 1
            rows.append(
                (bucket, transfer, line, book, program, debit, debit_owner, credit, credit_owner, source, amount)
            )
    return tuple(rows)


def book_owner(book: int) -> Id:
    """Under which owner a book stands in the due_to and due_from accounts of others."""
    drawn = bytearray(sha256(b"book %d" % book).digest()[:16])
    drawn[15] &= 0xFF ^ (BUCKET_COUNT - 1)
    return Id(bytes(drawn))
