"""Money is an integer number of fen (1/100 yuan). No float ever holds money.

`Money` is a `NewType`: the type checker refuses a bare int, and the hot path pays nothing for it (ADR 0003).
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import NewType

Money = NewType("Money", int)
"""An amount in fen. May be negative only where a docstring says so."""

Rate = NewType("Rate", int)
"""A rate in basis points: 500 is 5 %, 10,000 is the whole."""

ZERO = Money(0)
WHOLE = Rate(10_000)
MONEY_MAX = Money(10**15)  # ten trillion yuan: far above any program, far below 2**63 and 2**53

_YUAN = re.compile(r"[-+]?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?")


class MoneyError(ValueError):
    """A text or a split that cannot be money."""


def yuan(text: str | int) -> Money:
    """Money from yuan as people write it: `"100"`, `"12.30"`, `"1,000"`. Raises `MoneyError`.

    A comma stands only before three digits: `"12,30"` is no amount, and never twelve hundred and thirty yuan.
    """
    clean = str(text).strip()
    if not _YUAN.fullmatch(clean):
        raise MoneyError(f"not an amount in yuan: {text!r}")
    fen = Decimal(clean.replace(",", "")) * 100
    if fen != fen.to_integral_value():
        raise MoneyError(f"more than two decimals: {text!r}")
    if abs(fen) > MONEY_MAX:
        raise MoneyError(f"amount out of range: {text!r}")
    return Money(int(fen))


def text(amount: Money) -> str:
    """The amount in yuan with thousands separators and two decimals: `1,234.50`."""
    sign = "-" if amount < 0 else ""
    whole, fen = divmod(abs(amount), 100)
    return f"{sign}{whole:,}.{fen:02d}"


def share(amount: Money, rate: Rate) -> Money:
    """`rate` of `amount`, rounded half up (away from zero) once to whole fen."""
    scaled = abs(amount) * rate
    rounded = (2 * scaled + WHOLE) // (2 * WHOLE)
    return Money(rounded if amount >= 0 else -rounded)


def allocate(amount: Money, weights: Sequence[int]) -> list[Money]:
    """Split `amount` in proportion to `weights` so that the parts sum to `amount`.

    Each running total is rounded half up and the parts are the differences (cumulative-target rounding),
    so no part is off by more than one fen and a part of weight zero is zero. Raises `MoneyError` when
    there is nothing to split by.
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise MoneyError(f"weights must be non-negative and not all zero: {list(weights)}")
    parts: list[Money] = []
    seen = 0
    given = 0
    sign = 1 if amount >= 0 else -1
    for weight in weights:
        seen += weight
        target = sign * ((2 * abs(amount) * seen + total) // (2 * total))
        parts.append(Money(target - given))
        given = target
    return parts


def allocate_next(amount: Money, weights: Sequence[int], given: Sequence[int]) -> list[Money]:
    """The next `amount` of a whole that was split by `weights`, when `given` of each part is gone already.

    For giving back a payment bit by bit: after each step the parts given so far are less than two fen beside their
    shares of the sum, no part ever exceeds its weight, and the last step gives each part exactly its rest.
    Rounding each step by itself would drift. Raises `MoneyError` when more is asked than is left.
    """
    left = [weight - gone for weight, gone in zip(weights, given, strict=True)]
    if amount < 0 or amount > sum(left):
        raise MoneyError(f"{amount} can't come out of {left}")
    if amount == 0:
        return [ZERO] * len(left)
    targets = allocate(Money(sum(given) + amount), weights)
    parts = [max(0, target - gone) for target, gone in zip(targets, given, strict=True)]
    excess = sum(parts) - amount
    whole, so_far = sum(weights), sum(given) + amount
    while excess > 0:  # some part is ahead of its target by a fen: of the others, the one most ahead waits for it
        waits = max(
            (at for at, part in enumerate(parts) if part),
            key=lambda at: (given[at] + parts[at]) * whole - weights[at] * so_far,
        )
        parts[waits] -= 1
        excess -= 1
    return [Money(part) for part in parts]
