"""When a period ends, when its settlement is paid, which periods are due. Pure.

A period is a calendar month in Asia/Shanghai, named by its last day. It ends at the cut-off of that day: what
happens at the cut-off or later belongs to the next month.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from kaquan.kernel.calendar import Calendar, CalendarHorizon, business_date, month_end, shanghai
from kaquan.kernel.clock import SHANGHAI
from kaquan.kernel.refusal import Refusal
from kaquan.programs.terms import Settlement
from kaquan.settlement.errors import CALENDAR_HORIZON

PERIODS_MAX = 120  # ten years of months: the most that one look at what is due goes through

_DAY = timedelta(days=1)


def period_of(at: datetime, cut_off: time) -> date:
    """The last day of the period on whose books the instant falls."""
    return month_end(business_date(at, cut_off))


def cut_instant(period_end: date, cut_off: time) -> datetime:
    """The first instant that no longer belongs to the period. A cut-off at midnight ends the day, not begins it."""
    return shanghai(period_end + _DAY) if cut_off == time.min else shanghai(period_end, cut_off)


def cut_off(terms: Settlement) -> time:
    """The time of day from which trade counts for the next day."""
    return time.fromisoformat(terms.cut_off)


def planned_day(period_end: date, monthly_day: int) -> date:
    """The day of the following month on which the terms pay, before it moves to a business day."""
    return (period_end + _DAY).replace(day=monthly_day)


def pay_day(period_end: date, terms: Settlement, calendar: Calendar, today: date | None = None) -> date | Refusal:
    """The business day on which a period is paid, or a refusal when the calendar does not reach it.

    A settlement that is run late pays no earlier than `today`, the day of the run.
    """
    if terms.cycle != "monthly" or terms.calendar != SHANGHAI.key:
        raise ValueError(f"no rule for the cycle {terms.cycle} in {terms.calendar}")
    planned = planned_day(period_end, terms.monthly_day)
    if today is not None:
        planned = max(planned, today)
    try:
        return calendar.next_business_day(planned)
    except CalendarHorizon as beyond:
        return Refusal(CALENDAR_HORIZON, {"day": planned.isoformat(), "horizon": beyond.horizon.isoformat()})


def due_periods(
    opened: date, settled_to: Sequence[date | None], terms: Settlement, calendar: Calendar, today: date
) -> list[date]:
    """The periods whose pay day has come and that some merchant is not settled for, oldest first.

    `opened` is the day the program opened, `settled_to` the last settled period of each merchant, None for one
    that never was. Such a merchant joins the periods of the others; alone it is settled for the latest, which
    counts everything it ever earned. A pay day that the calendar does not know counts as planned, so that the
    attempt is made and says why it is refused.
    """
    known = [day for day in settled_to if day is not None]
    if not settled_to:
        return []
    period = month_end(min(known) + _DAY) if known else month_end(opened)
    latest = _latest_due(terms, calendar, today)
    if len(known) < len(settled_to) and period > latest >= month_end(opened):
        return [latest]
    periods: list[date] = []
    while period <= latest and len(periods) < PERIODS_MAX:
        periods.append(period)
        period = month_end(period + _DAY)
    return periods


def _latest_due(terms: Settlement, calendar: Calendar, today: date) -> date:
    period = month_end(today)
    while True:
        period = period.replace(day=1) - _DAY
        day = pay_day(period, terms, calendar)
        if (planned_day(period, terms.monthly_day) if isinstance(day, Refusal) else day) <= today:
            return period
