"""The reference data in memory: terms, programs, merchants, as of a version that the door checks each batch."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import IntEnum
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from kaquan.kernel.calendar import business_date
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Fact
from kaquan.law.model import Law, law_on
from kaquan.ledger.chart import Source
from kaquan.ledger.model import Ledger
from kaquan.programs.grants import Stock as StockTerms
from kaquan.programs.lifecycle import ProgramState
from kaquan.programs.terms import ProgramTerms

ENROLLED = 1
SUSPENDED = 2


class Merchant(msgspec.Struct, frozen=True):
    """A merchant as decisions need it. `group` is the organisation it belongs to: its platform.

    `book` is the platform's, none when the platform keeps no book of its own. The bank account may be missing.
    """

    id: Id
    code: str
    name: str
    group: int
    book: int | None
    active: bool
    account_bank: str
    account_no: str
    bank_verified: bool


class Terms(msgspec.Struct, frozen=True):
    """One version of a program's terms, ready to decide by.

    `platforms` says by organisation whether "all" its merchants accept or those "enrolled". `enrolments` are the
    program's, by merchant: `ENROLLED` or `SUSPENDED`. `issuer_name` and `platform_names` are what contracts call
    these organisations. `state` is the program's, the same in all its versions; `starts_on` the first day of one that
    waits to start; `stop` says why nothing is sold although the program runs: too little lies in custody.
    """

    id: int
    program: int
    version: int
    terms: ProgramTerms
    ledger: Ledger
    platforms: Mapping[int, str]
    enrolments: Mapping[bytes, int]
    state: ProgramState
    issuer_name: str
    platform_names: tuple[str, ...]
    starts_on: date | None = None
    stop: Mapping[str, Fact] | None = None

    def law(self, at: datetime) -> Law:
        """What the program's law packs ask at an instant: the law of that day in Shanghai."""
        return _law_at(self.terms.program.law_packs, at)

    @property
    def sells(self) -> bool:
        """Whether new promises are made: sale, top-up, claims, plans."""
        return self.state.sells

    @property
    def grants(self) -> bool:
        """Whether what was earned arrives: not while the program is paused."""
        return self.state.grants

    def accepts(self, merchant: Merchant) -> bool:
        """Whether the merchant takes part now: its platform does, and the merchant is enrolled or not suspended."""
        scope, state = self.platforms.get(merchant.group), self.enrolments.get(merchant.id)
        return state == ENROLLED if scope == "enrolled" else scope is not None and state != SUSPENDED

    def ledger_of(self, merchant: Merchant) -> Ledger:
        """Where what the merchant earns is booked: in its platform's book, or the issuer's when that has none."""
        return self.ledger if merchant.book is None else Ledger(merchant.book, self.program)

    def paid_for(self, face: Money) -> Money | None:
        """The price of an offer by its face value, or None when there is no such offer."""
        for offer in self.terms.presale.offers:
            if offer.face_fen == face:
                return offer.paid_fen
        return None


@lru_cache(maxsize=64)
def _law_at(packs: tuple[str, ...], at: datetime) -> Law:
    """Of a batch all ask for the same instant."""
    return law_on(packs, business_date(at))


class FundMode(IntEnum):
    """How a funder gives its money. Stored."""

    PREPAID = 1
    PLEDGED = 2


class Fund(msgspec.Struct, frozen=True):
    """What a funder gives discounts and grants from, kept in a book. `source` is where payouts for it come from."""

    id: Id
    code: str
    name: str
    organisation: int
    book: int
    mode: FundMode
    source: Source


class FundShare(NamedTuple):
    """A party's share of what is given; None is the merchant, who bears it himself."""

    fund: Fund | None
    bps: int


class StockState(IntEnum):
    """Whether an opened stock hands out vouchers. Stored."""

    RUNNING = 1
    PAUSED = 2
    STOPPED = 3


class Stock(msgspec.Struct, frozen=True):
    """A stock of vouchers under one version of its program's terms. `pool` is where what is left of it is counted."""

    id: int
    code: str
    terms: Terms
    rules: StockTerms
    funding: tuple[FundShare, ...]
    state: StockState
    pool: Id

    @property
    def merchant_borne(self) -> bool:
        """Whether the merchant bears all of it, so that nobody promises money for it."""
        return all(share.fund is None for share in self.funding)


class Catalogue:
    """Everything that changes rarely. Shared by the handlers of one door; refreshed when its version moves.

    `read` fills a catalogue from a connection: rules know catalogues, and nothing of databases.
    """

    def __init__(self, read: Callable[[Any, "Catalogue"], None]) -> None:
        self._read = read
        self.version = 0
        self.terms: dict[int, Terms] = {}
        self.latest: dict[int, Terms] = {}
        self.programs: dict[str, int] = {}
        self.merchants: dict[bytes, Merchant] = {}
        self.merchant_codes: dict[str, Id] = {}
        self.stores: dict[str, tuple[Id, Id]] = {}
        self.store_merchants: dict[bytes, Id] = {}
        self.store_codes: dict[bytes, str] = {}
        self.funds: dict[str, Fund] = {}
        self.funds_by_id: dict[bytes, Fund] = {}
        self.stocks: dict[tuple[int, int], Stock] = {}
        self.latest_stocks: dict[tuple[int, str], Stock] = {}
        self.organisations: dict[str, tuple[int, int | None]] = {}
        self.books: dict[int, str] = {}

    def refresh(self, connection: Any, version: int) -> None:
        """Read everything again if `version` is not the one in memory."""
        if version != self.version:
            self._read(connection, self)
            self.version = version

    def program(self, code: str) -> Terms | None:
        """The latest terms of a program by its code, or None."""
        number = self.programs.get(code)
        return None if number is None else self.latest[number]

    def stock(self, terms: int, stock: int) -> Stock:
        """A stock as the version of the terms says that a voucher was handed out under."""
        return self.stocks[terms, stock]

    def stock_by_code(self, program: str, code: str) -> Stock | None:
        """An opened stock of a program under its latest terms, or None."""
        number = self.programs.get(program)
        return None if number is None else self.latest_stocks.get((number, code))

    def terms_of(self, code: str, number: int) -> Terms | None:
        """A version of a program's terms by its number, or None."""
        program = self.programs.get(code)
        found = (terms for terms in self.terms.values() if terms.program == program and terms.version == number)
        return next(found, None)

    def stock_now(self, number: int) -> Stock | None:
        """An opened stock by its number, under its program's latest terms."""
        return next((stock for stock in self.latest_stocks.values() if stock.id == number), None)
