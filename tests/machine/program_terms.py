"""The program whose lives `program_lives` tells, and its arithmetic in the smallest form: written from its terms.

`fifty` tops up a card, paid 60/40 by city and mall; `gift` comes in two months after each top-up of an offer;
`luck` is what packets become. Merchants are settled day by day, the reserve is released seven days after.
"""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from machine.model import DAY, MINUTE, midnight
from support.grants import stock_text
from support.rewards import drip_text, packets_text
from support.voucher_words import stock_told

FUNDS = {"city": 1_000_000, "mall": 200_000}
PLEDGED = "mall"
FACE = {"fifty": 5_000, "gift": 1_000}
GIVEN = {"fifty": 20, "gift": 12, "luck": 120}
VALID_DAYS = {"fifty": 4, "gift": 30, "luck": 10}
POOL = {"count": 40, "total_fen": 3_000, "min_fen": 10, "max_fen": 500, "claim_hours": 24}
LUCK_FEN = 9_000
MONTHS = 2
RESERVE_DAYS = 7
GIFT_FROM = 2_000

EDITS = (
    ('cycle = "monthly"', 'cycle = "d_plus"\ndays = 1'),
    ("monthly_day = 5", ""),
    ("release_days = 90", f"release_days = {RESERVE_DAYS}"),
)
TEXT = (
    stock_told("fifty kind=top_up face=50 count=20 valid_days=4 by=city:60,mall:40")
    + stock_told("gift face=10 min_order=20 count=12 hand_out=grant after_refund=never by=city")
    + stock_text(
        "luck",
        ("city", 10_000),
        kind="instant",
        hand_out="grant",
        after_refund="never",
        min_order_fen=0,
        face_fen=500,
        count=GIVEN["luck"],
        budget_fen=LUCK_FEN,
        valid_days=VALID_DAYS["luck"],
    )
    + drip_text(stock="gift", months=MONTHS)
    + packets_text(stock="luck", **POOL)
)


def by_fund(stock: str, amount: int) -> dict[str, int]:
    """Who pays a voucher of the stock that is worth so much."""
    city = (amount * 60 + 50) // 100 if stock == "fifty" else amount
    return {fund: part for fund, part in (("city", city), ("mall", amount - city)) if part}


def month_after(bought: int, months: int) -> int:
    """The midnight so many months after the day of an instant, on its day or the month's last."""
    day = date.fromordinal(date(1970, 1, 1).toordinal() + (bought + 480 * MINUTE) // DAY)
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    then = date(year, month + 1, min(day.day, last)).toordinal() - date(1970, 1, 1).toordinal()
    return then * DAY - 480 * MINUTE


@dataclass(eq=False)
class Voucher:
    stock: str
    face: int
    until: int
    mine: bool = True
    state: str = "issued"
    used: int = 0
    id: bytes = b""


@dataclass(eq=False)
class Plan:
    bought: int
    given: int = 0
    id: bytes = b""

    def due(self, at: int) -> bool:
        """Whether the next month has come."""
        return at >= month_after(self.bought, self.given + 1)


@dataclass(eq=False)
class Pool:
    ends: int
    commitment: str
    taken: dict[int, int] = field(default_factory=dict)
    ended: bool = False
    id: bytes = b""

    def take(self, number: int, amount: int) -> None:
        """A packet that the door handed out: its place is nobody else's, its amount within what the terms say."""
        assert 1 <= number <= POOL["count"] and number not in self.taken, f"packet {number} was taken twice"
        assert POOL["min_fen"] <= amount <= POOL["max_fen"], amount
        self.taken[number] = amount
        rest, left = POOL["total_fen"] - sum(self.taken.values()), POOL["count"] - len(self.taken)
        assert left * POOL["min_fen"] <= rest <= left * POOL["max_fen"], "what is left can still be the total"

    @property
    def left(self) -> tuple[int, int]:
        """Packets that nobody took, and what they hold; nothing once the pool ended."""
        if self.ended:
            return 0, 0
        return POOL["count"] - len(self.taken), POOL["total_fen"] - sum(self.taken.values())


PARTS = ("gross", "refunds", "carried", "released", "fee", "reserved", "paid", "carry")


def statement(entries: Iterable[tuple[str, int]], carried: int) -> dict[str, int]:
    """What a merchant is paid for entries (gross, refunds or released, and how much): 0.6 % fee, 10 % held back."""
    sums = {"gross": 0, "refunds": 0, "released": 0}
    for what, amount in entries:
        sums[what] += amount
    trade = sums["gross"] - sums["refunds"]
    fee = (max(trade, 0) * 60 + 5_000) // 10_000
    left = trade + sums["released"] + carried - fee
    reserved = min(left, (max(left - sums["released"], 0) * 1_000 + 5_000) // 10_000) if left > 0 else 0
    paid = left - reserved if left > 0 else 0
    rest = {"fee": fee, "reserved": reserved, "paid": paid, "carry": min(left, 0)}
    return {**sums, "carried": carried, **rest}


@dataclass(eq=False)
class Reserve:
    amount: int
    release: int
    released: bool = False
    id: bytes = b""


@dataclass(eq=False)
class Merchant:
    code: str
    entries: list[tuple[int, str, int]] = field(default_factory=list)
    carry: int = 0
    paid: int = 0
    settled: list[int] = field(default_factory=list)
    reserves: list[Reserve] = field(default_factory=list)

    def preview(self, cut: int) -> dict[str, int] | None:
        """What a settlement of everything before the cut says; none when there is nothing."""
        counted = [(what, amount) for at, what, amount in self.entries if at < cut]
        return statement(counted, self.carry) if counted else None

    def settle(self, cut: int) -> dict[str, int]:
        """Count it, once."""
        told = self.preview(cut)
        assert told is not None
        self.entries = [entry for entry in self.entries if entry[0] >= cut]
        self.carry, self.paid = told["carry"], self.paid + told["paid"]
        self.settled.append(cut)
        return told

    @property
    def held(self) -> int:
        """What was withheld, less what was released."""
        return sum(one.amount for one in self.reserves) - sum(one.amount for one in self.reserves if one.released)

    @property
    def payable(self) -> int:
        """What is carried, and what no settlement has counted."""
        return self.carry + sum(-amount if what == "refunds" else amount for _, what, amount in self.entries)


def until(at: int, stock: str) -> int:
    """Until when a voucher of the stock counts that is handed out now."""
    return midnight(at, VALID_DAYS[stock])


def told(facts: dict[str, Any]) -> dict[str, int]:
    """A settlement as an answer tells it, part by part."""
    return {name: facts[f"{name}_fen"] for name in PARTS}
