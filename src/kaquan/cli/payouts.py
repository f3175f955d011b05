"""`kaquan payouts`: the bank's files, what the bank says, what failed told again, exceptions."""

import os
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from kaquan.cli.endings import FAULTY, Misuse, RefusedHere
from kaquan.cli.files import private_file
from kaquan.cli.opening import reads, works, writes
from kaquan.cli.session import Session, identity
from kaquan.commands.model import Effect, Kind
from kaquan.documents.answers import shown
from kaquan.documents.payouts import (
    exception_document,
    file_document,
    imported_document,
    made_document,
    payout_document,
    position_document,
    state_words,
    step_document,
)
from kaquan.kernel.calendar import business_date
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Source
from kaquan.payouts import service
from kaquan.payouts.errors import PAYOUT_UNKNOWN
from kaquan.payouts.lifecycle import PayoutState
from kaquan.payouts.model import (
    ExplainException,
    FileFormat,
    OpenFile,
    ReissuePayout,
    SetSourceAccount,
    Verdict,
)
from kaquan.payouts.reading import read

app = typer.Typer(
    no_args_is_help=True, help="打款：银行文件、回盘、重发、差错 / Payouts: bank files, results, reissue, exceptions"
)


class From(StrEnum):
    """Which money pays."""

    CUSTODY = "custody"
    OPERATING = "operating"
    FISCAL = "fiscal"


class Format(StrEnum):
    """How a file is written."""

    PAIN_001 = "pain-001"
    CSV_UTF8 = "csv-utf8"
    CSV_GBK = "csv-gbk"


class State(StrEnum):
    """How far a payout is."""

    INSTRUCTED = "instructed"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    RETURNED = "returned"
    WITHHELD = "withheld"


class Verdicts(StrEnum):
    """What an exception turned out to be."""

    DISMISSED = "dismissed"
    PAID = "paid"


Payout = Annotated[str, typer.Argument(help="打款编号 pyo_… / Payout: pyo_…", metavar="PAYOUT", show_default=False)]
FileArgument = Annotated[str, typer.Argument(help="文件编号 pof_… / File: pof_…", metavar="FILE", show_default=False)]
Book = Annotated[
    str, typer.Option("--book", help="记账机构的代码 / Code of the organisation that keeps the book", metavar="CODE")
]
SourceOption = Annotated[From, typer.Option("--from", help="资金来源 / Which money pays")]
Out = Annotated[Path, typer.Option("--out", help="写到这个文件（含完整账号） / Write it here, numbers in full")]
As = Annotated[str | None, typer.Option("--as", help="办理人 / Who acts", metavar="NAME")]
Reason = Annotated[str, typer.Option("--reason", help="原因 / Why", metavar="TEXT")]

_COLUMNS = (
    "payout",
    "program",
    "merchant",
    "period_end",
    "pay_on",
    "source",
    "amount_fen",
    "disputed_fen",
    "state",
    "attempt",
    "exceptions",
)
_STEPS = ("at", "attempt", "state", "amount_fen", "file_number", "bank", "account_no", "bank_reference", "reason")
_FILES = ("file", "file_number", "book", "source", "format", "state", "pay_on", "lines", "left_out", "total_fen")
_EXCEPTIONS = ("exception", "instruction", "result", "amount_fen", "bank_reference", "why", "state", "explanation")


@app.command("account")
@writes
def account_command(
    session: Session,
    book: Book,
    source: SourceOption,
    name: Annotated[str, typer.Option("--name", help="户名 / Name of the account's owner", metavar="NAME")],
    bank: Annotated[str, typer.Option("--bank", help="开户行 / Bank", metavar="NAME")],
    account_no: Annotated[str, typer.Option("--account-no", help="账号 / Number", metavar="NUMBER")],
    as_: As = None,
) -> None:
    """登记付款账户：每种资金来源一个 / Name the bank account that pays merchants, one for each source of money"""
    told = {"account_name": name, "account_bank": bank, "account_no": account_no, "organisation": book}
    done = session.act(
        Kind.SET_SOURCE_ACCOUNT,
        lambda key: SetSourceAccount(key=key, caller=session.caller(as_), source=Source[source.name], **told),
    )
    session.tell(("付款账户已登记。", "The account is named."), done, shown(done.facts))


