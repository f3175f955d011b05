"""`kaquan custody`: what of prepaid money must lie at the bank, what does, and moving it."""

from datetime import date
from typing import Annotated

import typer

from kaquan.cli.endings import Misuse
from kaquan.cli.opening import reads, writes
from kaquan.cli.options import As, amount
from kaquan.cli.session import Session
from kaquan.commands.model import Kind
from kaquan.custody import service as custody
from kaquan.custody.model import DepositCustody, LiftStop, ReleaseCustody
from kaquan.documents.custody import custody_document, day_row
from kaquan.kernel.money import Money

app = typer.Typer(
    no_args_is_help=True,
    help="存管：应存多少、实存多少、存入、释放、停售与恢复 / "
    "Custody: what must lie at the bank, what does, deposits, releases, sales that stop and go on",
)

_RULES = ("rule", "base", "basis_fen", "rate_bps", "deducted_fen", "required_fen", "article")
_DAYS = ("day", "level", "required_fen", "ledger_fen", "bank_fen", "covered_fen", "surplus_fen", "rule")
_COLUMNS = ("program", "state", *_DAYS[1:])
_EVER = date(9999, 12, 31)
_DAYS_MAX = 100

Program = Annotated[str, typer.Argument(help="活动代码 / Code of the program", metavar="PROGRAM", show_default=False)]
Yuan = Annotated[
    Money, typer.Argument(parser=amount, metavar="YUAN", help="金额（元） / Amount in yuan", show_default=False)
]
Reference = Annotated[
    str,
    typer.Option(
        "--reference", help="银行流水号或文件号 / Reference of the bank, or number of the document", metavar="TEXT"
    ),
]
ApprovedBy = Annotated[
    str,
    typer.Option("--approved-by", help="复核人，须是另一人 / Who agreed: another person", metavar="NAME"),
]


@app.command("status")
@reads
def status_command(
    session: Session,
    program: Annotated[
        str | None,
        typer.Argument(help="活动代码；不写则列出全部 / Code of a program; all without", metavar="PROGRAM"),
    ] = None,
) -> None:
    """存管现状：应存、实存、结余，以及每条规则 / How custody stands now, rule by rule"""
    at, connection = session.app.door.at(), session.app.connection
    if program is None:
        rows = [
            custody_document(custody.standing(connection, one, at)) for one in session.catalogue().latest.values()
        ]
        none = ("还没有活动。", "There is no program yet.")
        session.screen.rows("custody", _COLUMNS, rows, none)
        return
    told = custody_document(custody.standing(connection, session.program(program), at))
    if session.screen.as_json:
        session.screen.answer({"outcome": "effect", **told})
        return
    rules = told.pop("rules")
    session.screen.facts(told)
    words = f"words_{session.screen.language}"
    session.screen.table(_RULES, [{**rule, "article": rule[words]} for rule in rules])


@app.command("history")
@reads
def history_command(
    session: Session,
    program: Program,
    until: Annotated[str | None, typer.Option("--to", help="到哪一日止 / Last day", metavar="YYYY-MM-DD")] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=_DAYS_MAX, help="最多几天 / Days at most")] = 31,
) -> None:
    """每日存管记录，最近的在前 / Each day as it was kept, the latest first"""
    code = session.program(program).terms.program.code
    before = date.fromordinal(_day(until).toordinal() + 1) if until else _EVER
    rows = [day_row(row) for row in custody.days(session.app.connection, code, before, days)]
    shown = [{**row, "rule": max(row["rules"], key=_required, default={"rule": ""})["rule"]} for row in rows]
    none = ("还没有记录：每日结束后自动核对。", "No day was kept yet: each is looked at when it is over.")
    session.screen.rows("days", _DAYS, shown, none)


@app.command("deposit")
@writes
def deposit_command(session: Session, program: Program, yuan: Yuan, reference: Reference, as_: As = None) -> None:
    """存入存管专户；补足后按规则自动恢复销售 / Money into custody; when it suffices, sales go on as the terms say"""
    done = session.act(
        Kind.DEPOSIT_CUSTODY,
        lambda key: DepositCustody(
            key=key, caller=session.caller(as_), program=program, amount=yuan, reference=reference
        ),
    )
    session.tell(("已存入存管专户。", "Deposited into custody."), done, done.facts)


@app.command("release")
@writes
def release_command(
    session: Session, program: Program, yuan: Yuan, reference: Reference, approved_by: ApprovedBy, as_: As = None
) -> None:
    """从存管专户释放：超出应存、且已核销的部分 / Money out of custody: above the requirement, and redeemed"""
    done = session.act(
        Kind.RELEASE_CUSTODY,
        lambda key: ReleaseCustody(
            key=key,
            caller=session.caller(as_),
            program=program,
            amount=yuan,
            reference=reference,
            approved_by=_named(approved_by),
        ),
    )
    session.tell(("已释放到自有账户。", "Released to the operating account."), done, done.facts)


@app.command("lift")
@writes
def lift_command(session: Session, program: Program, approved_by: ApprovedBy, as_: As = None) -> None:
    """补足后恢复销售 / Sell again, once what is required is covered"""
    done = session.act(
        Kind.LIFT_STOP,
        lambda key: LiftStop(key=key, caller=session.caller(as_), program=program, approved_by=_named(approved_by)),
    )
    session.tell(("已恢复销售。", "Sales go on."), done, done.facts)


def _named(person: str) -> str:
    if not person.strip():
        raise Misuse("请写明复核人。", "Say who agreed.")
    return person


def _required(rule: dict[str, int]) -> int:
    return rule["required_fen"]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Misuse(f"“{text}”不是日期：请写 YYYY-MM-DD。", f"{text} is no day: write YYYY-MM-DD.") from None
