"""`kaquan settle`: preview a period, settle exactly what the preview showed, write the bank's file."""

import os
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from kaquan.cli.endings import FAULTY, REFUSED, Misuse
from kaquan.cli.files import private_file
from kaquan.cli.opening import reads, works
from kaquan.cli.printing import Screen
from kaquan.cli.session import Session
from kaquan.commands.model import Effect, Kind, Refused
from kaquan.documents.answers import refusal_document
from kaquan.documents.merchants import hidden
from kaquan.documents.settlements import (
    coming_rows,
    part_document,
    period_end_of,
    preview_document,
    preview_facts,
    preview_row,
    read_cut,
    waiting_row,
)
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id, public
from kaquan.kernel.money import Money, text
from kaquan.kernel.refusal import Fault, Refusal
from kaquan.settlement import service
from kaquan.settlement.cycles import period_before, period_of
from kaquan.settlement.model import PART_FIELDS, Cut, PayoutLine, Preview

app = typer.Typer(no_args_is_help=True, help="结算：预览、执行、打款文件 / Settlement: preview, run, payout file")

_COLUMNS = ("code", "name", *(f"{name}_fen" for name in PART_FIELDS))
_ALWAYS = frozenset(f"{name}_fen" for name in PART_FIELDS[: PART_FIELDS.index("pending_bank") + 1])

Program = Annotated[str, typer.Argument(help="活动代码 / Code of the program", metavar="PROGRAM", show_default=False)]
Period = Annotated[
    str | None,
    typer.Option(
        "--period",
        help="账期：月份，如 2025-05，或最后一天，如 2025-05-31；默认刚结束的一期 / "
        "Period: a month, such as 2025-05, or its last day, such as 2025-05-31; the last that ended by default",
        metavar="PERIOD",
    ),
]


@app.command("preview")
@reads
def preview_command(session: Session, program: Program, period: Period = None) -> None:
    """预览一个账期，打印切点供执行 / Show a period's settlement and its cut, which run executes"""
    _show(session, previewed(session, program, period), program)


@app.command("run")
@works
def run_command(
    session: Session,
    program: Program,
    period: Period = None,
    cut: Annotated[
        str | None,
        typer.Option(
            "--cut", help="预览打印的切点，默认现在预览 / Cut of a preview; by default one is made now", metavar="CUT"
        ),
    ] = None,
    payouts: Annotated[
        Path | None,
        typer.Option(
            "--payouts",
            help="打款清单写成 CSV，供核对；给银行的用 kaquan payouts file / Write the payouts as CSV to look at",
            metavar="FILE",
        ),
    ] = None,
) -> None:
    """结算一个账期；重复执行不会重复付款 / Settle a period; running it again pays nothing twice"""
    token = _read_token(cut) if cut is not None else None
    if token is not None and period is None:
        period = token[1].isoformat()
    seen = previewed(session, program, period)
    if token is not None:
        if token[:2] != (seen.program, seen.period_end):
            raise Misuse("切点属于另一个活动或账期。", "The cut belongs to another program or period.")
        seen = msgspec.structs.replace(seen, terms=token[2], cut=token[3])
    if session.dry_run:
        _show(session, seen, program)
        return
    if payouts is not None:
        os.close(private_file(payouts))  # what can't be written is told before anything is settled
    _run(session, seen, program, payouts)


@app.command("pending")
@reads
def pending_command(
    session: Session,
    program: Program,
    merchant: Annotated[
        str | None,
        typer.Option(
            "--merchant", help="只看一家：代码或 mer_… / One merchant: its code or mer_…", metavar="MERCHANT"
        ),
    ] = None,
) -> None:
    """列出已清分、尚未结算的交易和打款日 / Show trade that is cleared and not settled yet, with the day it is paid"""
    known, app = session.program(program), session.app
    only = None if merchant is None else [session.merchant(merchant)]
    seen = service.coming(
        app.connection, app.catalogue, app.calendar, known.program, at=app.door.at(), merchants=only
    )
    rows = coming_rows(seen)
    none = ("没有待结算的交易。", "Nothing is waiting to be settled.")
    session.screen.rows("pending", ("period_end", "pay_on", *_shown(rows)), rows, none)


@app.command("waiting")
@reads
def waiting_command(session: Session) -> None:
    """列出因没有可用银行账户而待打的款项 / List what waits until a merchant has a bank account, or a verified one"""
    catalogue = session.catalogue()
    rows = [waiting_row(one, catalogue) for one in service.waiting(session.app.connection)]
    none = ("没有待打的款项。", "Nothing waits for a bank account.")
    columns = ("program", "code", "name", "period_end", "pending_bank_fen", "bank_state")
    session.screen.rows("waiting", columns, rows, none)


def _shown(rows: list[dict[str, Any]]) -> tuple[str, ...]:
    """The columns of a table: those that most programs never use only when something stands in them."""
    return tuple(
        name for name in _COLUMNS if not name.endswith("_fen") or name in _ALWAYS or any(row[name] for row in rows)
    )


def previewed(session: Session, program: str, period: str | None, merchant: Id | None = None) -> Preview:
    """What a period's settlement would be: the last that ended unless one is named, of everybody or of a merchant."""
    known, app = session.program(program), session.app
    at, terms = app.door.at(), known.terms.settlement
    end = _day(period) if period is not None else period_before(period_of(at, terms), terms)
    only = None if merchant is None else [merchant]
    seen = service.preview(app.connection, app.catalogue, app.calendar, known.program, end, only, at=at)
    if isinstance(seen, Refusal):
        session.refuse(seen)
    return seen


