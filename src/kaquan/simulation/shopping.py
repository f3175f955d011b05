"""Visits to stores: what is paid, authorized, refused, sent twice, reversed and brought back."""

from dataclasses import dataclass, field
from functools import partial

from kaquan.commands.model import Kind, scoped_id
from kaquan.kernel.caller import Caller
from kaquan.kernel.ids import Id
from kaquan.kernel.money import ZERO, Money
from kaquan.payments.model import Authorize, Capture, Pay, Refund, Void
from kaquan.privacy.model import Person
from kaquan.programs.catalogue import Terms
from kaquan.rewards.tiers import rebate
from kaquan.simulation.diary import Diary, Reversal
from kaquan.simulation.purse import Part, Purse, Share, first_of, hold, spend
from kaquan.simulation.scenario import MerchantPlan, Scenario, Segment

ENDINGS = (0, 50, 90)
"""Shelf prices end so, in fen."""

LATE_DAYS = (2, 12)
"""How many days after the refund window people still come with a large purchase."""


@dataclass(slots=True)
class Resident:
    """A holder: who it is, when it arrives, on which day it stops paying (None: never), and its card."""

    number: int
    person: Person
    segment: Segment
    arrives: int
    leaves: int | None
    wallet: Id = Id(b"")  # noqa: RUF009 - ids are bytes
    card: Id = Id(b"")  # noqa: RUF009 - ids are bytes
    state: str = ""
    purse: Purse = field(default_factory=Purse)

    def gone(self, day: int) -> bool:
        """Whether the holder has stopped using the card."""
        return self.leaves is not None and day >= self.leaves


