"""Vouchers as loaded rows, new vouchers, and what a wallet's own commands are decided on."""

from collections.abc import Collection, Mapping, Sequence
from enum import IntEnum
from struct import Struct
from typing import Any, ClassVar

import msgspec

from kaquan.cards.model import CardFacts
from kaquan.commands.model import Command, Plan, Routed, Row
from kaquan.holders.model import Wallet
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Stock
from kaquan.quotas.model import Quotas

NOBODY = Id(bytes(16))
"""The holder of a voucher that nobody holds."""

_DISCOUNT = Struct(">16s16sq")


class VoucherState(IntEnum):
    """The life of a voucher. Stored. See `vouchers.lifecycle`. Forfeited: used, and taken back since."""

    ISSUED = 1
    HELD = 2
    REDEEMED = 3
    EXPIRED = 4
    VOIDED = 5
    RETURNED = 6
    FORFEITED = 7


class Voucher(Row):
    """A loaded voucher: amounts in fen, instants in microseconds.

    `face` is the most it takes off and what its funders promised, `used` what it has taken off, net of refunds.
    `holder` is who holds or used it: a payment or top-up, or the order that reserved it; a hold ends at `held_us`.
    """

    table: ClassVar[str] = "voucher"
    wallet: Id
    stock: int
    terms: int
    state: int
    face: int
    used: int
    valid_us: int
    expires_us: int
    held_us: int
    holder: Id

    def become(self, values: Sequence[Any]) -> None:
        """state, used, held_us, holder."""
        self.state, self.used, self.held_us, self.holder = values

    def changed(self) -> tuple[Any, ...]:
        """See `Row`."""
        holder = None if self.holder == NOBODY else self.holder
        return (bucket_of(self.id), self.id, self.version, self.state, self.used, self.held_us, holder)

    def held_by_other(self, holder: Id, at_us: int) -> bool:
        """Whether somebody else holds it now. A hold whose time is up holds nobody off."""
        return self.state == VoucherState.HELD and self.holder != holder and self.held_us > at_us


class NewVoucher(msgspec.Struct, frozen=True):
    """A voucher that a plan brings into being. `origin`: the claim, plan, packet pool or referral it comes from."""

    id: Id
    wallet: Id
    origin: Id
    stock: int
    terms: int
    face: Money
    valid_us: int
    expires_us: int

    def row(self) -> tuple[Any, ...]:
        """The row for `apply_batch`."""
        return (
            bucket_of(self.id),
            self.id,
            self.wallet,
            self.origin,
            self.stock,
            self.terms,
            self.face,
            self.valid_us,
            self.expires_us,
        )


class Discount(msgspec.Struct, frozen=True):
    """What one voucher takes off an order, paid by one fund (sixteen zero bytes: the merchant)."""

    voucher: Id
    fund: bytes
    amount: int


def pack_discounts(discounts: Sequence[Discount]) -> bytes:
    """As stored: 16 bytes voucher, 16 bytes fund, 8 bytes fen, repeated."""
    return b"".join([_DISCOUNT.pack(one.voucher, one.fund, one.amount) for one in discounts])


def unpack_discounts(stored: bytes) -> list[Discount]:
    """The discounts of a payment or refund."""
    return [Discount(Id(voucher), fund, amount) for voucher, fund, amount in _DISCOUNT.iter_unpack(stored)]


class SpendingFacts(CardFacts):
    """What a wallet's own commands are decided on: cards with lots, vouchers, wallets, quotas, earlier decisions."""

    vouchers: dict[bytes, Voucher] = msgspec.field(default_factory=dict)
    wallets: dict[bytes, Wallet] = msgspec.field(default_factory=dict)
    quotas: Quotas = msgspec.field(default_factory=Quotas)

    def absorb(self, plan: Plan) -> None:
        """New lots and wallets as a plan leaves them count from the next decision on."""
        if not plan.born:
            return
        super().absorb(plan)
        self.wallets.update((born.id, born) for born in plan.born if isinstance(born, Wallet))


class Reached(dict[bytes, Refusal]):
    """How far claims came before they are decided: who may not go on and why, by command.

    `facts`: what was read on the way; `spent`: the stocks of which nobody could have a voucher then: their claims are
    refused, and took no token.
    """

    def __init__(self, refusals: Mapping[bytes, Refusal], facts: SpendingFacts, spent: Collection[int]) -> None:
        super().__init__(refusals)
        self.facts = facts
        self.spent = spent


class ClaimFacts(SpendingFacts):
    """What a claim is decided on besides: what the registry of limits said, the stocks of codes, the stock of each
    claim or why it can have none, who got one now."""

    routed: Routed = msgspec.field(default_factory=dict)
    coded: dict[bytes, Stock] = msgspec.field(default_factory=dict)
    meant: dict[bytes, Stock | Refusal] = msgspec.field(default_factory=dict)
    issued: set[bytes] = msgspec.field(default_factory=set)

    def absorb(self, plan: Plan) -> None:
        """Whoever got a voucher holds what it took of its limits."""
        super().absorb(plan)
        self.issued.update(born.id for born in plan.born if isinstance(born, NewVoucher))

    def refused(self, command: bytes) -> Refusal | None:
        """Why a command may not go on."""
        refusal = self.routed.get(command)
        if isinstance(refusal, Contested) and refusal.holders <= self.issued:
            return refusal.after
        return refusal


class Contested(Refusal, frozen=True):
    """A refusal for now: what it becomes (`after`) once all these `holders` have taken effect."""

    holders: frozenset[bytes] = frozenset()
    after: Refusal | None = None


class VoucherCommand(Command, frozen=True, kw_only=True):
    """A command that addresses a voucher."""

    voucher: Id

    @property
    def subject(self) -> Id:
        """The voucher."""
        return self.voucher


class ExpireVoucher(VoucherCommand, frozen=True, kw_only=True):
    """Give back to its funders what an expired voucher was promised."""


class VoidVoucher(VoucherCommand, frozen=True, kw_only=True):
    """Take a voucher from its holder, for a reason."""

    reason: str


class ReserveVoucher(VoucherCommand, frozen=True, kw_only=True):
    """Keep a voucher for a merchant's order for `minutes`: that order takes it back, others see that it is held."""

    merchant: Id
    order_no: str
    minutes: int


class ReleaseVoucher(VoucherCommand, frozen=True, kw_only=True):
    """Give up a reservation."""

    merchant: Id
    order_no: str


class Obtaining(Command, frozen=True, kw_only=True):
    """A command that brings a wallet a voucher, whose id is the command's."""

    wallet: Id

    @property
    def subject(self) -> Id:
        """The wallet."""
        return self.wallet


class Claim(Obtaining, frozen=True, kw_only=True):
    """Claim a voucher of a stock into a wallet. `device` and `payee` are opaque digests made by the caller, if known.

    `program` and `stock` are codes.
    """

    program: str
    stock: str
    device: bytes | None = None
    payee: bytes | None = None


class ClaimByCode(Obtaining, frozen=True, kw_only=True):
    """Claim the voucher that a code is worth. `digest` is what is kept of the code (`vouchers.codes.digest`)."""

    digest: bytes
    device: bytes | None = None
    payee: bytes | None = None


class IssueVoucher(Obtaining, frozen=True, kw_only=True):
    """Give a wallet a voucher of a stock, for a reason; the same key gives it once."""

    program: str
    stock: str
    reason: str
