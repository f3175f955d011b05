"""Referrals: invite codes, accepting, what a holder's referrals have come to, undoing one."""

from typing import Annotated, Any

from pydantic import Field

from kaquan.api.authorization import HOLDERS, ISSUERS
from kaquan.api.calls import Call
from kaquan.api.fields import PAGE_MAX, After, Body, Code, Limit, PathText, Reasoned
from kaquan.api.pages import page
from kaquan.api.routes import Routes
from kaquan.commands.model import Effect, Kind
from kaquan.documents.referrals import as_invitee, as_inviter, referral_document
from kaquan.kernel.caller import Role
from kaquan.kernel.ids import Id, public
from kaquan.rewards import service
from kaquan.rewards.invite_codes import invite_code
from kaquan.rewards.referral_model import AcceptInvite, UndoReferral
from kaquan.vouchers.service import outside_digest

routes = Routes("referrals", "邀请 Referrals")
Outside = Annotated[str | None, Field(max_length=256)]


class Acceptance(Body):
    """Who accepts, by whose invite code; `referral` is the program's first when empty."""

    wallet: str
    program: Code
    code: Annotated[str, Field(min_length=1, max_length=64)]
    referral: Annotated[str, Field(max_length=64)] = ""
    device: Outside = None
    payee: Outside = None


@routes.reads("/wallets/{wallet}/invite-code", HOLDERS)
def show_invite_code(call: Call, wallet: PathText) -> dict[str, Any]:
    """邀请码 A holder's invite code"""
    owner = call.objects.wallet(wallet)
    return {"wallet": public("wal", owner), "invite_code": invite_code(owner)}


@routes.writes(
    "/referrals", HOLDERS, example={"wallet": "$wallet", "program": "$referral_program", "code": "$invite_code"}
)
def accept_invitation(call: Call, body: Acceptance) -> dict[str, Any]:
    """接受邀请 Accept an invitation for a holder who is new to the program"""
    wallet, program = call.objects.customer(body.wallet), call.objects.claimable(body.program)
    outside = {
        kind: outside_digest(call.app.master, kind, text)
        for kind, text in (("device", body.device), ("payee", body.payee))
        if text is not None
    }
    return call.act_told(
        Kind.ACCEPT_INVITE,
        AcceptInvite,
        lambda done: _followed(call, done),
        wallet=wallet,
        program=program.terms.program.code,
        code=body.code,
        referral=body.referral,
        **outside,
    )


@routes.reads("/wallets/{wallet}/referrals", HOLDERS | {Role.REGULATOR})
def list_referrals(call: Call, wallet: PathText, limit: Limit = PAGE_MAX, after: After = None) -> dict[str, Any]:
    """列出邀请 A holder's referrals: by whom, and whom; 100 and the latest 1,000 at most. Nobody learns who it is"""
    owner, connection = call.objects.wallet(wallet), call.app.connection
    sides = [(0, one, as_invitee) for one in service.referral_of(connection, owner)]
    sides += [(1, one, as_inviter) for one in service.invitations_of(connection, owner)]
    seen = [side for side in sides if call.sees_program(side[1].program)]
    place = lambda side: (side[0], -side[1].at, side[1].id.hex)  # noqa: E731
    return page(seen, place, (limit, after), lambda side: side[2](side[1]))


@routes.reads("/referrals/{referral}", ISSUERS | {Role.REGULATOR})
def show_referral(call: Call, referral: PathText) -> dict[str, Any]:
    """查看邀请 Both sides of a referral"""
    return referral_document(call.objects.referral(referral))


@routes.writes("/referrals/{referral}/undo", ISSUERS, example={"reason": "the purchase was undone"})
def undo_referral(call: Call, referral: PathText, body: Reasoned) -> dict[str, Any]:
    """作废邀请 The first purchase was undone: pay nothing, take back what was paid"""
    target = Id(call.objects.referral(referral).id.bytes)
    return call.act_told(
        Kind.UNDO_REFERRAL, UndoReferral, lambda done: _followed(call, done), referral=target, reason=body.reason
    )


def _followed(call: Call, done: Effect) -> dict[str, Any]:
    """The inviter's side follows at once; the timetable sees to it if this breaks off."""
    command = None if call.dry_run else service.following(call.app.connection, done)
    if command is not None:
        call.serving.send(Kind.FOLLOW_REFERRAL, command)
    return {}
