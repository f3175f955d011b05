"""Who paid for what vouchers took off or put on cards, read from the books."""

from typing import Any, NamedTuple

import psycopg

from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.ledger.store import QUERIES


class Discount(NamedTuple):
    """What one payer paid in a program: to merchants, onto cards, and what of it came back. None is the merchant."""

    program: int
    fund: Id | None
    merchants_fen: Money
    cards_fen: Money
    returned_fen: Money

    @property
    def net_fen(self) -> Money:
        """What it cost in the end."""
        return Money(self.merchants_fen + self.cards_fen - self.returned_fen)


def discounts(
    connection: psycopg.Connection[Any], since_us: int, until_us: int, program: int | None = None
) -> list[Discount]:
    """What each fund, and merchants themselves, paid from one instant to before another, program by program."""
    given = {"since": since_us, "until": until_us, "program": program}
    return [
        Discount(number, None if fund is None else Id(fund.bytes), Money(paid), Money(onto_cards), Money(back))
        for number, fund, paid, onto_cards, back in connection.execute(QUERIES.discounts, given)
    ]
