"""Goods that come back, in full or in part, in time or too late; and orders that a till reverses."""

from functools import partial

from kaquan.commands.model import Kind
from kaquan.kernel.money import Money
from kaquan.payments.model import Pay, Refund
from kaquan.simulation.diary import Diary, Reversal
from kaquan.simulation.quarrels import Quarrels
from kaquan.simulation.scenario import DisputeHabits, Incidents
from kaquan.simulation.venues import Place
from kaquan.simulation.visits import Visit

LATE_DAYS = (2, 12)
"""How many days after the refund window people still come with a large purchase."""

PART_PERCENT = (15, 75)
"""How much of an order comes back when not all of it does, and no line of it is known."""

PIECE_PERCENT = 35
PIECE_LEAST_FEN = 1_000
"""How much of what is left comes back at a time; what is less than this comes back at once."""

_REASON, _LATE_REASON = "退货", "质量问题"


class Returns:
    """What becomes of payments afterwards."""

    def __init__(self, incidents: Incidents, disputes: DisputeHabits, diary: Diary) -> None:
        self._incidents = incidents
        self._diary = diary
        self._quarrels = Quarrels(disputes, diary)

    def plan(self, visit: Visit, incident: str) -> None:
        """A payment that will be undone, or that was a large purchase and may come back late."""
        window = visit.member.venue.terms.refund.window_days
        rng, diary = self._diary.rng, self._diary
        match incident:
            case "reversed":
                diary.next_step(partial(self._reverse, visit), early=True)
            case "refund" if window:
                diary.later(partial(self.refund, visit), rng.randint(1, window), early=True)
            case "partial_refund" if window:
                after = rng.randint(1, window)
                diary.later(partial(self._refund_partly, visit, window - after), after, early=True)
            case "disputed":
                self._quarrels.plan(visit)
            case "many_partial" if window:
                diary.later(partial(self._piece_by_piece, visit, window - 1), 1, early=True)
            case _ if visit.rebate and diary.chance(self._incidents.late_refund):
                diary.later(partial(self._refund_too_late, visit), window + rng.randint(*LATE_DAYS))

    def reversed_early(self, command: Pay, place: Place) -> None:
        """A till reverses an order before it arrives."""
        self._write_reversal(command, place)
        self._diary.next_step(partial(self._diary.write, Kind.PAY, command, "order_reversed"))

    def _reverse(self, visit: Visit) -> None:
        self._write_reversal(visit.command, visit.place)
        visit.give_back(visit.left, self._diary.at)

    def _write_reversal(self, command: Pay, place: Place) -> None:
        reversal = Reversal(self._diary.key(), place.till, command.merchant, command.order_no)
        self._diary.write(Kind.REVERSE, reversal)

    def refund(self, visit: Visit) -> None:
        """All that is left of an order comes back."""
        self._diary.write(Kind.REFUND, self._command(visit))
        visit.give_back(visit.left, self._diary.at)

    def _refund_partly(self, visit: Visit, days_left: int) -> None:
        rng, lines = self._diary.rng, visit.command.lines
        if lines:
            line = rng.randrange(len(lines))
            self._diary.write(Kind.REFUND, self._command(visit, lines=(line,)))
            visit.give_back(lines[line].amount, self._diary.at, line)
        else:
            amount = Money(max(1, visit.left * rng.randint(*PART_PERCENT) // 100))
            self._diary.write(Kind.REFUND, self._command(visit, amount))
            visit.give_back(amount, self._diary.at)
        if days_left and visit.left and self._diary.chance(self._incidents.again_bps):
            self._diary.later(partial(self.refund, visit), self._diary.rng.randint(1, days_left), early=True)

    def _piece_by_piece(self, visit: Visit, days_left: int) -> None:
        """A piece comes back each day, the rest on the last."""
        piece = Money(visit.left * PIECE_PERCENT // 100)
        if piece < PIECE_LEAST_FEN or days_left <= 1:
            self.refund(visit)
            return
        self._diary.write(Kind.REFUND, self._command(visit, piece))
        visit.give_back(piece, self._diary.at)
        self._diary.later(partial(self._piece_by_piece, visit, days_left - 1), 1, early=True)

    def _command(self, visit: Visit, amount: Money | None = None, lines: tuple[int, ...] = ()) -> Refund:
        return Refund(
            key=self._diary.key(),
            caller=visit.place.till,
            payment=visit.payment,
            reason=_REASON,
            amount=amount,
            lines=lines,
        )

    def _refund_too_late(self, visit: Visit) -> None:
        self._diary.write(Kind.REFUND, self._command(visit), "refund_window_over")
        self._diary.next_step(partial(self._late_refund, visit), early=True)

    def _late_refund(self, visit: Visit) -> None:
        issuer = visit.member.venue.issuer
        key = self._diary.key()
        late = Refund(key=key, caller=issuer, payment=visit.payment, reason=_LATE_REASON, late=True)
        self._diary.write(Kind.REFUND, late)
        visit.give_back(visit.left, self._diary.at)
