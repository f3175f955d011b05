"""May the card pay so much so often, and what is counted when it does? Pure: rules decide on signals handed to them.

A payment that is voided or refunded later still counts: who pays and takes back all day long is whom the limits are
for.
"""

from typing import Any

from kaquan.commands.model import Row
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Terms
from kaquan.quotas.model import Quotas
from kaquan.quotas.rules import add
from kaquan.risk import errors
from kaquan.risk.model import CARD_DAY_COUNT, CARD_DAY_FEN, SILENT, Limits, Signals

Changes = tuple[tuple[Row, tuple[Any, ...]], ...]


def limits_of(terms: Terms) -> Limits:
    """What a program's terms let a card do on a day."""
    spending = terms.terms.spending
    return Limits(spending.card_day_count, spending.card_day_fen)


def signals(card: Id, limits: Limits, quotas: Quotas, day: int) -> Signals:
    """What was counted of the card on the day, of what its terms limit."""
    if not limits.times and not limits.amount:
        return SILENT
    return Signals(
        quotas.tally(card, CARD_DAY_COUNT, day) if limits.times else None,
        quotas.tally(card, CARD_DAY_FEN, day) if limits.amount else None,
    )


def judge(said: Signals, limits: Limits, amount: Money) -> Refusal | None:
    """Why the card may not pay `amount` as well, or None."""
    if said.times is not None and said.times.count >= limits.times:
        return Refusal(errors.CARD_DAY_COUNT, {"used": said.times.count, "limit": limits.times})
    if said.amount is not None and said.amount.count + amount > limits.amount:
        used = said.amount.count
        facts = {"used_fen": used, "limit_fen": limits.amount, "left_fen": max(0, limits.amount - used)}
        return Refusal(errors.CARD_DAY_AMOUNT, facts)
    return None


def counted(said: Signals, amount: Money) -> Changes:
    """The counters after the card pays `amount`."""
    count = (add(said.times),) if said.times is not None else ()
    return (*count, add(said.amount, amount)) if said.amount is not None else count
