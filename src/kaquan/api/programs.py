"""Programs: what they say and promise, how versions differ, what they may cost. `api.program_steps` changes them."""

from typing import Annotated, Any

import msgspec
from fastapi import Query
from pydantic import Field

from kaquan.api.authorization import ISSUERS, READERS
from kaquan.api.calls import Call
from kaquan.api.errors import NOT_FOUND, REQUEST_INVALID
from kaquan.api.fields import PAGE_MAX, After, Body, Code, Day, Limit, PathText
from kaquan.api.pages import page
from kaquan.api.problems import Problem
from kaquan.api.routes import Routes
from kaquan.documents.answers import refusal_document
from kaquan.documents.forecasts import forecast_document
from kaquan.documents.programs import (
    Said,
    change_document,
    funder_rows,
    liability_document,
    program_row,
    said_of,
    step_row,
)
from kaquan.forecast import service as forecasts
from kaquan.kernel.calendar import business_date
from kaquan.kernel.caller import Role
from kaquan.kernel.refusal import Refusal
from kaquan.law.model import law_on
from kaquan.programs import service, source
from kaquan.programs.changes import diff
from kaquan.programs.compiler import compile_program, parse_program
from kaquan.programs.errors import NOTHING_WAITS
from kaquan.programs.explain import explain
from kaquan.programs.liability import liability
from kaquan.programs.lifecycle import ProgramState
from kaquan.programs.model import Life
from kaquan.programs.source import FILE_BYTES_MAX
from kaquan.programs.steps import refused
from kaquan.programs.terms import ProgramTerms, from_json, to_json

routes = Routes("programs", "活动 Programs")
_PUBLIC = (ProgramState.RUNNING, ProgramState.PAUSED, ProgramState.ENDED, ProgramState.CLOSED)
"""States of programs that were started: everybody sees that they are there, and what they promise."""

_ISSUERS_AND_REGULATOR = ISSUERS | {Role.REGULATOR}
Text = Annotated[
    str, Field(min_length=1, max_length=FILE_BYTES_MAX, description="The program's file (TOML), as `terms` gives it.")
]
Version = Annotated[int | None, Query(ge=1, le=1_000_000, description="A version of the terms.")]


class Draft(Body):
    """The text of a program."""

    text: Text


class Rehearsal(Draft):
    """A draft, and the program and days whose traffic it is tried on (both days included)."""

    past: Code
    since: Day
    until: Day


@routes.reads("/programs", READERS, owned=False)
def list_programs(call: Call, limit: Limit = PAGE_MAX, after: After = None) -> dict[str, Any]:
    """列出活动 List the programs, by code: those that were started; the issuer's own also before"""
    catalogue = call.objects.catalogue
    lives = [life for life in service.lives(call.app.connection).values() if _visible(call, life)]
    return page(lives, lambda life: (life.code,), (limit, after), lambda life: program_row(life, catalogue))


@routes.reads("/programs/{program}", READERS, owned=False)
def show_program(call: Call, program: PathText) -> dict[str, Any]:
    """查看活动 A program: its names, state, offers, and where it is accepted"""
    life = _seen(call, program)
    waiting = life.proposal.id if life.proposal is not None and _inside(call, life) else None
    return {**program_row(life, call.objects.catalogue), "waiting_id": waiting}


@routes.reads("/programs/{program}/explanation", READERS, owned=False)
def explain_program(call: Call, program: PathText) -> dict[str, Any]:
    """说明活动 What a program promises, in plain sentences, in Chinese and English"""
    known = _said(call, _seen(call, program))
    law = law_on(known.terms.program.law_packs, business_date(call.app.door.at()))
    return {
        "program": program,
        "version": known.version,
        "sentences_zh": explain(known.terms, law, "zh"),
        "sentences_en": explain(known.terms, law, "en"),
    }


@routes.reads("/programs/{program}/terms", _ISSUERS_AND_REGULATOR)
def show_terms(call: Call, program: PathText, version: Version = None) -> dict[str, Any]:
    """查看规则 The terms of a program, as JSON and as the text of its file: those in force, or of a version"""
    life = call.objects.life(program)
    known = _said(call, life) if version is None else Said(_version(call, life, version), version)
    return {
        "program": program,
        "version": known.version,
        "terms": msgspec.json.decode(to_json(known.terms)),
        "text": source.encode(known.terms),
    }


