"""What is counted about a card, and what a payment is judged by."""

from typing import NamedTuple

from kaquan.kernel.money import Money
from kaquan.quotas.model import Tally

CARD_DAY_COUNT = 1_300_000_000
"""The rule under which the payments of a card on a day are tallied: how many, above all other rules."""

CARD_DAY_FEN = 1_300_000_001
"""And how much the card paid, in fen."""


class Limits(NamedTuple):
    """How often a card may pay a day, and how much in fen; 0 for no limit, and then it is not counted."""

    times: int
    amount: Money

    @property
    def rules(self) -> tuple[int, ...]:
        """The rules that are tallied."""
        return (CARD_DAY_COUNT,) * bool(self.times) + (CARD_DAY_FEN,) * bool(self.amount)


class Signals(NamedTuple):
    """What the counters say of a card on a day, as loaded: what is not counted is not there."""

    times: Tally | None = None
    amount: Tally | None = None


SILENT = Signals()
"""Of a payment whose terms limit nothing."""
