"""A request to return a card as a document: what it came to, line by line, and until when it is paid."""

from datetime import datetime
from typing import Any

import msgspec

from kaquan.documents.answers import instant, shown
from kaquan.kernel.calendar import business_date
from kaquan.kernel.clock import instant as instant_of
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import public
from kaquan.sales.closing_model import Cause, ClosingState
from kaquan.sales.closing_service import Payee
from kaquan.sales.leaving_service import AGES


def closing_document(row: Any, at: datetime) -> dict[str, Any]:
    """The request whose row is `row`. Overdue: its day has passed and it was not paid."""
    open_now = row.state in (ClosingState.ASKED, ClosingState.OWED)
    return {
        "closing": public("cls", row.id.bytes),
        "card": public("crd", row.card.bytes),
        "number": row.number,
        "program": row.program_code,
        "state": ClosingState(row.state).word,
        "cause": Cause(row.cause).word,
        "purchase": None if row.purchase is None else public("trf", row.purchase.bytes),
        "requested_at": instant(row.at),
        "pay_by": business_date(instant_of(row.deadline - 1)).isoformat(),
        "overdue": open_now and microseconds(at) >= row.deadline,
        "amount_fen": row.amount,
        "paid_fen": row.paid,
        "interest_fen": row.interest,
        "closed_at": instant(row.closed_at),
        "paid_at": instant(row.paid_at),
        "route": row.route,
        "reference": row.reference,
        "law": row.law,
        "reason": row.reason,
        "lines": closing_lines(msgspec.json.decode(row.lines)),
    }


def closing_answer(facts: dict[str, Any]) -> dict[str, Any]:
    """The answer to a request or a closing as the outside sees it."""
    told = shown(facts)
    if "lines" in told:
        told["lines"] = closing_lines(told["lines"])
    return told


def closing_lines(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines of a quote: purchases by their public ids; through whom they were paid stays inside."""
    return [{name: _named(name, value) for name, value in line.items() if name != "channel"} for line in lines]


def _named(name: str, value: Any) -> Any:
    return public("trf", bytes.fromhex(value)) if name == "purchase" else value


def payee_document(payee: Payee | None) -> dict[str, Any] | None:
    """To whom it was paid, masked."""
    if payee is None:
        return None
    return {"name": f"{payee.name[:1]}*", "bank": payee.account_bank, "account_no": f"****{payee.account_no[-4:]}"}


def idle_document(row: Any) -> dict[str, Any]:
    """A line of the report of idle balances: days without a movement from `from_days` up to before `until_days`."""
    ages = (0, *AGES)
    return {
        "program": row.program,
        "registered": row.registered,
        "from_days": ages[row.age],
        "until_days": ages[row.age + 1] if row.age + 1 < len(ages) else None,
        "cards": row.cards,
        "principal_fen": row.principal,
        "balance_fen": row.balance,
    }
