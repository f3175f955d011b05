"""Programs as documents: a row of their list, what differs between two texts, what happened, what may be owed."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import psycopg

from kaquan.documents.answers import instant
from kaquan.funders import service as funders
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Fault
from kaquan.programs import service as programs
from kaquan.programs.catalogue import Catalogue
from kaquan.programs.changes import Change, meaning_of
from kaquan.programs.liability import Liability, LiabilityItem
from kaquan.programs.lifecycle import ProgramState
from kaquan.programs.model import Life
from kaquan.programs.terms import ProgramTerms, from_json
from kaquan.stocks import service as stocks


class Said(NamedTuple):
    """What a program says: its terms in force, or, without a version, its draft."""

    terms: ProgramTerms
    version: int | None


def said(connection: psycopg.Connection[Any], catalogue: Catalogue, code: str) -> Said | None:
    """What the program with a code says as of now; none for an unknown one."""
    known = catalogue.program(code)
    if known is not None:
        return Said(known.terms, known.version)
    draft = programs.lives(connection).get(code)
    return None if draft is None else said_of(draft, catalogue)


def said_of(life: Life, catalogue: Catalogue) -> Said | None:
    """What a program says whose row is known."""
    known = catalogue.program(life.code)
    if known is not None:
        return Said(known.terms, known.version)
    return None if life.proposal is None else Said(from_json(life.proposal.terms), None)


def program_row(life: Life, catalogue: Catalogue) -> dict[str, Any]:
    """A program in the list of programs."""
    known = said_of(life, catalogue)
    if known is None:
        raise Fault(f"the program {life.code} has no text at all")
    names = known.terms.program
    return {
        "program": names.code,
        "name_zh": names.name_zh,
        "name_en": names.name_en,
        "version": known.version,
        "issuer": names.issuer,
        "acceptance": acceptance(known.terms),
        "state": life.state.word,
        "starts_on": life.starts_on.isoformat() if life.starts_on else None,
        "waiting": life.proposal.version if life.proposal is not None else None,
        "offers_fen": [offer.face_fen for offer in known.terms.presale.offers],
    }


def acceptance(terms: ProgramTerms) -> list[dict[str, str]]:
    """The platforms that accept, and whether all their merchants do or those enrolled one by one."""
    return [{"platform": one.platform, "merchants": one.merchants} for one in terms.acceptance]


def platforms(accepting: Sequence[Mapping[str, str]]) -> str:
    """The platforms in one line; a star marks those whose merchants are enrolled one by one."""
    return ", ".join(one["platform"] + ("*" if one["merchants"] == "enrolled" else "") for one in accepting)


def change_document(change: Change) -> dict[str, Any]:
    """A term that differs, before and after."""
    meaning = meaning_of(change)
    return {
        "field": change.field,
        "meaning_zh": meaning.zh,
        "meaning_en": meaning.en,
        "unit": meaning.unit,
        "before": change.before,
        "after": change.after,
        "loosens": change.loosens,
    }


def step_row(one: Any) -> dict[str, Any]:
    """A step in a program's life."""
    return {
        "number": one.number,
        "at": instant(one.at),
        "step": one.operation,
        "from_state": ProgramState(one.from_state).word if one.from_state else None,
        "state": ProgramState(one.to_state).word,
        "person": one.person,
        "version": one.version,
        "reason": one.reason,
    }


def liability_item(item: LiabilityItem) -> dict[str, Any]:
    """What one thing that a program gives may cost at worst."""
    return {"cause": item.cause, "code": item.code, "within": item.within, "worst_fen": item.worst_fen}


def liability_document(terms: ProgramTerms, found: Liability, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What a program may cost; `rows` are its funders."""
    items = [
        {**liability_item(one), "rate_bps": one.rate_bps, "each_fen": one.each_fen, "by": dict(one.parts)}
        for one in found.items
    ]
    return {"outcome": "effect", "program": terms.program.code, "items": items, "funders": rows}


def funder_rows(
    connection: psycopg.Connection[Any], catalogue: Catalogue, terms: ProgramTerms, found: Liability
) -> list[dict[str, Any]]:
    """A program's funders with what the books say of their funds, and what the program may still cost them."""
    to_come = stocks.to_come(connection, catalogue, terms)
    books = funders.books(connection)
    return [_funder(fund, worst, to_come, books, catalogue) for fund, worst in found.funders]


def _funder(
    code: str, worst: Money, to_come: Mapping[str, Money], books: Mapping[bytes, Any], catalogue: Catalogue
) -> dict[str, Any]:
    row = {"fund": code, "worst_fen": worst, "to_come_fen": to_come.get(code, Money(0))}
    fund = catalogue.funds.get(code)
    if fund is None:
        return {**row, "covered": None if code == "merchant" else False}
    held = books[fund.id]
    told = msgspec.structs.asdict(held)
    return {**row, "mode": fund.mode.name.lower(), **told, "covered": row["to_come_fen"] <= held.free_fen}
