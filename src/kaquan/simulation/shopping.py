"""Visits to stores: what is paid, with which vouchers, what is refused, what is sent twice."""

from collections.abc import Sequence
from functools import partial

import msgspec

from kaquan.cards.model import LotKind
from kaquan.commands.model import Kind, scoped_id
from kaquan.kernel.money import ZERO, Money
from kaquan.payments.model import Authorize, Pay
from kaquan.simulation.diary import Diary
from kaquan.simulation.holds import Holds
from kaquan.simulation.population import Member
from kaquan.simulation.returns import Returns
from kaquan.simulation.scenario import Scenario, Scene
from kaquan.simulation.venues import Place
from kaquan.simulation.visits import Visit
from kaquan.vouchers.model import NOBODY
from kaquan.vouchers.orders import Applied, Line
from kaquan.vouchers.spending import order_of

ENDINGS = (0, 50, 90)
"""Shelf prices end so, in fen."""

_FIRST_PERCENT = (30, 80)
_GOODS = ("fresh", "home")

INCIDENTS = (
    "foreign_merchant",
    "insufficient",
    "reversed_early",
    "paid_twice",
    "sent_again",
    "sent_again_changed",
    "reversed",
    "refund",
    "partial_refund",
    "many_partial",
    "disputed",
)


class Shopping:
    """One day after the other at the tills."""

    def __init__(self, scenario: Scenario, diary: Diary, returns: Returns, stranger: Place) -> None:
        self.holds = Holds(scenario.holds, diary, self._note)
        self._waiting: list[Visit] = []
        self._diary = diary
        self._returns = returns
        self._scenario = scenario
        self._stranger = stranger

    def midnight(self) -> None:
        """Holds expire, rebates are granted as far as cards have room."""
        self.holds.release()
        day, waiting = self._diary.day, []
        for visit in self._waiting:
            purse, venue = visit.member.purse, visit.member.venue
            amount = Money(visit.rebate - visit.cut)
            if not amount:
                continue
            if day < visit.due or purse.total() + amount > venue.card_max:
                waiting.append(visit)
                continue
            visit.granted = purse.load(LotKind.BONUS, amount, day, day + venue.terms.rebate.valid_days)
        self._waiting = waiting

    def visit(self, member: Member, wanted: Money, place: Place, scene: Scene) -> None:
        """A holder who can pay `wanted` comes to a till; most of the time all goes well."""
        incidents, diary = self._scenario.incidents, self._diary
        incident = diary.one_of({name: getattr(incidents, name) for name in INCIDENTS})
        if incident == "foreign_merchant":
            command = self._command(Pay, member, wanted, self._stranger)
            diary.write(Kind.PAY, command, "merchant_not_accepting")
        elif incident == "insufficient":
            self.refused(member, Money(member.purse.free(diary.day) + wanted), place)
        elif incident == "reversed_early":
            self._returns.reversed_early(self._command(Pay, member, wanted, place), place)
        elif not incident and diary.chance(scene.authorize_bps):
            self.authorize(member, wanted, place)
        else:
            self._pay(member, wanted, place, incident)

    def authorize(self, member: Member, amount: Money, place: Place) -> None:
        """A till holds `amount`, of which the card can pay what vouchers do not."""
        self.holds.hold(self._visited(Authorize, member, amount, place))

    def refused(self, member: Member, amount: Money, place: Place) -> None:
        """A payment that the card's state, its activation or its value does not allow."""
        purse, day = member.purse, self._diary.day
        later = "value_not_active" if not purse.free(day) and purse.inactive(day) else "balance_insufficient"
        expects = {"frozen": "card_frozen", "lost": "card_lost", "closing": "card_closing"}.get(member.state, later)
        self._diary.write(Kind.PAY, self._command(Pay, member, amount, place), expects)

    def basket(self, scene: Scene, large: bool = False) -> Money:
        """What somebody puts into a basket."""
        rng, baskets = self._diary.rng, self._scenario.baskets
        low, high = baskets.large_fen if large else scene.basket_fen
        amount = int(rng.triangular(low, high, low + (high - low) // 3))
        if self._diary.chance(baskets.round_bps):
            amount = max(low, amount // 100 * 100 + rng.choice(ENDINGS))
        return Money(amount)

    def _pay(self, member: Member, wanted: Money, place: Place, incident: str) -> None:
        visit = self._visited(Pay, member, wanted, place)
        command, diary = visit.command, self._diary
        visit.pay(diary.day)
        self._note(visit)
        diary.write(Kind.PAY, command)
        match incident:
            case "paid_twice":
                again = self._command(Pay, member, command.amount, place, order_no=command.order_no)
                diary.next_step(partial(diary.write, Kind.PAY, again, "order_paid"))
            case "sent_again":
                diary.next_step(partial(diary.write, Kind.PAY, command))
            case "sent_again_changed":
                changed = msgspec.structs.replace(command, amount=Money(command.amount + 100))
                diary.next_step(partial(diary.write, Kind.PAY, changed, "key_reused"))
            case _:
                member.last = None if incident else visit
                self._returns.plan(visit, incident)

    def _note(self, visit: Visit) -> None:
        if visit.rebate:
            self._waiting.append(visit)

    def _visited(self, kind: type[Pay], member: Member, wanted: Money, place: Place) -> Visit:
        """The best vouchers pay first, if the holder thinks of them; some goods more may make one of them count.

        A holder whose vouchers alone are enough for all but some money outside leaves the card at home.
        """
        habits, diary, free = self._scenario.vouchers, self._diary, member.purse.free(self._diary.day)
        if not (member.pocket.held and diary.chance(habits.used_bps)):
            return self._settled(self._command(kind, member, wanted, place, lines=self._lines(wanted)), member, place)
        enough = member.pocket.within_reach(wanted, diary.at)
        if enough is not None and enough <= free and diary.chance(habits.reached_for_bps):
            wanted = enough
        order_no = diary.order_no()
        store, lines = place.store_code, self._lines(wanted)
        order = order_of(NOBODY, place.merchant, store, order_no, amount=wanted, lines=lines)
        applied = member.pocket.best(order, diary.at, member.venue.terms.spending.vouchers_max, wanted)
        outside = ZERO
        if applied and kind is Pay and diary.chance(habits.without_card_bps):
            outside = Money(wanted - sum(one.amount for one in applied))
        command = self._command(
            kind, member, wanted, place, applied=applied, outside=outside, order_no=order_no, lines=lines
        )
        return self._settled(command, member, place, applied)

    def _settled(self, command: Pay, member: Member, place: Place, applied: Sequence[Applied] = ()) -> Visit:
        off = sum(one.amount for one in applied)
        shares = member.purse.choose(Money(command.amount - off - command.outside), self._diary.day)
        payment = scoped_id(command.caller.organisation, command.subject, command.key)
        return Visit(member, place, command, payment, shares, applied)

    def _command(
        self,
        kind: type[Pay],
        member: Member,
        amount: Money,
        place: Place,
        *,
        applied: Sequence[Applied] = (),
        outside: Money = ZERO,
        order_no: str = "",
        lines: tuple[Line, ...] = (),
    ) -> Pay:
        return kind(
            key=self._diary.key(),
            caller=place.till,
            card=None if outside else member.card,
            wallet=member.resident.wallet if outside else None,
            merchant=place.merchant.id,
            store=place.store,
            amount=amount,
            order_no=order_no or self._diary.order_no(),
            vouchers=tuple(one.voucher.id for one in applied),
            outside=outside,
            lines=lines,
        )

    def _lines(self, amount: Money) -> tuple[Line, ...]:
        """What the till says is in the basket: nothing, or two lines of goods."""
        diary = self._diary
        if not diary.chance(self._scenario.baskets.itemised_bps):
            return ()
        first = Money(amount * diary.rng.randint(*_FIRST_PERCENT) // 100)
        return Line(_GOODS[0], first), Line(_GOODS[1], Money(amount - first))
