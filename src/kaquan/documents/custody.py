"""Custody as a document: what is required by which rule, what is there, what may be released, day by day."""

from typing import Any

import msgspec

from kaquan.custody.requirement import Line
from kaquan.custody.service import Standing
from kaquan.custody.statement_model import DiscrepancyKind, DiscrepancyState
from kaquan.documents.answers import instant
from kaquan.kernel.ids import public

NOT_KEPT = "not_kept"
"""Of a program whose terms name no custody account: its money lies elsewhere, and nothing is compared."""


def custody_document(standing: Standing) -> dict[str, Any]:
    """How a program's custody stands now, with every rule beside the one that counts."""
    terms, now, custody = standing.terms, standing.now, standing.custody
    rules = terms.terms.custody
    strictest = now.requirement.strictest
    return {
        "program": terms.terms.program.code,
        "bank": rules.bank,
        "account_no": rules.account_no,
        "state": custody.state.word if rules.kept else NOT_KEPT,
        "level": now.level(rules.warn_bps).word if rules.kept else NOT_KEPT,
        "required_fen": now.required_fen,
        "ledger_fen": now.ledger_fen,
        "bank_fen": custody.bank_fen,
        "bank_day": custody.bank_day.isoformat() if custody.bank_day else None,
        "bank_short_fen": custody.bank_short,
        "covered_fen": now.covered_fen,
        "surplus_fen": now.surplus_fen,
        "cover_bps": now.covered_fen * 10_000 // now.required_fen if now.required_fen else None,
        "rule": strictest.rule if strictest else "",
        "short_since": custody.short_since.isoformat() if custody.short_since else None,
        "checked_until": custody.day.isoformat() if custody.day else None,
        "redeemed_fen": standing.redeemed_fen,
        "released_fen": custody.released,
        "releasable_fen": standing.releasable_fen,
        "rules": [rule_row(line) for line in now.requirement.lines],
    }


def rule_row(line: Line) -> dict[str, Any]:
    """One rule: what it counts, at which rate, what it requires."""
    return msgspec.structs.asdict(line)


def day_row(row: Any) -> dict[str, Any]:
    """A day as it was kept, with every rule of that day."""
    return {
        "day": row.day.isoformat(),
        "at": instant(row.at),
        "level": ("covered", "warned", "short")[row.state - 1],
        "required_fen": row.required,
        "ledger_fen": row.ledger,
        "bank_fen": row.bank,
        "covered_fen": row.covered,
        "surplus_fen": row.covered - row.required,
        "terms_version": row.terms_version,
        "law_pack": row.law_pack,
        "law_version": row.law_version,
        "rules": msgspec.json.decode(row.rules),
    }


def statement_row(row: Any) -> dict[str, Any]:
    """A statement of the bank."""
    return {
        "day": row.day.isoformat(),
        "number": row.number,
        "opening_fen": row.opening,
        "closing_fen": row.closing,
        "entries": row.entries,
        "state": ("entered", "confirmed", "rejected")[row.state - 1],
        "reference": row.reference,
        "person": row.person,
        "looked_by": row.looked_by,
    }


def discrepancy_row(row: Any) -> dict[str, Any]:
    """What the bank and the books do not agree on."""
    return {
        "discrepancy": public("dsc", row.id.bytes),
        "day": row.day.isoformat(),
        "kind": DiscrepancyKind(row.kind).word,
        "amount_fen": row.amount,
        "reference": row.reference,
        "state": DiscrepancyState(row.state).word,
        "statement": row.number,
        "person": row.person,
        "reason": row.reason,
    }
