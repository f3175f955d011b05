"""Closed days, trial balances, vouchers, invoices and titles from outside. Amounts end in `_fen`."""

from collections.abc import Iterable, Mapping
from typing import Any

from kaquan.accounting.books import Tie
from kaquan.accounting.model import ClosedDay, Voucher
from kaquan.accounting.rows import voucher_rows
from kaquan.accounting.words import AMOUNTS
from kaquan.documents.answers import instant
from kaquan.kernel.refusal import Language

_OF_LINES = ("line", "code", "title", "sheet", "owner", "source", "account", "debit_fen", "credit_fen")


def closed_row(one: ClosedDay) -> dict[str, Any]:
    """A day whose books are closed, and its cut."""
    return {"day": one.day.isoformat(), "cut_at": instant(one.cut_us), "cut_xid": one.cut_xid}


def tie_row(one: Tie) -> dict[str, Any]:
    """An account as the days add it up, and as the ledger has it. Debits less credits."""
    return {
        "account": one.account,
        "closing_fen": one.closing,
        "later_fen": one.later,
        "ledger_fen": one.ledger,
        "holds": one.holds,
    }


def trial_document(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of a trial balance; no amount is nothing."""
    return [_in_fen(row, 0) for row in rows]


def invoice_document(row: Mapping[str, Any]) -> dict[str, Any]:
    """A line of the list of invoices. A tax of null: no account of tax was posted to."""
    return _in_fen(row, None)


def voucher_document(one: Voucher, language: Language) -> dict[str, Any]:
    """A voucher with its lines."""
    rows = [_in_fen(row, 0) for row in voucher_rows(one, language)]
    lines = [{name: row[name] for name in _OF_LINES} for row in rows]
    common = {name: cell for name, cell in rows[0].items() if name not in _OF_LINES}
    return {**common, "movement": one.movement, "lines": lines}


def title_row(row: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """An account of our chart with its title."""
    return {**row, "title": row["title_zh"] if language == "zh" else row["title_en"]}


def _in_fen(row: Mapping[str, Any], nothing: int | None) -> dict[str, Any]:
    return {
        (f"{name}_fen" if name in AMOUNTS else name): (nothing if name in AMOUNTS and cell is None else cell)
        for name, cell in row.items()
    }
