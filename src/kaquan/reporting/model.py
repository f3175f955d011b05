"""Statements: the command that makes one, what it is made from, and the frozen record."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import IntEnum
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from kaquan.commands.model import Command, Plan
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.settlement.model import Cut

FORMAT = "kaquan-statement-1"
"""Names the form of a record: who reads one must know it."""

HASH_BYTES = 32
FIRST = bytes(HASH_BYTES)
"""What the first statement of a party names as the hash of the one before it."""

LINES_MAX = 5_000  # some hundred pages, nine seconds of setting them

_encode = msgspec.json.Encoder(order="sorted").encode


class PartyKind(IntEnum):
    """Whose statement it is. Stored."""

    MERCHANT = 1
    FUNDER = 2
    HOLDER = 3

    @property
    def word(self) -> str:
        """`merchant`, `funder`, `holder`."""
        return self.name.lower()


PREFIX = {PartyKind.MERCHANT: "mer", PartyKind.FUNDER: "fnd", PartyKind.HOLDER: "wal"}
"""How the public id of a party begins."""


ALL_THAT_ENDED = 2**62
"""A transaction beyond all: a statement counts what has ended when it is made."""


class MakeStatement(Command, frozen=True, kw_only=True):
    """Freeze what the books say of a party up to the end of a day in Shanghai, since its last statement.

    It counts what transactions below `below` wrote (`service.horizon`, which waits for those that run); never more
    than has ended, never less than the last statement did.
    """

    party: PartyKind
    who: Id
    until: date
    below: int = ALL_THAT_ENDED

    @property
    def subject(self) -> Id:
        """The merchant, fund or wallet."""
        return self.who

    def content(self) -> bytes:
        """Whose, up to when: whoever asks is given the same statement."""
        return msgspec.msgpack.encode((self.party, self.who, self.until))


def statement_key(until: date) -> str:
    """The key of a party's statement up to a day: there is one, however often it is asked for."""
    return f"statement-{until.isoformat()}"


class Named(msgspec.Struct, frozen=True):
    """A party as a statement names it. A holder has neither code nor name: a record holds no personal data."""

    kind: PartyKind
    id: Id
    code: str = ""
    name: str = ""
    organisation: str = ""


class Previous(msgspec.Struct, frozen=True):
    """A party's latest statement: the next one stands on it."""

    number: int
    until: date
    cut: Cut
    hash: bytes
    record: Mapping[str, Any]


class Moved(NamedTuple):
    """Postings of one sort on one account of a party, added up: of a day, or of a transfer where each is told.

    `contra` is the account on the other side; of a payment that passed between two books, the one that paid it in the
    end. `fund` is whose money stood there, by id. `owner` is the account's owner: a lot where there are many.
    """

    program: int
    account: int
    kind: int
    contra: int
    fund: bytes | None
    day: date
    times: int
    debits: Money
    credits: Money
    owner: bytes = b""
    transfer: bytes = b""
    at_us: int = 0


class Held(NamedTuple):
    """An account of a party recounted from the very first posting: the other side of the proof."""

    program: int
    account: int
    owner: bytes
    debits: Money
    credits: Money


class PartyFacts(msgspec.Struct, frozen=True):
    """What one statement is made from. `more` holds what only one kind of party has, by name."""

    named: Named
    previous: Previous | None
    cut: Cut
    moved: Sequence[Moved]
    held: Sequence[Held]
    more: Mapping[str, Any]


class StatementFacts(msgspec.Struct):
    """What a batch is decided on. Parties that do not exist are missing."""

    commands: Mapping[bytes, tuple[bytes, int, bytes]]
    parties: Mapping[bytes, PartyFacts]

    def absorb(self, plan: Plan) -> None:
        """A second statement of a party in one batch breaks the chain of numbers, and is decided again."""


class Stored(msgspec.Struct, frozen=True):
    """A statement as it was kept: `body` is the record in canonical JSON, `hash` its SHA-256."""

    id: Id
    kind: PartyKind
    subject: Id
    number: int
    since: date
    until: date
    at_us: int
    hash: bytes
    previous: bytes
    body: bytes

    @property
    def record(self) -> dict[str, Any]:
        """The record, decoded."""
        decoded: dict[str, Any] = msgspec.json.decode(self.body)
        return decoded


def canonical(record: Mapping[str, Any]) -> bytes:
    """The bytes that are hashed: JSON in UTF-8, keys in order, no spaces."""
    return _encode(record)


def hashed(body: bytes) -> bytes:
    """The hash of a record's canonical bytes."""
    return sha256(body).digest()


def file_of(body: bytes, digest: bytes) -> bytes:
    """A statement as a file: the record and its hash."""
    return b'{"hash":"%b","record":%b}\n' % (digest.hex().encode(), body)