@routes.reads("/programs/{program}/diff", _ISSUERS_AND_REGULATOR, made="proposed_program")
def compare_versions(call: Call, program: PathText, old: Version = None, new: Version = None) -> dict[str, Any]:
    """比较规则 What differs between two versions of the terms; by default what waits, from the terms in force"""
    life = call.objects.life(program)
    in_force = call.objects.any_program(program).terms
    if old is not None:
        after = in_force if new is None else _version(call, life, new)
        changes = diff(_version(call, life, old), after)
    elif new is not None:
        raise Problem(REQUEST_INVALID, {"where": "old"})
    elif life.proposal is None:
        raise Problem.of(Refusal(NOTHING_WAITS, {"program": program}))
    else:
        changes = diff(in_force, from_json(life.proposal.terms))
    return {"program": program, "changes": [*map(change_document, changes)]}


@routes.reads("/programs/{program}/history", _ISSUERS_AND_REGULATOR)
def list_program_steps(call: Call, program: PathText, limit: Limit = PAGE_MAX, after: After = None) -> dict[str, Any]:
    """活动经过 What happened to a program, when, and who did it; oldest first, 10,000 steps at most"""
    steps = service.history(call.app.connection, call.objects.life(program).code)
    return page(steps, lambda one: (one.number,), (limit, after), step_row)


@routes.reads("/programs/{program}/liability", ISSUERS | {Role.FUNDER, Role.REGULATOR})
def show_liability(call: Call, program: PathText) -> dict[str, Any]:
    """预算证明 What a program may cost at worst, who pays it, and whether the money is there

    A funder sees its own funds.
    """
    terms = call.objects.funded_program(program).terms
    found, catalogue = liability(terms), call.objects.catalogue
    rows = funder_rows(call.app.connection, catalogue, terms, found)
    if call.caller.role is Role.FUNDER:
        own = {one.code for one in catalogue.funds.values() if one.organisation == call.caller.organisation}
        rows = [one for one in rows if one["fund"] in own]
    told = liability_document(terms, found, rows)
    return {name: given for name, given in told.items() if name != "outcome"}


@routes.tries("/programs/validate", ISSUERS, example={"text": "$program_text"}, owned=False)
def validate_program(call: Call, body: Draft) -> dict[str, Any]:
    """检查活动文件 Check the text of a program and name its problems; nothing is kept"""
    day = business_date(call.app.door.at())
    found = compile_program(body.text, day)
    if isinstance(found, list):
        form_only = isinstance(parse_program(body.text), list)
        return {"valid": False, "form_only": form_only, "problems": _problems(call, found)}
    terms, law = found
    packs = [f"{pack.id} {pack.version}" for pack in law.packs]
    return {"valid": True, "program": terms.program.code, "law_packs": packs, "problems": []}


@routes.tries(
    "/programs/forecast",
    ISSUERS,
    example={"text": "$program_text", "past": "$program", "since": "2025-05-01", "until": "2025-05-31"},
)
def forecast_program(call: Call, body: Rehearsal) -> dict[str, Any]:
    """预演 What a draft would have cost on past traffic; nothing is written"""
    if body.since > body.until:
        raise Problem(REQUEST_INVALID, {"where": "until"})
    past = call.objects.program(body.past)
    draft, catalogue = compiled(call, body.text), call.objects.catalogue
    found = forecasts.forecast(call.app.connection, catalogue, draft, past, since=body.since, until=body.until)
    return forecast_document(found)


def _inside(call: Call, life: Life) -> bool:
    """Whether the caller sees more of a program than everybody."""
    role = call.caller.role
    return role in (Role.OPERATOR, Role.REGULATOR) or (
        role is Role.ISSUER and call.caller.organisation == life.issuer
    )


def _visible(call: Call, life: Life) -> bool:
    return life.state in _PUBLIC or _inside(call, life)


def _seen(call: Call, code: str) -> Life:
    """A program that the caller sees. Raises `Problem`."""
    life = service.lives(call.app.connection).get(code)
    if life is None or not _visible(call, life):
        raise Problem(NOT_FOUND)
    return life


def _said(call: Call, life: Life) -> Said:
    known = said_of(life, call.objects.catalogue)
    if known is None:
        raise Problem(NOT_FOUND)
    return known


def _version(call: Call, life: Life, version: int) -> ProgramTerms:
    found = call.objects.catalogue.terms_of(life.code, version)
    if found is None:
        raise Problem(NOT_FOUND)
    return found.terms


def compiled(call: Call, text: str) -> ProgramTerms:
    """The terms in a text. Raises the `Problem` that the door would, with every fault in `details`."""
    found = compile_program(text, business_date(call.app.door.at()))
    if isinstance(found, list):
        refusal = refused(found)
        raise Problem(refusal.code, refusal.facts, {"details": _problems(call, found)})
    return found[0]


def _problems(call: Call, found: list[Refusal]) -> list[dict[str, Any]]:
    return [refusal_document(one, call.words.language) for one in found]
