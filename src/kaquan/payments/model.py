"""Payment commands, loaded payments and their facts."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from struct import Struct
from typing import Any, ClassVar

import msgspec

from kaquan.cards.model import Lot
from kaquan.commands.model import Command, Plan, Routed, Row
from kaquan.kernel.ids import Id, bucket_of, derived_id
from kaquan.kernel.money import ZERO, Money
from kaquan.payment_codes.model import Purse, ShownCode
from kaquan.rewards.model import Reward
from kaquan.vouchers.model import SpendingFacts
from kaquan.vouchers.orders import Line

AMOUNT_MAX = Money(100_000_000)  # a million yuan: no card holds more, a larger amount is a slip of the finger
ORDER_NO_LENGTH_MAX = 64
REASON_LENGTH_MAX = 200
LINES_MAX = 200  # a basket that a cashier scans in ten minutes
GOODS_LENGTH_MAX = 64  # the longest article code that tills print

_SHARE = Struct(">16sq")
ALLOCATED_BYTES = _SHARE.size
"""What one lot takes of an allocation."""


class Pay(Command, frozen=True, kw_only=True):
    """Pay an order of `amount` at a merchant, at once: vouchers first, then what is paid `outside`, the rest by card.

    `number` is the card number that was shown, if one was: a replaced card is not paid with by its old number.
    Without a card, `wallet` tells whose vouchers they are, and vouchers and outside money pay it all. `lines` are
    asked for by vouchers for certain goods; when told, they sum to the amount. A `code` stands for `wallet`, whose
    phone showed it (`payment_codes.service.payer`): then the card is found by rule, or the device names it.
    """

    card: Id | None
    merchant: Id
    store: Id | None
    amount: Money
    order_no: str
    number: str | None = None
    wallet: Id | None = None
    vouchers: tuple[Id, ...] = ()
    outside: Money = ZERO
    lines: tuple[Line, ...] = ()
    code: ShownCode | None = None

    @property
    def subject(self) -> Id:
        """The card, or the wallet."""
        return self.card or self.wallet or Id(bytes(16))

    def content(self) -> bytes:
        """See `Command`. A retry may bring another code of the wallet, for the first has run out by then."""
        return msgspec.msgpack.encode(self if self.code is None else msgspec.structs.replace(self, code=None))


class Authorize(Pay, frozen=True, kw_only=True):
    """Hold what an order of `amount` takes, vouchers too, to be captured or voided."""


class PaymentCommand(Command, frozen=True, kw_only=True):
    """A command about an earlier payment."""

    payment: Id

    @property
    def subject(self) -> Id:
        """The payment."""
        return self.payment


class Capture(PaymentCommand, frozen=True, kw_only=True):
    """Take `amount` (None: all) of what was authorized; the rest is available again."""

    amount: Money | None = None


class Void(PaymentCommand, frozen=True, kw_only=True):
    """Give up an authorization."""


class ExpireHold(PaymentCommand, frozen=True, kw_only=True):
    """Release an authorization whose time is up."""


class Refund(PaymentCommand, frozen=True, kw_only=True):
    """Give back a payment: goods worth `amount` of the order, or its `lines` (positions from 0), or all that is left.

    `late`: after the refund window, by the issuer or the operator.
    """

    reason: str
    late: bool = False
    amount: Money | None = None
    lines: tuple[int, ...] = ()


class Reverse(PaymentCommand, frozen=True, kw_only=True):
    """Undo whatever the payment with this id did, and bar it if it has not arrived yet."""

    order_no: str
    merchant: Id


class ReverseUnknown(Command, frozen=True, kw_only=True):
    """Bar an order number that nobody has tried to pay yet."""

    merchant: Id
    order_no: str

    @property
    def subject(self) -> Id:
        """The merchant's order, in the merchant's bucket: one key may reverse many orders, as it does paid ones."""
        return derived_id(self.merchant, self.order_no.encode("utf-8", "surrogatepass"))


class Payment(Row):
    """A loaded payment: amounts in fen, instants in microseconds, `expires_us` 0 for none, `card` zeros for none.

    `amount`, `captured` and `refunded` count the whole order, whoever pays it; see `payments.tenders`.
    """

    table: ClassVar[str] = "payment"
    card: Id
    wallet: Id
    merchant: Id
    terms: int
    program: int
    state: int
    amount: int
    captured: int
    refunded: int
    at_us: int
    moved_us: int
    expires_us: int
    outside: int
    allocation: bytes
    discounts: bytes
    returned: bytes
    lines: bytes
    order_no: str

    def values(self, **changes: Any) -> tuple[Any, ...]:
        """What the payment becomes when only `changes` change."""
        values = list(_changing(self))
        for name, value in changes.items():
            values[_CHANGING.index(name)] = value
        return tuple(values)

    def become(self, values: Sequence[Any]) -> None:
        """See `values`."""
        self.state, self.captured, self.refunded, self.moved_us, self.outside, *packed = values
        self.allocation, self.discounts, self.returned, self.lines = packed

    def changed(self) -> tuple[Any, ...]:
        """See `Row`."""
        return (bucket_of(self.id), self.id, self.version, *_changing(self))


_CHANGING = (
    "state",
    "captured",
    "refunded",
    "moved_us",
    "outside",
    "allocation",
    "discounts",
    "returned",
    "lines",
)
_changing = attrgetter(*_CHANGING)


class PayFacts(SpendingFacts):
    """What a payment is decided on: cards with lots, vouchers, tallies, what the order registry said and what came of
    the code; `purses` are the cards that may pay for a code, by command."""

    barred: Routed = msgspec.field(default_factory=dict)
    purses: dict[bytes, Purse] = msgspec.field(default_factory=dict)


class PaymentFacts(SpendingFacts):
    """What later operations are decided on. `decided` tells which payment ids were decided, and how; `refunds` how
    many refunds a payment has had; `owed` what a card owes a payer of rebates (zeros: the issuer) that were spent."""

    payments: dict[bytes, Payment] = msgspec.field(default_factory=dict)
    rewards: dict[bytes, Reward] = msgspec.field(default_factory=dict)
    decided: dict[bytes, int] = msgspec.field(default_factory=dict)
    refunds: dict[bytes, int] = msgspec.field(default_factory=dict)
    owed: dict[tuple[bytes, bytes], int] = msgspec.field(default_factory=dict)

    def absorb(self, plan: Plan) -> None:
        """Refunds of the same batch, and what they leave owed, count from the next decision on."""
        super().absorb(plan)
        for born in plan.born:
            if isinstance(born, Refunded):
                self.refunds[born.payment] = self.refunds.get(born.payment, 0) + 1
            elif isinstance(born, Shortfall):
                key = (born.card, born.payer)
                self.owed[key] = self.owed.get(key, 0) + born.fen

    def reached(self, command: PaymentCommand) -> Payment | None:
        """The payment a command is about; None when there is none, or none that the caller may know of."""
        found = self.payments.get(command.payment)
        return found if found is not None and command.caller.reaches(found.merchant) else None

    def person(self, payment: Payment) -> bytes:
        """The person part of a leaf about this payment."""
        if payment.card in self.cards:
            return self.cards[payment.card].person()
        return b'{"wallet":"%b"}' % payment.wallet.hex().encode()


class Refunded(msgspec.Struct, frozen=True):
    """A payment that has had one more refund."""

    payment: Id


class Shortfall(msgspec.Struct, frozen=True):
    """How a refund changes what a card owes who paid a rebate that was spent before its order came back.

    `payer` is a fund, or sixteen zero bytes for the issuer; `fen` more than before, or less.
    """

    refund: Id
    card: Id
    payer: bytes
    fen: int

    def record(self, at_us: int) -> tuple[str, dict[str, Any]]:
        """The row for `apply_cold`."""
        told = {"id": self.refund.hex(), "card": self.card.hex(), "payer": self.payer.hex()}
        return "shortfall", {**told, "bucket": bucket_of(self.refund), "fen": self.fen, "at": at_us}


def pack_allocation(shares: Iterable[tuple[Lot, int]]) -> bytes:
    """What each lot pays, as stored: 16 bytes lot id and 8 bytes fen, repeated."""
    return b"".join([_SHARE.pack(lot.id, part) for lot, part in shares])


def unpack_allocation(allocation: bytes, lots: Iterable[Lot]) -> list[tuple[Lot, int]]:
    """The shares of an allocation, on the loaded lots."""
    by_id = {lot.id: lot for lot in lots}
    return [(by_id[Id(identity)], part) for identity, part in _SHARE.iter_unpack(allocation)]


def paid_by_lots(allocation: bytes) -> Money:
    """What the lots of an allocation pay together."""
    return Money(sum([part for _, part in _SHARE.iter_unpack(allocation)]))
