"""Settlements: preview a period, settle exactly what it showed, what was settled and paid, what comes and what waits.

A merchant sees its own; its account is paid by whoever keeps the book, who has the bank's file from the command line.
"""

from datetime import date
from typing import Annotated, Any

import msgspec
from fastapi import Query
from pydantic import Field

from kaquan.api.authorization import ISSUERS, MERCHANTS, OPERATOR
from kaquan.api.calls import Call
from kaquan.api.errors import INTERNAL_FAULT, REQUEST_INVALID
from kaquan.api.fields import PAGE_MAX, After, Body, Day, Limit, PathText
from kaquan.api.objects import Objects
from kaquan.api.pages import page, part, place_day, place_id, typed_place
from kaquan.api.problems import Problem
from kaquan.api.routes import Routes
from kaquan.commands.model import Effect, Kind, Outcome, Refused
from kaquan.documents.answers import refusal_document
from kaquan.documents.settlements import (
    coming_rows,
    owing_row,
    part_document,
    payout_row,
    period_end_of,
    preview_document,
    read_cut,
    settlement_document,
    settlement_row,
    transfer_row,
    waiting_row,
)
from kaquan.kernel.calendar import business_date
from kaquan.kernel.caller import SYSTEM, Role
from kaquan.kernel.ids import Id, public
from kaquan.kernel.refusal import Fault, Refusal
from kaquan.settlement import service
from kaquan.settlement.cycles import period_before, period_of
from kaquan.settlement.model import PART_FIELDS, Preview

routes = Routes("settlements", "结算 Settlements")
_ISSUERS_AND_REGULATOR = ISSUERS | {Role.REGULATOR}
_LOOKERS = ISSUERS | MERCHANTS | {Role.REGULATOR}
_WORDS = {"max_length": 100}
PERIOD = "A month, such as 2025-05, or its last day; the last period that ended by default."


class Period(Body):
    """Which period, and by which cut: the one that a preview told, or one that is made now."""

    period: Annotated[str | None, Field(max_length=10, description=PERIOD)] = None
    cut: Annotated[str | None, Field(max_length=100)] = None


class PeriodOnly(Body):
    """Which period."""

    period: Annotated[str | None, Field(max_length=10, description=PERIOD)] = None


@routes.reads("/programs/{program}/settlement-preview", _ISSUERS_AND_REGULATOR)
def preview_settlement(
    call: Call, program: PathText, period: Annotated[str | None, Query(max_length=10, description=PERIOD)] = None
) -> dict[str, Any]:
    """结算预览 What a period's settlement would be, to the fen, and its cut, by which it can be run"""
    call.objects.program(program)
    return preview_document(_preview(call, program, period), program)


@routes.writes("/programs/{program}/settlements", ISSUERS, example={})
def run_settlement(call: Call, program: PathText, body: Period) -> dict[str, Any]:
    """执行结算 Settle a period; running it again pays nothing twice

    Every run of a period is the same wish, whoever makes it. A dry run is a preview.
    """
    call.objects.program(program)
    call.must_be_keyed()
    token = None if body.cut is None else read_cut(body.cut)
    if body.cut is not None and token is None:
        raise Problem(REQUEST_INVALID, {"where": "cut"})
    named = token[1].isoformat() if token is not None and body.period is None else body.period
    seen = _preview(call, program, named)
    if token is not None:
        if token[:2] != (seen.program, seen.period_end):
            raise Problem(REQUEST_INVALID, {"where": "cut"})
        seen = msgspec.structs.replace(seen, terms=token[2], cut=token[3])
    if call.dry_run:
        return {"dry_run": True, **preview_document(seen, program)}
    return _run(call, program, seen)


@routes.writes("/programs/{program}/periods/close", ISSUERS, example={}, prepare="run_settlement")
def close_period(call: Call, program: PathText, body: PeriodOnly) -> dict[str, Any]:
    """关闭账期 Close a period in which everybody is settled; running its settlement closes it too"""
    call.objects.program(program)
    call.must_be_keyed()
    outcome = call.decided(Kind.CLOSE_PERIOD, service.close_command(_preview(call, program, body.period), SYSTEM))
    return call.answer(outcome, program=program)


