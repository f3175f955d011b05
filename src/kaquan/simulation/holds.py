"""Authorizations: held at a till, some minutes later captured, in part or whole, voided, or forgotten."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from kaquan.commands.model import Kind
from kaquan.kernel.money import Money
from kaquan.payments.model import Capture, Void
from kaquan.simulation.diary import Diary
from kaquan.simulation.scenario import HoldFates
from kaquan.simulation.visits import Visit

PART_PERCENT = (55, 95)
"""How much of a hold is taken when not all of it is."""


class Holds:
    """Orders that are held. `note` is told of those that are paid in the end."""

    def __init__(self, fates: HoldFates, diary: Diary, note: Callable[[Visit], None]) -> None:
        self._fates = fates
        self._diary = diary
        self._note = note
        self._forgotten: list[tuple[datetime, Visit]] = []

    def hold(self, visit: Visit) -> None:
        """A till holds what an order takes; what becomes of it shows some minutes later."""
        visit.hold()
        self._diary.write(Kind.AUTHORIZE, visit.command)
        names = ("captured_partly", "captured_too_much", "voided", "forgotten")
        fate = self._diary.one_of({name: getattr(self._fates, name) for name in names})
        if fate == "forgotten":
            minutes = visit.member.venue.terms.spending.hold_minutes
            self._forgotten.append((self._diary.at + timedelta(minutes=minutes + 1), visit))
        else:
            self._diary.soon(partial(self._end, visit, fate))

    def release(self) -> None:
        """Authorizations that nobody captured in time are over when the timetable looks."""
        over = [visit for until, visit in self._forgotten if until <= self._diary.at]
        self._forgotten = [pair for pair in self._forgotten if pair[0] > self._diary.at]
        for visit in over:
            visit.release()

    def _end(self, visit: Visit, fate: str) -> None:
        diary, till, amount = self._diary, visit.place.till, visit.command.amount
        if fate == "voided":
            visit.release()
            diary.write(Kind.VOID, Void(key=diary.key(), caller=till, payment=visit.payment))
            return
        if fate == "captured_too_much":
            over = Money(amount + 1)
            wrong = Capture(key=diary.key(), caller=till, payment=visit.payment, amount=over)
            diary.write(Kind.CAPTURE, wrong, "capture_exceeds_hold")
        partly = fate == "captured_partly" and not visit.applied
        taken = Money(amount * diary.rng.randint(*PART_PERCENT) // 100) if partly else amount
        visit.capture(taken, diary.day)
        self._note(visit)
        asked = taken if partly else None
        diary.write(Kind.CAPTURE, Capture(key=diary.key(), caller=till, payment=visit.payment, amount=asked))
