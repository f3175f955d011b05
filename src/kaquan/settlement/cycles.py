"""When a period ends, when its settlement is paid, which periods are due. Pure.

A period is a stretch of business dates in Asia/Shanghai, named by its last: one day (t_plus, d_plus), Monday to
Sunday (weekly), a calendar month (monthly). It ends at the cut-off of its last day: what happens at the cut-off or
later belongs to the next period. Periods have no gaps, so that every instant is in one, also when the cycle changes.
"""

from datetime import date, datetime, time, timedelta

from kaquan.kernel.calendar import Calendar, CalendarHorizon, business_date, month_end, shanghai
from kaquan.kernel.clock import SHANGHAI
from kaquan.kernel.refusal import Refusal
from kaquan.programs.partners import Settlement
from kaquan.settlement.errors import CALENDAR_HORIZON

PERIODS_MAX = 120  # a quarter of days and more, ten years of months: the most that one look at what is due takes on

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


def period_ending(day: date, terms: Settlement) -> date:
    """The last day of the period that holds a business date."""
    match terms.cycle:
        case "t_plus" | "d_plus":
            return day
        case "weekly":
            return day + timedelta(days=7 - day.isoweekday())
        case "monthly":
            return month_end(day)


def period_of(at: datetime, terms: Settlement) -> date:
    """The last day of the period on whose books the instant falls."""
    return period_ending(business_date(at, cut_off(terms)), terms)


def period_after(period_end: date, terms: Settlement) -> date:
    """The period that follows; the first of a new cycle may be short."""
    return period_ending(period_end + _DAY, terms)


def period_before(period_end: date, terms: Settlement) -> date:
    """The period that a whole one follows."""
    match terms.cycle:
        case "t_plus" | "d_plus":
            return period_end - _DAY
        case "weekly":
            return period_end - _WEEK
        case "monthly":
            return period_end.replace(day=1) - _DAY


def period_name(period_end: date, terms: Settlement) -> str:
    """`2025-05` for a month, `2025-05-31` for a shorter period."""
    return f"{period_end:%Y-%m}" if terms.cycle == "monthly" else period_end.isoformat()


def cut_instant(period_end: date, cut_off: time) -> datetime:
    """The first instant that no longer belongs to the period. A cut-off at midnight ends the day, not begins it."""
    return shanghai(period_end + _DAY) if cut_off == time.min else shanghai(period_end, cut_off)


def cut_off(terms: Settlement) -> time:
    """The time of day from which trade counts for the next day."""
    return time.fromisoformat(terms.cut_off)


def pay_day(period_end: date, terms: Settlement, calendar: Calendar, today: date | None = None) -> date | Refusal:
    """The business day on which a period is paid, or a refusal when the calendar does not reach it.

    A settlement that is run late pays no earlier than `today`, the day of the run.
    """
    if terms.calendar != SHANGHAI.key:
        raise ValueError(f"no rule for business days in {terms.calendar}")
    planned = _planned_day(period_end, terms)
    try:
        if terms.cycle == "t_plus":
            planned = calendar.add_business_days(period_end, terms.days)
        return calendar.next_business_day(planned if today is None else max(planned, today))
    except CalendarHorizon as beyond:
        return Refusal(CALENDAR_HORIZON, {"day": planned.isoformat(), "horizon": beyond.horizon.isoformat()})


def due_periods(
    opened: date, closed_to: date | None, terms: Settlement, calendar: Calendar, today: date
) -> list[date]:
    """The periods that are not closed and whose pay day has come, oldest first.

    `opened` is the day the program opened, `closed_to` the last closed period. A pay day that the calendar does not
    know counts as planned, so that the attempt is made and says why it is refused.
    """
    period = period_ending(opened, terms) if closed_to is None else period_after(closed_to, terms)
    periods: list[date] = []
    while len(periods) < PERIODS_MAX:
        day = pay_day(period, terms, calendar)
        if (_planned_day(period, terms) if isinstance(day, Refusal) else day) > today:
            break
        periods.append(period)
        period = period_after(period, terms)
    return periods


def _planned_day(period_end: date, terms: Settlement) -> date:
    """The day on which the terms pay, as far as a calendar without holidays can tell."""
    match terms.cycle:
        case "t_plus" | "d_plus":
            return period_end + timedelta(days=terms.days)
        case "weekly":
            return period_end + timedelta(days=terms.weekday)
        case "monthly":
            return (period_end + _DAY).replace(day=terms.monthly_day)
