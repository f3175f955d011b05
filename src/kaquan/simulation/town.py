"""The town: its holders arrive, shop, lose cards, and come back another day. A seed decides every wish.

Nothing is read from the database: all ids follow from keys, and what a card holds from the terms. So any day of the
town can be told again, which is how it goes on after a stop or a `kill -9`.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

from kaquan.commands.model import Kind
from kaquan.kernel.money import Money
from kaquan.privacy.subject_keys import MasterKey
from kaquan.simulation.desk import Desk
from kaquan.simulation.diary import SOON_MINUTES, WHOLE_BPS, Diary, Reversal, Step
from kaquan.simulation.population import Member, members
from kaquan.simulation.returns import Returns
from kaquan.simulation.scenario import Scenario
from kaquan.simulation.shopping import Shopping
from kaquan.simulation.venues import Places

NIGHT_MINUTES = 23 * 60 + 45
"""When the night begins: tables opened then are paid after midnight."""

CLOSING_MINUTES = 23 * 60 + 50
AFTER_MIDNIGHT_MINUTES = 5
MONTH_DAYS = 30

_SATURDAY = 5

By = dict[int, list[Member]]
"""Members by the position of the hour."""


def closing_order(day: int) -> str:
    """The order number that the first merchant's head till reverses when a day is done: nobody ever paid it."""
    return f"D{day:04d}-closing"


class Town:
    """The holders of a seed. Days must be told in order, each once."""

    def __init__(self, scenario: Scenario, seed: int, holders: int, places: Places, master: MasterKey) -> None:
        self.members = members(scenario, places.venues, seed, holders)
        self._scenario = scenario
        self._places = places
        self._diary = Diary(scenario, seed)
        returns = Returns(scenario.incidents, self._diary)
        self._shopping = Shopping(scenario, self._diary, returns, places.stranger)
        self._desk = Desk(scenario, self._diary, self._shopping, master)

    def day(self, day: int) -> Iterator[Step]:
        """The steps of a day, in order, beginning at midnight when only the timetable acts."""
        diary = self._diary
        diary.begin(day)
        self._midnight(day)
        yield diary.close(due=True)
        yield from self._soon(AFTER_MIDNIGHT_MINUTES)
        visitors, unlucky, arriving, convinced = (
            self._visitors(day),
            self._unlucky(),
            self._arriving(day),
            self._convinced(day),
        )
        for index, hour in enumerate(self._scenario.hours):
            diary.open(index)
            released = self._shopping.release_forgotten()
            for act in diary.wished_before():
                act()
            for member in arriving.get(index, ()):
                self._desk.arrive(member)
            for member in convinced.get(index, ()):
                if not member.state:
                    self._desk.top_up(member)
            for member in unlucky.get(index, ()):
                self._misfortune(member)
            for member in visitors.get(index, ()):
                self._visit(member)
            yield diary.close(due=released)
            yield from self._soon(hour * 60 + SOON_MINUTES)
        diary.open_at(NIGHT_MINUTES)
        self._night(day)
        yield diary.close()
        diary.open_at(CLOSING_MINUTES)
        head = self._places.head
        diary.write(Kind.REVERSE, Reversal(diary.key(), head.till, head.merchant, closing_order(day)))
        yield diary.close()

    def _soon(self, minutes: int) -> Iterator[Step]:
        if soon := self._diary.wished_soon():
            self._diary.open_at(minutes)
            for act in soon:
                act()
            yield self._diary.close()

    def _night(self, day: int) -> None:
        for member in self.members:
            opens = self._diary.chance(self._scenario.incidents.overnight)
            if opens and member.shops(day) and not member.state:
                place, scene = member.venue.place(self._diary.rng)
                amount = min(self._shopping.basket(scene), member.purse.free(day))
                if amount >= self._scenario.baskets.least_fen:
                    self._shopping.authorize(member, amount, place)

    def _midnight(self, day: int) -> None:
        self._shopping.midnight()
        for member in self.members:
            member.purse.expire(day)
            member.purse.clear()

    def _visitors(self, day: int) -> By:
        """Who goes shopping today."""
        rng, scenario = self._diary.rng, self._scenario
        weekend = (scenario.start + timedelta(days=day)).weekday() >= _SATURDAY
        factor = scenario.weekend_bps if weekend else WHOLE_BPS
        usual = (5 * WHOLE_BPS + 2 * scenario.weekend_bps) / 7
        by_hour: By = defaultdict(list)
        for member in self.members:
            drawn, visits = rng.random(), rng.uniform(*member.segment.visits_month)
            if member.shops(day) and drawn < visits / MONTH_DAYS * factor / usual:
                by_hour[self._hour()].append(member)
        return by_hour

    def _hour(self) -> int:
        weights = self._scenario.hour_weights
        return self._diary.rng.choices(range(len(weights)), weights)[0]

    def _arriving(self, day: int) -> By:
        """Who buys a first card today."""
        by_hour: By = defaultdict(list)
        for member in self.members:
            if member.arrives == day:
                by_hour[member.resident.number % len(self._scenario.hours)].append(member)
        return by_hour

    def _convinced(self, day: int) -> By:
        """Who tops up today because a campaign offered something."""
        campaigns, by_hour = self._scenario.campaigns, defaultdict(list)
        for member in self.members:
            if (member.resident.number - day) % campaigns.every_days == 0 and member.shops(day):
                converts = campaigns.rebate_converts_bps
                if member.venue.plan.promotes == "gift":
                    converts = converts * campaigns.gift_times_bps // WHOLE_BPS
                if self._diary.chance(converts):
                    by_hour[self._hour()].append(member)
        return by_hour

    def _unlucky(self) -> By:
        """Whose card is frozen or lost today."""
        incidents, by_hour = self._scenario.incidents, defaultdict(list)
        for member in self.members:
            if self._diary.chance(incidents.freeze + incidents.lost):
                by_hour[self._hour()].append(member)
        return by_hour

    def _misfortune(self, member: Member) -> None:
        """A card is frozen for a day, or lost and replaced; meanwhile somebody tries to pay with it."""
        incidents = self._scenario.incidents
        freezes = self._diary.rng.randrange(incidents.freeze + incidents.lost) < incidents.freeze
        if member.card is None or member.state or member.arrives == self._diary.day:
            return
        if freezes:
            self._desk.freeze(member)
        else:
            self._desk.lose(member)

    def _visit(self, member: Member) -> None:
        shopping, purse, day = self._shopping, member.purse, self._diary.day
        place, scene = member.venue.place(self._diary.rng)
        if member.state:
            shopping.refused(member, shopping.basket(scene), place)
            return
        large = self._diary.chance(member.segment.large_bps)
        least_large = self._scenario.baskets.large_fen[0]
        least = least_large if large else self._scenario.population.low_fen
        if purse.free(day) + purse.inactive(day) < least:
            self._desk.top_up(member)
        free = purse.free(day)
        amount = Money(min(shopping.basket(scene, large and free >= least_large), free))
        if amount >= self._scenario.baskets.least_fen:
            shopping.visit(member, amount, place, scene)