@routes.reads("/settlements", _LOOKERS, owned=False)
def list_settlements(
    call: Call,
    program: Annotated[str | None, Query(max_length=64)] = None,
    period_end: Annotated[Day | None, Query()] = None,
    limit: Limit = PAGE_MAX,
    after: After = None,
) -> dict[str, Any]:
    """列出结算单 List the caller's settlements, the latest period first"""
    asked = _asked(call, program, limit, after, period_end)
    found = service.settlements_page(call.app.connection, asked)
    return part(found, lambda one: (one.period_end.isoformat(), one.id.hex), limit, settlement_row)


@routes.reads("/settlements/{settlement}", _LOOKERS)
def show_settlement(call: Call, settlement: PathText) -> dict[str, Any]:
    """查看结算单 A settlement: its parts by source of money, and what was held back"""
    return settlement_document(call.objects.settlement(settlement))


@routes.reads("/payouts", _LOOKERS, owned=False)
def list_payouts(
    call: Call,
    program: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = PAGE_MAX,
    after: After = None,
) -> dict[str, Any]:
    """列出打款 List the caller's payouts, the latest day first; of account numbers only how they end"""
    found = service.payouts_page(call.app.connection, _asked(call, program, limit, after))
    return part(found, lambda one: (one.pay_on.isoformat(), one.id.hex), limit, payout_row)


@routes.reads("/programs/{program}/coming-settlements", _LOOKERS)
def list_coming(call: Call, program: PathText, limit: Limit = PAGE_MAX, after: After = None) -> dict[str, Any]:
    """待结算 Trade that is cleared and not settled yet, with the day it is paid: all of it, or the merchant's"""
    merchant = call.caller.merchant
    if merchant is None:
        known = call.objects.program(program)
    else:
        known = call.objects.any_program(program)
        own = call.objects.catalogue.merchants[merchant]
        if own.group not in known.platforms:
            call.objects.program(program)  # where it does not trade, there is nothing of its to see
    seen = service.coming(
        call.app.connection,
        call.objects.catalogue,
        call.app.calendar,
        known.program,
        at=call.app.door.at(),
        merchants=None if merchant is None else [merchant],
    )
    rows = coming_rows(seen)
    return page(rows, lambda one: (one["period_end"], one["code"]), (limit, after), lambda one: one)


@routes.reads("/waiting-payouts", _LOOKERS, owned=False)
def list_waiting(call: Call, limit: Limit = PAGE_MAX, after: After = None) -> dict[str, Any]:
    """待打款 What waits until a merchant has a bank account, or a verified one; 100,000 at most"""
    catalogue, merchant = call.objects.catalogue, call.caller.merchant
    programs = {number: code for code, number in catalogue.programs.items()}
    found = [
        one
        for one in service.waiting(call.app.connection)
        if call.sees_program(programs[one.program]) and merchant in (None, one.merchant)
    ]
    rows = [waiting_row(one, catalogue) for one in found]
    return page(rows, lambda one: (one["program"], one["period_end"], one["code"]), (limit, after), lambda one: one)


@routes.reads("/internal-transfers", _LOOKERS, owned=False)
def list_transfers(
    call: Call,
    program: Annotated[str | None, Query(max_length=64)] = None,
    period_end: Annotated[Day | None, Query()] = None,
    limit: Limit = PAGE_MAX,
    after: After = None,
) -> dict[str, Any]:
    """内部划拨 List the transfers to stores of the issuer's own, the latest day first"""
    found = service.transfers_page(call.app.connection, _asked(call, program, limit, after, period_end))
    return part(found, lambda one: (one.transfer_on.isoformat(), one.id.hex), limit, transfer_row)


