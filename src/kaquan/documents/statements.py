"""Statements as documents: a row of a list, the file that is downloaded, what a check found."""

from datetime import date, datetime
from typing import Any

import msgspec

from kaquan.documents.answers import instant
from kaquan.documents.settlements import period_end_of
from kaquan.kernel.calendar import business_date
from kaquan.kernel.ids import public
from kaquan.kernel.refusal import Language
from kaquan.programs.catalogue import Catalogue
from kaquan.reporting.checking import REASONS, Verdict
from kaquan.reporting.model import PREFIX, PartyKind, Stored, file_of


def until_of(period: str | None, at: datetime) -> date | None:
    """The last day of a statement: that of a month or day that was typed, of the month before for none; None for what
    is neither."""
    if period is not None:
        return period_end_of(period)
    return date.fromordinal(business_date(at).replace(day=1).toordinal() - 1)


def statement_row(found: Stored, catalogue: Catalogue) -> dict[str, Any]:
    """A statement in a list."""
    return {
        "statement": public("stm", found.id),
        "party": found.kind.word,
        "party_id": public(PREFIX[found.kind], found.subject),
        "code": code_of(found, catalogue),
        "number": found.number,
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "made_at": instant(found.at_us),
        "hash": found.hash.hex(),
        "previous": found.previous.hex(),
    }


def code_of(found: Stored, catalogue: Catalogue) -> str:
    """The code of the merchant or fund; empty for a holder."""
    if found.kind is PartyKind.MERCHANT:
        return catalogue.merchants[found.subject].code
    return catalogue.funds_by_id[found.subject].code if found.kind is PartyKind.FUNDER else ""


def statement_document(found: Stored) -> dict[str, Any]:
    """A statement whole: its record and hash, as its file has them."""
    document: dict[str, Any] = msgspec.json.decode(file_of(found.body, found.hash))
    return {"statement": public("stm", found.id), **document}


def verdict_row(one: Verdict, language: Language) -> dict[str, Any]:
    """What was found about a file."""
    words = REASONS[one.verdict]
    told = {"file": one.file, "party_id": one.party, "number": one.number, "verdict": one.verdict}
    return {**told, "found": words[0] if language == "zh" else words[1]}
