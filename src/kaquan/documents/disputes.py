"""Disputes as documents: about what, how much is held back, until when."""

from datetime import date
from typing import Any

from kaquan.casework.model import About, DisputeState
from kaquan.documents.answers import instant
from kaquan.kernel.ids import public

_PREFIXES = {About.PAYMENT: "pay", About.PAYOUT: "pyo"}


def dispute_document(found: Any, today: date) -> dict[str, Any]:
    """A dispute as of `today`. It is overdue when nobody decided it in time."""
    about, state = About(found.about), DisputeState(found.state)
    return {
        "dispute": public("dsp", found.id.bytes),
        "about": about.word,
        "object": public(_PREFIXES[about], found.object.bytes),
        "merchant": found.code,
        "program": found.program,
        "disputed_fen": found.amount,
        "state": state.word,
        "reason": found.reason,
        "opened_by": found.opened_by,
        "at": instant(found.at),
        "answer_by": found.answer_by.isoformat(),
        "decide_by": found.decide_by.isoformat(),
        "overdue": state is DisputeState.OPEN and today > found.decide_by,
        "merchant_answer": found.answer,
        "decision": found.decision,
        "decided_by": found.decided_by,
    }
