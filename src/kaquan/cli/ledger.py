"""`kaquan ledger`: what was posted, what accounts hold, the proofs, the export."""

import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from kaquan.cli.endings import FAULTY, Misuse
from kaquan.cli.files import private_file
from kaquan.cli.opening import opened, reads
from kaquan.cli.options import Lang
from kaquan.cli.printing import listed
from kaquan.cli.session import Session, identity
from kaquan.documents.ledger import ACCOUNTS, balance_row, owner_row, position_row, posting_row
from kaquan.ledger import service
from kaquan.ledger.chart import Account

app = typer.Typer(
    no_args_is_help=True, help="账本：分录、余额、证明、导出 / Ledger: journal, balances, proofs, export"
)

LINES_MAX = 10_000
_JOURNAL = ("at", "book", "movement", "transfer", "line", "debit", "credit", "source", "amount_fen")
_BALANCES = ("book", "program", "account", "account_name", "source", "debits_fen", "credits_fen", "balance_fen")
_OWNERS = ("book", "owner", "source", "balance_fen")


@app.command("journal")
@reads
def journal_command(
    session: Session,
    moved_by: Annotated[
        str | None,
        typer.Argument(
            help="只看一笔：pay_…、trf_…、stl_…，售卡用 crd_… / One transfer: pay_…, trf_…, stl_…, a sale: crd_…",
            metavar="[ID]",
            show_default=False,
        ),
    ] = None,
    last: Annotated[
        int,
        typer.Option(
            "--last", min=1, max=LINES_MAX, metavar="N", help="最近多少条分录 / How many of the latest postings"
        ),
    ] = 20,
) -> None:
    """列出分录，最新的在前 / List postings, newest first"""
    connection = session.app.connection
    if moved_by is None:
        found = service.latest(connection, last)
    else:
        found = service.transfer(connection, identity(moved_by.partition("_")[0].strip().lower(), moved_by))
    none = ("没有分录。", "There are no postings.")
    session.screen.rows("postings", _JOURNAL, [posting_row(row) for row in found], none)


@app.command("balances")
@reads
def balances_command(
    session: Session,
    account: Annotated[
        str | None,
        typer.Option(
            "--account",
            help="按归属列出一个科目，如 merchant.payable / One account by owner, such as merchant.payable",
            metavar="ACCOUNT",
        ),
    ] = None,
) -> None:
    """列出各账簿各科目的余额 / List what each account of each book holds"""
    none = ("还没有分录。", "Nothing has been posted yet.")
    if account is None:
        rows = _balances(session)
        called = session.screen.words("account_zh", "side")
        people = [{**row, "account_name": row[called], "program": row["program"] or "-"} for row in rows]
        session.screen.rows("balances", _BALANCES, people, none, rows)
    else:
        session.screen.rows("owners", _OWNERS, _owners(session, account), none)


@app.command("proofs")
@reads
def proofs_command(session: Session) -> None:
    """从分录重新计算，证明账目无误；全部成立才返回 0 / Recount everything; exit status 0 only if all proofs hold"""
    screen = session.screen
    proved = []
    for proof in service.proofs(session.app.connection):
        proved.append({"name": proof.name, "ok": proof.ok, "facts": dict(proof.facts)})
        if not session.screen.as_json:
            mark = "[green]✓[/]" if proof.ok else "[red]✗[/]"
            screen.line(f"{mark} {screen.words(proof.zh, proof.en)}  [dim]{listed(proof.facts, screen.language)}[/]")
    failed = sum(not one["ok"] for one in proved)
    if session.screen.as_json:
        screen.answer({"outcome": "fault" if failed else "effect", "proofs": proved})
    elif failed:
        screen.line(screen.words(f"{failed} 项不成立。", f"{failed} proofs fail."))
    else:
        screen.line(screen.words(f"{len(proved)} 项全部成立。", f"All {len(proved)} proofs hold."))
    if failed:
        raise typer.Exit(FAULTY)


@app.command("clearing")
@reads
def clearing_command(session: Session) -> None:
    """列出各账簿两两之间的应付、应收和净额 / List what each pair of books owes each other, and the net position"""
    books = session.catalogue().books
    rows = [position_row(one, books) for one in service.positions(session.app.connection, books)]
    none = ("账簿之间没有往来。", "No book owes another anything.")
    session.screen.rows("positions", ("book", "other", "due_to_fen", "due_from_fen", "net_fen"), rows, none)


@app.command("export")
def export_command(
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="写入文件，默认标准输出 / File to write; standard output by default", metavar="FILE"
        ),
    ] = None,
    lang: Lang = None,
) -> None:
    """导出全部分录，每行一个 JSON / Export all postings as JSON lines, for whoever wants to add them up again"""
    with opened(lang, False) as session:
        count = 0
        if out is None:
            target: Any = nullcontext(sys.stdout.buffer)
        else:
            target = os.fdopen(private_file(out), "wb")
        with target as lines:
            for line in service.export(session.app.connection):
                lines.write(line + b"\n")
                count += 1
            lines.flush()
        if out is not None:
            session.screen.line(
                session.screen.words(f"已写出 {count:,} 行：{out}", f"{count:,} lines written: {out}")
            )


def _balances(session: Session) -> list[dict[str, Any]]:
    catalogue = session.catalogue()
    return [balance_row(one, catalogue) for one in service.balances(session.app.connection)]


def _owners(session: Session, name: str) -> list[dict[str, Any]]:
    account = ACCOUNTS.get(name.strip())
    if account is None:
        known = ", ".join(ACCOUNTS)
        raise Misuse(f"没有科目 {name}；科目有：{known}。", f"There is no account {name}; there are: {known}.")
    if Account.CARD_PRINCIPAL <= account <= Account.CARD_SUBSIDY:
        raise Misuse("卡内余额请用 kaquan card show 查看。", "What a card holds is shown by kaquan card show.")
    catalogue = session.catalogue()
    return [
        owner_row(code, one, catalogue)
        for book, code in sorted(catalogue.books.items())
        for one in service.owner_balances(session.app.connection, book, account)
    ]
