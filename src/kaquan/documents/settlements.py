"""Settlements as documents: a preview with its cut, what comes, what waits, what was settled, what is paid."""

from datetime import date
from typing import Any

from kaquan.documents.answers import instant
from kaquan.documents.merchants import bank_state, hidden
from kaquan.kernel.calendar import month_end
from kaquan.kernel.ids import public
from kaquan.ledger.chart import Source
from kaquan.programs.catalogue import Catalogue
from kaquan.settlement.debts import Debt
from kaquan.settlement.making import line_document
from kaquan.settlement.model import (
    PART_FIELDS,
    RESERVE_RELEASED,
    Cut,
    Part,
    Preview,
    PreviewRow,
    Statement,
    Waiting,
)

_TOKEN_PARTS = 5


def period_end_of(text: str) -> date | None:
    """The last day of a period that is named by a day or a month (its last day); None for what is neither."""
    try:
        if text.count("-") == 1:
            year, month = text.split("-")
            return month_end(date(int(year), int(month), 1))
        return date.fromisoformat(text)
    except ValueError:
        return None


def part_document(part: Part) -> dict[str, int]:
    """What a settlement consists of, in fen."""
    return {f"{name}_fen": getattr(part, name) for name in PART_FIELDS}


def cut_text(seen: Preview) -> str:
    """The cut as a word that a person can copy: program, period, terms, instant, transaction."""
    return f"{seen.program}-{seen.period_end:%Y%m%d}-{seen.terms}-{seen.cut.at_us}-{seen.cut.xid}"


def read_cut(text: str) -> tuple[int, date, int, Cut] | None:
    """(program, last day, terms, cut) of a copied word; None for what is none."""
    parts = text.strip().split("-")
    if len(parts) != _TOKEN_PARTS or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    program, period, terms, at_us, xid = parts
    day = period_end_of(f"{period[:4]}-{period[4:6]}-{period[6:]}")
    return None if day is None else (int(program), day, int(terms), Cut(int(at_us), int(xid)))


def preview_row(row: PreviewRow) -> dict[str, Any]:
    """A merchant's settlement as it would be."""
    return {"code": row.code, "name": row.name, **part_document(row.statement.total)}


def lines_of(made: Statement) -> list[dict[str, Any]]:
    """A settlement line by line, each with its rule, who paid, and from which money."""
    return [line_document(line) for line in made.lines]


def preview_facts(seen: Preview, program: str) -> dict[str, Any]:
    """Which period is settled, when it is paid, by which cut."""
    return {
        "program": program,
        "period_end": seen.period_end.isoformat(),
        "pay_on": seen.pay_on.isoformat(),
        "cut": cut_text(seen),
    }


def preview_document(seen: Preview, program: str) -> dict[str, Any]:
    """A period's settlement as a run of this preview makes it, with the lines that explain it."""
    rows = [{**preview_row(row), "lines": lines_of(row.statement)} for row in seen.rows]
    totals = part_document(seen.totals)
    return {**preview_facts(seen, program), "settled": seen.settled, "merchants": rows, "totals": totals}


def coming_rows(seen: list[Preview]) -> list[dict[str, Any]]:
    """Trade that is cleared and not settled yet, with the day it is paid."""
    return [
        {"period_end": one.period_end.isoformat(), "pay_on": one.pay_on.isoformat(), **preview_row(row)}
        for one in seen
        for row in one.rows
    ]


def waiting_row(one: Waiting, catalogue: Catalogue) -> dict[str, Any]:
    """What waits until a merchant has a bank account, or a verified one."""
    programs = {number: code for code, number in catalogue.programs.items()}
    known = catalogue.merchants[one.merchant]
    return {
        "program": programs[one.program],
        "code": known.code,
        "name": known.name,
        "period_end": one.period_end.isoformat(),
        "pending_bank_fen": one.amount,
        "bank_state": bank_state(known.account_no, known.bank_verified),
    }


def settlement_row(found: Any) -> dict[str, Any]:
    """A settlement in a list."""
    return {
        "settlement": public("stl", found.id.bytes),
        "program": found.program,
        "merchant": found.code,
        "name": found.name,
        "number": found.number,
        "period_end": found.period_end.isoformat(),
        "pay_on": found.pay_on.isoformat(),
        "at": instant(found.at),
        **{f"{name}_fen": getattr(found, name) for name in PART_FIELDS},
    }


def settlement_document(found: Any) -> dict[str, Any]:
    """A settlement with its parts by source of money, and the reserve that it held back."""
    reserve = None
    if found.reserve is not None:
        reserve = {
            "amount_fen": found.reserve,
            "drawn_fen": found.reserve_drawn,
            "state": "released" if found.reserve_state == RESERVE_RELEASED else "withheld",
            "release_on": found.release_on.isoformat(),
        }
    by_source = {
        source: {f"{name}_fen": amount for name, amount in part.items()} for source, part in found.by_source.items()
    }
    return {**settlement_row(found), "by_source": by_source, "reserve": reserve, "lines": found.lines}


def transfer_row(found: Any) -> dict[str, Any]:
    """The document of a transfer inside the issuer, to a store of its own."""
    return {
        "transfer": public("itr", found.id.bytes),
        "settlement": public("stl", found.settlement.bytes),
        "program": found.program,
        "merchant": found.code,
        "name": found.name,
        "period_end": found.period_end.isoformat(),
        "transfer_on": found.transfer_on.isoformat(),
        "source": Source(found.source).name.lower(),
        "amount_fen": found.amount,
    }


def owing_row(found: Debt) -> dict[str, Any]:
    """A merchant that owes."""
    return {
        "program": found.program,
        "code": found.code,
        "name": found.name,
        "debt_fen": found.owed,
        "owing_since": found.since.isoformat(),
        "days": found.days,
        "alarm": found.alarm,
        "settlement": public("stl", found.settlement),
    }


def payout_row(found: Any) -> dict[str, Any]:
    """An instruction to the bank; of the account number only how it ends."""
    return {
        "payout": public("pyo", found.id.bytes),
        "settlement": public("stl", found.settlement.bytes),
        "program": found.program,
        "merchant": found.code,
        "name": found.name,
        "period_end": found.period_end.isoformat(),
        "pay_on": found.pay_on.isoformat(),
        "source": Source(found.source).name.lower(),
        "amount_fen": found.amount,
        "bank": found.account_bank,
        "account_no": hidden(found.account_ending),
    }
