"""The issuers' desks: cards are sold, topped up, frozen, reported lost and replaced."""

from functools import partial

from kaquan.cards.model import Freeze, LotKind, Replace, ReportLost, Unfreeze
from kaquan.commands.model import Kind, scoped_id
from kaquan.funders.rules import promised, used
from kaquan.holders.service import registration
from kaquan.kernel.ids import Id
from kaquan.kernel.money import ZERO, Money
from kaquan.privacy.subject_keys import MasterKey
from kaquan.privacy.vault import Vault
from kaquan.sales.model import Sell, TopUp
from kaquan.simulation.diary import Diary
from kaquan.simulation.people import settled
from kaquan.simulation.pocket import redeem
from kaquan.simulation.population import Member, Resident
from kaquan.simulation.promises import Promises
from kaquan.simulation.scenario import Scenario
from kaquan.simulation.shopping import Shopping
from kaquan.simulation.venues import Venue
from kaquan.vouchers.model import NOBODY
from kaquan.vouchers.quote import Candidate

NO_OFFER_FEN = Money(31_700)
"""A face value that people ask for and no program sells."""

HOARD_MAX = 30
"""More top-ups in a row than any card has room for."""


class Desk:
    """What holders want from issuers."""

    def __init__(
        self, scenario: Scenario, diary: Diary, shopping: Shopping, promises: Promises, master: MasterKey
    ) -> None:
        self._scenario = scenario
        self._promises = promises
        self._vault = Vault(master)
        self._shopping = shopping
        self._diary = diary
        self._master = master

    def arrive(self, member: Member) -> None:
        """A holder, registered at the first program, buys the program's card."""
        diary, venue = self._diary, member.venue
        wallet = member.resident.wallet or self._register(member.resident, venue)
        if diary.chance(self._scenario.incidents.wrong_offer):
            diary.write(Kind.SELL, self._sell(venue, wallet, NO_OFFER_FEN), "offer_unknown")
        self._promises.invite(member, wallet)
        face = diary.rng.choice(venue.faces_within(member.segment.top_up_fen))
        sale = self._sell(venue, wallet, face)
        diary.write(Kind.SELL, sale)
        member.card = scoped_id(venue.issuer.organisation, wallet, sale.key)
        self._promises.bought(member, member.card, face)
        self._believe(member, face)
        self._newcomers_mistakes(member)

    def _register(self, resident: Resident, venue: Venue) -> Id:
        diary, issuer = self._diary, venue.issuer
        resident.person = settled(resident.person, diary.seed, resident.number, self._vault)
        command = registration(self._master, issuer, diary.key(), resident.person)
        diary.write(Kind.REGISTER_HOLDER, command)
        resident.wallet = scoped_id(issuer.organisation, command.subject, command.key)
        incidents = self._scenario.incidents
        if diary.chance(incidents.unidentified):
            self._ask_unidentified(venue)
        if diary.chance(incidents.registered_twice):
            again = registration(self._master, issuer, diary.key(), resident.person)
            diary.next_step(partial(diary.write, Kind.REGISTER_HOLDER, again, "holder_exists"))
        return resident.wallet

    def _newcomers_mistakes(self, member: Member) -> None:
        diary, incidents = self._diary, self._scenario.incidents
        later = member.venue.terms.presale.activation_days > 0
        early = later and diary.index < diary.last_index
        if early and diary.chance(incidents.pays_too_early):
            self._try_in_vain(member)
        if diary.chance(incidents.hoards):
            diary.later(partial(self._hoard, member), 1)

    def _ask_unidentified(self, venue: Venue) -> None:
        diary, issuer = self._diary, venue.issuer
        command = registration(self._master, issuer, diary.key(), None)
        diary.write(Kind.REGISTER_HOLDER, command)
        wallet = scoped_id(issuer.organisation, command.subject, command.key)
        diary.write(Kind.SELL, self._sell(venue, wallet, venue.faces[0]), "law_registered_identity_missing")

    def freeze(self, member: Member) -> None:
        """The card is frozen for a day; meanwhile somebody tries to pay with it."""
        diary, issuer = self._diary, member.venue.issuer
        member.state = "frozen"
        command = Freeze(key=diary.key(), caller=issuer, card=_card(member), reason="持卡人来电要求暂停")
        diary.write(Kind.FREEZE, command)
        self._try_in_vain(member)
        diary.later(partial(self._unfreeze, member), 1, diary.index)

    def _unfreeze(self, member: Member) -> None:
        diary, issuer = self._diary, member.venue.issuer
        member.state = ""
        command = Unfreeze(key=diary.key(), caller=issuer, card=_card(member), reason="持卡人已核实")
        diary.write(Kind.UNFREEZE, command)

    def lose(self, member: Member) -> None:
        """The card is lost and replaced a day later; meanwhile its finder tries to pay with it."""
        diary, issuer = self._diary, member.venue.issuer
        member.state = "lost"
        diary.write(Kind.REPORT_LOST, ReportLost(key=diary.key(), caller=issuer, card=_card(member)))
        self._try_in_vain(member)
        diary.later(partial(self._replace, member), 1, diary.index)

    def _replace(self, member: Member) -> None:
        diary, issuer = self._diary, member.venue.issuer
        member.state = ""
        diary.write(Kind.REPLACE, Replace(key=diary.key(), caller=issuer, card=_card(member)))

    def _try_in_vain(self, member: Member) -> None:
        place, scene = member.venue.place(self._diary.rng)
        wanted = self._shopping.basket(scene)
        self._diary.next_step(partial(self._shopping.refused, member, wanted, place))

    def _hoard(self, member: Member) -> None:
        for _ in range(HOARD_MAX):
            if member.state or not self._top_up(member, member.venue.faces[-1]):
                return

    def top_up(self, member: Member) -> None:
        """A top-up of what the holder's kind tops up; a voucher for it pays a part, or tops up by itself."""
        if member.state:
            return
        found = member.pocket.for_top_up(self._diary.at)
        if found is not None and self._diary.chance(self._scenario.vouchers.tops_up_alone_bps):
            self._top_up(member, ZERO, found)
        else:
            face = self._diary.rng.choice(member.venue.faces_within(member.segment.top_up_fen))
            self._top_up(member, face, found)

    def _top_up(self, member: Member, face: Money, found: Candidate | None = None) -> bool:
        """Whether the card had room; when it has none, that is asked in vain."""
        venue, diary = member.venue, self._diary
        command = TopUp(
            key=diary.key(),
            caller=venue.issuer,
            card=_card(member),
            face=face,
            channel=self._scenario.channel,
            vouchers=(found[0].id,) if found else (),
        )
        after = member.purse.total() + (face or (found[0].face if found else 0))
        if after > venue.card_max:
            over_law = after > venue.law_max
            expects = "law_registered_balance_above_max" if over_law else "card_balance_above_max"
            diary.write(Kind.TOP_UP, command, expects)
            return False
        diary.write(Kind.TOP_UP, command)
        purchase = scoped_id(venue.issuer.organisation, _card(member), command.key)
        self._promises.bought(member, purchase, face)
        self._believe(member, face, found, purchase)
        return True

    def _sell(self, venue: Venue, wallet: Id, face: Money) -> Sell:
        return Sell(
            key=self._diary.key(),
            caller=venue.issuer,
            wallet=wallet,
            program=venue.plan.code,
            face=face,
            channel=self._scenario.channel,
        )

    def _believe(self, member: Member, face: Money, found: Candidate | None = None, purchase: Id = NOBODY) -> None:
        """What a purchase puts on the card: what is paid, what the issuer gives, what a voucher's funders pay."""
        presale = member.venue.terms.presale
        price = member.venue.known.paid_for(face) if face else ZERO
        if price is None:
            raise ValueError(f"the program has no offer of {face} fen")
        active = self._diary.day + (presale.activation_days if face else 0)
        by_voucher = ZERO
        if found is not None:
            voucher, stock = found
            by_voucher = Money(min(price, voucher.face) if face else voucher.face)
            redeem(voucher, by_voucher, purchase)
            for _, part in used(promised(stock.funding, Money(voucher.face)), by_voucher):
                member.purse.load(LotKind.SUBSIDY, part, active, active + stock.rules.valid_days)
        member.purse.load(LotKind.PRINCIPAL, Money(price - by_voucher) if face else ZERO, active)
        member.purse.load(LotKind.BONUS, Money(face - price), active)


def _card(member: Member) -> Id:
    if member.card is None:
        raise ValueError("the holder has no card yet")
    return member.card
