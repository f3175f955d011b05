"""What a returned card comes to: purchase by purchase, by whose fault, with the article of each line. Pure.

consumed = what was spent at list price (holder's cause, withdrawal), or as the discount was given (issuer's cause:
spent times paid / (paid + bonus)). What comes back is what was paid less what was consumed, never less than nothing:
nobody pays extra. Of several rights the one that gives the holder most counts, line by line.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any, Literal

import msgspec

from kaquan.kernel.calendar import Calendar, CalendarHorizon, business_date, shanghai
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id
from kaquan.kernel.money import WHOLE, ZERO, Money, Rate, allocate, share
from kaquan.law.model import Binding, Law, law_on
from kaquan.programs.catalogue import Terms
from kaquan.sales.closing_model import Cause, Purchase

YEAR_DAYS = 365  # the day count of interest

Basis = Literal["issuer_cause", "not_active", "cooling_off_unused", "cooling_off", "holder_cause"]


class Line(msgspec.Struct, frozen=True):
    """What one purchase comes to. `refund` of what was `paid` comes back; `fee` and `cost` are kept, `left` is the
    principal that is on the card."""

    purchase: Purchase
    basis: Basis
    consumed: Money
    refund: Money
    fee: Money = ZERO
    cost: Money = ZERO
    article: Binding | None = None
    interest_bps: int = 0

    @property
    def custody(self) -> Money:
        """What of the refund the card's own principal pays; the rest is the issuer's."""
        return min(self.refund, self.purchase.left)

    def record(self) -> dict[str, Any]:
        """As it is kept and told."""
        said = self.article.article if self.article else None
        return {
            "article_en": said.article_en if said else "",
            "article_zh": said.article_zh if said else "",
            "basis": self.basis,
            "bonus_fen": self.purchase.bonus,
            "channel": self.purchase.channel.hex(),
            "consumed_fen": self.consumed,
            "cost_fen": self.cost,
            "fee_fen": self.fee,
            "interest_bps": self.interest_bps,
            "left_fen": self.purchase.left,
            "paid_fen": self.purchase.paid,
            "purchase": self.purchase.id.hex(),
            "refund_fen": self.refund,
            "used_fen": self.purchase.used,
        }


class Asked(msgspec.Struct, frozen=True):
    """What is asked for: whose cause, when it was asked, under which terms and law; costs that are to be kept."""

    cause: Cause
    at: datetime
    terms: Terms
    law: Law
    cost: Money = ZERO

    @property
    def day(self) -> date:
        """The Shanghai date of the request."""
        return business_date(self.at)


def quote(purchases: Sequence[Purchase], asked: Asked) -> list[Line]:
    """A line for each purchase; costs are kept from those that the law lets bear them, in their order."""
    lines = []
    cost = asked.cost
    for purchase in purchases:
        line = _line(purchase, asked, cost)
        cost = Money(cost - line.cost)
        lines.append(line)
    return lines


def bears_cost(purchase: Purchase, asked: Asked) -> bool:
    """Whether the law lets costs be kept from who withdraws from a purchase now."""
    allowed, free = asked.law.cooling_off_cost_allowed, asked.law.cooling_off_free_days_min
    if allowed is None or not allowed.value or not _within(purchase, asked, cooling_days(asked)):
        return False
    return free is None or not _within(purchase, asked, free.value)


def withdrawable(purchase: Purchase, asked: Asked) -> bool:
    """Whether one purchase may be returned by itself: before it is active, or in the time to withdraw."""
    return any(line.basis in ("not_active", "cooling_off_unused", "cooling_off") for line in _rights(purchase, asked))


def cooling_days(asked: Asked) -> int:
    """How long a holder may withdraw: as the terms promise or the law asks, whichever is longer."""
    least = asked.law.cooling_off_days_min
    return max(asked.terms.terms.presale.cooling_off_days, least.value if least else 0)


def _line(purchase: Purchase, asked: Asked, cost: Money) -> Line:
    """The right that gives most; of equal ones the first in order."""
    best = max(_rights(purchase, asked), key=lambda line: line.refund)
    if best.basis == "cooling_off" and cost and bears_cost(purchase, asked):
        kept = min(cost, best.refund)
        return msgspec.structs.replace(best, refund=Money(best.refund - kept), cost=kept)
    return best


def _rights(purchase: Purchase, asked: Asked) -> Iterator[Line]:
    law, paid, used = asked.law, purchase.paid, purchase.used
    at_list = Money(max(0, paid - used))
    if asked.cause is Cause.ISSUER:
        listed = law.issuer_cause_list_price_allowed
        consumed = _consumed(purchase, listed)
        back = Money(max(0, paid - consumed))
        yield Line(purchase, "issuer_cause", consumed, back, article=listed, interest_bps=_interest(purchase, asked))
    if purchase.active_us > microseconds(asked.at):
        yield Line(purchase, "not_active", used, at_list)
    unused = law.cooling_off_unused_days_min
    if unused is not None and not used and _within(purchase, asked, unused.value):
        yield Line(purchase, "cooling_off_unused", ZERO, paid, article=unused)
    if _within(purchase, asked, cooling_days(asked)):
        yield Line(purchase, "cooling_off", used, at_list, article=law.cooling_off_days_min)
    if asked.cause is Cause.HOLDER:
        listed = law.holder_cause_list_price_allowed
        consumed = _consumed(purchase, listed)
        rest = Money(max(0, paid - consumed))
        fee = share(rest, fee_rate(asked))
        back = Money(rest - fee)
        yield Line(purchase, "holder_cause", consumed, back, fee, ZERO, listed, _interest(purchase, asked))


def _consumed(purchase: Purchase, listed: Binding | None) -> Money:
    """What was spent, at list price unless the law says that the discount stays."""
    if listed is None or listed.value:
        return purchase.used
    return allocate(purchase.used, [purchase.paid, purchase.bonus])[0]


def fee_rate(asked: Asked) -> Rate:
    """The break cost that the terms name, never more than the law allows."""
    wanted, most = asked.terms.terms.closing.fee_bps, asked.law.closing_fee_bps_max
    return wanted if most is None else Rate(min(wanted, most.value))


def _within(purchase: Purchase, asked: Asked, days: int) -> bool:
    """Whether the request came within so many days of paying: the day of payment does not count."""
    return days > 0 and asked.day <= business_date(purchase.paid_at) + timedelta(days=days)


def _interest(purchase: Purchase, asked: Asked) -> int:
    """The yearly rate of the day of the contract, for the cause; nothing where no pack asks for interest."""
    law = law_on(asked.terms.terms.program.law_packs, business_date(purchase.paid_at))
    asks = law.interest_issuer_cause_bps_min if asked.cause is Cause.ISSUER else law.interest_holder_cause_bps_min
    return asks.value if asks else 0


def interest(lines: Sequence[dict[str, Any]], since: date, until: date) -> Money:
    """What the refunds of kept lines bear from the request until they are paid, rounded half up once."""
    days = max(0, (until - since).days)
    scaled = sum(line["refund_fen"] * line["interest_bps"] for line in lines) * days
    whole = WHOLE * YEAR_DAYS
    return Money((2 * scaled + whole) // (2 * whole))


def deadline(lines: Sequence[Line], asked: Asked, calendar: Calendar) -> datetime:
    """Until when it is paid: the end of the last day. That day is a business day, as the calendar knows it.

    The day of the request does not count. Past the calendar's horizon the day stands as it is.
    """
    limits = [asked.terms.terms.closing.pay_days]
    if (most := asked.law.closing_pay_days_max) is not None:
        limits.append(most.value)
    soonest = asked.law.cooling_off_pay_days_max
    if soonest is not None and any(line.basis == "cooling_off_unused" for line in lines):
        limits.append(soonest.value)
    day = asked.day + timedelta(days=min(limits))
    with suppress(CalendarHorizon):
        day = calendar.next_business_day(day)
    return shanghai(day + timedelta(days=1))


def channels(lines: Sequence[dict[str, Any]]) -> list[tuple[Id, Money]]:
    """Through whom refunds came in, and how much of each, in the order of the lines."""
    found: dict[bytes, int] = {}
    for line in lines:
        channel = bytes.fromhex(line["channel"])
        found[channel] = found.get(channel, 0) + line["refund_fen"]
    return [(Id(channel), Money(fen)) for channel, fen in found.items()]
