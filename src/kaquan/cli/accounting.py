"""`kaquan accounting`: close the books of days, export them, the trial balance, invoices, the titles."""

import os
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from kaquan.accounting import service
from kaquan.accounting.errors import BOOK_UNKNOWN
from kaquan.accounting.export import Form
from kaquan.accounting.rows import invoice_row, trial_rows
from kaquan.accounting.service import Asked, Book, Exported, TitleMap, Wish
from kaquan.cli.endings import FAULTY, Misuse, RefusedHere
from kaquan.cli.files import private_file
from kaquan.cli.opening import reads, writes
from kaquan.cli.session import Session
from kaquan.commands.model import Kind
from kaquan.documents.accounting import closed_row, invoice_document, tie_row, title_row, trial_document
from kaquan.kernel.calendar import business_date
from kaquan.kernel.refusal import Refusal

app = typer.Typer(
    no_args_is_help=True,
    help="会计：关账、凭证、科目余额表、开票清单 / Accounting: closed days, vouchers, trial balance, invoices",
)

Since = Annotated[
    str | None,
    typer.Option(
        "--from",
        help="第一天，默认所在月的第一天 / First day; by default the first of its month",
        metavar="YYYY-MM-DD",
        show_default=False,
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        "--to",
        help="最后一天，默认最近关账的一天 / Last day; by default the last that is closed",
        metavar="YYYY-MM-DD",
        show_default=False,
    ),
]
OneBook = Annotated[
    str, typer.Option("--book", help="账簿：机构代码 / A book: its organisation's code", metavar="BOOK")
]
Titles = Annotated[
    Path | None,
    typer.Option(
        "--titles",
        help="科目对照文件，默认取 KAQUAN_TITLES_FILE / File with your titles; KAQUAN_TITLES_FILE by default",
        metavar="FILE",
        show_default=False,
    ),
]
_TRIAL = (
    "code", "title", "owner", "sheet", "opening_debit_fen", "opening_credit_fen", "debit_fen", "credit_fen",
    "closing_debit_fen", "closing_credit_fen",
)  # fmt: skip
_INVOICES = ("day", "item", "seller", "buyer", "form", "tax_code", "rate", "amount_fen", "tax_fen", "remark")
_TITLES = ("account", "fund", "code", "title", "root", "cites")
_DAYS_SHOWN = 31


@app.command("close")
@writes
def close_command(
    session: Session,
    through: Annotated[
        str | None,
        typer.Option(
            "--through",
            help="关到哪一天，默认昨天 / Through which day; yesterday by default",
            metavar="YYYY-MM-DD",
            show_default=False,
        ),
    ] = None,
) -> None:
    """关账：这些日子的账此后不变 / Close the books of all days up to one: what is in them never changes again"""
    at = session.app.door.at()
    day = None if through is None else _day(through)
    caller = session.caller(None)
    effect = session.act(Kind.CLOSE_DAYS, lambda key: service.close_command(caller, key, day, at))
    session.tell(("已关账", "The books are closed"), effect, effect.facts)


@app.command("days")
@reads
def days_command(session: Session) -> None:
    """列出最近关账的日子 / List the days whose books are closed, the latest first"""
    found = service.latest_closed(session.app.connection, date.max, _DAYS_SHOWN)
    none = ("还没有关过账。", "No day is closed yet.")
    session.screen.rows("days", ("day", "cut_at", "cut_xid"), [closed_row(one) for one in found], none)


@app.command("export")
@reads
def export_command(
    session: Session,
    out: Annotated[Path, typer.Option("--out", help="写入的文件夹 / Folder to write into", metavar="DIR")],
    since: Since = None,
    until: Until = None,
    book: Annotated[
        str | None,
        typer.Option(
            "--book",
            help="账簿：机构代码，默认每一本 / A book: its organisation's code; each one by default",
            metavar="BOOK",
            show_default=False,
        ),
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="文件格式 / What kind of files", metavar="FORM")] = "csv",
    full: Annotated[
        bool, typer.Option("--full", help="每笔业务一张凭证 / A voucher per command, not per day and rule")
    ] = False,
    titles: Titles = None,
) -> None:
    """导出已关账期间：凭证、科目余额表、开票清单 / Export closed days: vouchers, trial balance, invoices

    格式：csv、xlsx、beancount；关过账的日子每次导出都一样 / Formats: csv, xlsx, beancount; the same bytes each time
    """
    mapping, known = _mapping(session, titles), session.catalogue()
    books = sorted(known.books.values()) if book is None else [book.strip()]
    first, last = _period(session, since, until)
    _folder(out)
    done: list[tuple[str, Exported]] = []
    for code in books:
        wish = Wish(Asked(code, first, last, mapping), form, full, session.screen.language, out)
        with session.screen.progress((last - first).days + 1) as advance:
            made = service.export(session.app.connection, known, wish, _private, advance)
        if isinstance(made, Refusal):
            session.refuse(made)
        done.append((code, made))
    _tell(session, done, first, last)


