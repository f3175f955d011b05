"""The reference data in memory: terms, programs, merchants, as of a version that the door checks each batch."""

from collections.abc import Callable
from typing import Any

import msgspec

from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.law.model import LawPack
from kaquan.ledger.model import Ledger
from kaquan.programs.terms import ProgramTerms


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
