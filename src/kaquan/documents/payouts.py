"""Payouts as documents: how far each is, the bank's files, exceptions, positions per bank account."""

from typing import Any

from kaquan.documents.answers import instant
from kaquan.documents.merchants import hidden
from kaquan.documents.settlements import payout_row
from kaquan.kernel.ids import public
from kaquan.kernel.refusal import Language
from kaquan.ledger.chart import Source
from kaquan.payouts import service
from kaquan.payouts.lifecycle import WORDS_ZH, PayoutState
from kaquan.payouts.model import FileFormat, FileState, Said, Verdict


def payout_document(found: Any) -> dict[str, Any]:
    """A payout and how far it is; of the account number only how it ends."""
    return {
        **payout_row(found),
        "disputed_fen": found.held,
        "state": PayoutState(found.state).word,
        "attempt": found.attempt,
        "exceptions": found.questions,
    }


def step_document(step: Any) -> dict[str, Any]:
    """A step of a payout's life."""
    return {
        "at": instant(step.at),
        "attempt": step.attempt,
        "state": PayoutState(step.state).word,
        "amount_fen": step.amount,
        "file_number": step.file_number,
        "bank": step.account_bank,
        "account_no": hidden(step.account_ending),
        "bank_reference": step.reference,
        "reason": step.reason,
        "person": step.person,
    }


def state_words(state: str, language: Language) -> str:
    """A payout's state for people."""
    return WORDS_ZH[PayoutState[state.upper()]] if language == "zh" else state


def file_document(found: Any) -> dict[str, Any]:
    """A file of instructions, without what is in it."""
    return {
        "file": public("pof", found.id.bytes),
        "file_number": found.number,
        "book": found.organisation,
        "source": Source(found.source).name.lower(),
        "format": FileFormat(found.format).word,
        "state": FileState(found.state).word,
        "pay_on": found.pay_on.isoformat(),
        "lines": found.lines,
        "left_out": found.listed - found.lines if found.state != FileState.OPEN else 0,
        "total_fen": found.total,
        "bank": found.account_bank,
        "account_no": hidden(found.account_ending),
        "sha256": found.sha256,
        "at": instant(found.at),
        "person": found.person,
    }


def made_document(facts: dict[str, Any]) -> dict[str, Any]:
    """The answer to making a file, as the outside sees it."""
    told = {name: given for name, given in facts.items() if name not in ("file", "number", "account_ending")}
    identity = public("pof", bytes.fromhex(facts["file"]))
    return {"file": identity, "file_number": facts["number"], **told, "account_no": hidden(facts["account_ending"])}


def exception_document(found: Any, language: Language) -> dict[str, Any]:
    """A line of the bank that fitted nothing, why, and what it turned out to be."""
    zh, en = service.REASONS[found.code]
    return {
        "exception": public("exc", found.id.bytes),
        "payout": public("pyo", found.payout.bytes) if found.payout else None,
        "instruction": found.number,
        "result": Said(found.said).word,
        "amount_fen": found.amount,
        "bank_reference": found.reference,
        "reason": found.reason,
        "code": found.code,
        "why": zh if language == "zh" else en,
        "state": "open" if found.state == 1 else "explained",
        "at": instant(found.at),
        "verdict": Verdict(found.verdict).word if found.verdict else None,
        "explanation": found.explanation,
        "explained_by": found.explained_by,
    }


def opened_document(facts: dict[str, Any], language: Language) -> dict[str, Any]:
    """A line that has just become an exception."""
    zh, en = service.REASONS[facts["result"]]
    return {
        "exception": public("exc", bytes.fromhex(facts["exception"])),
        "instruction": facts["number"],
        "code": facts["result"],
        "why": zh if language == "zh" else en,
    }


def imported_document(found: service.Imported, language: Language) -> dict[str, Any]:
    """What came of a file of the bank."""
    return {
        "taken": found.taken,
        "repeated": found.repeated,
        "pending": found.pending,
        "broken": found.broken,
        "exceptions": [opened_document(one, language) for one in found.exceptions],
    }


def position_document(found: Any) -> dict[str, Any]:
    """Where the payouts of a book and bank account stand, in one state."""
    return {
        "book": found.organisation,
        "source": Source(found.source).name.lower(),
        "state": PayoutState(found.state).word,
        "count": found.payouts,
        "amount_fen": found.amount,
        "disputed_fen": found.held,
    }