def _day(text: str) -> date:
    """The last day of a period: a day, or a month's last."""
    read = period_end_of(text)
    if read is None:
        raise Misuse(
            f"“{text}”不是账期，应写成 2025-05 或 2025-05-31。",
            f"{text} is not a period; write 2025-05 or 2025-05-31.",
        )
    return read


def _read_token(text: str) -> tuple[int, date, int, Cut]:
    read = read_cut(text)
    if read is None:
        raise Misuse(
            "切点写法不对：请照抄 settle preview 打印的切点。", "Not a cut: copy what settle preview printed."
        )
    return read


def _show(session: Session, seen: Preview, program: str) -> None:
    rows = [preview_row(row) for row in seen.rows]
    screen = session.screen
    if screen.as_json:
        screen.answer({"outcome": "effect", **preview_document(seen, program)})
        return
    screen.facts(preview_facts(seen, program))
    if seen.settled:
        screen.line(screen.words(f"其中 {seen.settled} 家已结算。", f"{seen.settled} merchants are settled already."))
    if rows:
        total = {"code": screen.words("合计", "Total"), "name": "", **part_document(seen.totals)}
        screen.table(_shown(rows), [*rows, total])
    else:
        screen.line(screen.words("这一期没有可结算的。", "Nothing is to be settled for this period."))


def _run(session: Session, seen: Preview, program: str, payouts: Path | None) -> None:
    app = session.app
    handler = app.handlers[Kind.SETTLE]
    with session.screen.progress(len(seen.rows)) as advance:
        outcomes = service.run(app.door, handler, seen, progress=advance)
    settled: list[dict[str, Any]] = []
    refused: list[tuple[str, Refusal]] = []
    for row, outcome in zip(seen.rows, outcomes, strict=True):
        if isinstance(outcome, Effect):
            parts = {f"{name}_fen": outcome.facts[f"{name}_fen"] for name in PART_FIELDS}
            settled.append({"id": public("stl", outcome.id), "code": row.code, "name": row.name, **parts})
        elif isinstance(outcome, Refused):
            refused.append((row.code, outcome.refusal))
    broken = sum(isinstance(outcome, Fault) for outcome in outcomes)
    if not broken and not refused:
        app.one(
            Kind.CLOSE_PERIOD, service.close_command(seen, OPERATOR)
        )  # refused when others came in: they are next
    _report(session, seen, program, settled, refused, broken, payouts)
    if broken:
        raise typer.Exit(FAULTY)
    if refused:
        raise typer.Exit(REFUSED)


def _report(
    session: Session,
    seen: Preview,
    program: str,
    settled: list[dict[str, Any]],
    refused: list[tuple[str, Refusal]],
    broken: int,
    payouts: Path | None,
) -> None:
    screen = session.screen
    lines = service.payouts(session.app.connection, session.app.catalogue, seen.program, seen.period_end)
    waiting = [one for one in settled if one["pending_bank_fen"]]
    waits = Money(sum(one["pending_bank_fen"] for one in waiting))
    total = Money(sum(line.amount for line in lines))
    _write(payouts, lines, screen)
    if screen.as_json:
        screen.answer(
            {
                "outcome": "fault" if broken else "refused" if refused else "effect",
                "program": program,
                "period_end": seen.period_end.isoformat(),
                "pay_on": seen.pay_on.isoformat(),
                "settled": settled,
                "settled_before": seen.settled,
                "refused": [{"merchant": code, **refusal_document(no, screen.language)} for code, no in refused],
                "broken": broken,
                "waiting": {"count": len(waiting), "amount_fen": waits},
                "payouts": {"count": len(lines), "amount_fen": total, "file": str(payouts) if payouts else None},
            }
        )
        return
    if settled:
        screen.table(_shown(settled), settled)
    for code, no in refused:
        screen.note(code, code)
        screen.refusal(no)
    before = screen.words(f"，{seen.settled} 家此前已结算", f"; {seen.settled} were before") if seen.settled else ""
    screen.line(screen.words(f"本次结算 {len(settled)} 家{before}。", f"{len(settled)} merchants settled{before}."))
    screen.line(
        screen.words(
            f"{seen.pay_on} 打款 {len(lines)} 笔，合计 {text(total)} 元。",
            f"{len(lines)} payouts on {seen.pay_on}, {text(total)} yuan in all.",
        )
    )
    if waiting:
        _tell_waiting(screen, len(waiting), waits)
    if broken:
        screen.note(f"{broken} 家出错，可重新执行。", f"{broken} broke on our side; run it again.")
    if payouts is None and lines:
        screen.note("用 kaquan payouts file 生成给银行的文件。", "Make the bank's file with kaquan payouts file.")


def _tell_waiting(screen: Screen, count: int, amount: Money) -> None:
    screen.line(
        screen.words(
            f"{count} 笔共 {text(amount)} 元待商户绑定或核验银行账户后打款。",
            f"{count} payouts of {text(amount)} yuan wait for a bank account, or for its verification.",
        )
    )


def _write(payouts: Path | None, lines: list[PayoutLine], screen: Screen) -> None:
    if payouts is not None:
        with os.fdopen(private_file(payouts), "w", encoding="utf-8", newline="") as out:
            ends = [line._replace(account_no=hidden(line.account_no)) for line in lines]
            service.write_payouts(out, ends, screen.language)
