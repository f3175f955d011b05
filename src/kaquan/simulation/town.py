"""The town: its holders arrive, shop, lose cards, and come back another day. A seed decides every wish.

Nothing is read from the database: all ids follow from keys, and what a card holds from the terms. So any day of the
town can be told again, which is how it goes on after a stop or a `kill -9`.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from kaquan.commands.model import Kind
from kaquan.kernel.money import Money
from kaquan.privacy.subject_keys import MasterKey
from kaquan.programs.catalogue import Terms
from kaquan.simulation.desk import Desk
from kaquan.simulation.diary import SOON_MINUTES, WHOLE_BPS, Diary, Reversal, Step
from kaquan.simulation.people import person
from kaquan.simulation.scenario import Scenario, Segment
from kaquan.simulation.shopping import Places, Resident, Shopping

NIGHT_MINUTES = 45
"""When the night begins, after the day's last hour: tables opened then are paid after midnight."""

CLOSING_MINUTES = 50
AFTER_MIDNIGHT_MINUTES = 5
MONTH_DAYS = 30
LOW_FEN = Money(20_000)
"""Below this a holder tops up before the next visit."""

_SATURDAY = 5
_DAYS_A_YEAR = 365


def closing_order(day: int) -> str:
    """The order number that the first merchant's head till reverses when a day is done: nobody ever paid it."""
    return f"D{day:04d}-closing"


class Town:
    """The holders of a seed. Days must be told in order, each once."""

    def __init__(
        self, scenario: Scenario, seed: int, holders: int, master: MasterKey, places: Places, terms: Terms
    ) -> None:
        self.diary = Diary(scenario, seed)
        self.shopping = Shopping(scenario, self.diary, places, terms)
        self.residents = _residents(scenario, seed, holders)
        self._scenario = scenario
        self.desk = Desk(scenario, self.shopping, master)

    def day(self, day: int) -> Iterator[Step]:
        """The steps of a day, in order, beginning at midnight when only the timetable acts."""
        diary = self.diary
        diary.begin(day)
        self._midnight(day)
        yield diary.close()
        yield from self._soon(-1, AFTER_MIDNIGHT_MINUTES)
        visitors = self._visitors(day)
        for index in range(len(self._scenario.hours)):
            diary.open(index)
            self.shopping.release_forgotten()
            for act in diary.wished_before():
                act()
            self._arrivals(day, index)
            self._misfortunes()
            for resident in visitors.get(index, ()):
                self._visit(resident)
            yield diary.close()
            yield from self._soon(index, SOON_MINUTES)
        diary.open(diary.last_index, NIGHT_MINUTES)
        self._night(day)
        yield diary.close()
        diary.open(diary.last_index, CLOSING_MINUTES)
        places = self.shopping.places
        head = places.group[0].merchant
        diary.write(Kind.REVERSE, Reversal(diary.key(), places.till, head, closing_order(day)))
        yield diary.close()

    def _soon(self, index: int, minutes: int) -> Iterator[Step]:
        if soon := self.diary.wished_soon():
            self.diary.open(index, minutes)
            for act in soon:
                act()
            yield self.diary.close()

    def _night(self, day: int) -> None:
        for resident in self.residents:
            opens = self.diary.chance(self._scenario.incidents.overnight)
            if opens and resident.card and not resident.state and not resident.gone(day):
                place = self.shopping.place()
                amount = min(self.shopping.basket(place, False), resident.purse.free(day))
                if amount >= self._scenario.baskets.least_fen:
                    self.shopping.authorize(resident, amount, place)

    def _midnight(self, day: int) -> None:
        self.shopping.midnight(self.desk.law_max)
        for resident in self.residents:
            resident.purse.expire(day)
            resident.purse.clear()

    def _visitors(self, day: int) -> dict[int, list[Resident]]:
        """Who goes shopping today, by the position of the hour."""
        rng, scenario = self.diary.rng, self._scenario
        weekend = (scenario.start + timedelta(days=day)).weekday() >= _SATURDAY
        factor = scenario.weekend_bps if weekend else WHOLE_BPS
        usual = (5 * WHOLE_BPS + 2 * scenario.weekend_bps) / 7
        by_hour: dict[int, list[Resident]] = defaultdict(list)
        for resident in self.residents:
            drawn, visits = rng.random(), rng.uniform(*resident.segment.visits_month)
            index = rng.choices(range(len(scenario.hours)), weights=scenario.hour_weights)[0]
            if resident.card and not resident.gone(day) and drawn < visits / MONTH_DAYS * factor / usual:
                by_hour[index].append(resident)
        return by_hour

    def _visit(self, resident: Resident) -> None:
        shopping, purse, day = self.shopping, resident.purse, self.diary.day
        place = shopping.place()
        if resident.state:
            shopping.refused(resident, shopping.basket(place, False), place)
            return
        large = self.diary.chance(resident.segment.large_bps)
        least_large = self._scenario.baskets.large_fen[0]
        if purse.free(day) + purse.inactive(day) < (least_large if large else LOW_FEN):
            self.desk.top_up(resident, self.diary.rng.choice(resident.segment.faces_fen))
        free = purse.free(day)
        amount = shopping.basket(place, large and free >= least_large)
        amount = min(amount, free)
        if amount >= self._scenario.baskets.least_fen:
            shopping.visit(resident, amount, place)

    def _arrivals(self, day: int, index: int) -> None:
        for resident in self.residents:
            if resident.arrives == day and resident.number % len(self._scenario.hours) == index:
                self.desk.arrive(resident)

    def _misfortunes(self) -> None:
        """Cards are frozen for a day, or lost and replaced; meanwhile somebody tries to pay with them."""
        diary, incidents = self.diary, self._scenario.incidents
        steps = len(self._scenario.hours)
        for resident in self.residents:
            happens = diary.rng.randrange(WHOLE_BPS * steps)
            if not resident.card or resident.state or resident.arrives == diary.day:
                continue
            if happens < incidents.freeze:
                self.desk.freeze(resident)
            elif happens < incidents.freeze + incidents.lost:
                self.desk.lose(resident)


def _residents(scenario: Scenario, seed: int, holders: int) -> list[Resident]:
    rng = Random(f"{seed}:residents")  # noqa: S311 - a town needs no secrets
    weights = [segment.share_bps for segment in scenario.segments]
    return [
        _resident(scenario, seed, number, rng.choices(scenario.segments, weights)[0], rng)
        for number in range(holders)
    ]


def _resident(scenario: Scenario, seed: int, number: int, segment: Segment, rng: Random) -> Resident:
    youngest, oldest = segment.ages
    days = rng.randint(youngest * _DAYS_A_YEAR, oldest * _DAYS_A_YEAR)
    born: date = scenario.start - timedelta(days=days)
    arrives = int(scenario.arrive_within_days * rng.random() ** 2)
    leaves = None
    if rng.randrange(WHOLE_BPS) < segment.churn_bps:
        leaves = arrives + rng.randint(*scenario.churn.after_days)
    return Resident(number, person(seed, number, born, rng), segment, arrives, leaves)
