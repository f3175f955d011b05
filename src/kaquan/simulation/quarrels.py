"""Payments that holders dispute: the merchant answers, somebody decides. For the holder it is refunded before."""

from functools import partial

from kaquan.casework.model import About, AnswerDispute, DisputeState, OpenDispute, ResolveDispute
from kaquan.commands.model import Kind, scoped_id
from kaquan.kernel.ids import Id
from kaquan.payments.model import Refund
from kaquan.simulation.diary import Diary
from kaquan.simulation.scenario import DisputeHabits
from kaquan.simulation.visits import Visit

_SAYS = "商品与约定不符"
_ANSWER = "商户提交了出货单"
_FOR_HOLDER, _FOR_MERCHANT = "支持持卡人，全额退款", "商户已举证"


class Quarrels:
    """Disputes from the complaint to the decision."""

    def __init__(self, habits: DisputeHabits, diary: Diary) -> None:
        self._habits = habits
        self._diary = diary

    def plan(self, visit: Visit) -> None:
        """Somebody will dispute what the card paid of an order. What a card did not pay nobody holds back."""
        if visit.by_card:
            self._diary.later(partial(self._open, visit), self._diary.rng.randint(*self._habits.after_days))

    def _open(self, visit: Visit) -> None:
        diary, issuer = self._diary, visit.member.venue.issuer
        command = OpenDispute(
            key=diary.key(),
            caller=issuer,
            about=About.PAYMENT,
            object=visit.payment,
            amount=visit.by_card,
            reason=_SAYS,
        )
        diary.write(Kind.OPEN_DISPUTE, command)
        dispute = scoped_id(issuer.organisation, visit.payment, command.key)
        diary.later(partial(self._answer, visit, dispute), self._habits.answered_after_days)
        side = DisputeState.FOR_MERCHANT
        if diary.chance(self._habits.for_holder_bps):
            side = DisputeState.FOR_HOLDER
            diary.later(partial(self._refund, visit), self._habits.decided_after_days - 1, early=True)
        diary.later(partial(self._decide, visit, dispute, side), self._habits.decided_after_days)

    def _answer(self, visit: Visit, dispute: Id) -> None:
        command = AnswerDispute(key=self._diary.key(), caller=visit.place.till, dispute=dispute, text=_ANSWER)
        self._diary.write(Kind.ANSWER_DISPUTE, command)

    def _refund(self, visit: Visit) -> None:
        issuer = visit.member.venue.issuer
        command = Refund(key=self._diary.key(), caller=issuer, payment=visit.payment, reason=_SAYS, late=True)
        self._diary.write(Kind.REFUND, command)
        visit.give_back(visit.left, self._diary.at)

    def _decide(self, visit: Visit, dispute: Id, side: DisputeState) -> None:
        said = _FOR_HOLDER if side is DisputeState.FOR_HOLDER else _FOR_MERCHANT
        issuer = visit.member.venue.issuer
        command = ResolveDispute(key=self._diary.key(), caller=issuer, dispute=dispute, side=side, text=said)
        self._diary.write(Kind.RESOLVE_DISPUTE, command)
