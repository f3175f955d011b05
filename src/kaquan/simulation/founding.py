"""What stands before a town's first day: who takes part, where they trade, which programs are open."""

import tomllib
from collections.abc import Iterator
from typing import Any, NamedTuple

from kaquan.commands.model import Command, Kind
from kaquan.funders.model import PayInFund, RegisterFund
from kaquan.kernel.caller import OPERATOR, Caller, Role
from kaquan.ledger.chart import Source
from kaquan.merchants.model import RegisterMerchant, RegisterOrganisation, RegisterStore
from kaquan.programs.catalogue import Catalogue, FundMode
from kaquan.programs.preset_files import text as preset
from kaquan.programs.model import OpenProgram
from kaquan.simulation.scenario import ProgramPlan, Scenario
from kaquan.simulation.venues import Place, Places, Venue, law_max
from kaquan.stocks.model import OpenStock

APPROVER = "second"
"""The person who approves the programs: not the operator, who opens them."""

BANKS = ("工商银行", "建设银行", "农业银行", "中国银行", "邮储银行")
_REFERENCE = "首笔拨款"
_ACCOUNT = "62220210011122{:05d}"
"""Account numbers that pass for some, and belong to nobody."""


class Trader(NamedTuple):
    """A merchant of the town; its one store bears its name."""

    code: str
    name: str
    organisation: str
    scene: str

    @property
    def store(self) -> str:
        """The code of its store."""
        return f"{self.code}-store"


def traders(scenario: Scenario) -> list[Trader]:
    """The merchants of the chains, in the order of the file."""
    return [
        Trader(f"{chain.code}-{number}", chain.name + branch, chain.organisation, chain.scene)
        for chain in scenario.chains
        for number, branch in enumerate(chain.branches, start=1)
    ]


def foundations(scenario: Scenario, charter: tuple[str, str], seed: int) -> Iterator[tuple[Kind, list[Any]]]:
    """The commands that found a town, kind by kind. Their keys follow from the seed: founding twice founds once.

    The charter, by code and name, is among the organisations, in one batch with them, so that a database either is
    a town with its charter or has nobody in it.
    """

    def key(code: str) -> str:
        return f"{seed}:{code}"

    named = [
        (*charter, False),
        *((one.code, one.name, one.keeps_book) for one in scenario.organisations),
    ]
    yield (
        Kind.REGISTER_ORGANISATION,
        [
            RegisterOrganisation(key=key(code), caller=OPERATOR, code=code, name=name, keeps_book=book)
            for code, name, book in named
        ],
    )
    stranger = scenario.stranger
    everybody = [*traders(scenario), Trader(stranger.code, stranger.name, stranger.organisation, "retail")]
    yield (
        Kind.REGISTER_MERCHANT,
        [
            RegisterMerchant(
                key=key(one.code),
                caller=OPERATOR,
                code=one.code,
                name=one.name,
                organisation=one.organisation,
                account_bank=BANKS[number % len(BANKS)],
                account_no=_ACCOUNT.format(number),
            )
            for number, one in enumerate(everybody, start=1)
        ],
    )
    yield (
        Kind.REGISTER_STORE,
        [
            RegisterStore(
                key=key(one.store), caller=OPERATOR, code=one.store, name=one.name, merchant=one.code, scene=one.scene
            )
            for one in everybody
        ],
    )
    yield (
        Kind.REGISTER_FUND,
        [
            RegisterFund(
                key=key(one.code),
                caller=OPERATOR,
                code=one.code,
                name=one.name,
                organisation=one.organisation,
                book=one.book,
                mode=FundMode[one.mode.upper()],
                source=Source[one.source.upper()],
            )
            for one in scenario.funds
        ],
    )
    yield (
        Kind.PAY_IN_FUND,
        [
            PayInFund(key=key(f"{one.code} paid in"), caller=OPERATOR, fund=one.code, amount=one.paid_in_fen, reference=_REFERENCE)
            for one in scenario.funds
        ],
    )
    yield Kind.OPEN_PROGRAM, [_opening(plan, key(plan.code)) for plan in scenario.programs]
    yield (
        Kind.OPEN_STOCK,
        [
            OpenStock(key=key(f"{plan.code} {code}"), caller=OPERATOR, program=plan.code, stock=code)
            for plan in scenario.programs
            for code in _stocks(plan)
        ],
    )


def _opening(plan: ProgramPlan, key: str) -> Command:
    return OpenProgram(key=key, caller=OPERATOR, text=preset(plan.code), approved_by=APPROVER)


def _stocks(plan: ProgramPlan) -> list[str]:
    return [stock["code"] for stock in tomllib.loads(preset(plan.code)).get("stocks", ())]


def places(scenario: Scenario, catalogue: Catalogue) -> Places:
    """The town's places as the catalogue knows them. Needs a founded town."""
    known = traders(scenario)
    stranger = scenario.stranger
    return Places(
        venues={plan.code: _venue(plan, scenario, known, catalogue) for plan in scenario.programs},
        head=_place(known[0], catalogue),
        stranger=_place(Trader(stranger.code, stranger.name, stranger.organisation, "retail"), catalogue),
    )


def _venue(plan: ProgramPlan, scenario: Scenario, known: list[Trader], catalogue: Catalogue) -> Venue:
    terms = catalogue.latest[catalogue.programs[plan.code]]
    issuer = Caller(catalogue.organisations[terms.terms.program.issuer][0], Role.ISSUER)
    by_scene: dict[str, list[Place]] = {}
    for trader in known:
        place = _place(trader, catalogue)
        if place.merchant.group == terms.group:
            by_scene.setdefault(trader.scene, []).append(place)
    stocks = {code: stock for (program, code), stock in catalogue.latest_stocks.items() if program == terms.program}
    scenes = [(scene, by_scene[scene.name]) for scene in scenario.scenes if scene.name in by_scene]
    return Venue(plan, terms, issuer, stocks, scenes, law_max(terms, scenario))


def _place(trader: Trader, catalogue: Catalogue) -> Place:
    organisation = catalogue.organisations[trader.organisation][0]
    store, merchant = catalogue.stores[trader.store]
    return Place(catalogue.merchants[merchant], store, trader.store, Caller(organisation, Role.MERCHANT))
