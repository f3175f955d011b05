"""Payment commands, loaded payments and their facts."""

from collections.abc import Iterable, Sequence
from struct import Struct
from typing import Any, ClassVar

import msgspec

from kaquan.cards.model import Card, CardFacts, Lot
from kaquan.commands.model import Command, Routed, Row
from kaquan.kernel.ids import Id, bucket_of, derived_id
from kaquan.kernel.money import Money
from kaquan.rewards.model import Reward

AMOUNT_MAX = Money(100_000_000)  # a million yuan: no card holds more, a larger amount is a slip of the finger
ORDER_NO_LENGTH_MAX = 64
REASON_LENGTH_MAX = 200

_SHARE = Struct(">16sq")


class Pay(Command, frozen=True, kw_only=True):
    """Pay `amount` from a card at a merchant, at once.

    `number` is the card number that was shown, if one was: a replaced card is not paid with by its old number.
    """

    card: Id
    merchant: Id
    store: Id | None
    amount: Money
    order_no: str
    number: str | None = None

    @property
    def subject(self) -> Id:
        """The card."""
        return self.card


class Authorize(Pay, frozen=True, kw_only=True):
    """Hold `amount` on a card for a merchant, to be captured or voided."""


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
    """Give back all of a payment. `late`: after the refund window, by the issuer or the operator."""

    reason: str
    late: bool = False


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
    """A loaded payment: amounts in fen, instants in microseconds, `expires_us` 0 for none."""

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
    moved_us: int
    expires_us: int
    allocation: bytes
    order_no: str

    def become(self, values: Sequence[Any]) -> None:
        """state, captured, refunded, moved_us, allocation."""
        self.state, self.captured, self.refunded, self.moved_us, self.allocation = values

    def changed(self) -> tuple[Any, ...]:
        """See `Row`."""
        return (
            bucket_of(self.id),
            self.id,
            self.version,
            self.state,
            self.captured,
            self.refunded,
            self.moved_us,
            self.allocation,
        )


class PayFacts(CardFacts):
    """What a payment is decided on: cards with lots, and what the order registry said."""

    barred: Routed = msgspec.field(default_factory=dict)


class PaymentFacts(CardFacts):
    """What later operations are decided on. `decided` tells which payment ids were decided, and how."""

    payments: dict[bytes, Payment] = msgspec.field(default_factory=dict)
    rewards: dict[bytes, Reward] = msgspec.field(default_factory=dict)
    decided: dict[bytes, int] = msgspec.field(default_factory=dict)

    def reached(self, command: PaymentCommand) -> Payment | None:
        """The payment a command is about; None when there is none, or none that the caller may know of."""
        found = self.payments.get(command.payment)
        return found if found is not None and command.caller.reaches(found.merchant) else None

    def card_of(self, payment: Payment) -> Card:
        """The card that paid."""
        return self.cards[payment.card]


def pack_allocation(shares: Iterable[tuple[Lot, int]]) -> bytes:
    """What each lot pays, as stored: 16 bytes lot id and 8 bytes fen, repeated."""
    return b"".join([_SHARE.pack(lot.id, part) for lot, part in shares])


def unpack_allocation(allocation: bytes, lots: Iterable[Lot]) -> list[tuple[Lot, int]]:
    """The shares of an allocation, on the loaded lots."""
    by_id = {lot.id: lot for lot in lots}
    return [(by_id[Id(identity)], part) for identity, part in _SHARE.iter_unpack(allocation)]
