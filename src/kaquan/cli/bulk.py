"""`kaquan bulk`: submit, list, show, failed, cancel."""

import os
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Annotated, Any

import typer

from kaquan.bulk import rules, service
from kaquan.bulk.errors import JOB_UNKNOWN
from kaquan.bulk.model import PREFIX, Job, Sent
from kaquan.cli.endings import Misuse
from kaquan.cli.files import private_file
from kaquan.cli.opening import reads, works, writes
from kaquan.cli.options import As
from kaquan.cli.session import Session, identity
from kaquan.db import embedded
from kaquan.documents.jobs import failed_rows_csv, failure_document, job_document
from kaquan.kernel import clock
from kaquan.kernel.ids import Id, public
from kaquan.kernel.refusal import Refusal

app = typer.Typer(no_args_is_help=True, help="批量任务 / Bulk jobs: many rows of one operation")

FILE_BYTES_MAX = 2 * 1024 * 1024  # as much as a request may have
POLL_SECONDS = 0.2
_COLUMNS = ("job", "operation", "state", "job_rows", "rows_done", "rows_failed", "rows_waiting", "percent", "sent_at")
_NAMED = {"rows": "job_rows", "done": "rows_done", "failed": "rows_failed", "waiting_for_approval": "rows_waiting"}
_STATES = {
    "waiting": ("待执行", "waiting"),
    "running": ("执行中", "running"),
    "cancelling": ("取消中", "being cancelled"),
    "done": ("已完成", "done"),
    "cancelled": ("已取消", "cancelled"),
    "stopped": ("已停止", "stopped"),
}

JobArgument = Annotated[str, typer.Argument(help="任务编号：job_… / The job's id: job_…", metavar="JOB")]


@app.command("submit")
@writes
def submit_command(
    session: Session,
    file: Annotated[
        Path,
        typer.Argument(help="CSV 文件，首行为列名 / A CSV file; its first line names columns", metavar="FILE"),
    ],
    operation: Annotated[
        str, typer.Option("--operation", help="操作，如 sell_card / What is done, such as sell_card", metavar="NAME")
    ],
    wait: Annotated[
        bool, typer.Option("--wait", help="一起执行并等到结束 / Work on it here, until it has ended")
    ] = False,
    as_: As = None,
) -> None:
    """提交批量任务：每行如同单独提交 / Send many rows: each as if sent alone

    由 kaquan serve 或 kaquan jobs bulk 执行；文件中的个人信息加密保存，任务结束即删除。 / kaquan serve or
    kaquan jobs bulk carries it out; personal data in it is sealed, and gone when the job has ended.
    """
    from kaquan.api.bulk_rows import NAMES, columns  # the web framework takes half a second

    if operation not in NAMES:
        raise Misuse(f"操作须是：{', '.join(NAMES)}。", f"An operation is one of {', '.join(NAMES)}.")
    rows = rules.rows_of(_text(file), columns(operation))
    if isinstance(rows, Refusal):
        session.refuse(rows)
    if refusal := rules.count_refused(len(rows)):
        session.refuse(refusal)
    if session.dry_run:
        facts = {"operation": operation, "job_rows": len(rows)}
        return session.screen.effect(("试算：文件可读。", "Dry run: the file is readable."), facts, {"dry_run": True})
    app_, sent = session.app, Sent(session.key(), session.caller(as_))
    made = service.submit(app_.connection, app_.master, sent, app_.door.at(), operation=operation, rows=rows)
    if isinstance(made, Refusal):
        session.refuse(made)
    if wait:
        _work(session, made[0], len(rows))
    _tell(session, _found(session, made[0]))


@app.command("list")
@reads
def list_command(session: Session) -> None:
    """列出批量任务，最新的在前 / List the jobs, the latest first"""
    rows = [job_document(one) for one in service.listed(session.app.connection)]
    none = ("还没有批量任务：用 kaquan bulk submit 提交。", "There is no job yet: kaquan bulk submit sends one.")
    session.screen.rows("jobs", _COLUMNS, [_for_people(session, one) for one in rows], none, rows)


@app.command("show")
@reads
def show_command(session: Session, job: JobArgument) -> None:
    """查看进度与预计剩余时间 / How far a job is, and how long it will take"""
    _tell(session, _job(session, job))


@app.command("failed")
@reads
def failed_command(
    session: Session,
    job: JobArgument,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="写入文件，改正后可再提交 / A file to write, correct and send"),
    ] = None,
) -> None:
    """失败的行及原因，不含个人信息 / The rows that failed and why, without personal data"""
    from kaquan.api.bulk_rows import columns

    found, language = _job(session, job), session.screen.language
    failed = service.failures(session.app.connection, session.app.master, found.id)
    if session.screen.as_json:
        return session.screen.one({"failed": [failure_document(one, language) for one in failed]})
    text = failed_rows_csv(failed, columns(found.operation), language)
    if out is None:
        return session.screen.text(text)
    with os.fdopen(private_file(out), "w", encoding="utf-8-sig", newline="") as file:
        file.write(text)
    session.screen.effect(("已写入。", "Written."), {"file": str(out), "rows_failed": len(failed)})


@app.command("cancel")
@works
def cancel_command(session: Session, job: JobArgument) -> None:
    """取消：不再执行余下的行 / Carry out no further rows; what is done stays done"""
    found = _job(session, job)
    if not session.dry_run and (refusal := service.cancel(session.app.connection, found.id, clock.system_now())):
        session.refuse(refusal)
    _tell(session, _found(session, found.id))


def carry_out(
    session: Session,
    only: Id | None,
    stop: Event,
    enough: Callable[[], bool] = lambda: False,
    *,
    until_idle: bool = False,
) -> int:
    """Carry out chunks of one job or of all until it is enough, or there is none, or it is told to stop; how many."""
    from kaquan.api.bulk_runner import turn
    from kaquan.api.serving import Serving

    settings, count = session.settings, 0
    with (
        embedded.open_database(settings) as server,
        Serving(settings, lambda: server.app_url, server.master_key) as serving,
    ):
        while not stop.is_set() and not enough():
            if turn(serving, stop, only):
                count += 1
            elif until_idle:
                break
            else:
                stop.wait(POLL_SECONDS)
    return count


def _work(session: Session, job: Id, rows: int) -> None:
    with session.screen.progress(rows) as progress:

        def ended() -> bool:
            found = _found(session, job)
            progress(found.decided)
            return found.ended

        carry_out(session, job, Event(), ended)


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise Misuse(f"{file} 超过 2 MB，请分成几个文件。", f"{file} has more than 2 MB: split it.")
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise Misuse(f"无法读取 {file}，须为 UTF-8 编码。", f"{file} can't be read as UTF-8 text.") from None


def _job(session: Session, text: str) -> Job:
    return _found(session, identity(PREFIX, text))


def _found(session: Session, job: Id) -> Job:
    found = service.find(session.app.connection, job)
    return session.refuse(Refusal(JOB_UNKNOWN, {"days": rules.DAYS_KEPT})) if found is None else found


def _tell(session: Session, job: Job) -> None:
    document = job_document(job)
    if session.screen.as_json:
        return session.screen.one(document)
    session.screen.facts(_for_people(session, document))
    if job.failed:
        name = public(PREFIX, job.id)
        session.screen.note(
            f"失败的行：kaquan bulk failed {name} --out 文件", f"What failed: kaquan bulk failed {name} --out FILE"
        )


def _for_people(session: Session, document: dict[str, Any]) -> dict[str, Any]:
    named = {_NAMED.get(name, name): given for name, given in document.items()}
    return named | {"state": session.screen.words(*_STATES[document["state"]])}
