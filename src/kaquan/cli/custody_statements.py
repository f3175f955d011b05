"""`kaquan custody`, statements of the bank: entered and looked at, imported, and what differs."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from kaquan.cli.custody import Program, Reference
from kaquan.cli.custody import app as app
from kaquan.cli.endings import Misuse
from kaquan.cli.opening import reads, writes
from kaquan.cli.options import As
from kaquan.cli.session import Session, identity
from kaquan.commands.model import Kind
from kaquan.custody import camt
from kaquan.custody import service as custody
from kaquan.custody.statement_model import EnterStatement, ExplainDiscrepancy, ImportStatement, LookAtStatement
from kaquan.documents.custody import discrepancy_row, statement_row
from kaquan.kernel.money import Money, MoneyError, yuan
from kaquan.kernel.refusal import Refusal

_STATEMENTS = ("day", "number", "opening_fen", "closing_fen", "entries", "state", "person", "looked_by")
_DISCREPANCIES = ("discrepancy", "day", "kind", "amount_fen", "reference", "state", "statement", "reason")
_MOST = 100


def _balance(text: str) -> Money:
    """A balance in yuan, which may be below zero. Raises `typer.BadParameter`."""
    try:
        return yuan(text)
    except MoneyError:
        raise typer.BadParameter(f"“{text}”不是金额：请写元 / not an amount: write yuan") from None


def _amount(what: str) -> Any:
    return typer.Option(parser=_balance, metavar="YUAN", help=what)


Number = Annotated[str, typer.Option("--number", help="银行对账单编号 / Number of the statement", metavar="TEXT")]


@app.command("enter")
@writes
def enter_command(
    session: Session,
    program: Program,
    number: Number,
    day: Annotated[str, typer.Option("--day", help="对账单截止日 / Last day of the statement", metavar="YYYY-MM-DD")],
    opening: Annotated[Money, _amount("期初余额（元） / Opening balance in yuan")],
    closing: Annotated[Money, _amount("期末余额（元） / Closing balance in yuan")],
    reference: Reference,
    as_: As = None,
) -> None:
    """登记纸质对账单，待另一人复核 / Enter a statement on paper; it counts when another person has looked at it"""
    done = session.act(
        Kind.ENTER_STATEMENT,
        lambda key: EnterStatement(
            key=key,
            caller=session.caller(as_),
            program=program,
            number=number,
            day=_day(day),
            opening=opening,
            closing=closing,
            reference=reference,
        ),
    )
    session.tell(("已登记，待复核。", "Entered; another person looks at it."), done, done.facts)


@app.command("look")
@writes
def look_command(
    session: Session,
    program: Program,
    number: Number,
    disagree: Annotated[bool, typer.Option("--disagree", help="不符，退回 / It is not what the paper says")] = False,
    as_: As = None,
) -> None:
    """复核登记的对账单：相符则生效 / Compare what was entered with the paper; it counts from now on"""
    done = session.act(
        Kind.LOOK_AT_STATEMENT,
        lambda key: LookAtStatement(
            key=key, caller=session.caller(as_), program=program, number=number, agrees=not disagree
        ),
    )
    session.tell(("已复核。", "Looked at."), done, done.facts)


@app.command("import")
@writes
def import_command(
    session: Session,
    program: Program,
    file: Annotated[Path, typer.Argument(help="camt.053 文件 / camt.053 file", metavar="FILE", show_default=False)],
    as_: As = None,
) -> None:
    """导入银行的 camt.053 对账单，逐笔核对 / Import the bank's camt.053 statement and match each entry"""
    found = camt.read(_content(file))
    if isinstance(found, Refusal):
        session.refuse(found)
    own = session.program(program).terms.custody.account_no
    one = next((each for each in found if each.account_no == own), found[0])
    done = session.act(
        Kind.IMPORT_STATEMENT,
        lambda key: ImportStatement(
            key=key, caller=session.caller(as_), program=program, **msgspec.structs.asdict(one)
        ),
    )
    session.tell(("已导入。", "Imported."), done, done.facts)


@app.command("statements")
@reads
def statements_command(session: Session, program: Program) -> None:
    """列出银行对账单 / List the bank's statements"""
    code = session.program(program).terms.program.code
    rows = [statement_row(row) for row in custody.statements_of(session.app.connection, code, _MOST)]
    session.screen.rows("statements", _STATEMENTS, rows, ("还没有对账单。", "There is no statement yet."))


@app.command("discrepancies")
@reads
def discrepancies_command(session: Session, program: Program) -> None:
    """列出差错：银行与账面不一致之处 / List what the bank and the books do not agree on"""
    code = session.program(program).terms.program.code
    rows = [discrepancy_row(row) for row in custody.discrepancies(session.app.connection, code, _MOST)]
    session.screen.rows("discrepancies", _DISCREPANCIES, rows, ("没有差错。", "Nothing differs."))


@app.command("explain")
@writes
def explain_command(
    session: Session,
    program: Program,
    discrepancy: Annotated[
        str, typer.Argument(help="差错编号 dsc_… / Discrepancy: dsc_…", metavar="DISCREPANCY", show_default=False)
    ],
    reason: Annotated[str, typer.Option("--reason", help="原因 / Why", metavar="TEXT")],
    as_: As = None,
) -> None:
    """说明一笔差错并了结 / Say why something differs, so that it is open no longer"""
    named = identity("dsc", discrepancy)
    done = session.act(
        Kind.EXPLAIN_DISCREPANCY,
        lambda key: ExplainDiscrepancy(
            key=key, caller=session.caller(as_), program=program, discrepancy=named, reason=reason
        ),
    )
    session.tell(("已了结。", "Explained."), done, done.facts)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        raise Misuse(f"读不到文件 {file}。", f"The file {file} can't be read.") from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Misuse(f"“{text}”不是日期：请写 YYYY-MM-DD。", f"{text} is no day: write YYYY-MM-DD.") from None
