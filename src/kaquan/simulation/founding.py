"""What stands before a town's first day: who takes part, who gives money, which programs are open."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

from kaquan.commands.model import Kind
from kaquan.funders.model import PayInFund, RegisterFund
from kaquan.kernel.caller import OPERATOR, Caller, Role
from kaquan.kernel.money import Money
from kaquan.ledger.chart import Source
from kaquan.merchants.model import RegisterMerchant, RegisterOrganisation, RegisterStore, VerifyBankAccount
from kaquan.payouts.model import SetSourceAccount
from kaquan.programs.catalogue import Catalogue, FundMode
from kaquan.programs.enrolment import EnrolMerchant
from kaquan.programs.model import OpenProgram
from kaquan.programs.preset_files import text as preset
from kaquan.simulation.scenario import ProgramPlan, Scenario
from kaquan.simulation.traders import Trader, stranger, traders
from kaquan.simulation.venues import Place, Places, Venue, law_max
from kaquan.stocks.model import OpenStock

APPROVER = "second"
"""The person who approves the programs: not the operator, who opens them."""

HOLDERS_EACH = 1_000
"""For so many holders funds and stocks are enough; a larger town has as much for each so many."""

_AMOUNT = re.compile(r"^(count = |budget_fen = )([\d_]+)", re.MULTILINE)

_REFERENCE = "首笔拨款"
_PAYING_BANK = "建设银行"
_PROOF = "小额打款验证"

Founding = Iterator[tuple[Kind, list[Any]]]
"""Commands kind by kind, in the order in which they are given."""


class Founder:
    """Gives the commands that found a town. Their keys follow from the seed: founding twice founds once."""

    def __init__(self, scenario: Scenario, seed: int, holders: int = HOLDERS_EACH) -> None:
        self._scenario = scenario
        self._seed = seed
        self._times = -(-holders // HOLDERS_EACH)

    def commands(self, charter: tuple[str, str]) -> Founding:
        """All of it. The charter, by code and name, is among the organisations, in one batch with them, so that a
        database either is a town with its charter or has nobody in it."""
        yield (
            Kind.REGISTER_ORGANISATION,
            [
                RegisterOrganisation(key=self._key(code), caller=OPERATOR, code=code, name=name, keeps_book=book)
                for code, name, book in (
                    (*charter, False),
                    *((one.code, one.name, one.keeps_book) for one in self._scenario.organisations),
                )
            ],
        )
        yield from self._accounts()
        yield from self._merchants()
        yield from self._funds()
        yield from self._programs()

    def _accounts(self) -> Founding:
        """From which bank accounts each book pays."""
        books = [one for one in self._scenario.organisations if one.keeps_book]
        yield (
            Kind.SET_SOURCE_ACCOUNT,
            [
                SetSourceAccount(
                    key=self._key(f"{one.code} pays {source.name}"),
                    caller=OPERATOR,
                    organisation=one.code,
                    source=source,
                    account_name=one.name,
                    account_bank=_PAYING_BANK,
                    account_no=f"11001{number:04d}{int(source):04d}",
                )
                for number, one in enumerate(books)
                for source in (Source.CUSTODY, Source.OPERATING, Source.FISCAL)
            ],
        )

    def _merchants(self) -> Founding:
        everybody = [*traders(self._scenario), stranger(self._scenario)]
        yield (
            Kind.REGISTER_MERCHANT,
            [
                RegisterMerchant(
                    key=self._key(one.code),
                    caller=OPERATOR,
                    code=one.code,
                    name=one.name,
                    organisation=one.organisation,
                    account_bank=one.bank,
                    account_no=one.account_no,
                )
                for one in everybody
            ],
        )
        yield (
            Kind.REGISTER_STORE,
            [
                RegisterStore(
                    key=self._key(one.store),
                    caller=OPERATOR,
                    code=one.store,
                    name=one.name,
                    merchant=one.code,
                    scene=one.scene,
                )
                for one in everybody
            ],
        )
        yield (
            Kind.VERIFY_BANK_ACCOUNT,
            [verification(self._key(f"{one.code} verified"), one) for one in everybody if one.verified],
        )

    def _funds(self) -> Founding:
        yield (
            Kind.REGISTER_FUND,
            [
                RegisterFund(
                    key=self._key(one.code),
                    caller=OPERATOR,
                    code=one.code,
                    name=one.name,
                    organisation=one.organisation,
                    book=one.book,
                    mode=FundMode[one.mode.upper()],
                    source=Source[one.source.upper()],
                )
                for one in self._scenario.funds
            ],
        )
        yield (
            Kind.PAY_IN_FUND,
            [
                PayInFund(
                    key=self._key(f"{one.code} paid in"),
                    caller=OPERATOR,
                    fund=one.code,
                    amount=Money(one.paid_in_fen * self._times),
                    reference=_REFERENCE,
                )
                for one in self._scenario.funds
            ],
        )

    def _programs(self) -> Founding:
        plans = self._scenario.programs
        yield (
            Kind.OPEN_PROGRAM,
            [
                OpenProgram(
                    key=self._key(plan.code), caller=OPERATOR, text=self._text(plan.code), approved_by=APPROVER
                )
                for plan in plans
            ],
        )
        yield (
            Kind.ENROL_MERCHANT,
            [
                EnrolMerchant(key=self._key(f"{code} {one.code}"), caller=OPERATOR, program=code, merchant=one.code)
                for one in traders(self._scenario)
                for code in one.enrolled
            ],
        )
        yield (
            Kind.OPEN_STOCK,
            [
                OpenStock(key=self._key(f"{plan.code} {code}"), caller=OPERATOR, program=plan.code, stock=code)
                for plan in plans
                for code in _stocks(plan)
            ],
        )

    def _text(self, code: str) -> str:
        """The preset, with so much more in its stocks as there are more holders than it was made for."""
        head, stocks, rest = preset(code).partition("[[stocks]]")
        return head + stocks + _AMOUNT.sub(lambda found: f"{found[1]}{int(found[2]) * self._times}", rest)

    def _key(self, what: str) -> str:
        return f"{self._seed}:{what}"


def verification(key: str, trader: Trader) -> VerifyBankAccount:
    """The command that says a merchant's bank account is its own."""
    return VerifyBankAccount(
        key=key, caller=OPERATOR, merchant=trader.code, account_no=trader.account_no, proof=_PROOF
    )


