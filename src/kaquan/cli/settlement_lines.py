"""`kaquan settle`: a settlement line by line, before and after it is made; transfers to own stores; who owes."""

from typing import Annotated, Any

import typer

from kaquan.cli.endings import Misuse
from kaquan.cli.opening import reads, writes
from kaquan.cli.options import As
from kaquan.cli.printing import Screen, listed
from kaquan.cli.session import Session
from kaquan.cli.settlement import Period, Program, app, previewed
from kaquan.cli.words import line_words
from kaquan.commands.model import Kind
from kaquan.documents.settlements import (
    lines_of,
    owing_row,
    period_end_of,
    preview_facts,
    preview_row,
    settlement_document,
    transfer_row,
)
from kaquan.kernel import ids
from kaquan.kernel.calendar import business_date
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id, IdError
from kaquan.settlement import service
from kaquan.settlement.partners import PayPartner
from kaquan.settlement.write_offs import WriteOff

__all__ = ["app"]

_LINES = ("line", "amount_fen", "source", "funder", "rule", "why")
_KNOWN = ("line", "amount_fen", "source", "funder", "rule")
_LISTED_MAX = 1_000  # more rows than anybody reads on a screen; the interface pages

Merchant = Annotated[
    str,
    typer.Argument(help="商户：代码或 mer_… / Merchant: its code or mer_…", metavar="MERCHANT", show_default=False),
]


@app.command("explain")
@reads
def explain_command(session: Session, program: Program, merchant: Merchant, period: Period = None) -> None:
    """逐行说明一家商户的预览 / Explain line by line what a merchant's settlement would be"""
    seen = previewed(session, program, period, session.merchant(merchant))
    screen = session.screen
    if not seen.rows:
        screen.rows("lines", _LINES, [], ("这一期没有可结算的。", "Nothing is to be settled for this period."))
        return
    (row,) = seen.rows
    _tell(screen, {**preview_facts(seen, program), **preview_row(row)}, lines_of(row.statement))


@app.command("show")
@reads
def show_command(
    session: Session,
    settlement: Annotated[str, typer.Argument(help="结算编号 / stl_…", metavar="SETTLEMENT", show_default=False)],
) -> None:
    """查看结算单：各行的规则、出资方和资金来源 / Show a settlement: each line with its rule, funder and source"""
    found = service.settlement(session.app.connection, _settlement(settlement))
    if found is None:
        raise _unknown()
    told = settlement_document(found)
    lines = told.pop("lines")
    if session.screen.as_json:
        session.screen.answer({**told, "lines": lines})
        return
    facts = {name: value for name, value in told.items() if not isinstance(value, dict) and value is not None}
    _tell(session.screen, facts, lines)


@app.command("transfers")
@reads
def transfers_command(session: Session, program: Program, period: Period = None) -> None:
    """列出自营门店的内部划拨单 / List the transfers to own stores, instead of payouts"""
    known = session.program(program)
    end = period_end_of(period) if period is not None else None
    if period is not None and end is None:
        raise Misuse(f"“{period}”不是账期。", f"{period} is not a period.")
    asked = service.Asked([known.program], None, None, _LISTED_MAX, end)
    rows = [transfer_row(one) for one in service.transfers_page(session.app.connection, asked)]
    columns = ("transfer", "code", "name", "period_end", "transfer_on", "source", "amount_fen")
    rows = [{**row, "code": row["merchant"]} for row in rows]
    session.screen.rows("transfers", columns, rows, ("没有内部划拨。", "There are no transfers."))


@app.command("owing")
@reads
def owing_command(
    session: Session,
    program: Annotated[
        str | None, typer.Option("--program", help="只看一个活动 / One program", metavar="PROGRAM")
    ] = None,
) -> None:
    """列出欠款商户、欠款天数和报警 / List merchants that owe, since when, and the alarm of their program's terms"""
    catalogue = session.catalogue()
    numbers = sorted(catalogue.latest) if program is None else [session.program(program).program]
    today = business_date(session.app.door.at())
    rows = [owing_row(one) for one in service.owing(session.app.connection, catalogue, numbers, today)]
    columns = ("program", "code", "name", "debt_fen", "owing_since", "days", "alarm", "settlement")
    session.screen.rows("owing", columns, rows, ("没有欠款的商户。", "No merchant owes anything."))


@app.command("partners")
@reads
def partners_command(session: Session, program: Program) -> None:
    """列出分账方余额；负数为欠款，由以后的分账抵扣 / List what partners have; later shares offset debts"""
    known, catalogue = session.program(program), session.catalogue()
    rows = [
        {"code": catalogue.merchants[partner].code, "name": catalogue.merchants[partner].name, "balance_fen": amount}
        for (partner, number), amount in sorted(service.partner_balances(session.app.connection).items())
        if number == known.program
    ]
    session.screen.rows(
        "partners", ("code", "name", "balance_fen"), rows, ("没有分账款。", "No partner has anything.")
    )


@app.command("pay-partner")
@writes
def pay_partner_command(session: Session, program: Program, merchant: Merchant) -> None:
    """把分账款转入接收方的下一次结算 / Let what a partner has come with its own next settlement"""
    known, partner = session.program(program), session.merchant(merchant)
    done = session.act(
        Kind.PAY_PARTNER,
        lambda key: PayPartner(key=key, caller=OPERATOR, program=known.program, partner=partner),
    )
    facts = {"program": program, "code": merchant, "paid_fen": done.facts["paid_fen"]}
    session.tell(("已转入下一次结算。", "It comes with the next settlement."), done, facts)


@app.command("write-off")
@writes
def write_off_command(
    session: Session,
    program: Program,
    merchant: Merchant,
    approved_by: Annotated[
        str,
        typer.Option("--approved-by", help="批准人，不同于办理人 / Another person who approves", metavar="PERSON"),
    ],
    reason: Annotated[str, typer.Option("--reason", help="理由 / Why", metavar="TEXT")],
    as_: As = None,
) -> None:
    """核销商户欠款：须两人 / Write off what a merchant owes: two persons"""
    known, found = session.program(program), session.merchant(merchant)
    done = session.act(
        Kind.WRITE_OFF_DEBT,
        lambda key: WriteOff(
            key=key,
            caller=session.caller(as_),
            program=known.program,
            merchant=found,
            approved_by=approved_by,
            reason=reason,
        ),
    )
    facts = {"program": program, "code": merchant, "written_off_fen": done.facts["written_off_fen"]}
    session.tell(("已核销。", "Written off."), done, facts)


def _settlement(text: str) -> Id:
    try:
        return ids.parse("stl", text)
    except IdError:
        raise _unknown() from None


def _unknown() -> Misuse:
    return Misuse("没有这张结算单，编号形如 stl_…。", "There is no such settlement; its id looks like stl_….")


def _tell(screen: Screen, facts: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    if screen.as_json:
        screen.answer({**facts, "lines": lines})
        return
    screen.facts(facts)
    screen.table(_LINES, [_row(screen, line) for line in lines])


def _row(screen: Screen, line: dict[str, Any]) -> dict[str, Any]:
    """A line as a person reads it: what it was computed from in one cell."""
    why = listed({name: value for name, value in line.items() if name not in _KNOWN}, screen.language)
    return {
        **{name: line.get(name, "") for name in _KNOWN},
        "line": screen.words(*line_words(line["line"])),
        "why": why,
    }
