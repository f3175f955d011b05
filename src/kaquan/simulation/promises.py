"""What was promised and comes by itself when it is due: the months of plans, the rewards of invitations.

That a stock or a fund runs dry, or an inviter reaches a cap, is not believed: `scenario.toml` gives enough.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count

from kaquan.commands.model import Kind, scoped_id
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id, derived_id
from kaquan.kernel.money import Money
from kaquan.programs.catalogue import Stock
from kaquan.programs.grants import Drip
from kaquan.rewards.gifts import given_id
from kaquan.rewards.invite_codes import invite_code
from kaquan.rewards.plans import drip_of, due_at
from kaquan.rewards.referral_model import AcceptInvite, UndoReferral, invitation_id
from kaquan.rewards.rules import window_end
from kaquan.simulation.diary import Act, Diary
from kaquan.simulation.population import Member
from kaquan.simulation.scenario import InvitationHabits
from kaquan.vouchers.claims import Issue, new_voucher
from kaquan.vouchers.model import NewVoucher, Voucher, VoucherState

Invited = tuple[Id, Member]
"""A referral and who invited."""

_REASON = "经查为虚假邀请"
_FOUND_OUT_DAYS = (1, 14)


class Promises:
    """Plans and invitations. `keep` is called whenever the timetable runs."""

    def __init__(self, habits: InvitationHabits, diary: Diary) -> None:
        self._habits = habits
        self._diary = diary
        self._numbers: Iterator[int] = count()
        self._due: list[tuple[datetime, int, Act]] = []
        self._holders: dict[str, list[Member]] = {}
        self._invited: dict[int, Invited] = {}

    def keep(self) -> None:
        """Everything that is due now happens."""
        while self._due and self._due[0][0] <= self._diary.at:
            heappop(self._due)[2]()

    def invite(self, member: Member, wallet: Id) -> None:
        """Somebody with a card may have invited a holder who is about to buy the first one."""
        venue, diary = member.venue, self._diary
        friends = self._holders.get(venue.plan.code, [])
        if not (venue.terms.referrals and friends and diary.chance(self._habits.invited_bps)):
            return
        inviter = diary.rng.choice(friends)
        if inviter.resident is member.resident or inviter.resident.wallet is None:
            return
        command = AcceptInvite(
            key=diary.key(),
            caller=venue.issuer,
            wallet=wallet,
            program=venue.plan.code,
            code=invite_code(inviter.resident.wallet),
        )
        diary.write(Kind.ACCEPT_INVITE, command)
        referral = scoped_id(command.caller.organisation, wallet, command.key)
        self._invited[id(member)] = referral, inviter

    def bought(self, member: Member, origin: Id, face: Money) -> None:
        """A purchase may start a plan; the first one may earn a referral."""
        venue, at = member.venue, self._diary.at
        if drip := drip_of(venue.known, face):
            plan = derived_id(origin, b"plan " + drip.code.encode())
            for month in range(1, drip.months + 1):
                self._later(due_at(at, month), partial(self._grant, member, drip, plan, month))
        if member.first_bought:
            return
        member.first_bought = True
        self._holders.setdefault(venue.plan.code, []).append(member)
        invited = self._invited.pop(id(member), None)
        if invited is not None and face >= venue.terms.referrals[0].first_face_fen:
            kept = window_end(at, venue.terms.referrals[0].kept_days)
            self._later(kept, partial(self._pay, member, *invited))

    def _later(self, at: datetime, act: Act) -> None:
        heappush(self._due, (at, next(self._numbers), act))

    def _grant(self, member: Member, drip: Drip, plan: Id, month: int) -> None:
        for number in range(drip.each_month):
            identity = derived_id(plan, b"month %d voucher %d" % (month, number))
            self._give(member, member.venue.stocks[drip.stock], identity, plan)

    def _pay(self, invitee: Member, referral: Id, inviter: Member) -> None:
        rules = invitee.venue.terms.referrals[0]
        stocks = invitee.venue.stocks
        wallet = inviter.resident.wallet
        if wallet is None:
            return
        theirs = invitation_id(wallet, referral)
        welcome = self._give(invitee, stocks[rules.invitee_stock], given_id(referral), referral)
        thanks = self._give(inviter, stocks[rules.inviter_stock], given_id(theirs), theirs)
        if self._diary.chance(self._habits.undone_bps):
            days = self._diary.rng.randint(*_FOUND_OUT_DAYS)
            act = partial(self._undo, referral, (invitee, welcome), (inviter, thanks))
            self._diary.later(act, days, early=True)

    def _undo(self, referral: Id, invitee: tuple[Member, Voucher], inviter: tuple[Member, Voucher]) -> None:
        command = UndoReferral(key=self._diary.key(), caller=OPERATOR, referral=referral, reason=_REASON)
        self._diary.write(Kind.UNDO_REFERRAL, command)
        invitee[0].pocket.lose(invitee[1])
        self._later(self._diary.at + timedelta(minutes=1), partial(self._take_back, *inviter))

    def _take_back(self, inviter: Member, voucher: Voucher) -> None:
        """The inviter's side follows; what an authorization holds is asked for again the next day."""
        if voucher.state == VoucherState.HELD:
            self._later(self._diary.at + timedelta(days=1), partial(self._take_back, inviter, voucher))
        else:
            inviter.pocket.lose(voucher)

    def _give(self, member: Member, stock: Stock, identity: Id, origin: Id) -> Voucher:
        wallet = member.resident.wallet
        new = new_voucher(Issue(identity, wallet or origin, origin, stock, stock.rules.face_fen), self._diary.at)
        if not isinstance(new, NewVoucher):
            raise TypeError("the town's grants have no last day")
        return member.pocket.take(new, stock)
