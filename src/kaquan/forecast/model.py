"""Past traffic, and what a program would have made of it. Amounts in fen, instants in microseconds."""

from collections.abc import Mapping

import msgspec

from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money


class Purchase(msgspec.Struct, frozen=True):
    """A sale or top-up of the past: who bought how much value."""

    at_us: int
    wallet: Id
    face: Money


class PastOrder(msgspec.Struct, frozen=True):
    """An order of the past, net of what came back: who bought where."""

    at_us: int
    wallet: Id
    merchant: str
    store: str | None
    amount: Money


class Traffic(msgspec.Struct, frozen=True):
    """What happened in a span of time, each list in the order of time."""

    purchases: tuple[Purchase, ...]
    orders: tuple[PastOrder, ...]


class Cost(msgspec.Struct, frozen=True):
    """What one thing would have cost one party. `fund` is a fund's code, `merchant` or `issuer`."""

    of: str
    fund: str
    amount: Money


class Winners(msgspec.Struct, frozen=True):
    """Who would have gained: how many holders at all, the middle one's gain, what the hundredth part that gains most
    would have had of it all, in basis points."""

    holders: int
    gaining: int
    median: Money
    top_hundredth_bps: int


class Forecast(msgspec.Struct, frozen=True):
    """What a program would have cost, who would have gained, what would still be promised at the end.

    `sold` and `spent` are what the traffic had; `not_sold` counts purchases of faces that the program does not offer,
    `by_merchant` are the discounts at each, largest first.
    """

    purchases: int
    sold: Money
    not_sold: int
    orders: int
    spent: Money
    with_voucher: int
    issued: Mapping[str, int]
    used: Mapping[str, int]
    costs: tuple[Cost, ...]
    promised: Money
    winners: Winners
    by_merchant: tuple[tuple[str, Money], ...]

    @property
    def cost(self) -> Money:
        """All of it, whoever pays."""
        return Money(sum(one.amount for one in self.costs))