@app.command("trial-balance")
@reads
def trial_command(
    session: Session, book: OneBook, since: Since = None, until: Until = None, titles: Titles = None
) -> None:
    """科目余额表，并与账本逐科目核对 / The trial balance, compared account by account with the ledger"""
    asked = _asked(session, book, since, until, titles)
    screen, connection = session.screen, session.app.connection
    with service.opened(connection, session.catalogue(), asked) as found:
        opened = _known(session, found)
        tied = service.ties(connection, opened)
    broken = [one for one in tied if not one.holds]
    rows = trial_document(trial_rows(opened.trial, screen.language))
    facts = {"book": opened.code, "from": str(asked.since), "to": str(asked.until), "ties": not broken}
    if screen.as_json:
        told = [tie_row(one) for one in tied]
        screen.answer({"outcome": "fault" if broken else "effect", **facts, "rows": rows, "accounts": told})
    else:
        screen.table(_TRIAL, rows)
        for one in broken:
            screen.line(screen.words(f"{one.account} 与账本不符。", f"{one.account} differs from the ledger."))
        if not broken:
            agree = (f"{len(tied)} 个科目与账本一致。", f"{len(tied)} accounts agree with the ledger.")
            screen.line(screen.words(*agree))
    if broken:
        raise typer.Exit(FAULTY)


@app.command("invoices")
@reads
def invoices_command(
    session: Session, book: OneBook, since: Since = None, until: Until = None, titles: Titles = None
) -> None:
    """开票清单：谁可以开什么票 / The list of invoices: which side may issue what"""
    asked = _asked(session, book, since, until, titles)
    known = session.catalogue()
    with service.opened(session.app.connection, known, asked) as found:
        opened = _known(session, found)
        listed = service.book_invoices(session.app.connection, known, opened)
        rows = [invoice_document(invoice_row(one, session.screen.language)) for one in listed]
    session.screen.rows("invoices", _INVOICES, rows, ("没有要开的发票。", "No invoices are due."))


@app.command("titles")
@reads
def titles_command(session: Session, book: OneBook, titles: Titles = None) -> None:
    """列出一本账簿的科目对照和依据 / List the titles of a book's accounts, and by which standard"""
    mapping, known = _mapping(session, titles), session.catalogue()
    if book not in known.books.values():
        session.refuse(Refusal(BOOK_UNKNOWN, {"book": book}))
    found = service.titles_in(known, mapping, book)
    if isinstance(found, Refusal):
        session.refuse(found)
    rows = [title_row(one, session.screen.language) for one in found]
    session.screen.rows("titles", _TITLES, rows, ("没有科目。", "There are no titles."))


def _asked(session: Session, book: str, since: str | None, until: str | None, titles: Path | None) -> Asked:
    first, last = _period(session, since, until)
    return Asked(book.strip(), first, last, _mapping(session, titles))


def _known(session: Session, found: Book | Refusal) -> Book:
    if isinstance(found, Refusal):
        session.refuse(found)
    return found


def _mapping(session: Session, titles: Path | None) -> TitleMap:
    found = service.read_titles(titles or session.settings.titles_file)
    if isinstance(found, Refusal):
        raise RefusedHere(found)
    return found


def _period(session: Session, since: str | None, until: str | None) -> tuple[date, date]:
    """The days that were typed; the last closed one and the first of its month where nothing was."""
    latest: Iterable[Any] = service.latest_closed(session.app.connection, date.max, 1)
    yesterday = business_date(session.app.door.at()) - timedelta(days=1)
    last = _day(until) if until is not None else next((one.day for one in latest), yesterday)
    return _day(since) if since is not None else last.replace(day=1), last


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        message = (f"“{text}”不是日期，应写成 2025-05-31。", f"{text} is not a day; write 2025-05-31.")
        raise Misuse(*message) from None


def _folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        message = (f"无法建立文件夹 {out}（{problem.strerror}）。", f"{out} can't be made ({problem.strerror}).")
        raise Misuse(*message) from None


def _private(path: Path) -> TextIO:
    return os.fdopen(private_file(path), "w", encoding="utf-8", newline="")


def _tell(session: Session, done: list[tuple[str, Exported]], first: date, last: date) -> None:
    screen = session.screen
    if screen.as_json:
        told = [
            {"book": code, "vouchers": made.vouchers, "files": [str(path) for path in made.files]}
            for code, made in done
        ]
        screen.answer({"outcome": "effect", "from": str(first), "to": str(last), "books": told})
        return
    for code, made in done:
        screen.line(
            screen.words(f"账簿 {code}：{made.vouchers:,} 张凭证", f"Book {code}: {made.vouchers:,} vouchers")
        )
        for path in made.files:
            screen.line(f"  {path}")
