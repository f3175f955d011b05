"""Visits to stores: what is paid, authorized, refused, sent twice."""

from datetime import datetime, timedelta
from functools import partial

from kaquan.cards.model import LotKind
from kaquan.commands.model import Kind, scoped_id
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.payments.model import Authorize, Capture, Pay, Void
from kaquan.simulation.diary import Diary
from kaquan.simulation.population import Member
from kaquan.simulation.purse import first_of, hold, spend
from kaquan.simulation.returns import Returns
from kaquan.simulation.scenario import Scenario, Scene
from kaquan.simulation.venues import Place
from kaquan.simulation.visits import Visit

ENDINGS = (0, 50, 90)
"""Shelf prices end so, in fen."""


class Shopping:
    """One day after the other at the tills."""

    def __init__(self, scenario: Scenario, diary: Diary, returns: Returns, stranger: Place) -> None:
        self.waiting: list[Visit] = []
        self._diary = diary
        self._returns = returns
        self._scenario = scenario
        self._stranger = stranger
        self._forgotten: list[tuple[datetime, Visit]] = []

    def midnight(self) -> None:
        """Holds expire, rebates are granted as far as cards have room."""
        self.release_forgotten()
        day, waiting = self._diary.day, []
        for visit in self.waiting:
            purse, venue = visit.member.purse, visit.member.venue
            amount = Money(visit.rebate - visit.cut)
            if not amount:
                continue
            if day < visit.due or purse.total() + amount > venue.card_max:
                waiting.append(visit)
                continue
            visit.granted = purse.load(LotKind.BONUS, amount, day, day + venue.terms.terms.rebate.valid_days)
        self.waiting = waiting

    def release_forgotten(self) -> bool:
        """Authorizations that nobody captured in time are free again. Whether there were any."""
        over = [visit for until, visit in self._forgotten if until <= self._diary.at]
        self._forgotten = [pair for pair in self._forgotten if pair[0] > self._diary.at]
        for visit in over:
            hold(visit.shares, -1)
        return bool(over)

    def visit(self, member: Member, wanted: Money, place: Place, scene: Scene) -> None:
        """A holder who can pay `wanted` comes to a till; most of the time all goes well."""
        incidents = self._scenario.incidents
        names = ("foreign_merchant", "insufficient", "reversed_early", "paid_twice", "sent_again",
                 "sent_again_changed", "reversed", "refund", "partial_refund")  # fmt: skip
        incident = self._diary.one_of({name: getattr(incidents, name) for name in names})
        if incident == "foreign_merchant":
            command = self._command(Pay, member, wanted, self._stranger)
            self._diary.write(Kind.PAY, command, "merchant_not_accepting")
        elif incident == "insufficient":
            self.refused(member, Money(member.purse.free(self._diary.day) + wanted), place)
        elif incident == "reversed_early":
            command = self._command(Pay, member, wanted, place)
            self._returns.reversed_early(command, place)
        elif not incident and self._diary.chance(scene.authorize_bps):
            self.authorize(member, wanted, place)
        else:
            self._pay(member, wanted, place, incident)

    def authorize(self, member: Member, amount: Money, place: Place) -> None:
        """A till holds `amount`, which must be free; what becomes of it shows some minutes later."""
        command = self._command(Authorize, member, amount, place)
        visit = self._visited(member, place, command)
        hold(visit.shares)
        self._diary.write(Kind.AUTHORIZE, command)
        holds = self._scenario.holds
        fate = self._diary.one_of(
            {name: getattr(holds, name) for name in ("captured_partly", "captured_too_much", "voided", "forgotten")}
        )
        if fate == "forgotten":
            minutes = member.venue.terms.terms.spending.hold_minutes
            self._forgotten.append((self._diary.at + timedelta(minutes=minutes + 1), visit))
        else:
            self._diary.soon(partial(self._end_of_hold, visit, fate))

    def refused(self, member: Member, amount: Money, place: Place) -> None:
        """A payment that the card's state, its activation or its value does not allow."""
        purse, day = member.purse, self._diary.day
        later = "value_not_active" if not purse.free(day) and purse.inactive(day) else "balance_insufficient"
        expects = {"frozen": "card_frozen", "lost": "card_lost"}.get(member.state, later)
        self._diary.write(Kind.PAY, self._command(Pay, member, amount, place), expects)

    def basket(self, scene: Scene, large: bool = False) -> Money:
        """What somebody puts into a basket."""
        rng, baskets = self._diary.rng, self._scenario.baskets
        low, high = baskets.large_fen if large else scene.basket_fen
        amount = int(rng.triangular(low, high, low + (high - low) // 3))
        if self._diary.chance(baskets.round_bps):
            amount = max(low, amount // 100 * 100 + rng.choice(ENDINGS))
        return Money(amount)

    def _pay(self, member: Member, amount: Money, place: Place, incident: str) -> None:
        command = self._command(Pay, member, amount, place)
        visit = self._visited(member, place, command)
        spend(visit.shares)
        self._earn(visit)
        diary = self._diary
        diary.write(Kind.PAY, command)
        match incident:
            case "paid_twice":
                again = self._command(Pay, member, amount, place, command.order_no)
                diary.next_step(partial(diary.write, Kind.PAY, again, "order_paid"))
            case "sent_again":
                diary.next_step(partial(diary.write, Kind.PAY, command))
            case "sent_again_changed":
                changed = _changed(command)
                diary.next_step(partial(diary.write, Kind.PAY, changed, "key_reused"))
            case _:
                self._returns.plan(visit, incident)

    def _end_of_hold(self, visit: Visit, fate: str) -> None:
        diary, till, amount = self._diary, visit.place.till, visit.command.amount
        hold(visit.shares, -1)
        if fate == "voided":
            diary.write(Kind.VOID, Void(key=diary.key(), caller=till, payment=visit.payment))
            return
        if fate == "captured_too_much":
            over = Money(amount + 1)
            wrong = Capture(key=diary.key(), caller=till, payment=visit.payment, amount=over)
            diary.write(Kind.CAPTURE, wrong, "capture_exceeds_hold")
        taken = Money(amount * diary.rng.randint(55, 95) // 100) if fate == "captured_partly" else amount
        visit.shares = first_of(visit.shares, taken)
        spend(visit.shares)
        self._earn(visit)
        asked = None if taken == amount else taken
        diary.write(Kind.CAPTURE, Capture(key=diary.key(), caller=till, payment=visit.payment, amount=asked))

    def _visited(self, member: Member, place: Place, command: Pay) -> Visit:
        shares = member.purse.choose(command.amount, self._diary.day)
        return Visit(member, place, command, _payment(command), shares)

    def _earn(self, visit: Visit) -> None:
        visit.earn(self._diary.day)
        if visit.rebate:
            self.waiting.append(visit)

    def _command(self, kind: type[Pay], member: Member, amount: Money, place: Place, order_no: str = "") -> Pay:
        return kind(
            key=self._diary.key(),
            caller=place.till,
            card=member.card,
            merchant=place.merchant,
            store=place.store,
            amount=amount,
            order_no=order_no or self._diary.order_no(),
        )


def _payment(command: Pay) -> Id:
    return scoped_id(command.caller.organisation, command.subject, command.key)


def _changed(command: Pay) -> Pay:
    return Pay(
        key=command.key,
        caller=command.caller,
        card=command.card,
        merchant=command.merchant,
        store=command.store,
        amount=Money(command.amount + 100),
        order_no=command.order_no,
    )
