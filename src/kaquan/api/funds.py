"""Funds: who pays for what is given, how much is there, what it was used for.

Whoever keeps the book sees the bank account, so it says what came in and went out: the operator, or the issuer in
whose book a fund is kept. A funder sees its own, and has what came back swept.
"""

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import Field

from kaquan.api.authorization import ISSUERS, OPERATOR
from kaquan.api.calls import Call
from kaquan.api.fields import PAGE_MAX, After, AmountFen, Body, Code, Day, Limit, PathText
from kaquan.api.pages import page
from kaquan.api.problems import Problem
from kaquan.api.routes import Routes
from kaquan.commands.model import Kind
from kaquan.documents.funds import discount_row, fund_row
from kaquan.funders import service
from kaquan.funders.cover import open_stocks
from kaquan.funders.model import REFERENCE_LENGTH_MAX, PayInFund, PayOutFund, RegisterFund, SweepFund
from kaquan.kernel.calendar import shanghai
from kaquan.kernel.caller import Role
from kaquan.kernel.clock import microseconds
from kaquan.kernel.money import Money
from kaquan.ledger import service as ledger
from kaquan.ledger.chart import Source
from kaquan.programs.catalogue import Fund, FundMode

routes = Routes("funds", "资金户 Funds")
_LOOKERS = ISSUERS | {Role.FUNDER, Role.REGULATOR}
_EVER = (0, 2**62)
_ONE_DAY = timedelta(days=1)


class Registration(Body):
    """A fund: whose money, in whose book, in which account; `pledged` is billed afterwards."""

    code: Code
    name: Annotated[str, Field(min_length=1, max_length=200)]
    organisation: Code
    book: Code
    source: Literal["operating", "fiscal"] = "operating"
    pledged: bool = False


class Movement(Body):
    """An amount, and the reference of the bank or the number of the document."""

    amount_fen: AmountFen
    reference: Annotated[str, Field(min_length=1, max_length=REFERENCE_LENGTH_MAX)]


_MOVEMENT = {"amount_fen": 100_000, "reference": "bank-20250520-1"}


@routes.writes(
    "/funds",
    OPERATOR,
    example={"code": "$new_code", "name": "City", "organisation": "$organisation", "book": "$issuer"},
    owned=False,
)
def register_fund(call: Call, body: Registration) -> dict[str, Any]:
    """登记资金户 Register a fund; it begins with nothing"""
    return call.act(
        Kind.REGISTER_FUND,
        RegisterFund,
        code=body.code,
        name=body.name,
        organisation=body.organisation,
        book=body.book,
        mode=FundMode.PLEDGED if body.pledged else FundMode.PREPAID,
        source=Source[body.source.upper()],
    )


@routes.reads("/funds", _LOOKERS, owned=False)
def list_funds(call: Call, limit: Limit = PAGE_MAX, after: After = None) -> dict[str, Any]:
    """列出资金户 List the caller's funds with what is in them, by code"""
    catalogue, books = call.objects.catalogue, service.books(call.app.connection)
    own = [one for one in catalogue.funds.values() if _reached(call, one)]
    return page(own, lambda one: (one.code,), (limit, after), lambda one: fund_row(one, books[one.id], catalogue))


@routes.reads("/funds/{fund}", _LOOKERS)
def show_fund(call: Call, fund: PathText) -> dict[str, Any]:
    """查看资金户 A fund with its books: free, promised, used, and the open stocks it pays for"""
    known, catalogue = call.objects.fund(fund), call.objects.catalogue
    stocks = [f"{one.terms.terms.program.code}/{one.code}" for one in open_stocks(catalogue, known.id)]
    return {**fund_row(known, service.books(call.app.connection)[known.id], catalogue), "stocks": stocks}


@routes.writes("/funds/{fund}/pay-ins", ISSUERS, example=_MOVEMENT)
def pay_in_fund(call: Call, fund: PathText, body: Movement) -> dict[str, Any]:
    """入金 Money came in for a fund, or more was pledged"""
    return _move(call, Kind.PAY_IN_FUND, fund, body)


@routes.writes("/funds/{fund}/pay-outs", ISSUERS, example=_MOVEMENT, second=True)
def pay_out_fund(call: Call, fund: PathText, body: Movement) -> dict[str, Any]:
    """退回 Give free money back to its party; what is promised, or kept for open stocks, stays"""
    return _move(call, Kind.PAY_OUT_FUND, fund, body)


@routes.writes("/funds/{fund}/sweep", ISSUERS | {Role.FUNDER}, made="returned_fund")
def sweep_fund(call: Call, fund: PathText) -> dict[str, Any]:
    """归集 Make promisable again what came back from vouchers that expired, were voided or refunded"""
    return call.act(Kind.SWEEP_FUND, SweepFund, fund=call.objects.fund(fund).code)


@routes.reads("/discounts", _LOOKERS, owned=False)
def list_discounts(
    call: Call,
    *,
    program: Annotated[str | None, Query(max_length=64)] = None,
    since: Annotated[Day | None, Query()] = None,
    until: Annotated[Day | None, Query()] = None,
    limit: Limit = PAGE_MAX,
    after: After = None,
) -> dict[str, Any]:
    """优惠归属 Who paid for discounts from one day to another, read from the books: the caller's programs or funds"""
    catalogue = call.objects.catalogue
    number = None if program is None else call.objects.any_program(program).program
    span = (_EVER[0] if since is None else _begin(since), _EVER[1] if until is None else _begin(until + _ONE_DAY))
    found = ledger.discounts(call.app.connection, *span, number)
    rows = [discount_row(one, catalogue) for one in found]
    own = {one.code for one in catalogue.funds.values() if one.organisation == call.caller.organisation}
    if call.caller.role is Role.FUNDER:
        rows = [one for one in rows if one["fund"] in own]
    else:
        rows = [one for one in rows if call.sees_program(one["program"])]
    return page(rows, lambda one: (one["program"], one["fund"]), (limit, after), lambda one: one)


def _move(call: Call, kind: Kind, fund: str, body: Movement) -> dict[str, Any]:
    known = call.objects.fund(fund)
    make = PayInFund if kind is Kind.PAY_IN_FUND else PayOutFund
    return call.act(kind, make, fund=known.code, amount=Money(body.amount_fen), reference=body.reference)


def _reached(call: Call, fund: Fund) -> bool:
    try:
        call.objects.fund(fund.code)
    except Problem:
        return False
    return True


def _begin(day: date) -> int:
    return microseconds(shanghai(day))
