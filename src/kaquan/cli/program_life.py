"""`kaquan program start | pause | resume | end | close`: the life of an approved program, and its history."""

from datetime import date, datetime
from typing import Annotated

import typer

from kaquan.cli.endings import Misuse
from kaquan.cli.opening import reads, writes
from kaquan.cli.options import As
from kaquan.cli.program_files import Code, Reason, step
from kaquan.cli.session import Session
from kaquan.commands.model import Kind
from kaquan.documents.programs import step_row
from kaquan.programs import service as programs
from kaquan.programs.model import CloseProgram, EndProgram, PauseProgram, ResumeProgram, StartProgram


@writes
def start_command(
    session: Session,
    program: Code,
    on: Annotated[
        str | None,
        typer.Option("--on", help="开始日期，到日自动开始 / Day on which it starts by itself", metavar="YYYY-MM-DD"),
    ] = None,
    as_: As = None,
) -> None:
    """开始已批准的活动，或定下开始日期 / Start an approved program, or set the day on which it starts"""
    day = _day(on)
    step(
        session,
        Kind.START_PROGRAM,
        lambda key, caller: StartProgram(key=key, caller=caller, program=program, starts_on=day),
        as_,
        ("已办理。", "Done."),
    )


@writes
def pause_command(session: Session, program: Code, reason: Reason = "", as_: As = None) -> None:
    """暂停活动：不售卡、不充值、不发放；已售出的照常使用和结算 / Pause: nothing is sold or granted

    已售出的照常使用、退款和结算。 / What was sold is spent, refunded and settled as before.
    """
    step(
        session,
        Kind.PAUSE_PROGRAM,
        lambda key, caller: PauseProgram(key=key, caller=caller, program=program, reason=reason),
        as_,
        ("已暂停。", "Paused."),
    )


@writes
def resume_command(session: Session, program: Code, as_: As = None) -> None:
    """恢复已暂停的活动 / Resume a paused program"""
    step(
        session,
        Kind.RESUME_PROGRAM,
        lambda key, caller: ResumeProgram(key=key, caller=caller, program=program),
        as_,
        ("已恢复。", "Resumed."),
    )


@writes
def end_command(session: Session, program: Code, reason: Reason = "", as_: As = None) -> None:
    """结束活动，不能恢复：不再售卡和充值 / End a program for good: nothing is sold any more

    已售出的照常使用，已得的返利照常到账。 / What was sold can be spent, and what was earned arrives.
    """
    step(
        session,
        Kind.END_PROGRAM,
        lambda key, caller: EndProgram(key=key, caller=caller, program=program, reason=reason),
        as_,
        ("已结束。", "Ended."),
    )


@writes
def close_command(session: Session, program: Code, as_: As = None) -> None:
    """关闭已结束的活动：余额、预授权、返利和商户款都须了结 / Close a program that has ended and owes nothing"""
    step(
        session,
        Kind.CLOSE_PROGRAM,
        lambda key, caller: CloseProgram(key=key, caller=caller, program=program),
        as_,
        ("已关闭。", "Closed."),
    )


@reads
def history_command(session: Session, program: Code) -> None:
    """活动的经过：何时、何人、做了什么 / What happened to a program, when, and who did it"""
    life = session.life(program)
    rows = [step_row(one) for one in programs.history(session.app.connection, life.code)]
    columns = ("at", "step", "state", "version", "person", "reason")
    none = ("没有经过。", "Nothing has happened.")
    session.screen.rows("history", columns, rows, none)


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007
    except ValueError:
        raise Misuse(f"“{text}”不是日期，请写 2025-06-01。", f"{text} is not a day: write 2025-06-01.") from None