@routes.reads("/owing-merchants", _LOOKERS, owned=False)
def list_owing(call: Call, limit: Limit = PAGE_MAX, after: After = None) -> dict[str, Any]:
    """商户欠款 Merchants that owe after more refunds than trade, with their age and alarm; 100,000 at most"""
    numbers, today = _programs(call, call.objects, None), business_date(call.app.door.at())
    found = service.owing(call.app.connection, call.objects.catalogue, numbers, today, call.caller.merchant)
    rows = [owing_row(one) for one in found]
    return page(rows, lambda one: (one["owing_since"], one["settlement"]), (limit, after), lambda one: one)


@routes.writes("/reserves/release-due", OPERATOR, owned=False)
def release_reserves(call: Call) -> dict[str, Any]:
    """退还质保金 Release the reserves that are due, 500 at most; repeat while `more` is true"""
    call.must_be_keyed()
    app = call.app
    due = service.due(app.connection, call.objects.catalogue, app.calendar, app.door.at()).reserves
    more = len(due) == service.RESERVES_DUE_MAX
    if call.dry_run:
        return {"dry_run": True, "released": len(due), "refused": 0, "more": more}
    outcomes = service.release(app.door, app.handlers[Kind.RELEASE_RESERVE], due)
    _unbroken(outcomes)
    done = sum(isinstance(one, Effect) for one in outcomes)
    return {"dry_run": False, "released": done, "refused": len(due) - done, "more": more}


def _preview(call: Call, program: str, period: str | None) -> Preview:
    app, known = call.app, call.objects.any_program(program)
    at, terms = app.door.at(), known.terms.settlement
    end = period_before(period_of(at, terms), terms) if period is None else period_end_of(period)
    if end is None:
        raise Problem(REQUEST_INVALID, {"where": "period"})
    seen = service.preview(app.connection, app.catalogue, app.calendar, known.program, end, at=at)
    if isinstance(seen, Refusal):
        raise Problem.of(seen)
    return seen


def _run(call: Call, program: str, seen: Preview) -> dict[str, Any]:
    app, language = call.app, call.words.language
    outcomes = service.run(app.door, app.handlers[Kind.SETTLE], seen)
    _unbroken(outcomes)
    settled, refused = [], []
    for row, outcome in zip(seen.rows, outcomes, strict=True):
        if isinstance(outcome, Effect):
            parts = {f"{name}_fen": outcome.facts[f"{name}_fen"] for name in PART_FIELDS}
            settled.append({"settlement": public("stl", outcome.id), "code": row.code, "name": row.name, **parts})
        elif isinstance(outcome, Refused):
            refused.append({"merchant": row.code, **refusal_document(outcome.refusal, language)})
    if not refused:
        # refused when others came in: they are next
        app.one(Kind.CLOSE_PERIOD, service.close_command(seen, SYSTEM))
    return {
        "outcome": "refused" if refused else "effect",
        "dry_run": False,
        "program": program,
        "period_end": seen.period_end.isoformat(),
        "pay_on": seen.pay_on.isoformat(),
        "settled": settled,
        "settled_before": seen.settled,
        "refused": refused,
        "totals": part_document(seen.totals),
    }


def _unbroken(outcomes: list[Outcome | Fault]) -> None:
    """Raises `Problem` when something broke on our side: running it again goes on."""
    for one in outcomes:
        if isinstance(one, Fault):
            raise Problem(INTERNAL_FAULT) from one


def _asked(
    call: Call, program: str | None, limit: int, after: str | None, period_end: date | None = None
) -> service.Asked:
    """Which settlements a caller's list shows: a merchant's own, an issuer's programs', or all."""
    place = typed_place(after, str, str)
    before = None if place is None else (place_day(place[0]), place_id(place[1]).hex())
    numbers = _programs(call, call.objects, program)
    merchant: Id | None = call.caller.merchant
    return service.Asked(numbers, merchant, before, limit + 1, period_end)


def _programs(call: Call, objects: Objects, code: str | None) -> list[int]:
    known = objects.catalogue.programs
    if code is not None:
        return [objects.any_program(code).program] if call.sees_program(code) else []
    return [number for one, number in known.items() if call.sees_program(one)]
