"""The town: its holders arrive, shop, lose cards, and come back another day. Pure: a seed decides every wish.

Nothing is read from the database. All ids follow from keys, and what a card holds from the terms; so any day of the
town can be told again, which is how it goes on after a stop or a `kill -9`.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from random import Random

from kaquan.cards.model import Freeze, Replace, ReportLost, Unfreeze
from kaquan.commands.model import Kind, scoped_id
from kaquan.holders.service import registration
from kaquan.kernel.caller import Caller
from kaquan.kernel.money import Money
from kaquan.privacy.subject_keys import MasterKey
from kaquan.programs.catalogue import Terms
from kaquan.sales.model import Sell, TopUp
from kaquan.simulation.diary import SOON_MINUTES, WHOLE_BPS, Diary, Reversal, Step
from kaquan.simulation.people import person
from kaquan.simulation.scenario import Scenario, Segment
from kaquan.simulation.shopping import Place, Places, Resident, Shopping

CLOSING_MINUTES = SOON_MINUTES + 5
MONTH_DAYS = 30
LOW_FEN = Money(20_000)
"""Below this a holder tops up before the next visit."""

NO_OFFER_FEN = Money(30_000)
"""A face value that people ask for and the program does not sell."""

HOARD_MAX = 12
"""More top-ups in a row than any card has room for."""

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
        self._master = master
        self._places = places
        self._terms = terms
        self._room = min(Money(terms.law.registered_balance_max_fen.value), terms.terms.card.balance_max_fen)

    def day(self, day: int) -> Iterator[Step]:
        """The steps of a day, in order, beginning at midnight when only the timetable acts."""
        diary = self.diary
        diary.begin(day)
        self._midnight(day)
        yield diary.close()
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
            if soon := diary.wished_soon():
                diary.open(index, SOON_MINUTES)
                for act in soon:
                    act()
                yield diary.close()
        diary.open(diary.last_index, CLOSING_MINUTES)
        head = self._places.group[0].merchant
        diary.write(Kind.REVERSE, Reversal(diary.key(), self._places.till, head, closing_order(day)))
        yield diary.close()

    def _midnight(self, day: int) -> None:
        self.shopping.midnight(Money(self._terms.law.registered_balance_max_fen.value))
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
            gone = resident.leaves is not None and day >= resident.leaves
            if resident.card and not gone and drawn < visits / MONTH_DAYS * factor / usual:
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
            self._top_up(resident, self.diary.rng.choice(resident.segment.faces_fen))
        free = purse.free(day)
        amount = shopping.basket(place, large and free >= least_large)
        amount = min(amount, free)
        if amount >= self._scenario.baskets.least_fen:
            shopping.visit(resident, amount, place)

    def _arrivals(self, day: int, index: int) -> None:
        for resident in self.residents:
            if resident.arrives == day and resident.number % len(self._scenario.hours) == index:
                self._arrive(resident)

    def _arrive(self, resident: Resident) -> None:
        diary, incidents, issuer = self.diary, self._scenario.incidents, self._places.issuer
        command = registration(self._master, issuer, diary.key(), resident.person)
        diary.write(Kind.REGISTER_HOLDER, command)
        resident.wallet = scoped_id(issuer.organisation, command.subject, command.key)
        if diary.chance(incidents.wrong_offer):
            diary.write(Kind.SELL, self._sell(resident, NO_OFFER_FEN), "offer_unknown")
        face = diary.rng.choice(resident.segment.faces_fen)
        first = max(offer for offer in self._faces() if offer <= face)
        sale = self._sell(resident, first)
        diary.write(Kind.SELL, sale)
        resident.card = scoped_id(issuer.organisation, resident.wallet, sale.key)
        self._believe(resident, first)
        if face > first:
            self._top_up(resident, Money(face - first))
        if diary.chance(incidents.unidentified):
            self._ask_unidentified(issuer)
        if diary.chance(incidents.registered_twice):
            again = registration(self._master, issuer, diary.key(), resident.person)
            diary.next_step(partial(diary.write, Kind.REGISTER_HOLDER, again, "holder_exists"))
        if diary.index < diary.last_index and diary.chance(incidents.pays_too_early):
            place = self.shopping.place()
            wanted = self.shopping.basket(place, False)
            diary.next_step(partial(self.shopping.refused, resident, wanted, place))
        if diary.chance(incidents.hoards):
            diary.later(partial(self._hoard, resident), 1)

    def _ask_unidentified(self, issuer: Caller) -> None:
        diary = self.diary
        command = registration(self._master, issuer, diary.key(), None)
        diary.write(Kind.REGISTER_HOLDER, command)
        wallet = scoped_id(issuer.organisation, command.subject, command.key)
        sale = Sell(
            key=diary.key(),
            caller=issuer,
            wallet=wallet,
            program=self._scenario.program,
            face=min(self._faces()),
            channel=self._scenario.channel,
        )
        diary.write(Kind.SELL, sale, "law_registered_identity_missing")

    def _misfortunes(self) -> None:
        """Cards are frozen for a day, or lost and replaced; meanwhile somebody tries to pay with them."""
        diary, incidents = self.diary, self._scenario.incidents
        steps = len(self._scenario.hours)
        for resident in self.residents:
            happens = diary.rng.randrange(WHOLE_BPS * steps)
            if not resident.card or resident.state or resident.arrives == diary.day:
                continue
            if happens < incidents.freeze:
                self._freeze(resident)
            elif happens < incidents.freeze + incidents.lost:
                self._lose(resident)

    def _freeze(self, resident: Resident) -> None:
        diary, issuer = self.diary, self._places.issuer
        resident.state = "frozen"
        diary.write(
            Kind.FREEZE, Freeze(key=diary.key(), caller=issuer, card=resident.card, reason="持卡人来电要求暂停")
        )
        self._try_in_vain(resident)
        diary.later(partial(self._unfreeze, resident), 1, diary.index)

    def _unfreeze(self, resident: Resident) -> None:
        diary, issuer = self.diary, self._places.issuer
        resident.state = ""
        diary.write(
            Kind.UNFREEZE, Unfreeze(key=diary.key(), caller=issuer, card=resident.card, reason="持卡人已核实")
        )

    def _lose(self, resident: Resident) -> None:
        diary, issuer = self.diary, self._places.issuer
        resident.state = "lost"
        diary.write(Kind.REPORT_LOST, ReportLost(key=diary.key(), caller=issuer, card=resident.card))
        self._try_in_vain(resident)
        diary.later(partial(self._replace, resident), 1, diary.index)

    def _replace(self, resident: Resident) -> None:
        diary, issuer = self.diary, self._places.issuer
        resident.state = ""
        diary.write(Kind.REPLACE, Replace(key=diary.key(), caller=issuer, card=resident.card))

    def _try_in_vain(self, resident: Resident) -> None:
        place = self.shopping.place()
        wanted = self.shopping.basket(place, False)
        self.diary.next_step(partial(self.shopping.refused, resident, wanted, place))

    def _hoard(self, resident: Resident) -> None:
        face = max(self._faces())
        for _ in range(HOARD_MAX):
            if resident.state or not self._top_up(resident, face):
                return

    def _top_up(self, resident: Resident, face: Money) -> bool:
        """One top-up for each offer that makes up `face`. False when the card has no room, which is asked in vain."""
        offers = [face] if face in self._faces() else [max(self._faces())] * (face // max(self._faces()))
        for offer in offers:
            command = TopUp(
                key=self.diary.key(),
                caller=self._places.issuer,
                card=resident.card,
                face=offer,
                channel=self._scenario.channel,
            )
            if resident.purse.total() + offer > self._room:
                law = self._terms.law.registered_balance_max_fen.value
                over_law = resident.purse.total() + offer > law
                expects = "law_registered_balance_above_max" if over_law else "card_balance_above_max"
                self.diary.write(Kind.TOP_UP, command, expects)
                return False
            self.diary.write(Kind.TOP_UP, command)
            self._believe(resident, offer)
        return True

    def _sell(self, resident: Resident, face: Money) -> Sell:
        return Sell(
            key=self.diary.key(),
            caller=self._places.issuer,
            wallet=resident.wallet,
            program=self._scenario.program,
            face=face,
            channel=self._scenario.channel,
        )

    def _believe(self, resident: Resident, face: Money) -> None:
        paid = self._terms.paid_for(face)
        if paid is None:
            raise ValueError(f"the program has no offer of {face} fen")
        active = self.diary.day + self._terms.terms.presale.activation_days
        resident.purse.load(paid, Money(face - paid), active)

    def _faces(self) -> list[Money]:
        return [offer.face_fen for offer in self._terms.terms.presale.offers]


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


__all__ = ["Place", "Places", "Town", "closing_order"]
