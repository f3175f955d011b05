"""The issuer's desk: cards are sold, topped up, frozen, reported lost and replaced."""

from functools import partial

from kaquan.cards.model import Freeze, Replace, ReportLost, Unfreeze
from kaquan.commands.model import Kind, scoped_id
from kaquan.holders.service import registration
from kaquan.kernel.calendar import shanghai
from kaquan.kernel.ids import Id
from kaquan.kernel.money import MONEY_MAX, Money
from kaquan.law.rules import balance_max
from kaquan.privacy.subject_keys import MasterKey
from kaquan.sales.model import Sell, TopUp
from kaquan.simulation.scenario import Scenario
from kaquan.simulation.shopping import Resident, Shopping

NO_OFFER_FEN = Money(30_000)
"""A face value that people ask for and the program does not sell."""

HOARD_MAX = 12
"""More top-ups in a row than any card has room for."""


class Desk:
    """What holders want from the issuer. `law_max` is the most that the law lets a card hold."""

    def __init__(self, scenario: Scenario, shopping: Shopping, master: MasterKey) -> None:
        self._scenario = scenario
        self._shopping = shopping
        self._master = master
        self._diary = shopping.diary
        self._terms = shopping.terms
        self._issuer = shopping.places.issuer
        limit = balance_max(self._terms.terms.card.registered, self._terms.law(shanghai(scenario.start)))
        self.law_max = MONEY_MAX if limit is None else Money(limit.value)
        self._card_max = self._terms.terms.card.balance_max_fen
        self._faces = [offer.face_fen for offer in self._terms.terms.presale.offers]

    def arrive(self, resident: Resident) -> None:
        """A new holder is registered and buys the first card."""
        diary, issuer = self._diary, self._issuer
        command = registration(self._master, issuer, diary.key(), resident.person)
        diary.write(Kind.REGISTER_HOLDER, command)
        resident.wallet = scoped_id(issuer.organisation, command.subject, command.key)
        if diary.chance(self._scenario.incidents.wrong_offer):
            diary.write(Kind.SELL, self._sell(resident.wallet, NO_OFFER_FEN), "offer_unknown")
        face = diary.rng.choice(resident.segment.faces_fen)
        first = max(offer for offer in self._faces if offer <= face)
        sale = self._sell(resident.wallet, first)
        diary.write(Kind.SELL, sale)
        resident.card = scoped_id(issuer.organisation, resident.wallet, sale.key)
        self._believe(resident, first)
        if face > first:
            self.top_up(resident, Money(face - first))
        self._newcomers_mistakes(resident)

    def _newcomers_mistakes(self, resident: Resident) -> None:
        diary, incidents = self._diary, self._scenario.incidents
        if diary.chance(incidents.unidentified):
            self._ask_unidentified()
        if diary.chance(incidents.registered_twice):
            again = registration(self._master, self._issuer, diary.key(), resident.person)
            diary.next_step(partial(diary.write, Kind.REGISTER_HOLDER, again, "holder_exists"))
        if diary.index < diary.last_index and diary.chance(incidents.pays_too_early):
            self._try_in_vain(resident)
        if diary.chance(incidents.hoards):
            diary.later(partial(self._hoard, resident), 1)

    def _ask_unidentified(self) -> None:
        diary, issuer = self._diary, self._issuer
        command = registration(self._master, issuer, diary.key(), None)
        diary.write(Kind.REGISTER_HOLDER, command)
        wallet = scoped_id(issuer.organisation, command.subject, command.key)
        diary.write(Kind.SELL, self._sell(wallet, min(self._faces)), "law_registered_identity_missing")

    def freeze(self, resident: Resident) -> None:
        """The card is frozen for a day; meanwhile somebody tries to pay with it."""
        diary, issuer = self._diary, self._issuer
        resident.state = "frozen"
        command = Freeze(key=diary.key(), caller=issuer, card=resident.card, reason="持卡人来电要求暂停")
        diary.write(Kind.FREEZE, command)
        self._try_in_vain(resident)
        diary.later(partial(self._unfreeze, resident), 1, diary.index)

    def _unfreeze(self, resident: Resident) -> None:
        diary, issuer = self._diary, self._issuer
        resident.state = ""
        command = Unfreeze(key=diary.key(), caller=issuer, card=resident.card, reason="持卡人已核实")
        diary.write(Kind.UNFREEZE, command)

    def lose(self, resident: Resident) -> None:
        """The card is lost and replaced a day later; meanwhile its finder tries to pay with it."""
        diary, issuer = self._diary, self._issuer
        resident.state = "lost"
        diary.write(Kind.REPORT_LOST, ReportLost(key=diary.key(), caller=issuer, card=resident.card))
        self._try_in_vain(resident)
        diary.later(partial(self._replace, resident), 1, diary.index)

    def _replace(self, resident: Resident) -> None:
        diary, issuer = self._diary, self._issuer
        resident.state = ""
        diary.write(Kind.REPLACE, Replace(key=diary.key(), caller=issuer, card=resident.card))

    def _try_in_vain(self, resident: Resident) -> None:
        place = self._shopping.place()
        wanted = self._shopping.basket(place, False)
        self._diary.next_step(partial(self._shopping.refused, resident, wanted, place))

    def _hoard(self, resident: Resident) -> None:
        face = max(self._faces)
        for _ in range(HOARD_MAX):
            if resident.state or not self.top_up(resident, face):
                return

    def top_up(self, resident: Resident, face: Money) -> bool:
        """One top-up for each offer that makes up `face`. False when the card has no room, which is asked in vain."""
        offers = [face] if face in self._faces else [max(self._faces)] * (face // max(self._faces))
        for offer in offers:
            command = TopUp(
                key=self._diary.key(),
                caller=self._issuer,
                card=resident.card,
                face=offer,
                channel=self._scenario.channel,
            )
            after = resident.purse.total() + offer
            if after > min(self.law_max, self._card_max):
                over_law = after > self.law_max
                expects = "law_registered_balance_above_max" if over_law else "card_balance_above_max"
                self._diary.write(Kind.TOP_UP, command, expects)
                return False
            self._diary.write(Kind.TOP_UP, command)
            self._believe(resident, offer)
        return True

    def _sell(self, wallet: Id, face: Money) -> Sell:
        return Sell(
            key=self._diary.key(),
            caller=self._issuer,
            wallet=wallet,
            program=self._scenario.program,
            face=face,
            channel=self._scenario.channel,
        )

    def _believe(self, resident: Resident, face: Money) -> None:
        paid = self._terms.paid_for(face)
        if paid is None:
            raise ValueError(f"the program has no offer of {face} fen")
        active = self._diary.day + self._terms.terms.presale.activation_days
        resident.purse.load(paid, Money(face - paid), active)