@app.command("file")
@writes
def file_command(
    session: Session,
    book: Book,
    source: SourceOption,
    out: Out,
    form: Annotated[Format, typer.Option("--format", help="文件格式 / How it is written")] = Format.CSV_GBK,
    until: Annotated[
        str | None,
        typer.Option(
            "--until", help="付款日截至，默认今天 / What is due by this day, today by default", metavar="DAY"
        ),
    ] = None,
    as_: As = None,
) -> None:
    """生成打款文件：列出到期打款，编号、摘要、控制总额；同一请求号永远是同一份 / Make a file for the bank, once"""
    app_ = session.app
    day = business_date(app_.door.at()) if until is None else _day(until)

    def opening(key: str) -> OpenFile:
        return OpenFile(
            key=key,
            caller=session.caller(as_),
            organisation=book,
            source=Source[source.name],
            format=FileFormat[form.name],
            until=day,
        )

    if session.dry_run:
        tried = session.act(Kind.OPEN_PAYOUT_FILE, opening)
        words = (f"将列出 {tried.facts['listed']} 笔。", f"It would list {tried.facts['listed']} payouts.")
        session.tell(words, tried, {"listed": tried.facts["listed"]})
        return
    os.close(private_file(out))  # what can't be written is told before anything is sent
    command = opening(session.key())
    done = session.send(lambda: service.make_file(app_.door, app_.handlers, command))
    if done.facts["lines"]:
        _save(session, service.file_id(done.facts), out)
    session.tell(("打款文件已生成。", "The file is made."), done, made_document(done.facts))


@app.command("fetch")
@reads
def fetch_command(session: Session, file: FileArgument, out: Out) -> None:
    """再取一次打款文件，与当初逐字节相同 / Fetch a file again: the same bytes as when it was made"""
    found, length = _save(session, identity("pof", file), out)
    facts = {"file_number": found.number, "lines": len(found.lines), "total_fen": found.total, "sha256": found.sha256}
    session.screen.one({**facts, "bytes": length})


@app.command("files")
@reads
def files_command(session: Session) -> None:
    """列出打款文件，最新的在前 / List the files, the latest first"""
    rows = [file_document(one) for one in service.files(session.app.connection)]
    session.screen.rows("files", _FILES, rows, ("还没有打款文件。", "There is no file yet."))


@app.command("list")
@reads
def list_command(
    session: Session,
    state: Annotated[State | None, typer.Option("--state", help="只看这个状态 / Only in this state")] = None,
    merchant: Annotated[
        str | None, typer.Option("--merchant", help="只看一家 / One merchant: its code or mer_…", metavar="MERCHANT")
    ] = None,
) -> None:
    """列出打款和状态，最近 500 笔 / List payouts and how far they are, the latest 500"""
    only = None if merchant is None else session.merchant(merchant)
    wanted = None if state is None else PayoutState[state.name]
    found = [payout_document(one) for one in service.listed(session.app.connection, wanted, only)]
    rows = [one | {"state": state_words(one["state"], session.screen.language)} for one in found]
    session.screen.rows("payouts", _COLUMNS, rows, ("没有打款。", "There is no payout."), found)


@app.command("show")
@reads
def show_command(session: Session, payout: Payout) -> None:
    """查看一笔打款的经过 / Show a payout and all that happened to it"""
    target = identity("pyo", payout)
    found = service.view(session.app.connection, target)
    if found is None:
        raise RefusedHere(Refusal(PAYOUT_UNKNOWN))
    steps = [step_document(one) for one in service.steps(session.app.connection, target)]
    screen, facts = session.screen, payout_document(found)
    if screen.as_json:
        screen.answer({"outcome": "effect", **facts, "steps": steps})
        return
    screen.facts(facts | {"state": state_words(facts["state"], screen.language)})
    if steps:
        screen.table(_STEPS, [one | {"state": state_words(one["state"], screen.language)} for one in steps])


