"""What the two stocks of the machine's program do, in the smallest form: written from their terms, for comparison.

`off`: 满100减10, paid 60/40 by city and mall; keeps its discount; kept or given up by the hold; counts again after a
full refund; two a person a day. `part`: 20 % off up to 30, all by city; priced anew when some comes back; never
again.
"""

from dataclasses import dataclass
from typing import Any

from support.voucher_words import stock_told

FUNDS = {"city": 4_000_000, "mall": 400_000}
PLEDGED = "mall"
STOCKS = (
    "off face=10 min_order=100 count=1000 rank=1 category=one use_person_day=2 below_threshold=drop"
    " partial_refund=keep after_refund=reusable by=city:60,mall:40",
    "part kind=percent rate_bps=2000 face=30 count=1000 rank=2 category=two"
    " partial_refund=reprice after_refund=never by=city",
)
TEXT = "".join(map(stock_told, STOCKS))
VALID_DAYS = 30
DAY_LIMIT = 2
FACE = {"off": 1_000, "part": 3_000}
FROM = {"off": 10_000, "part": 0}


@dataclass(eq=False)
class Voucher:
    kind: str
    until: int
    state: str = "issued"
    used: int = 0
    held: int = 0
    holder: Any = None
    id: bytes = b""

    @property
    def live(self) -> bool:
        return self.state in ("issued", "held")

    def refused(self, amount: int, at: int, holder: Any = None) -> str:
        """Why it does not count for an order, or nothing."""
        if not self.live:
            return "voucher_state"
        if at >= self.until:
            return "voucher_expired"
        if self.state == "held" and self.held > at and self.holder is not holder:
            return "voucher_held"
        return "voucher_threshold_not_reached" if amount < FROM[self.kind] else ""

    def free(self) -> None:
        self.state, self.used, self.held, self.holder = "issued", 0, 0, None


def worth(kind: str, left: int) -> int:
    """What a voucher takes off when `left` is to be paid."""
    if kind == "off":
        return min(left, FACE[kind])
    return min((left * 2_000 + 5_000) // 10_000, FACE[kind])


def by_fund(kind: str, amount: int) -> dict[str, int]:
    """Who pays a discount, or a promise, of this amount."""
    if kind == "part":
        return {"city": amount}
    city = (amount * 60 + 50) // 100
    return {"city": city, "mall": amount - city}
