"""`kaquan approvals list | show | approve | reject`: what waits for a second person."""

from typing import Annotated, Any

import msgspec
import typer

from kaquan.approvals import service
from kaquan.approvals.errors import APPROVAL_UNKNOWN
from kaquan.approvals.model import PREFIX, Approval
from kaquan.cli.opening import reads, writes
from kaquan.cli.options import As
from kaquan.cli.session import Session, identity
from kaquan.commands.model import Kind
from kaquan.documents.answers import instant, shown
from kaquan.documents.approvals import approval_document
from kaquan.kernel.refusal import Refusal

app = typer.Typer(
    no_args_is_help=True,
    help="两个人才能办的事：列出、查看、批准、退回 / What takes two persons: list, show, approve, reject",
)

_COLUMNS = ("at", "wanted", "organisation", "role", "person", "reason", "state", "expires_at", "approval")

Request = Annotated[
    str, typer.Argument(help="申请编号 apr_… / Request: apr_…", metavar="REQUEST", show_default=False)
]
Reason = Annotated[str, typer.Option("--reason", help="原因，记入经过 / Why: kept in the history", metavar="TEXT")]


@app.command("list")
@reads
def list_command(
    session: Session,
    everything: Annotated[
        bool, typer.Option("--all", help="也列出已决定和过期的 / Also those that were decided or have expired")
    ] = False,
) -> None:
    """列出待批准的申请，最早的在前 / List the requests that wait, the oldest first"""
    at, connection = session.app.door.at(), session.app.connection
    found = service.page(connection) if everything else service.pending(connection, at)
    rows = [_row(session, one) for one in found]
    session.screen.rows("approvals", _COLUMNS, rows, ("没有待批准的申请。", "Nothing waits for an approval."))


@app.command("show")
@reads
def show_command(session: Session, request: Request) -> None:
    """显示一份申请：要办什么，谁申请，谁决定 / Show a request: what is wanted, who asked, who decided"""
    one = _approval(session, request)
    body = msgspec.json.decode(one.body)
    facts = {
        **_row(session, one),
        "body": body if session.screen.as_json else one.body.decode(),
        "decided_at": instant(one.decided_us),
        "decided_by": one.decided_by,
        "decided_why": one.decided_why,
        "executed_at": instant(one.executed_us),
        "outcome_code": one.outcome,
    }
    session.screen.one(facts)


@app.command("approve")
@writes
def approve_command(session: Session, request: Request, as_: As = None) -> None:
    """批准申请，之后执行一次 / Approve a request, which is then executed once

    申请人自己不能批准。 / Not for the person who made it.
    """
    one = _approval(session, request)
    done = session.act(Kind.APPROVE_REQUEST, lambda key: service.approve(key, session.caller(as_), one.id))
    session.tell(("已批准。", "Approved."), done, shown(done.facts))


@app.command("reject")
@writes
def reject_command(session: Session, request: Request, reason: Reason, as_: As = None) -> None:
    """退回申请，写明原因 / Reject a request, and say why"""
    one = _approval(session, request)
    done = session.act(Kind.REJECT_REQUEST, lambda key: service.reject(key, session.caller(as_), one.id, reason))
    session.tell(("已退回。", "Rejected."), done, shown(done.facts))


def _approval(session: Session, text: str) -> Approval:
    found = service.find(session.app.connection, identity(PREFIX, text))
    if found is None:
        session.refuse(Refusal(APPROVAL_UNKNOWN))
    return found


def _row(session: Session, one: Approval) -> dict[str, Any]:
    return approval_document(one, session.catalogue(), session.app.door.at())
