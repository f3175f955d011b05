"""Cards that their holders return: who leaves, who thinks better of it, who keeps the card after all.

The town only asks. The issuer's office (`simulation.office`) closes the card the next morning, and pays some days
later.
"""

from functools import partial

from kaquan.cards.model import LotKind
from kaquan.commands.model import Kind, scoped_id
from kaquan.kernel.ids import Id
from kaquan.sales.closing_model import CancelClosing, PayOutClosing, RequestClosing
from kaquan.simulation.diary import Diary
from kaquan.simulation.population import RETURNED, Member
from kaquan.simulation.returns import Returns
from kaquan.simulation.scenario import LeavingHabits
from kaquan.simulation.visits import Visit

REFUND_AFTER_DAYS = 4
"""When goods bought with a returned card come back: the card is closed by then, and paid."""

_REASONS = {"holder": "持卡人不再使用", "issuer": "附近门店停业"}
_KEEPS = "持卡人改变主意"
_CHANNEL_RECEIPT = "原路退款"


class Leaving:
    """Who returns a card, and what comes back for it later."""

    def __init__(self, habits: LeavingHabits, diary: Diary, returns: Returns) -> None:
        self._habits = habits
        self._diary = diary
        self._returns = returns

    def wants_to(self, member: Member, day: int) -> bool:
        """Whether a holder thinks of returning the card today: when she leaves, or some days after she bought it."""
        if member.card is None or member.state:
            return False
        if day == member.leaves:
            return self._diary.chance(self._habits.leavers_bps)
        return day in self._regret_days(member) and self._diary.chance(self._habits.regrets_bps)

    def ask(self, member: Member) -> None:
        """The card is returned. Whoever tries to pay with it now is told so."""
        card, diary, issuer = member.card, self._diary, member.venue.issuer
        if card is None or member.state:
            return
        cause = "issuer" if diary.chance(self._habits.issuer_bps) else "holder"
        command = RequestClosing(key=diary.key(), caller=issuer, card=card, cause=cause, reason=_REASONS[cause])
        diary.write(Kind.REQUEST_CLOSING, command)
        closing = scoped_id(issuer.organisation, card, command.key)
        member.state = RETURNED
        again = RequestClosing(key=diary.key(), caller=issuer, card=card, cause=cause, reason=_REASONS[cause])
        today = diary.index < diary.last_index
        if today and diary.chance(self._habits.asked_twice_bps):
            diary.later(partial(diary.write, Kind.REQUEST_CLOSING, again, "card_closing"), 0, diary.index + 1)
        elif today and diary.chance(self._habits.keeps_bps):
            diary.next_step(partial(self._keep, member, closing))
        elif diary.chance(self._habits.refund_after_bps):
            self._refund_after(member, closing)

    def _keep(self, member: Member, closing: Id) -> None:
        member.state = ""
        command = CancelClosing(key=self._diary.key(), caller=member.venue.issuer, closing=closing, reason=_KEEPS)
        self._diary.write(Kind.CANCEL_CLOSING, command)

    def _refund_after(self, member: Member, closing: Id) -> None:
        """Goods of the last visit come back when the card is closed: principal is owed, and paid, outside it."""
        visit, comes = member.last, self._diary.day + REFUND_AFTER_DAYS
        held = any(part.held for part in member.purse.parts)
        if visit is None or held or not visit.left or comes + 1 >= visit.due:
            return
        self._diary.later(partial(self._give_back, visit, closing), REFUND_AFTER_DAYS, early=True)

    def _give_back(self, visit: Visit, closing: Id) -> None:
        if not visit.left:
            return
        self._returns.refund(visit)
        if any(own.kind == LotKind.PRINCIPAL for own, _ in visit.shares):
            self._diary.later(partial(self._pay, visit, closing), 1)

    def _pay(self, visit: Visit, closing: Id) -> None:
        command = PayOutClosing(
            key=self._diary.key(),
            caller=visit.member.venue.issuer,
            closing=closing,
            route="original",
            reference=_CHANNEL_RECEIPT,
        )
        self._diary.write(Kind.PAY_OUT_CLOSING, command)

    def _regret_days(self, member: Member) -> range:
        first = member.arrives + 1
        return range(first, first + self._habits.regrets_within_days)