def _stocks(plan: ProgramPlan) -> list[str]:
    return [stock["code"] for stock in tomllib.loads(preset(plan.code)).get("stocks", ())]


def places(scenario: Scenario, catalogue: Catalogue) -> Places:
    """The town's places as the catalogue knows them. Needs a founded town."""
    known = traders(scenario)
    away = _place(stranger(scenario), catalogue)
    return Places(
        venues={plan.code: _venue(plan, scenario, known, catalogue) for plan in scenario.programs},
        head=_place(known[0], catalogue),
        stranger=away,
    )


def _venue(plan: ProgramPlan, scenario: Scenario, known: list[Trader], catalogue: Catalogue) -> Venue:
    terms = catalogue.latest[catalogue.programs[plan.code]]
    issuer = Caller(catalogue.organisations[terms.terms.program.issuer][0], Role.ISSUER)
    by_scene: dict[str, list[Place]] = {}
    for trader in known:
        place = _place(trader, catalogue)
        if terms.accepts(place.merchant):
            by_scene.setdefault(trader.scene, []).append(place)
    stocks = {code: stock for (program, code), stock in catalogue.latest_stocks.items() if program == terms.program}
    scenes = [(scene, by_scene[scene.name]) for scene in scenario.scenes if scene.name in by_scene]
    return Venue(plan, terms, issuer, stocks, scenes, law_max(terms, scenario))


def _place(trader: Trader, catalogue: Catalogue) -> Place:
    organisation = catalogue.organisations[trader.organisation][0]
    store, merchant = catalogue.stores[trader.store]
    return Place(catalogue.merchants[merchant], store, trader.store, Caller(organisation, Role.MERCHANT))
