"""`kaquan referral`: invite codes, accepting, both sides of a referral, undoing one."""

from typing import Annotated, Any

import typer

from kaquan.cli.cards import Reason
from kaquan.cli.holders import wallet_of
from kaquan.cli.opening import reads, writes
from kaquan.cli.options import Phone, Wallet
from kaquan.cli.session import Session, identity
from kaquan.cli.vouchers import Device, Payee, Program, outside_of
from kaquan.commands.model import Effect, Kind
from kaquan.documents.answers import shown
from kaquan.documents.referrals import as_invitee, as_inviter, referral_document
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id, public
from kaquan.kernel.refusal import Refusal
from kaquan.rewards import service
from kaquan.rewards.errors import REFERRAL_UNKNOWN
from kaquan.rewards.invite_codes import invite_code
from kaquan.rewards.referral_model import AcceptInvite, UndoReferral

app = typer.Typer(
    no_args_is_help=True, help="邀请返现：邀请码、接受、查看、作废 / Referrals: invite, accept, list, show, undo"
)

ReferralArgument = Annotated[
    str, typer.Argument(help="邀请记录 ref_… / Referral: ref_…", metavar="REFERRAL", show_default=False)
]
Code = Annotated[str, typer.Option("--code", help="邀请码 / Invite code of who invites", metavar="CODE")]
_COLUMNS = ("referral", "side", "program", "state", "inviter_state", "accepted_at", "due_at", "voucher")


@app.command("invite")
@reads
def invite_command(session: Session, phone: Phone = None, wallet: Wallet = None) -> None:
    """给出持卡人的邀请码 / Tell a holder's invite code"""
    owner = wallet_of(session, wallet, phone)
    facts = {"wallet": public("wal", owner), "invite_code": invite_code(owner)}
    session.screen.one(facts)


@app.command("accept")
@writes
def accept_command(
    session: Session,
    program: Program,
    code: Code,
    phone: Phone = None,
    wallet: Wallet = None,
    referral: Annotated[
        str,
        typer.Option(
            "--referral", help="哪个邀请活动，默认第一个 / Which referral, the first by default", metavar="CODE"
        ),
    ] = "",
    device: Device = None,
    payee: Payee = None,
) -> None:
    """新持卡人用邀请码接受邀请 / A holder who is new to the program accepts an invitation"""
    owner, given = wallet_of(session, wallet, phone), outside_of(session, device, payee)
    done = session.act(
        Kind.ACCEPT_INVITE,
        lambda key: AcceptInvite(
            key=key, caller=OPERATOR, wallet=owner, program=program, code=code, referral=referral, **given
        ),
    )
    if not session.dry_run:
        _tell_inviter(session, done)
    session.tell(("已接受邀请。", "The invitation is accepted."), done, shown(done.facts), ("referral",))


@app.command("list")
@reads
def list_command(session: Session, phone: Phone = None, wallet: Wallet = None) -> None:
    """列出持卡人的邀请：被谁邀请、邀请了谁 / List a holder's referrals: by whom, and whom"""
    owner, connection = wallet_of(session, wallet, phone), session.app.connection
    rows = [as_invitee(one) for one in service.referral_of(connection, owner)]
    rows += [as_inviter(one) for one in service.invitations_of(connection, owner)]
    session.screen.rows("referrals", _COLUMNS, rows, ("没有邀请。", "No referrals."))


@app.command("show")
@reads
def show_command(session: Session, referral: ReferralArgument) -> None:
    """查看一条邀请的两侧 / Show both sides of a referral"""
    found = _found(session, identity("ref", referral))
    facts = referral_document(found)
    session.screen.one(facts)


@app.command("undo")
@writes
def undo_command(session: Session, referral: ReferralArgument, reason: Reason) -> None:
    """首充已退：不再发放，已发的追回 / The first purchase was undone: pay nothing, take back what was paid"""
    target = identity("ref", referral)
    done = session.act(
        Kind.UNDO_REFERRAL, lambda key: UndoReferral(key=key, caller=OPERATOR, referral=target, reason=reason)
    )
    if not session.dry_run:
        _tell_inviter(session, done)
    session.tell(("邀请已作废。", "The referral is undone."), done, shown(done.facts))


def _tell_inviter(session: Session, done: Effect) -> None:
    """The inviter's side follows at once; the timetable does so if this breaks off."""
    command = service.following(session.app.connection, done)
    if command is not None:
        session.app.one(Kind.FOLLOW_REFERRAL, command)


def _found(session: Session, referral: Id) -> Any:
    found = service.referral(session.app.connection, referral)
    if found is None:
        session.refuse(Refusal(REFERRAL_UNKNOWN))
    return found
