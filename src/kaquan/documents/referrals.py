"""A referral as its two sides see it, and whole."""

from typing import Any

from kaquan.documents.answers import instant
from kaquan.kernel.ids import public
from kaquan.rewards.referral_model import InvitationState, ReferralState


def as_invitee(one: Any) -> dict[str, Any]:
    """What the invitee sees."""
    return {**_both(one), "side": "invitee", "inviter_state": None, "voucher": _voucher(one.voucher)}


def as_inviter(one: Any) -> dict[str, Any]:
    """The inviter does not learn who it is, only how far it has come."""
    own = {"inviter_state": _inviter_state(one.own_state), "voucher": _voucher(one.voucher)}
    return {**_both(one), "side": "inviter", **own}


def referral_document(found: Any) -> dict[str, Any]:
    """Both sides of a referral."""
    return {
        **as_invitee(found),
        "wallet": public("wal", found.wallet.bytes),
        "inviter": public("wal", found.inviter.bytes),
        "clawback_short_fen": found.short,
        "inviter_state": _inviter_state(found.own_state),
        "inviter_voucher": _voucher(found.own_voucher),
        "inviter_short_fen": found.own_short or 0,
    }


def _both(one: Any) -> dict[str, Any]:
    return {
        "referral": public("ref", one.id.bytes),
        "program": one.program,
        "state": ReferralState(one.state).name.lower(),
        "accepted_at": instant(one.at),
        "due_at": instant(one.due_at),
    }


def _inviter_state(state: int | None) -> str | None:
    return None if state is None else InvitationState(state).name.lower()


def _voucher(voucher: Any) -> str | None:
    return None if voucher is None else public("vch", voucher.bytes)
