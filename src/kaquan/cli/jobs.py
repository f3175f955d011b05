"""`kaquan jobs`: what is due by the timetable."""

import signal
from threading import Event
from typing import Annotated

import typer

from kaquan.cli.bulk import carry_out
from kaquan.cli.opening import reads, works
from kaquan.cli.session import Session
from kaquan.jobs.run import run_due
from kaquan.jobs.timetable import due

app = typer.Typer(no_args_is_help=True, help="定时任务 / Scheduled work")


@app.command("run")
@works
def run_command(session: Session) -> None:
    """执行到期事项：预授权过期、返利到账、赠金到期、保证金释放、月结 / Carry out what is due now

    holds that lapse, rebates, expiring bonus, reserves to release, monthly settlements. 可由 cron 定时调用，重复执行
    不会重复生效。 / Let cron call it as often as you like: nothing happens twice.
    """
    app_, screen = session.app, session.screen
    if session.dry_run:
        session.catalogue()
        found = due(app_.connection, app_.catalogue, app_.calendar, app_.door.at())
        counts = {kind.name.lower(): len(commands) for kind, commands in found.items()}
    else:
        counts = {kind.name.lower(): number for kind, number in run_due(app_).items()}
    rows = [{"work": name, "count": number} for name, number in counts.items()]
    none = ("没有到期事项。", "Nothing is due.")
    screen.rows("work", ("work", "count"), rows, none, counts)


@app.command("bulk")
@reads
def bulk_command(
    session: Session,
    once: Annotated[
        bool, typer.Option("--once", help="没有待执行的行就退出 / Stop when no row waits any more")
    ] = False,
) -> None:
    """执行批量任务，直到被中断；kaquan serve 自己会做 / Carry out bulk jobs until interrupted"""
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    count = carry_out(session, None, stop, until_idle=once)
    session.screen.effect(("已执行。", "Done."), {"chunks": count})
