"""The reference data in memory: terms, programs, merchants, as of a version that the door checks each batch."""

from typing import Any

import msgspec
import psycopg

from kaquan.db.queries import load
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.law.model import LawPack, load_pack
from kaquan.ledger.model import Ledger
from kaquan.programs.terms import ProgramTerms, from_json

QUERIES = load(__package__)


class Terms(msgspec.Struct, frozen=True):
    """One version of a program's terms, ready to decide by. `group` is the organisation whose stores accept."""

    id: int
    program: int
    version: int
    terms: ProgramTerms
    law: LawPack
    ledger: Ledger
    group: int | None
    open: bool

    def paid_for(self, face: Money) -> Money | None:
        """The price of an offer by its face value, or None when there is no such offer."""
        for offer in self.terms.presale.offers:
            if offer.face_fen == face:
                return offer.paid_fen
        return None


class Merchant(msgspec.Struct, frozen=True):
    """A merchant as decisions need it. `group` is the organisation it belongs to."""

    id: Id
    code: str
    name: str
    group: int
    active: bool
    account_bank: str
    account_no: str


class Catalogue:
    """Everything that changes rarely. Shared by the handlers of one door; refreshed when its version moves."""

    def __init__(self) -> None:
        self.version = 0
        self.terms: dict[int, Terms] = {}
        self.latest: dict[int, Terms] = {}
        self.programs: dict[str, int] = {}
        self.merchants: dict[bytes, Merchant] = {}
        self.merchant_codes: dict[str, Id] = {}
        self.stores: dict[str, tuple[Id, Id]] = {}
        self.store_merchants: dict[bytes, Id] = {}
        self.organisations: dict[str, tuple[int, int | None]] = {}
        self.books: dict[int, str] = {}

    def refresh(self, connection: psycopg.Connection[Any], version: int) -> None:
        """Read everything again if `version` is not the one in memory."""
        if version == self.version:
            return
        rows = connection.execute
        self.books = {row[0]: row[1] for row in rows(QUERIES.books)}
        self.organisations = {code: (number, book) for number, code, book in rows(QUERIES.organisations)}
        self._read_terms(connection)
        self.merchants = {}
        for identity, code, name, group, state, bank, account in rows(QUERIES.merchants):
            key = Id(identity.bytes)
            self.merchants[key] = Merchant(key, code, name, group, state == 1, bank, account)
            self.merchant_codes[code] = key
        for identity, merchant, code in rows(QUERIES.stores):
            self.stores[code] = (Id(identity.bytes), Id(merchant.bytes))
            self.store_merchants[identity.bytes] = Id(merchant.bytes)
        self.version = version

    def _read_terms(self, connection: psycopg.Connection[Any]) -> None:
        books = dict(self.organisations.values())
        for identity, program, version, text, code, issuer, state in connection.execute(QUERIES.terms):
            terms = from_json(text)
            group = self.organisations.get(terms.program.group)
            known = Terms(
                id=identity,
                program=program,
                version=version,
                terms=terms,
                law=load_pack(terms.program.law_pack),
                ledger=Ledger(books.get(issuer) or 0, program),
                group=group[0] if group else None,
                open=state == 1,
            )
            self.terms[identity] = known
            self.latest[program] = known
            self.programs[code] = program

    def program(self, code: str) -> Terms | None:
        """The latest terms of a program by its code, or None."""
        number = self.programs.get(code)
        return None if number is None else self.latest[number]
