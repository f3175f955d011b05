"""Referrals (邀请返现): who invited whom, on both sides. One level: nobody earns by those whom her invitees invite.

The invitee's side, `Referral`, lies in her bucket and tells the truth; the inviter's, `Invitation`, follows it by
commands with derived ids, so that no command changes two wallets.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, ClassVar

import msgspec

from kaquan.commands.model import Command, Routed, SlowRow
from kaquan.kernel.ids import Id, derived_id
from kaquan.vouchers.model import NOBODY, SpendingFacts


class ReferralState(IntEnum):
    """Stored."""

    PENDING = 1
    EARNED = 2
    PAID = 3
    CLAWED_BACK = 4
    LAPSED = 5


REFERRAL_WORDS_ZH = {
    ReferralState.PENDING: "待首充",
    ReferralState.EARNED: "待发放",
    ReferralState.PAID: "已发放",
    ReferralState.CLAWED_BACK: "已追回",
    ReferralState.LAPSED: "已失效",
}
"""The states as a clerk reads them in Chinese."""


class InvitationState(IntEnum):
    """Stored."""

    OPEN = 1
    PAID = 2
    OVER_CAP = 3
    CLAWED_BACK = 4
    LAPSED = 5


class Referral(SlowRow):
    """A loaded referral. `origin` is the purchase that earned it, zeros before; `due_us` when it is paid.

    `voucher` is what the invitee got, zeros for nothing; `short` what of it was used when it was taken back.
    """

    table: ClassVar[str] = "referral"
    wallet: Id
    inviter: Id
    program: int
    terms: int
    code: str
    state: int
    at_us: int
    due_us: int
    origin: Id = NOBODY
    voucher: Id = NOBODY
    short: int = 0

    def become(self, values: Sequence[Any]) -> None:
        """state, due_us, origin, voucher, short."""
        self.state, self.due_us, self.origin, self.voucher, self.short = values

    def columns(self) -> dict[str, Any]:
        """See `SlowRow`."""
        return {
            "due_at": self.due_us,
            "origin": _hex(self.origin),
            "short": self.short,
            "state": int(self.state),
            "voucher": _hex(self.voucher),
        }

    def person(self) -> bytes:
        """The person part of a leaf about the invitee."""
        return b'{"referral":"%b","wallet":"%b"}' % (self.id.hex().encode(), self.wallet.hex().encode())


class Invitation(SlowRow):
    """A loaded invitation: the inviter's side of a referral, and the voucher she got."""

    table: ClassVar[str] = "invitation"
    wallet: Id
    state: int
    voucher: Id = NOBODY
    short: int = 0

    def become(self, values: Sequence[Any]) -> None:
        """state, voucher, short."""
        self.state, self.voucher, self.short = values

    def columns(self) -> dict[str, Any]:
        """See `SlowRow`."""
        return {"short": self.short, "state": int(self.state), "voucher": _hex(self.voucher)}


def invitation_id(inviter: Id, referral: Id) -> Id:
    """The inviter's side of a referral, in her bucket."""
    return derived_id(inviter, b"invitation" + referral)


class AcceptInvite(Command, frozen=True, kw_only=True):
    """A holder who is new to a program accepts an invitation by its code. The referral takes the command's id.

    `referral` is the code of one of the program's referrals, its first when empty. `device` and `payee` are opaque
    digests made by the caller, if known.
    """

    wallet: Id
    program: str
    code: str
    referral: str = ""
    device: bytes | None = None
    payee: bytes | None = None

    @property
    def subject(self) -> Id:
        """The invitee's wallet."""
        return self.wallet


class ReferralCommand(Command, frozen=True, kw_only=True):
    """A command about a referral, on the invitee's side."""

    referral: Id

    @property
    def subject(self) -> Id:
        """The referral."""
        return self.referral


class EarnReferral(ReferralCommand, frozen=True, kw_only=True):
    """Judge the invitee's first purchase: the referral is earned, or lapses."""


class PayReferral(ReferralCommand, frozen=True, kw_only=True):
    """Pay a referral whose first purchase has stayed: the invitee's voucher, and from then on the inviter's."""


class UndoReferral(ReferralCommand, frozen=True, kw_only=True):
    """The first purchase is undone: nothing is paid, and what was paid is taken back."""

    reason: str


class FollowReferral(Command, frozen=True, kw_only=True):
    """Bring the inviter's side in line with the invitee's: record the invitation, pay it, or take it back."""

    inviter: Id
    referral: Id

    @property
    def subject(self) -> Id:
        """The inviter's wallet."""
        return self.inviter


class FirstPurchase(msgspec.Struct, frozen=True):
    """The first sale or top-up of a wallet in a program: the command, when, and its face value."""

    origin: Id
    at_us: int
    face: int


class Invited(msgspec.Struct, frozen=True):
    """That a wallet was invited to a program: when, by which referral, and what became of it."""

    at_us: int
    referral: Id
    state: int


class ReferralFacts(SpendingFacts):
    """What is decided about referrals.

    `inviters` are the wallets that codes name; `kin` all wallets of an invitee's person, her own first; `bought` the
    first purchase and `invited` the referral, each by wallet and program; `routed` who got no token.
    """

    referrals: dict[bytes, Referral] = msgspec.field(default_factory=dict)
    invitations: dict[bytes, Invitation] = msgspec.field(default_factory=dict)
    inviters: dict[str, Id] = msgspec.field(default_factory=dict)
    bought: dict[tuple[bytes, int], FirstPurchase] = msgspec.field(default_factory=dict)
    invited: dict[tuple[bytes, int], Invited] = msgspec.field(default_factory=dict)
    kin: dict[bytes, tuple[Id, ...]] = msgspec.field(default_factory=dict)
    routed: Routed = msgspec.field(default_factory=dict)


def _hex(identity: Id) -> str | None:
    return None if identity == NOBODY else identity.hex()
