"""What settlements would be: of one period for a person to look at, of all that are due, of trade still to come."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any

import psycopg
import structlog

from kaquan.commands.loading import installation
from kaquan.db.wire import raw_cursor
from kaquan.kernel.calendar import Calendar, business_date
from kaquan.kernel.clock import instant
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Catalogue, Terms
from kaquan.programs.lifecycle import ProgramState
from kaquan.settlement import cycles, rules, store
from kaquan.settlement.counting import Case, follow, is_needed, left_held, reserves_of, settled
from kaquan.settlement.errors import MERCHANT_NOT_IN_PROGRAM, PERIOD_INVALID
from kaquan.settlement.model import Counted, Preview, PreviewRow, Previous, summed

PATIENCE_SECONDS = 5.0  # far longer than any command takes; what takes longer is counted by the next settlement

log = structlog.get_logger()


def preview(
    connection: psycopg.Connection[Any],
    catalogue: Catalogue,
    calendar: Calendar,
    program: int,
    period_end: date,
    merchants: Collection[Id] | None = None,
    patience_seconds: float = PATIENCE_SECONDS,
    at: datetime | None = None,
) -> Preview | Refusal:
    """A period's settlements, of everybody who has something to come or of `merchants`, as a run will make them.

    Nothing is written. `at` is when it would be run: late, it pays no earlier than that day. It waits up to
    `patience_seconds` for transactions in flight, so that the cut is as fresh as can be.
    """
    catalogue.refresh(connection, installation(connection)[1])
    terms = catalogue.latest.get(program)
    if terms is None:
        return Refusal(MERCHANT_NOT_IN_PROGRAM)
    if period_end != cycles.period_ending(period_end, terms.terms.settlement):
        return Refusal(PERIOD_INVALID, {"period_end": period_end.isoformat()})
    pay_on = cycles.pay_day(period_end, terms.terms.settlement, calendar, business_date(at) if at else None)
    if isinstance(pay_on, Refusal):
        return pay_on
    return _counted(connection, catalogue, terms, {period_end: pay_on}, (merchants, patience_seconds))[0]


def due_periods(
    connection: psycopg.Connection[Any], catalogue: Catalogue, calendar: Calendar, today: date
) -> list[tuple[int, date]]:
    """The periods of all programs whose pay day has come and that are not closed; oldest first in each program."""
    catalogue.refresh(connection, installation(connection)[1])
    found = []
    for program, (opened_us, closed_to) in sorted(store.progress(connection).items()):
        known = catalogue.latest[program]
        if known.state is ProgramState.CLOSED:
            continue  # it owes nothing any more
        terms = known.terms.settlement
        opened = cycles.period_of(instant(opened_us), terms)
        found += [(program, one) for one in cycles.due_periods(opened, closed_to, terms, calendar, today)]
    return found


def previews(
    connection: psycopg.Connection[Any],
    catalogue: Catalogue,
    calendar: Calendar,
    periods: Iterable[tuple[int, date]],
    today: date,
) -> list[Preview]:
    """What the settlements of these periods would be, oldest first in each program, each standing on the one before.

    A program stops at the first period whose pay day the calendar does not know.
    """
    pay_days: dict[int, dict[date, date]] = {}
    refused: set[int] = set()
    for program, period_end in periods:
        day = cycles.pay_day(period_end, catalogue.latest[program].terms.settlement, calendar, today)
        if isinstance(day, Refusal):
            if program not in refused:
                log.warning("settlement.refused", program=program, code=day.code.code, facts=dict(day.facts))
            refused.add(program)
        elif program not in refused:
            pay_days.setdefault(program, {})[period_end] = day
    return [
        seen
        for program, days in pay_days.items()
        for seen in _counted(connection, catalogue, catalogue.latest[program], days)
    ]


def coming(
    connection: psycopg.Connection[Any],
    catalogue: Catalogue,
    calendar: Calendar,
    program: int,
    *,
    at: datetime,
    merchants: Collection[Id] | None = None,
) -> list[Preview]:
    """What merchants earned until `at` and are not settled for yet, period by period with its value date."""
    terms = catalogue.latest[program].terms.settlement
    opened_us, closed_to = store.progress(connection)[program]
    period = cycles.period_after(closed_to, terms) if closed_to else cycles.period_of(instant(opened_us), terms)
    days: dict[date, date] = {}
    while period <= cycles.period_of(at, terms) and len(days) < cycles.PERIODS_MAX:
        day = cycles.pay_day(period, terms, calendar, business_date(at))
        if isinstance(day, Refusal):
            break
        days[period] = day
        period = cycles.period_after(period, terms)
    return _counted(connection, catalogue, catalogue.latest[program], days, (merchants, 0)) if days else []


def _counted(
    connection: psycopg.Connection[Any],
    catalogue: Catalogue,
    terms: Terms,
    pay_days: dict[date, date],
    asked: tuple[Collection[Id] | None, float] = (None, PATIENCE_SECONDS),
) -> list[Preview]:
    """The settlements of periods that follow one another, oldest first, all counted at once."""
    merchants, patience_seconds = asked
    program, cursor = terms.program, raw_cursor(connection)
    xid = store.closed_horizon(cursor, patience_seconds)
    cuts = {period_end: rules.cut_of(period_end, terms, xid) for period_end in pay_days}
    group = [one for one in store.traders(cursor, program) if merchants is None or one in merchants]
    settled = store.latest_settlements(cursor, [(merchant, program) for merchant in group])
    wanted: list[store.Wanted] = []
    for merchant in group:
        previous, follows = settled.get((merchant, program)), None
        for period_end in _unsettled(previous, pay_days):
            cut = cuts[period_end]
            wanted.append(store.Wanted(_counted_as(merchant, period_end), merchant, program, cut, follows))
            follows = cut
    books = store.counted(cursor, wanted)
    made: list[Preview] = []
    for period_end, pay_on in pay_days.items():
        before = sum(period_end <= one.period_end for one in settled.values())
        open_ = [one for one in group if period_end in _unsettled(settled.get((one, program)), pay_days)]
        rows = _rows(catalogue, terms, books, (period_end, pay_on), open_)
        for row in rows:
            key, case = (row.merchant, program), Case(program, row.merchant, period_end, pay_on)
            held = reserves_of(row.merchant, case, row.statement, terms.terms.reserve)
            books.reserves[key] = left_held(books.reserves.get(key, ()), row.statement, held)
            books.previous[key] = follow(books.previous.get(key), period_end, cuts[period_end], row.statement)
        totals = summed(row.statement.total for row in rows)
        name = cycles.period_name(period_end, terms.terms.settlement)
        made.append(Preview(program, terms.id, period_end, pay_on, cuts[period_end], rows, totals, before, name))
    return made


def _unsettled(previous: Previous | None, pay_days: Iterable[date]) -> Sequence[date]:
    """The periods that a merchant is not settled for."""
    return [one for one in pay_days if previous is None or previous.period_end < one]


def _rows(
    catalogue: Catalogue, terms: Terms, books: Counted, days: tuple[date, date], merchants: Sequence[Id]
) -> tuple[PreviewRow, ...]:
    """Those of the merchants that have something to come in a period. `days` are its last and its pay day."""
    rows = []
    for merchant in merchants:
        known = catalogue.merchants[merchant]
        entries = books.entries.get(_counted_as(merchant, days[0]), {})
        sums = settled(catalogue, books, Case(terms.program, merchant, *days), entries)
        if is_needed(entries, sums):
            rows.append(PreviewRow(merchant, known.code, known.name, sums))
    return tuple(rows)


def _counted_as(merchant: Id, period_end: date) -> bytes:
    return merchant + period_end.isoformat().encode()
