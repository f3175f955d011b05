"""`kaquan jobs`: what is due by the timetable."""

import typer

from kaquan.cli.opening import works
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
