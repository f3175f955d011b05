"""`kaquan audit list`: who called what from outside, and what came of it."""

from typing import Annotated

import typer

from kaquan.cli.opening import reads
from kaquan.cli.session import Session, identity
from kaquan.documents.answers import instant
from kaquan.identity import audit
from kaquan.kernel.ids import public

app = typer.Typer(
    no_args_is_help=True,
    help="审计日志：谁从外面做了什么 / Audit log: who did what from outside",
)

PREFIX = "aud"
LIMIT = 50
_COLUMNS = ("at", "operation", "outcome_code", "organisation", "role", "person", "object", "call")


@app.command("list")
@reads
def list_command(
    session: Session,
    person: Annotated[str | None, typer.Option("--person", help="办理人 / Who acted", metavar="NAME")] = None,
    operation: Annotated[str | None, typer.Option("--operation", help="操作 / Operation", metavar="NAME")] = None,
    about: Annotated[
        str | None, typer.Option("--object", help="对象编号，如 pay_… / Public id, such as pay_…", metavar="ID")
    ] = None,
    prefix: Annotated[
        str | None, typer.Option("--prefix", help="密钥前缀 / Prefix of the key", metavar="TEXT")
    ] = None,
    outcome: Annotated[
        str | None, typer.Option("--outcome", help="结果：ok 或拒绝代码 / ok, or a refusal's code", metavar="CODE")
    ] = None,
    before: Annotated[
        str | None, typer.Option("--before", help="从这条记录往前 / From below this entry: aud_…", metavar="ENTRY")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=audit.PAGE_MAX, help="最多几条 / How many at most", metavar="N")
    ] = LIMIT,
) -> None:
    """列出审计日志，最新的在前 / List the log, the latest first"""
    filters = audit.Filters(person=person, operation=operation, object=about, key_prefix=prefix, outcome=outcome)
    cursor = identity(PREFIX, before) if before else None
    rows = [
        {
            "call": public(PREFIX, one.id),
            "at": instant(one.at_us),
            "operation": one.operation,
            "outcome_code": one.outcome,
            "organisation": one.organisation,
            "role": one.role,
            "person": one.person,
            "prefix": one.key_prefix,
            "object": one.object,
            "command": public("cmd", one.command) if one.command else None,
            "request": one.request,
        }
        for one in audit.list_page(session.app.connection, cursor, filters, limit)
    ]
    session.screen.rows("calls", _COLUMNS, rows, ("没有记录。", "Nothing was logged."))
