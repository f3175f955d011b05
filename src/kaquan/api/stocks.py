"""Stocks of vouchers that programs hand out: open, pause, resume, stop, raise, list, show."""

from typing import Any

from kaquan.api.authorization import ISSUERS, READERS, Owners, reaches
from kaquan.api.calls import Call
from kaquan.api.fields import PAGE_MAX, After, Body, Code, Limit, PathText, Reasoned
from kaquan.api.pages import page
from kaquan.api.routes import Routes
from kaquan.commands.model import Effect, Kind
from kaquan.documents.stocks import stock_answer, stock_row, stock_step
from kaquan.kernel.caller import Role
from kaquan.programs.catalogue import Stock
from kaquan.stocks import service
from kaquan.stocks.model import OpenStock, PauseStock, RaiseStock, ResumeStock, StockView, StopStock

routes = Routes("stocks", "券批次 Stocks")
_PUBLIC = ("program", "stock", "kind", "state")
"""What everybody sees of a stock; what is left of it is its issuer's, its funders' and the regulator's."""


class Opening(Body):
    """A stock that the terms of the program name."""

    stock: Code


@routes.writes("/programs/{program}/stocks", ISSUERS, example={"stock": "$closed_stock"})
def open_stock(call: Call, program: PathText, body: Opening) -> dict[str, Any]:
    """开放券批次 Open a stock: everything of it is decided by the terms"""
    call.objects.program(program)
    return call.act_told(Kind.OPEN_STOCK, OpenStock, _told, program=program, stock=body.stock)


@routes.reads("/programs/{program}/stocks", READERS, owned=False)
def list_stocks(call: Call, program: PathText, limit: Limit = PAGE_MAX, after: After = None) -> dict[str, Any]:
    """列出券批次 List the opened stocks of a program, by code"""
    number, views = call.objects.any_program(program).program, service.views(call.app.connection)
    known = [one for one in call.objects.catalogue.latest_stocks.values() if one.terms.program == number]
    return page(known, lambda one: (one.code,), (limit, after), lambda one: _row(call, one, views[one.id]))


@routes.reads("/programs/{program}/stocks/{stock}", ISSUERS | {Role.FUNDER, Role.REGULATOR})
def show_stock(call: Call, program: PathText, stock: PathText) -> dict[str, Any]:
    """查看券批次 A stock and what happened to it"""
    known, connection = call.objects.funded_stock(program, stock), call.app.connection
    history = [stock_step(one) for one in service.history(connection, known.id)]
    return {**stock_row(known, service.views(connection)[known.id]), "history": history}


@routes.writes(
    "/programs/{program}/stocks/{stock}/pause", ISSUERS, example={"reason": "too fast"}, made="fresh_stock"
)
def pause_stock(call: Call, program: PathText, stock: PathText, body: Reasoned) -> dict[str, Any]:
    """暂停发放 Hand out none for now; what was handed out counts as before"""
    known = call.objects.stock(program, stock)
    content = {"program": program, "stock": known.code, "reason": body.reason}
    return call.act_told(Kind.PAUSE_STOCK, PauseStock, _told, **content)


@routes.writes(
    "/programs/{program}/stocks/{stock}/resume",
    ISSUERS,
    example={"reason": "all is well"},
    made="fresh_stock",
    prepare="pause_stock",
)
def resume_stock(call: Call, program: PathText, stock: PathText, body: Reasoned) -> dict[str, Any]:
    """恢复发放 Hand out again"""
    known = call.objects.stock(program, stock)
    content = {"program": program, "stock": known.code, "reason": body.reason}
    return call.act_told(Kind.RESUME_STOCK, ResumeStock, _told, **content)


@routes.writes("/programs/{program}/stocks/{stock}/stop", ISSUERS, example={"reason": "over"}, made="fresh_stock")
def stop_stock(call: Call, program: PathText, stock: PathText, body: Reasoned) -> dict[str, Any]:
    """停止发放 Hand out no more, for good"""
    known = call.objects.stock(program, stock)
    content = {"program": program, "stock": known.code, "reason": body.reason}
    return call.act_told(Kind.STOP_STOCK, StopStock, _told, **content)


@routes.writes("/programs/{program}/stocks/{stock}/raise", ISSUERS, made="raised_stock", second=True)
def raise_stock(call: Call, program: PathText, stock: PathText) -> dict[str, Any]:
    """追加 Add what the terms in force say beyond what the stock was given"""
    known = call.objects.stock(program, stock)
    seen = service.views(call.app.connection)[known.id]
    content = {"program": program, "stock": known.code, "count": seen.count, "budget": seen.budget}
    return call.act_told(Kind.RAISE_STOCK, RaiseStock, _told, **content)


def _told(done: Effect) -> dict[str, Any]:
    return stock_answer(done.facts)


def _row(call: Call, stock: Stock, view: StockView) -> dict[str, Any]:
    funders = frozenset(share.fund.organisation for share in stock.funding if share.fund is not None)
    issuers = call.objects.issuers([stock.terms.terms.program.code])
    row = stock_row(stock, view)
    if reaches(call.caller, Owners(issuers=issuers, funders=funders)):
        return row
    return {name: row[name] for name in _PUBLIC}
