"""May these days be closed? Pure.

A closed day is a cut: an instant and a transaction horizon. Whoever exports it later reads just the same postings,
whatever committed in between; what committed late with an earlier instant is booked on the next day.
"""

from datetime import date, datetime, timedelta

import msgspec

from kaquan.accounting import errors
from kaquan.accounting.model import DAYS_MAX, CloseDays, ClosedDay, CloseFacts, Period, cut_us
from kaquan.commands.model import Entry, Plan
from kaquan.kernel.calendar import business_date
from kaquan.kernel.clock import microseconds
from kaquan.kernel.refusal import Refusal

_DAY = timedelta(days=1)


def decide_close(entry: Entry, facts: CloseFacts, at: datetime) -> Plan | Refusal:
    """Close every day after the last closed one, from that of the first posting on."""
    command: CloseDays = entry.command
    through = command.through
    if facts.last is not None and through <= facts.last:
        return Refusal(errors.DAY_CLOSED, {"closed_to": facts.last.isoformat()})
    if through >= business_date(at):
        return Refusal(errors.DAY_NOT_OVER, {"day": through.isoformat()})
    if busy := facts.unsettled.get(through, 0):
        return Refusal(errors.DAY_BUSY, {"postings": busy})
    start = facts.last + _DAY if facts.last is not None else min(facts.first or through, through)
    start = max(start, through - timedelta(days=DAYS_MAX - 1)) if facts.last is None else start
    through = min(through, start + timedelta(days=DAYS_MAX - 1))
    days = [start + timedelta(days=count) for count in range((through - start).days + 1)]
    rows = tuple(
        (
            "closed_day",
            {"day": day.isoformat(), "cut_at": cut_us(day), "cut_xid": facts.horizon, "at": microseconds(at)},
        )
        for day in days
    )
    answer = {"closed_from": start.isoformat(), "closed_to": through.isoformat(), "days": len(days)}
    return Plan(msgspec.json.encode(answer, order="sorted"), "books.closed.v1", cold=rows, born=(through,))


def period(since: date, until: date, closed: list[ClosedDay], most: int) -> Period | Refusal:
    """The closed days from `since` to `until`. `closed` are all closed days up to `until`, in order."""
    if since > until or (until - since).days >= most:
        return Refusal(
            errors.PERIOD_WRONG, {"since": since.isoformat(), "until": until.isoformat(), "days_max": most}
        )
    last = closed[-1].day if closed else None
    if last is None or last < until:
        first_open = since if last is None else max(since, last + _DAY)
        return Refusal(errors.DAY_OPEN, {"day": first_open.isoformat(), "through": until.isoformat()})
    within = [one for one in closed if one.day >= since]
    before = [one for one in closed if one.day < since]
    start = before[-1] if before else ClosedDay(since - _DAY, 0, 0)
    return Period(since, until, tuple(one.day for one in within), (start, *within))
