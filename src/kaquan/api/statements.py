"""Statements: made by the operator, read by whoever they are about, as JSON, PDF and Excel.

A merchant reaches its own, a funder those of its funds, a holder hers; operator and regulator all.
"""

from typing import Annotated, Any

from fastapi.responses import Response
from pydantic import Field

from kaquan.api.authorization import OPERATOR
from kaquan.api.calls import Call
from kaquan.api.errors import REQUEST_INVALID
from kaquan.api.fields import PAGE_MAX, After, Body, Limit, PathText
from kaquan.api.pages import part, place_day, place_id, typed_place
from kaquan.api.problems import Problem
from kaquan.api.routes import Routes
from kaquan.commands.model import Kind
from kaquan.documents.evidence import evidence, until_yesterday
from kaquan.documents.statements import statement_document, statement_row, until_of
from kaquan.kernel.caller import Role
from kaquan.kernel.ids import Id
from kaquan.reporting import service
from kaquan.reporting.checking import file_name
from kaquan.reporting.model import PartyKind, Stored
from kaquan.reporting.rendering import FORMS, MEDIA_TYPES

routes = Routes("statements", "对账单 Statements")
_LOOKERS = OPERATOR | {Role.MERCHANT, Role.FUNDER, Role.HOLDER, Role.REGULATOR}


class Wanted(Body):
    """Whose statement, up to when: exactly one of merchant, fund and wallet."""

    merchant: Annotated[str | None, Field(max_length=64)] = None
    fund: Annotated[str | None, Field(max_length=64)] = None
    wallet: Annotated[str | None, Field(max_length=64)] = None
    period: Annotated[
        str | None,
        Field(max_length=10, description="A month, such as 2025-05, or its last day; the month before by default."),
    ] = None


@routes.writes("/statements", OPERATOR, example={"merchant": "$merchant"})
def make_statement(call: Call, body: Wanted) -> dict[str, Any]:
    """出具对账单 Make a party's statement up to the end of a day, since its last one

    Every wish for the same party and day is the same wish, and gives the same statement.
    """
    call.must_be_keyed()
    kind, who = _party(call, body)
    until = until_of(body.period, call.app.door.at())
    if until is None:
        raise Problem(REQUEST_INVALID, {"where": "period"})
    below = service.horizon(call.app.connection)
    command = service.making(call.caller, kind, who, until, below)
    return call.answer(call.decided(Kind.MAKE_STATEMENT, command))


@routes.reads("/statements", _LOOKERS, owned=False)
def list_statements(call: Call, limit: Limit = PAGE_MAX, after: After = None) -> dict[str, Any]:
    """列出对账单 List the caller's statements, the latest day first"""
    place = typed_place(after, str, str)
    before = None if place is None else (place_day(place[0]), place_id(place[1]).hex())
    catalogue = call.objects.catalogue
    found = service.statements(call.app.connection, None, _subjects(call), before, limit + 1)
    return part(
        found, lambda one: (one.until.isoformat(), one.id.hex()), limit, lambda one: statement_row(one, catalogue)
    )


@routes.reads("/statements/{statement}", _LOOKERS)
def show_statement(call: Call, statement: PathText) -> dict[str, Any]:
    """查看对账单 A statement: its record, and the hash that can be computed from it"""
    return statement_document(call.objects.statement(statement))


@routes.reads("/statements/{statement}/pdf", _LOOKERS, also="application/pdf")
def download_statement_pdf(call: Call, statement: PathText) -> Response:
    """下载 PDF The statement as PDF, in the language of the request"""
    return _file(call, call.objects.statement(statement), "pdf")


@routes.reads(
    "/statements/{statement}/xlsx",
    _LOOKERS,
    also="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)
def download_statement_workbook(call: Call, statement: PathText) -> Response:
    """下载 Excel The statement as an Excel workbook, in the language of the request"""
    return _file(call, call.objects.statement(statement), "xlsx")


def _party(call: Call, body: Wanted) -> tuple[PartyKind, Id]:
    if sum(one is not None for one in (body.merchant, body.fund, body.wallet)) != 1:
        raise Problem(REQUEST_INVALID, {"where": "merchant, fund, wallet"})
    if body.merchant is not None:
        return PartyKind.MERCHANT, call.objects.merchant(body.merchant)
    if body.fund is not None:
        return PartyKind.FUNDER, call.objects.fund(body.fund).id
    return PartyKind.HOLDER, call.objects.wallet(str(body.wallet))


def _subjects(call: Call) -> list[Id] | None:
    """Whose statements a list shows; None for all."""
    caller = call.caller
    match caller.role:
        case Role.MERCHANT:
            return [caller.merchant] if caller.merchant else []
        case Role.HOLDER:
            return [caller.wallet] if caller.wallet else []
        case Role.FUNDER:
            funds = call.objects.catalogue.funds.values()
            return [one.id for one in funds if one.organisation == caller.organisation]
    return None


def _file(call: Call, found: Stored, form: str) -> Response:
    record, language = found.record, call.words.language
    content = FORMS[form](record, found.hash.hex(), language)
    name = f'attachment; filename="{file_name(record)}.{language}.{form}"'
    return Response(content, media_type=MEDIA_TYPES[form], headers={"content-disposition": name})


@routes.writes("/wallets/{wallet}/evidence", OPERATOR | {Role.HOLDER}, also="application/zip")
def export_evidence(call: Call, wallet: PathText) -> Any:
    """持卡人证据包 All about a holder in one zip: contracts, events, balances, statements; her own data, in the clear

    Her statement is made up to yesterday first. A dry run tells what would be in it.
    """
    call.must_be_keyed()
    target = call.objects.wallet(wallet)
    at = call.app.door.at()
    if not call.dry_run:
        call.serving.send(
            Kind.MAKE_STATEMENT, until_yesterday(target, at, service.horizon(call.app.connection))
        )  # refused when it was made
    content, manifest = evidence(call.app, target, at, call.words.language)
    if call.dry_run:
        return {"dry_run": True, **manifest}
    name = f'attachment; filename="{wallet}.zip"'
    return Response(content, media_type="application/zip", headers={"content-disposition": name})
