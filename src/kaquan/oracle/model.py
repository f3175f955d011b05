"""A paid order as plain data, what is asked of it, and what may come of that.

The oracle knows nothing of the rules that refund: whoever asks it tells the facts. Money is a whole number of fen, a
share of it a fraction. A payer is named by the code of its fund; `issuer`, `merchant` and `holder` are what they say.
"""

from fractions import Fraction
from typing import Literal, NamedTuple

import msgspec

ISSUER, MERCHANT, HOLDER = "issuer", "merchant", "holder"

PartKind = Literal["principal", "bonus", "subsidy", "voucher", "outside"]
CARD_KINDS: tuple[PartKind, ...] = ("principal", "bonus", "subsidy")
Goes = Literal["on_card", "on_card_anew", "payer", "owed_to_holder", "cash"]
"""Where a share ends: on the card, on it anew, with who had granted or funded it, owed to the holder, in cash."""
Fate = Literal["again", "in_place", "returned", "kept"]
"""What becomes of a voucher: it counts again, another is given for it, it is over, it stays used for the rest."""


class Part(msgspec.Struct, frozen=True):
    """What one party paid of an order, and what refunds have given back to it. Parts stand in the order in which they
    were charged: lots of the card, vouchers by funder, money outside last."""

    kind: PartKind
    payer: str
    paid: int
    back: int = 0
    expired: bool = False


class VoucherUse(msgspec.Struct, frozen=True):
    """A voucher of an order: where its funders' parts stand, and what its terms say.

    `valid`: it has not expired; `mine`: it was used here and nobody took it back since; `open`: its stock and program
    still hand out, and a new one would still have a day on which to count.
    """

    places: tuple[int, ...]
    face: int
    shares: tuple[tuple[str, int], ...]
    rate_bps: int = 0
    min_order: int = 0
    goods: tuple[str, ...] = ()
    reprice: bool = False
    policy: Literal["reusable", "proportional", "reissue", "never"] = "reusable"
    valid: bool = True
    mine: bool = True
    open: bool = True
    name: str = ""

    @property
    def percent(self) -> bool:
        """Whether it takes off a share, and not an amount."""
        return self.rate_bps > 0


class LineOf(msgspec.Struct, frozen=True):
    """A line of an order; `off` is what each voucher took off it."""

    goods: str
    amount: int
    off: tuple[int, ...]
    returned: bool = False


class RebateOf(msgspec.Struct, frozen=True):
    """The rebate that an order earned: what it came to, what refunds took off it, how it is reckoned."""

    state: Literal["none", "waiting", "granted"] = "none"
    amount: int = 0
    cut: int = 0
    bands: tuple[tuple[int, int], ...] = ()
    marginal: bool = False
    cap: int = 0


class Policy(msgspec.Struct, frozen=True):
    """The terms of refunds."""

    order: Literal["pro_rata", "first_paid_first", "last_paid_first"] = "pro_rata"
    count_max: int = 0
    frozen_card: Literal["accept", "refuse"] = "accept"
    expired_principal: Literal["card", "holder"] = "card"
    expired_grant_days: int = 0


class PaidOrder(msgspec.Struct, frozen=True):
    """Everything that decides a refund. `owed` is what the card owes payers of rebates that were spent, `free` what
    funds can still promise; `settled`: the merchant's period with this order is settled."""

    captured: int
    refunded: int
    parts: tuple[Part, ...]
    vouchers: tuple[VoucherUse, ...] = ()
    lines: tuple[LineOf, ...] = ()
    rebate: RebateOf = RebateOf()
    policy: Policy = Policy()
    state: str = "captured"
    card: Literal["none", "open", "frozen", "closed"] = "open"
    refunds: int = 0
    window_over: bool = False
    window_end: str = ""
    owed: tuple[tuple[str, int], ...] = ()
    free: tuple[tuple[str, int], ...] = ()
    settled: bool = False

    @property
    def left(self) -> int:
        """The worth of the goods that may still come back."""
        return self.captured - self.refunded


class Ask(msgspec.Struct, frozen=True):
    """What is asked: goods worth an amount, lines (from 0), or all that is left.

    `late`: after the window; `may_late`: who asks may do that.
    """

    amount: int | None = None
    lines: tuple[int, ...] = ()
    late: bool = False
    may_late: bool = True


class Reason(NamedTuple):
    """Why: a code, with words in Chinese and English."""

    code: str
    zh: str
    en: str


class Span(NamedTuple):
    """A share as fractions tell it: exact when both ends are the same."""

    low: Fraction
    high: Fraction


class ShareBack(msgspec.Struct, frozen=True):
    """What one part gives back: its exact share, and the whole fen that rounding may make of it."""

    place: int
    exact: Span
    least: int
    most: int
    goes: Goes


class VoucherFate(msgspec.Struct, frozen=True):
    """What becomes of a voucher."""

    place: int
    fate: Fate
    reason: Reason


class Outcome(msgspec.Struct, frozen=True):
    """One legal outcome: who gets how much, what becomes of vouchers and rebate, and why.

    Shares sum to `amount`, whatever rounding makes of each. `set_off` of the bonus goes to payers that the card owes.
    """

    amount: int
    late: bool
    last: bool
    shares: tuple[ShareBack, ...]
    vouchers: tuple[VoucherFate, ...]
    rebate_cut: tuple[int, int]
    set_off: tuple[int, int]
    reasons: tuple[Reason, ...]

    def total(self, *goes: Goes) -> tuple[int, int]:
        """The least and the most that ends there, by the shares alone."""
        found = [one for one in self.shares if one.goes in goes]
        return sum(one.least for one in found), sum(one.most for one in found)


class Verdict(msgspec.Struct, frozen=True):
    """Every legal outcome of what was asked; none, and why, when it is refused."""

    outcomes: tuple[Outcome, ...]
    refused: tuple[Reason, ...]
