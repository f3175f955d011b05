"""The town: its holders arrive, shop, lose cards, and come back another day. A seed decides every wish.

Nothing is read from the database: all ids follow from keys, and what a card holds from the terms. So any day of the
town can be told again, which is how it goes on after a stop or a `kill -9`.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from kaquan.commands.model import Kind
from kaquan.kernel.money import Money
from kaquan.privacy.subject_keys import MasterKey
from kaquan.programs.catalogue import Stock
from kaquan.simulation.desk import Desk
from kaquan.simulation.diary import SOON_MINUTES, WHOLE_BPS, Act, Diary, Reversal, Step
from kaquan.simulation.founding import verification
from kaquan.simulation.gifts import Gifts
from kaquan.simulation.leaving import Leaving
from kaquan.simulation.office import MORNING
from kaquan.simulation.packets import Packets
from kaquan.simulation.population import Member, members
from kaquan.simulation.promises import Promises
from kaquan.simulation.returns import Returns
from kaquan.simulation.scenario import Scenario
from kaquan.simulation.shopping import Shopping
from kaquan.simulation.traders import Trader, verified_later
from kaquan.simulation.venues import Places

NIGHT_MINUTES = 23 * 60 + 45
"""When the night begins: tables opened then are paid after midnight."""

CLOSING_MINUTES = 23 * 60 + 50
AFTER_MIDNIGHT_MINUTES = 5
OFFICE_MINUTES = 9 * 60
PART_MINUTES = 15
"""The parts of a morning are steps of their own: one that was interrupted is not taken for the next."""

MONTH_DAYS = 30

_SATURDAY = 5


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
        returns = Returns(scenario.incidents, scenario.disputes, self._diary)
        self._shopping = Shopping(scenario, self._diary, returns, places.stranger)
        self._leaving = Leaving(scenario.leaving, self._diary, returns)
        self._gifts = Gifts(scenario.vouchers, self._diary)
        self._packets = Packets(scenario.packets, self._diary)
        self._promises = Promises(scenario.invitations, self._diary)
        for day, trader in verified_later(scenario, seed):
            self._diary.later(partial(self._verify, trader), day, 0)
        self._desk = Desk(scenario, self._diary, self._shopping, self._promises, master)

    def day(self, day: int) -> Iterator[Step]:
        """The steps of a day, in order, beginning at midnight when only the timetable acts."""
        diary = self._diary
        diary.begin(day)
        self._midnight(day)
        yield diary.close(due=True)
        yield from self._soon(AFTER_MIDNIGHT_MINUTES)
        for number, part in enumerate(MORNING):
            diary.open_at(OFFICE_MINUTES + number * PART_MINUTES)
            yield diary.close(office=part)
        plans = self._plans(day)
        for index, hour in enumerate(self._scenario.hours):
            diary.open(index)
            if not index:
                self._open_packets()
            for act in (*diary.wished_before(), *plans.get(index, ())):
                act()
            yield diary.close()
            yield from self._soon(hour * 60 + SOON_MINUTES)
        diary.open_at(NIGHT_MINUTES)
        self._night(day)
        yield diary.close()
        diary.open_at(CLOSING_MINUTES)
        head = self._places.head
        diary.write(Kind.REVERSE, Reversal(diary.key(), head.till, head.merchant.id, closing_order(day)))
        yield diary.close()

    def _open_packets(self) -> None:
        for venue in self._places.venues.values():
            self._packets.open(venue, self._diary.at)

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

    def _verify(self, trader: Trader) -> None:
        self._diary.write(Kind.VERIFY_BANK_ACCOUNT, verification(self._diary.key(), trader))

    def _midnight(self, day: int) -> None:
        self._shopping.midnight()
        self._promises.keep()
        for member in self.members:
            member.purse.expire(day)
            member.purse.clear()
            member.pocket.clear(self._diary.at)

    def _plans(self, day: int) -> dict[int, list[Act]]:
        """What everybody will do today, by the position of the hour, in the order in which a step does it."""
        plans: dict[int, list[Act]] = defaultdict(list)
        for member in self.members:
            if member.arrives == day:
                plans[member.resident.number % len(self._scenario.hours)].append(partial(self._desk.arrive, member))
        users = [member for member in self.members if member.shops(day)]
        for member in self.members:
            if self._leaving.wants_to(member, day):
                plans[self._hour()].append(partial(self._leaving.ask, member))
        for member, stock in self._claimers(users):
            plans[self._hour()].append(partial(self._gifts.claim, member, stock))
        for member in users:
            if self._packets.wants_one(member):
                plans[self._hour()].append(partial(self._packets.take, member))
        for member in self._convinced(users, day):
            plans[self._hour()].append(partial(self._desk.top_up, member))
        for member in self._unlucky(users):
            plans[self._hour()].append(partial(self._misfortune, member))
        for member in self._visitors(users, day):
            plans[self._hour()].append(partial(self._visit, member))
        return plans

    def _claimers(self, users: list[Member]) -> Iterator[tuple[Member, Stock]]:
        for member in users:
            stock = self._gifts.wants_to_claim(member)
            if stock is not None:
                yield member, stock

    def _convinced(self, users: list[Member], day: int) -> Iterator[Member]:
        """Who tops up because a campaign offered something."""
        campaigns = self._scenario.campaigns
        for member in users:
            converts = campaigns.rebate_converts_bps
            if member.venue.plan.promotes == "gift":
                converts = converts * campaigns.gift_times_bps // WHOLE_BPS
            if (member.resident.number - day) % campaigns.every_days == 0 and self._diary.chance(converts):
                yield member

    def _unlucky(self, users: list[Member]) -> Iterator[Member]:
        """Whose card is frozen or lost."""
        incidents = self._scenario.incidents
        for member in users:
            if self._diary.chance(incidents.freeze + incidents.lost):
                yield member

    def _visitors(self, users: list[Member], day: int) -> Iterator[Member]:
        """Who goes shopping."""
        rng, scenario = self._diary.rng, self._scenario
        weekend = (scenario.start + timedelta(days=day)).weekday() >= _SATURDAY
        factor = scenario.weekend_bps if weekend else WHOLE_BPS
        usual = (5 * WHOLE_BPS + 2 * scenario.weekend_bps) / 7
        for member in users:
            visits = rng.uniform(*member.segment.visits_month)
            if rng.random() < visits / MONTH_DAYS * factor / usual:
                yield member

    def _hour(self) -> int:
        weights = self._scenario.hour_weights
        return self._diary.rng.choices(range(len(weights)), weights)[0]

    def _misfortune(self, member: Member) -> None:
        """A card is frozen for a day, or lost and replaced; meanwhile somebody tries to pay with it."""
        incidents = self._scenario.incidents
        freezes = self._diary.rng.randrange(incidents.freeze + incidents.lost) < incidents.freeze
        if member.state:
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
