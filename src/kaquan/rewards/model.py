"""The rebate a payment earned, from waiting to granted, cancelled or clawed back."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, ClassVar

import msgspec

from kaquan.cards.model import NO_FUND, CardCommand, Lot
from kaquan.commands.model import Row
from kaquan.kernel.ids import Id, bucket_of, derived_id
from kaquan.kernel.money import Money


class RewardState(IntEnum):
    """Stored."""

    WAITING = 1
    GRANTED = 2
    CANCELLED = 3
    CLAWED_BACK = 4


NO_LOT = bytes(16)
"""The lot of a reward that became none."""


class Reward(Row):
    """A loaded reward. Its id is the payment's. `lot` is the bonus lot it became, or sixteen zero bytes; where funds
    paid for it, their lots have ids that follow from it.

    `amount` is what the order earned, `cut` what partial refunds took off, `granted` what became bonus.
    """

    table: ClassVar[str] = "reward"
    state: int
    amount: int
    cut: int
    granted: int
    due_us: int
    terms: int
    lot: bytes

    def become(self, values: Sequence[Any]) -> None:
        """state, cut, granted, lot."""
        self.state, self.cut, self.granted, self.lot = values

    def changed(self) -> tuple[Any, ...]:
        """See `Row`."""
        lot = self.lot if any(self.lot) else None
        return (bucket_of(self.id), self.id, self.version, self.state, self.cut, self.granted, lot)

    def own(self, lot: Lot) -> bool:
        """Whether a lot is what the reward became: the issuer's, or one of those of the funds that paid for it."""
        return lot.id == (self.lot if lot.fund == NO_FUND else derived_id(Id(self.lot), lot.fund))


class Earned(msgspec.Struct, frozen=True):
    """A rebate that an order has just earned: granted at `due_us`, when its refund window has ended."""

    amount: Money
    due_us: int


class GrantReward(CardCommand, frozen=True, kw_only=True):
    """Grant the waiting rebate of a payment (whose refund window has ended) as a bonus lot."""

    payment: Id


class ExpireLot(CardCommand, frozen=True, kw_only=True):
    """Take back what is left of a lot that has expired."""

    lot: Id


class Clawback(msgspec.Struct):
    """What a refund takes back of a granted rebate: shares of lots, and what the card no longer holds, by payer."""

    taken: list[tuple[Any, int]]
    short: list[tuple[bytes, int]]