@dataclass(slots=True)
class Visit:
    """A payment that took effect, as the town believes."""

    resident: Resident
    command: Pay
    payment: Id
    shares: list[Share]
    rebate: Money = ZERO
    due: int = 0
    granted: Part | None = None
    over: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A merchant of the group with its stores."""

    plan: MerchantPlan
    merchant: Id
    stores: tuple[Id, ...]


@dataclass(frozen=True, slots=True)
class Places:
    """Where the town can shop, and who asks there."""

    issuer: Caller
    till: Caller
    outsider: Caller
    group: tuple[Place, ...]
    stranger: Id


class Shopping:
    """One day after the other at the tills."""

    def __init__(self, scenario: Scenario, diary: Diary, places: Places, terms: Terms) -> None:
        self.diary = diary
        self.places = places
        self.terms = terms
        self.waiting: list[Visit] = []
        self._scenario = scenario
        self._forgotten: list[Visit] = []

    def midnight(self, grants_up_to: Money) -> None:
        """Holds expire, rebates are granted as far as cards have room, bonus expires."""
        self.release_forgotten()
        day, waiting = self.diary.day, []
        for visit in self.waiting:
            purse = visit.resident.purse
            if visit.over:
                continue
            if day < visit.due or purse.total() + visit.rebate > grants_up_to:
                waiting.append(visit)
                continue
            visit.granted = purse.grant(visit.rebate, day, self.terms.terms.rebate.valid_days)
        self.waiting = waiting

    def release_forgotten(self) -> None:
        """Authorizations that nobody captured are free again."""
        for visit in self._forgotten:
            hold(visit.shares, -1)
        self._forgotten = []

    def visit(self, resident: Resident, wanted: Money, place: Place) -> None:
        """A holder who can pay `wanted` comes to a till; most of the time all goes well."""
        incidents = self._scenario.incidents
        names = ("foreign_merchant", "insufficient", "reversed_early", "paid_twice", "sent_again",
                 "sent_again_changed", "reversed", "refund")  # fmt: skip
        incident = self.diary.one_of({name: getattr(incidents, name) for name in names})
        if incident == "foreign_merchant":
            self._at_the_stranger(resident, wanted)
        elif incident == "insufficient":
            self.refused(resident, Money(resident.purse.free(self.diary.day) + wanted), place)
        elif incident == "reversed_early":
            self._reversed_early(resident, wanted, place)
        elif not incident and self.diary.chance(place.plan.authorize_bps):
            self.authorize(resident, wanted, place)
        else:
            self._pay(resident, wanted, place, incident)

    def authorize(self, resident: Resident, amount: Money, place: Place) -> None:
        """A till holds `amount`, which must be free; what becomes of it shows some minutes later."""
        command = self._command(Authorize, resident, amount, place)
        shares = resident.purse.choose(amount, self.diary.day)
        visit = Visit(resident, command, self._payment(command), shares)
        hold(shares)
        self.diary.write(Kind.AUTHORIZE, command)
        holds = self._scenario.holds
        fate = self.diary.one_of(
            {name: getattr(holds, name) for name in ("captured_partly", "captured_too_much", "voided", "forgotten")}
        )
        if fate == "forgotten":
            self._forgotten.append(visit)
        else:
            self.diary.soon(partial(self._end_of_hold, visit, fate))

    def refused(self, resident: Resident, amount: Money, place: Place) -> None:
        """A payment that the card's state, its activation or its value does not allow."""
        purse, day = resident.purse, self.diary.day
        later = "value_not_active" if not purse.free(day) and purse.inactive(day) else "balance_insufficient"
        expects = {"frozen": "card_frozen", "lost": "card_lost"}.get(resident.state, later)
        self.diary.write(Kind.PAY, self._command(Pay, resident, amount, place), expects)

    def basket(self, place: Place, large: bool) -> Money:
        """What somebody puts into a basket."""
        rng, baskets = self.diary.rng, self._scenario.baskets
        low, high = baskets.large_fen if large else place.plan.basket_fen
        amount = int(rng.triangular(low, high, low + (high - low) // 3))
        if self.diary.chance(baskets.round_bps):
            amount = max(low, amount // 100 * 100 + rng.choice(ENDINGS))
        return Money(amount)

    def place(self) -> Place:
        """A merchant, by its share of visits."""
        group = self.places.group
        return self.diary.rng.choices(group, weights=[place.plan.weight for place in group])[0]

    def _pay(self, resident: Resident, amount: Money, place: Place, incident: str) -> None:
        command = self._command(Pay, resident, amount, place)
        shares = resident.purse.choose(amount, self.diary.day)
        visit = Visit(resident, command, self._payment(command), shares)
        spend(shares)
        self._earn(visit, amount)
        self.diary.write(Kind.PAY, command)
        window = self.terms.terms.refund.window_days
        match incident:
            case "paid_twice":
                again = self._command(Pay, resident, amount, place, command.order_no)
                self.diary.next_step(partial(self.diary.write, Kind.PAY, again, "order_paid"))
            case "sent_again":
                self.diary.next_step(partial(self.diary.write, Kind.PAY, command))
            case "sent_again_changed":
                changed = self._changed(command)
                self.diary.next_step(partial(self.diary.write, Kind.PAY, changed, "key_reused"))
            case "reversed":
                self.diary.next_step(partial(self._reverse, visit))
            case "refund":
                self.diary.later(partial(self._refund, visit), self.diary.rng.randint(1, max(1, window)))
            case _ if visit.rebate and self.diary.chance(self._scenario.incidents.late_refund):
                days = window + self.diary.rng.randint(*LATE_DAYS)
                self.diary.later(partial(self._refund_too_late, visit), days)

    def _end_of_hold(self, visit: Visit, fate: str) -> None:
        till, amount = self.places.till, visit.command.amount
        hold(visit.shares, -1)
        if fate == "voided":
            self.diary.write(Kind.VOID, Void(key=self.diary.key(), caller=till, payment=visit.payment))
            return
        if fate == "captured_too_much":
            over = Money(amount + 1)
            wrong = Capture(key=self.diary.key(), caller=till, payment=visit.payment, amount=over)
            self.diary.write(Kind.CAPTURE, wrong, "capture_exceeds_hold")
        taken = Money(amount * self.diary.rng.randint(55, 95) // 100) if fate == "captured_partly" else amount
        visit.shares = first_of(visit.shares, taken)
        spend(visit.shares)
        self._earn(visit, taken)
        capture = Capture(
            key=self.diary.key(), caller=till, payment=visit.payment, amount=None if taken == amount else taken
        )
        self.diary.write(Kind.CAPTURE, capture)

    def _earn(self, visit: Visit, amount: Money) -> None:
        visit.rebate = rebate(amount, self.terms.terms.rebate)
        if visit.rebate:
            visit.due = self.diary.day + self.terms.terms.refund.window_days + 1
            self.waiting.append(visit)

    def _at_the_stranger(self, resident: Resident, amount: Money) -> None:
        command = Pay(
            key=self.diary.key(),
            caller=self.places.outsider,
            card=resident.card,
            merchant=self.places.stranger,
            store=None,
            amount=amount,
            order_no=self.diary.order_no(),
        )
        self.diary.write(Kind.PAY, command, "merchant_not_accepting")

    def _reversed_early(self, resident: Resident, amount: Money, place: Place) -> None:
        command = self._command(Pay, resident, amount, place)
        self._write_reversal(command)
        self.diary.next_step(partial(self.diary.write, Kind.PAY, command, "order_reversed"))

    def _write_reversal(self, command: Pay) -> None:
        reversal = Reversal(self.diary.key(), self.places.till, command.merchant, command.order_no)
        self.diary.write(Kind.REVERSE, reversal)

    def _reverse(self, visit: Visit) -> None:
        self._write_reversal(visit.command)
        self._returned(visit)

    def _refund(self, visit: Visit) -> None:
        command = Refund(key=self.diary.key(), caller=self.places.till, payment=visit.payment, reason="退货")
        self.diary.write(Kind.REFUND, command)
        self._returned(visit)

    def _refund_too_late(self, visit: Visit) -> None:
        command = Refund(key=self.diary.key(), caller=self.places.till, payment=visit.payment, reason="退货")
        self.diary.write(Kind.REFUND, command, "refund_window_over")
        self.diary.next_step(partial(self._late_refund, visit))

    def _late_refund(self, visit: Visit) -> None:
        command = Refund(
            key=self.diary.key(), caller=self.places.issuer, payment=visit.payment, reason="质量问题", late=True
        )
        self.diary.write(Kind.REFUND, command)
        self._returned(visit)

    def _returned(self, visit: Visit) -> None:
        visit.over = True
        visit.resident.purse.give_back(visit.shares)
        if visit.granted is not None:
            visit.resident.purse.claw_back(visit.rebate, visit.granted)

    def _command(self, kind: type[Pay], resident: Resident, amount: Money, place: Place, order_no: str = "") -> Pay:
        return kind(
            key=self.diary.key(),
            caller=self.places.till,
            card=resident.card,
            merchant=place.merchant,
            store=self.diary.rng.choice(place.stores),
            amount=amount,
            order_no=order_no or self.diary.order_no(),
        )

    @staticmethod
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

    @staticmethod
    def _payment(command: Pay) -> Id:
        return scoped_id(command.caller.organisation, command.subject, command.key)
