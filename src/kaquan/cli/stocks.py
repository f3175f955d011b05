"""`kaquan stock`: stocks of vouchers that a program hands out: open, pause, resume, stop, raise, show."""

from typing import Annotated

import typer

from kaquan.cli.labels import Words
from kaquan.cli.opening import reads, writes
from kaquan.cli.options import As
from kaquan.cli.session import Session
from kaquan.commands.model import Kind
from kaquan.documents.stocks import stock_answer, stock_row, stock_step
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Stock
from kaquan.stocks import service as stocks
from kaquan.stocks.model import OpenStock, PauseStock, RaiseStock, ReasonedStock, ResumeStock, StopStock
from kaquan.vouchers.errors import STOCK_UNKNOWN

app = typer.Typer(
    no_args_is_help=True,
    help="券批次：开放、暂停、恢复、停止、追加 / Stocks of vouchers: open, pause, resume, stop, raise",
)

_COLUMNS = ("program", "stock", "kind", "state", "supplied", "handed_out", "remaining", "budget_fen", "left_fen")
_HISTORY = ("at", "step", "person", "reason", "supplied", "budget_fen")

Program = Annotated[str, typer.Argument(help="活动代码 / Code of the program", metavar="PROGRAM", show_default=False)]
Code = Annotated[str, typer.Argument(help="券批次代码 / Code of the stock", metavar="STOCK", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", help="原因，记入经过 / Why: kept in the history", metavar="TEXT")]


@app.command("open")
@writes
def open_command(session: Session, program: Program, stock: Code, as_: As = None) -> None:
    """开放券批次：面额、总数、出资都由活动规则决定 / Open a stock; everything of it is decided by the terms

    资金须先到位，除非规则写明 shared_budget。 / Its money is there first, unless the terms say shared_budget.
    """
    done = session.act(
        Kind.OPEN_STOCK,
        lambda key: OpenStock(key=key, caller=session.caller(as_), program=program, stock=stock),
    )
    session.tell((f"券批次 {stock} 已开放。", f"The stock {stock} is open."), done, stock_answer(done.facts))


@app.command("pause")
@writes
def pause_command(session: Session, program: Program, stock: Code, reason: Reason, as_: As = None) -> None:
    """暂停发放；已发出的券照常使用 / Hand out none for now; what was handed out counts as before"""
    _step(session, Kind.PAUSE_STOCK, PauseStock, (program, stock, reason, as_), ("已暂停。", "Paused."))


@app.command("resume")
@writes
def resume_command(session: Session, program: Program, stock: Code, reason: Reason, as_: As = None) -> None:
    """恢复发放 / Hand out again"""
    _step(session, Kind.RESUME_STOCK, ResumeStock, (program, stock, reason, as_), ("已恢复。", "Resumed."))


@app.command("stop")
@writes
def stop_command(session: Session, program: Program, stock: Code, reason: Reason, as_: As = None) -> None:
    """停止发放，不能恢复；没发完的资金可退回 / Hand out no more, for good

    已发出的券照常使用；出资方只为已领的券承诺，没有资金滞留。 / What was handed out counts as before; funders
    promised only for what was claimed, so that no money is stranded.
    """
    _step(session, Kind.STOP_STOCK, StopStock, (program, stock, reason, as_), ("已停止。", "Stopped."))


@app.command("raise")
@writes
def raise_command(session: Session, program: Program, stock: Code, as_: As = None) -> None:
    """按现行规则追加总数和预算 / Add what the terms in force say beyond what the stock was given

    规则提高时已由另一人批准。 / A second person approved the terms when they were raised.
    """
    known = _stock(session, program, stock)
    seen = stocks.views(session.app.connection)[known.id]
    done = session.act(
        Kind.RAISE_STOCK,
        lambda key: RaiseStock(
            key=key,
            caller=session.caller(as_),
            program=program,
            stock=stock,
            count=seen.count,
            budget=seen.budget,
        ),
    )
    session.tell(("已追加。", "Raised."), done, stock_answer(done.facts))


@app.command("list")
@reads
def list_command(
    session: Session,
    program: Annotated[
        str | None, typer.Option("--program", help="只看一个活动 / One program only", metavar="CODE")
    ] = None,
) -> None:
    """列出券批次：发了多少，还剩多少 / List the stocks: how many were handed out, how many are left"""
    number = session.program(program).program if program else None
    views = stocks.views(session.app.connection)
    known = sorted(session.catalogue().latest_stocks.values(), key=lambda one: one.id)
    rows = [stock_row(one, views[one.id]) for one in known if number in (None, one.terms.program)]
    none = ("还没有券批次：用 kaquan stock open 开放。", "No stock was opened yet: kaquan stock open opens one.")
    session.screen.rows("stocks", _COLUMNS, rows, none)


@app.command("show")
@reads
def show_command(session: Session, program: Program, stock: Code) -> None:
    """显示一个券批次和它的经过 / Show a stock and what happened to it"""
    known = _stock(session, program, stock)
    facts = stock_row(known, stocks.views(session.app.connection)[known.id])
    history = [stock_step(one) for one in stocks.history(session.app.connection, known.id)]
    if session.screen.as_json:
        session.screen.answer({"outcome": "effect", **facts, "history": history})
        return
    session.screen.facts(facts)
    session.screen.line("")
    session.screen.table(_HISTORY, history)


def _stock(session: Session, program: str, stock: str) -> Stock:
    session.program(program)
    found = session.catalogue().stock_by_code(program.strip(), stock.strip())
    if found is None:
        session.refuse(Refusal(STOCK_UNKNOWN, {"program": program[:40], "stock": stock[:40]}))
    return found


def _step(
    session: Session,
    kind: Kind,
    shape: type[ReasonedStock],
    said: tuple[str, str, str, str | None],
    headline: Words,
) -> None:
    program, stock, reason, person = said
    done = session.act(
        kind,
        lambda key: shape(key=key, caller=session.caller(person), program=program, stock=stock, reason=reason),
    )
    session.tell(headline, done, stock_answer(done.facts))