@app.command("import")
@works
def import_command(
    session: Session,
    file: Annotated[Path, typer.Argument(help="回盘文件：CSV 或 pain.002 / The bank's file: CSV or pain.002")],
    as_: As = None,
) -> None:
    """导入银行回盘；对不上的列为差错 / Take what the bank says; what fits nothing becomes an exception"""
    try:
        content = file.read_bytes()
    except OSError as problem:
        message = (f"无法读取 {file}（{problem.strerror}）。", f"{file} can't be read ({problem.strerror}).")
        raise Misuse(*message) from None
    screen = session.screen
    if session.dry_run:
        told = read(content)
        if isinstance(told, Refusal):
            session.refuse(told)
        screen.one({"dry_run": True, "lines": len(told.lines), "pending": told.pending})
        return
    handler = session.app.handlers[Kind.RECORD_PAYOUT_RESULT]
    found = service.import_results(session.app.door, handler, content, session.caller(as_))
    if isinstance(found, Refusal):
        session.refuse(found)
    document = imported_document(found, screen.language)
    if screen.as_json:
        screen.answer({"outcome": "fault" if found.broken else "effect", **document})
    else:
        odd = document.pop("exceptions")
        screen.facts(document)
        if odd:
            screen.table(("exception", "instruction", "why"), odd)
            screen.note("用 kaquan payouts explain 说明差错。", "Explain exceptions with kaquan payouts explain.")
    if found.broken:
        raise typer.Exit(FAULTY)


@app.command("reissue")
@writes
def reissue_command(session: Session, payout: Payout, reason: Reason, as_: As = None) -> None:
    """重发失败或退汇的打款：编号不变，次数加一 / Tell the bank again what failed or came back: the same number"""
    target = identity("pyo", payout)
    done = session.act(
        Kind.REISSUE_PAYOUT,
        lambda key: ReissuePayout(key=key, caller=session.caller(as_), payout=target, reason=reason),
    )
    session.tell(("将在下一份文件中重发。", "It goes into the next file again."), done, _facts(done))


@app.command("exceptions")
@reads
def exceptions_command(
    session: Session,
    every: Annotated[bool, typer.Option("--all", help="也列出已说明的 / Also those that are explained")] = False,
) -> None:
    """列出打款差错和说明，最早的在前 / List exceptions with their explanations, the oldest first"""
    language = session.screen.language
    rows = [exception_document(one, language) for one in service.exceptions(session.app.connection, every)]
    session.screen.rows("exceptions", _EXCEPTIONS, rows, ("没有打款差错。", "There is no exception."))


@app.command("explain")
@writes
def explain_command(
    session: Session,
    exception: Annotated[str, typer.Argument(help="差错编号 exc_… / Exception: exc_…", metavar="EXCEPTION")],
    verdict: Annotated[
        Verdicts,
        typer.Option("--verdict", help="paid 确已付款，dismissed 不予认可 / paid: it was paid after all"),
    ],
    explanation: Annotated[str, typer.Option("--because", help="说明 / What explains it", metavar="TEXT")],
    approved_by: Annotated[
        str, typer.Option("--approved-by", help="另一位同意的人 / A second person who agrees", metavar="NAME")
    ],
    as_: As = None,
) -> None:
    """说明一条差错，两个人才能办 / Explain an exception, by two persons"""
    target = identity("exc", exception)
    done = session.act(
        Kind.EXPLAIN_EXCEPTION,
        lambda key: ExplainException(
            key=key,
            caller=session.caller(as_),
            exception=target,
            verdict=Verdict[verdict.name],
            explanation=explanation,
            approved_by=approved_by,
        ),
    )
    session.tell(("差错已说明。", "The exception is explained."), done, shown(done.facts))


@app.command("positions")
@reads
def positions_command(session: Session) -> None:
    """各付款账户的打款：在途、到账、待重发 / Where the payouts of each bank account stand"""
    found = [position_document(one) for one in service.positions(session.app.connection)]
    rows = [one | {"state": state_words(one["state"], session.screen.language)} for one in found]
    columns = ("book", "source", "state", "count", "amount_fen", "disputed_fen")
    session.screen.rows("positions", columns, rows, ("没有打款。", "There is no payout."), found)


def _save(session: Session, file: Any, out: Path) -> tuple[Any, int]:
    found = service.content(session.app.connection, session.app.master, file)
    if isinstance(found, Refusal):
        session.refuse(found)
    with os.fdopen(private_file(out), "wb") as opened:
        opened.write(found[1])
    return found[0], len(found[1])


def _facts(done: Effect) -> dict[str, Any]:
    told: dict[str, Any] = shown(done.facts)
    return {name: given for name, given in told.items() if name not in ("result",)}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Misuse(f"“{text}”不是日期，应写成 2025-06-05。", f"{text} is no day; write 2025-06-05.") from None
