"""A card is a container of lots; a lot is money in a card with one origin."""

from collections.abc import Collection, Iterable, Sequence
from enum import IntEnum
from typing import Any, ClassVar

import msgspec

from kaquan.commands.model import Command, Plan, Row
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.money import Money
from kaquan.ledger.chart import Account, Source
from kaquan.quotas.model import SliceKey, TallyKey


class LotKind(IntEnum):
    """What a lot is made of. Stored."""

    PRINCIPAL = 0
    BONUS = 1
    SUBSIDY = 2


LOT_ACCOUNT: dict[int, Account] = {
    LotKind.PRINCIPAL: Account.CARD_PRINCIPAL,
    LotKind.BONUS: Account.CARD_BONUS,
    LotKind.SUBSIDY: Account.CARD_SUBSIDY,
}


class CardState(IntEnum):
    """The life of a card. Stored. While closing it waits to be counted and pays nothing; a closed one
    holds nothing and never moves again: what comes back for it later is owed to its holder as `holder.refund`."""

    ACTIVE = 1
    FROZEN = 2
    LOST = 3
    CLOSED = 4
    CLOSING = 5


NO_FUND = bytes(16)
"""The fund of a lot that its holder or the issuer paid."""


class LotState(IntEnum):
    """Whether a lot can still be spent. Stored."""

    LIVE = 0
    EXPIRED = 1


class Lot(Row):
    """A loaded lot: amounts in fen, instants in microseconds since 1970; `expires_us` 0 means never."""

    table: ClassVar[str] = "lot"
    card: Id
    kind: int
    source: int
    state: int
    balance: int
    held: int
    active_us: int
    expires_us: int
    fund: bytes = NO_FUND

    @property
    def account(self) -> Account:
        """The ledger account of this lot."""
        return LOT_ACCOUNT[self.kind]

    def become(self, values: Sequence[Any]) -> None:
        """balance, held, state."""
        self.balance, self.held, self.state = values

    def changed(self) -> tuple[Any, ...]:
        """See `Row`."""
        return (bucket_of(self.id), self.id, self.version, self.balance, self.held, self.state)


class Card(Row):
    """A loaded card."""

    table: ClassVar[str] = "card"
    wallet: Id
    terms: int
    program: int
    state: int
    registered: int
    number: str

    def become(self, values: Sequence[Any]) -> None:
        """state, number."""
        self.state, self.number = values

    def changed(self) -> tuple[Any, ...]:
        """See `Row`."""
        return (bucket_of(self.id), self.id, self.version, self.state, self.number)

    def checked(self) -> tuple[Any, ...]:
        """See `Row`."""
        return (bucket_of(self.id), self.id, self.version)

    def touched(self) -> tuple[Row, tuple[Any, ...]]:
        """A change that changes nothing but the version: whoever read the card must read it again."""
        return (self, (self.state, self.number))

    def person(self) -> bytes:
        """The person part of a leaf about this card."""
        return b'{"card":"%b","wallet":"%b"}' % (self.id.hex().encode(), self.wallet.hex().encode())


class NewLot(msgspec.Struct, frozen=True):
    """A lot that a plan brings into being."""

    id: Id
    card: Id
    origin: Id
    kind: LotKind
    source: Source
    granted: Money
    active_us: int
    expires_us: int = 0
    fund: bytes = NO_FUND

    def row(self) -> tuple[Any, ...]:
        """The row for `apply_batch`."""
        return (
            bucket_of(self.id),
            self.id,
            self.card,
            self.origin,
            self.kind,
            self.source,
            self.granted,
            self.active_us,
            self.expires_us or None,
            None if self.fund == NO_FUND else self.fund,
        )

    def loaded(self) -> Lot:
        """The lot as a later decision of the same batch sees it."""
        return Lot(
            self.id,
            1,
            self.card,
            self.kind,
            self.source,
            LotState.LIVE,
            self.granted,
            0,
            self.active_us,
            self.expires_us,
            self.fund,
        )


class Wanted(msgspec.Struct):
    """What a batch of a wallet's own commands asks for: ids, and keys of quotas; order does not matter.

    `use_day` asks for all tallies of that day of the wallets that have the vouchers.
    """

    cards: Collection[Id] = ()
    vouchers: Collection[Id] = ()
    wallets: Collection[Id] = ()
    slices: Collection[SliceKey] = ()
    tallies: Collection[TallyKey] = ()
    use_day: int | None = None


class CardFacts(msgspec.Struct):
    """Cards with their lots, as loaded, and earlier decisions."""

    commands: dict[bytes, tuple[bytes, int, bytes]]
    cards: dict[bytes, Card]
    lots: dict[bytes, list[Lot]]

    def absorb(self, plan: Plan) -> None:
        """New lots count from the next decision on."""
        for lot in plan.born:
            if isinstance(lot, NewLot):
                self.lots.setdefault(lot.card, []).append(lot.loaded())

    def of(self, card: Id) -> list[Lot]:
        """The lots of a card."""
        return self.lots.get(card, [])


class CardCommand(Command, frozen=True, kw_only=True):
    """A command that addresses a card."""

    card: Id

    @property
    def subject(self) -> Id:
        """The card."""
        return self.card


class Freeze(CardCommand, frozen=True, kw_only=True):
    """Stop a card from paying until it is unfrozen."""

    reason: str


class Unfreeze(CardCommand, frozen=True, kw_only=True):
    """Let a frozen card pay again."""

    reason: str


class ReportLost(CardCommand, frozen=True, kw_only=True):
    """The holder lost the card: it stops paying until it is replaced."""


class Replace(CardCommand, frozen=True, kw_only=True):
    """Give a lost card a new number. Its id, lots and history stay."""


def total(lots: Iterable[Lot]) -> Money:
    """What the lots hold together, held or not."""
    return Money(sum(lot.balance for lot in lots))
