"""`kaquan funder`: who pays for what is given, how much of it is there, and what it was used for."""

from datetime import date, timedelta
from typing import Annotated, Literal

import typer

from kaquan.cli.endings import Misuse
from kaquan.cli.opening import reads, writes
from kaquan.cli.options import As, amount
from kaquan.cli.session import Session
from kaquan.commands.model import Kind
from kaquan.documents.funds import discount_row, fund_row
from kaquan.funders import service as funders
from kaquan.funders.cover import open_stocks
from kaquan.funders.errors import FUND_UNKNOWN
from kaquan.funders.model import PayInFund, PayOutFund, RegisterFund
from kaquan.kernel.calendar import shanghai
from kaquan.kernel.clock import microseconds
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger import service as ledger
from kaquan.ledger.chart import Source
from kaquan.programs.catalogue import Fund, FundMode

app = typer.Typer(
    no_args_is_help=True,
    help="出资方：资金户、入金、退回、优惠归属 / Funders: funds, money in and back, who paid for discounts",
)

_COLUMNS = ("code", "name", "mode", "source", "paid_in_fen", "free_fen", "promised_fen", "used_fen")
_DISCOUNTS = ("program", "fund", "merchants_fen", "cards_fen", "returned_fen", "net_fen")
_EVER = date(9999, 12, 31)
_ONE_DAY = timedelta(days=1)

Code = Annotated[str, typer.Argument(help="资金户代码 / Code of the fund", metavar="CODE", show_default=False)]
Yuan = Annotated[
    Money, typer.Argument(parser=amount, metavar="YUAN", help="金额（元） / Amount in yuan", show_default=False)
]
Reference = Annotated[
    str,
    typer.Option(
        "--reference", help="银行流水号或文件号 / Reference of the bank, or number of the document", metavar="TEXT"
    ),
]


@app.command("register")
@writes
def register_command(
    session: Session,
    code: Code,
    name: Annotated[str, typer.Option("--name", help="名称 / Name", metavar="NAME")],
    organisation: Annotated[
        str, typer.Option("--organisation", help="出资机构代码 / Code of the organisation that pays", metavar="CODE")
    ],
    book: Annotated[
        str, typer.Option("--book", help="记账机构代码 / Organisation in whose book it is kept", metavar="CODE")
    ],
    source: Annotated[
        Literal["operating", "fiscal"],
        typer.Option("--source", help="资金所在：自有或财政 / Where its money lies: operating or fiscal"),
    ] = "operating",
    pledged: Annotated[
        bool,
        typer.Option("--pledged", help="后付：先承诺额度，用后结算 / Pledged: billed afterwards, not paid in before"),
    ] = False,
    as_: As = None,
) -> None:
    """登记资金户 / Register a fund"""
    done = session.act(
        Kind.REGISTER_FUND,
        lambda key: RegisterFund(
            key=key,
            caller=session.caller(as_),
            code=code,
            name=name,
            organisation=organisation,
            book=book,
            mode=FundMode.PLEDGED if pledged else FundMode.PREPAID,
            source=Source[source.upper()],
        ),
    )
    session.tell((f"资金户 {code} 已登记。", f"The fund {code} is registered."), done, {"code": code, "name": name})


@app.command("pay-in")
@writes
def pay_in_command(session: Session, code: Code, yuan: Yuan, reference: Reference, as_: As = None) -> None:
    """资金户入金，或追加承诺额度 / Money for a fund, or a larger pledge"""
    done = session.act(
        Kind.PAY_IN_FUND,
        lambda key: PayInFund(key=key, caller=session.caller(as_), fund=code, amount=yuan, reference=reference),
    )
    session.tell(("已入金。", "Paid in."), done, done.facts)


@app.command("pay-out")
@writes
def pay_out_command(session: Session, code: Code, yuan: Yuan, reference: Reference, as_: As = None) -> None:
    """把可用余额退回出资方 / Give free money back to its party

    已承诺的和留给已开放券批次的不能退。 / What is promised, or kept for open stocks, stays.
    """
    done = session.act(
        Kind.PAY_OUT_FUND,
        lambda key: PayOutFund(key=key, caller=session.caller(as_), fund=code, amount=yuan, reference=reference),
    )
    session.tell(("已退回出资方。", "Given back."), done, done.facts)


@app.command("list")
@reads
def list_command(session: Session) -> None:
    """列出资金户和余额 / List the funds and what is in them"""
    books, catalogue = funders.books(session.app.connection), session.catalogue()
    rows = [fund_row(fund, books[fund.id], catalogue) for fund in catalogue.funds.values()]
    none = (
        "还没有资金户：用 kaquan funder register 登记。",
        "There is no fund yet: kaquan funder register makes one.",
    )
    session.screen.rows("funds", _COLUMNS, rows, none)


@app.command("show")
@reads
def show_command(session: Session, code: Code) -> None:
    """显示一个资金户：余额、已承诺、已使用、所供券批次 / Show a fund: free, promised, used, and for which stocks"""
    fund = _fund(session, code)
    facts = fund_row(fund, funders.books(session.app.connection)[fund.id], session.catalogue())
    stocks = [f"{one.terms.terms.program.code}/{one.code}" for one in open_stocks(session.catalogue(), fund.id)]
    if session.screen.as_json:
        session.screen.answer({"outcome": "effect", **facts, "stocks": stocks})
    else:
        session.screen.facts({**facts, "stocks": " ".join(stocks)})


@app.command("discounts")
@reads
def discounts_command(
    session: Session,
    program: Annotated[
        str | None, typer.Option("--program", help="只看一个活动 / One program only", metavar="CODE")
    ] = None,
    since: Annotated[str | None, typer.Option("--from", help="从哪一日起 / First day", metavar="YYYY-MM-DD")] = None,
    until: Annotated[str | None, typer.Option("--to", help="到哪一日止 / Last day", metavar="YYYY-MM-DD")] = None,
) -> None:
    """优惠由谁承担，从账上读出 / Who paid for discounts, read from the books"""
    catalogue = session.catalogue()
    number = session.program(program).program if program else None
    first, last = _day(since) or date.min, _day(until) or _EVER
    span = (0 if first == date.min else microseconds(shanghai(first)), _end(last))
    found = ledger.discounts(session.app.connection, *span, number)
    rows = [discount_row(one, catalogue) for one in found]
    none = ("这段时间没有优惠。", "There was no discount in that time.")
    session.screen.rows("discounts", _DISCOUNTS, rows, none)


def _fund(session: Session, code: str) -> Fund:
    found = session.catalogue().funds.get(code.strip())
    if found is None:
        session.refuse(Refusal(FUND_UNKNOWN, {"fund": code[:40]}))
    return found


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Misuse(f"“{text}”不是日期：请写 YYYY-MM-DD。", f"{text} is no day: write YYYY-MM-DD.") from None


def _end(last: date) -> int:
    """The instant at which a day is over."""
    return 2**62 if last == _EVER else microseconds(shanghai(last + _ONE_DAY))
