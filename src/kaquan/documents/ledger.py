"""Postings, balances and positions as rows."""

from collections.abc import Mapping
from typing import Any

from kaquan.documents.answers import instant
from kaquan.kernel.ids import Id, public
from kaquan.ledger.chart import CHART, Account, Source
from kaquan.ledger.movements import movement_name
from kaquan.ledger.service import Balance, OwnerBalance, Position
from kaquan.programs.catalogue import Catalogue

ACCOUNTS = {info.name: account for account, info in CHART.items()}
"""Accounts by name."""


def posting_row(row: Any) -> dict[str, Any]:
    """A posting: a debit and a credit of the same amount."""
    return {
        "at": instant(row.at),
        "book": row.book,
        "movement": movement_name(row.kind),
        "transfer": public("trf", row.transfer.bytes),
        "line": row.line,
        "debit": CHART[Account(row.debit)].name,
        "debit_owner": row.debit_owner and row.debit_owner.hex,
        "credit": CHART[Account(row.credit)].name,
        "credit_owner": row.credit_owner and row.credit_owner.hex,
        "source": Source(row.source).name.lower(),
        "amount_fen": row.amount,
    }


def balance_row(one: Balance, catalogue: Catalogue) -> dict[str, Any]:
    """What an account of a book holds, for a program or (None) for none."""
    programs = {number: code for code, number in catalogue.programs.items()}
    account = CHART[one.account]
    return {
        "book": catalogue.books.get(one.book, str(one.book)),
        "program": programs.get(one.program),
        "account": account.name,
        "account_zh": account.zh,
        "side": account.side,
        "source": one.source.name.lower(),
        "debits_fen": one.debits,
        "credits_fen": one.credits,
        "balance_fen": one.balance,
    }


def owner_row(book: str, one: OwnerBalance, catalogue: Catalogue) -> dict[str, Any]:
    """What an account of a book holds for an owner."""
    return {
        "book": book,
        "owner": _owner(catalogue.merchants, one.owner),
        "source": one.source.name.lower(),
        "balance_fen": one.balance,
    }


def position_row(one: Position, books: Mapping[int, str]) -> dict[str, Any]:
    """What two books owe each other."""
    return {
        "book": books[one.book],
        "other": books[one.other],
        "due_to_fen": one.due_to,
        "due_from_fen": one.due_from,
        "net_fen": one.net,
    }


def _owner(merchants: Mapping[bytes, Any], owner: Id | None) -> str:
    if owner is None:
        return "-"
    known = merchants.get(owner)
    return known.code if known is not None else owner.hex()
