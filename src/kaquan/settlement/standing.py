"""What a merchant's next settlement stands on besides its carry: the month's fee, its tax, partners' shares, debts.

Each is a running total whose target is computed anew from the whole, so that roundings never add up.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from kaquan.kernel.money import ZERO, Money, Rate


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """A month of a merchant: its net trade, what fee was taken for it, from which sources.

    `is_open`: the fee was accrued by tiers, and the month was not trued up yet.
    """

    name: str
    volume: Money = ZERO
    fee: Money = ZERO
    by_source: Mapping[str, Money] = {}
    is_open: bool = False


class Taxed(msgspec.Struct, frozen=True, kw_only=True):
    """The fees of a month that one rate of tax applies to, and the tax in them."""

    month: str
    vat_bps: Rate
    charged: Money = ZERO
    tax: Money = ZERO


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """A partner's share of a merchant: `base` and `given` since the share was agreed so, and all that he has.

    `by_source` sums to what he has from this merchant, under whichever agreement.
    """

    share_bps: Rate
    base: Money = ZERO
    given: Money = ZERO
    by_source: Mapping[str, Money] = {}

    @property
    def has(self) -> Money:
        """What the partner has of the merchant in all."""
        return Money(sum(self.by_source.values()))


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. `owing_since` is the end of the first period of those that left the merchant owing."""

    month: Month | None = None
    taxed: Taxed | None = None
    partners: Mapping[str, Shared] = {}
    owing_since: date | None = None


NEW = Standing()
"""Of a merchant that was never settled."""


def stored(standing: Standing) -> Any:
    """As JSON stores it."""
    return msgspec.to_builtins(standing)


def read(kept: Any) -> Standing:
    """From JSON."""
    return msgspec.convert(kept or {}, Standing)
