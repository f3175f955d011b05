"""Periods and pay days: every trade day is in one period, and is paid once, on the right working day."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaquan.kernel.calendar import Calendar, business_date, month_end, shanghai
from kaquan.kernel.refusal import Refusal
from kaquan.programs.compiler import compile_program
from kaquan.programs.partners import Settlement
from kaquan.programs.preset_files import text as preset
from kaquan.settlement import cycles

CALENDAR = Calendar.load()
DAY = timedelta(days=1)


def monthly() -> Settlement:
    compiled = compile_program(preset("jingxika"), date(2025, 5, 20))
    assert not isinstance(compiled, list)
    return compiled[0].settlement


MONTHLY = monthly()
T_PLUS_3 = msgspec.structs.replace(MONTHLY, cycle="t_plus", days=3, monthly_day=0)
D_PLUS_3 = msgspec.structs.replace(MONTHLY, cycle="d_plus", days=3, monthly_day=0)
MONDAYS = msgspec.structs.replace(MONTHLY, cycle="weekly", weekday=1, monthly_day=0)

every_cycle = st.one_of(
    st.integers(1, 28).map(lambda day: msgspec.structs.replace(MONTHLY, monthly_day=day)),
    st.integers(1, 30).map(lambda days: msgspec.structs.replace(T_PLUS_3, days=days)),
    st.integers(1, 30).map(lambda days: msgspec.structs.replace(D_PLUS_3, days=days)),
    st.integers(1, 7).map(lambda weekday: msgspec.structs.replace(MONDAYS, weekday=weekday)),
)
dates = st.dates(date(2024, 1, 1), date(2025, 12, 1))


def test_the_cut_off_begins_the_next_period() -> None:
    cut_off = cycles.cut_off(MONTHLY)
    assert cut_off == time(23)
    before = datetime(2025, 5, 31, 14, 59, 59, 999_999, tzinfo=UTC)
    at = datetime(2025, 5, 31, 15, 0, tzinfo=UTC)
    assert [cycles.period_of(before, terms) for terms in (MONTHLY, T_PLUS_3, MONDAYS)] == [
        date(2025, 5, 31),
        date(2025, 5, 31),
        date(2025, 6, 1),
    ]
    assert [cycles.period_of(at, terms) for terms in (MONTHLY, T_PLUS_3, MONDAYS)] == [
        date(2025, 6, 30),
        date(2025, 6, 1),
        date(2025, 6, 1),
    ]
    assert cycles.cut_instant(date(2025, 5, 31), cut_off) == at


def test_the_first_instant_after_midnight_cut_off_is_the_next_day() -> None:
    assert cycles.cut_instant(date(2025, 5, 31), time.min) == shanghai(date(2025, 6, 1))


@given(
    st.integers(0, 10 * 366 * 86_400).map(lambda s: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=s)),
    st.times().map(lambda t: t.strftime("%H:%M")),
    every_cycle,
)
def test_a_period_holds_what_its_cuts_enclose(at: datetime, cut_off: str, terms: Settlement) -> None:
    terms = msgspec.structs.replace(terms, cut_off=cut_off)
    period = cycles.period_of(at, terms)
    begin = cycles.cut_instant(cycles.period_before(period, terms), cycles.cut_off(terms))
    assert begin <= at < cycles.cut_instant(period, cycles.cut_off(terms))
    assert cycles.period_after(cycles.period_before(period, terms), terms) == period


@given(dates, every_cycle, every_cycle)
def test_no_day_is_lost_or_in_two_periods_when_the_cycle_changes(
    day: date, before: Settlement, after: Settlement
) -> None:
    last = cycles.period_ending(day, before)
    following = cycles.period_after(last, after)
    days = [last + DAY * count for count in range(1, (following - last).days + 1)]
    assert days and {cycles.period_ending(one, after) for one in days} == {following}


def right_day(trade_day: date, terms: Settlement) -> date:
    """Counted day by day, as a clerk would with the printed calendar."""
    match terms.cycle:
        case "t_plus":
            day, left = trade_day, terms.days
            while left:
                day += DAY
                left -= CALENDAR.is_business_day(day)
            return day
        case "d_plus":
            day = trade_day + DAY * terms.days
        case "weekly":
            day = trade_day
            while day.isoweekday() != 7:
                day += DAY
            day += DAY
            while day.isoweekday() != terms.weekday:
                day += DAY
        case "monthly":
            day = month_end(trade_day) + DAY * terms.monthly_day
    while not CALENDAR.is_business_day(day):
        day += DAY
    return day


@settings(deadline=None)
@given(dates, every_cycle, st.sets(st.integers(0, 55), max_size=45))
def test_every_trade_day_is_paid_once_on_the_right_day(opened: date, terms: Settlement, missed: set[int]) -> None:
    """The timetable looks every day but those that it missed; what it missed is paid at the next look."""
    looks = [opened + DAY * count for count in range(60) if count not in missed]
    closed_to: date | None = None
    paid: dict[date, date] = {}
    for today in looks:
        due = cycles.due_periods(opened, closed_to, terms, CALENDAR, today)
        assert due == sorted(due)
        for period_end in due:
            first = opened if closed_to is None else closed_to + DAY
            for count in range((period_end - first).days + 1):
                day = first + DAY * count
                assert day not in paid
                paid[day] = today
            closed_to = period_end
    for count in range(60):
        day = opened + DAY * count
        expected = next((look for look in looks if look >= right_day(day, terms)), None)
        assert paid.get(day) == expected, day


@pytest.mark.parametrize(
    ("trade_day", "t_plus", "d_plus"),
    [
        (date(2025, 5, 20), date(2025, 5, 23), date(2025, 5, 23)),  # an ordinary Tuesday
        (date(2025, 5, 16), date(2025, 5, 21), date(2025, 5, 19)),  # a Friday: Monday is D+3
        (date(2025, 9, 26), date(2025, 9, 30), date(2025, 9, 29)),  # Sunday 09-28 is worked for the holidays
        (date(2025, 9, 30), date(2025, 10, 11), date(2025, 10, 9)),  # Golden Week; Saturday 10-11 is worked
        (date(2025, 10, 4), date(2025, 10, 11), date(2025, 10, 9)),  # trade on a holiday
        (date(2025, 1, 27), date(2025, 2, 7), date(2025, 2, 5)),  # Spring Festival; trade on the eve's eve
    ],
)
def test_days_off_and_days_made_up(trade_day: date, t_plus: date, d_plus: date) -> None:
    assert cycles.pay_day(trade_day, T_PLUS_3, CALENDAR) == t_plus
    assert cycles.pay_day(trade_day, D_PLUS_3, CALENDAR) == d_plus


def test_a_week_is_settled_on_the_next_monday_that_is_worked() -> None:
    assert cycles.pay_day(date(2025, 6, 1), MONDAYS, CALENDAR) == date(2025, 6, 3)  # 06-02 is 端午
    assert cycles.pay_day(date(2025, 6, 8), MONDAYS, CALENDAR) == date(2025, 6, 9)
    assert cycles.pay_day(date(2025, 10, 5), MONDAYS, CALENDAR) == date(2025, 10, 9)
    sundays = msgspec.structs.replace(MONDAYS, weekday=7)
    assert cycles.pay_day(date(2025, 9, 21), sundays, CALENDAR) == date(2025, 9, 28)  # a Sunday that is worked


def test_a_month_is_settled_on_a_business_day() -> None:
    assert cycles.pay_day(date(2025, 5, 31), MONTHLY, CALENDAR) == date(2025, 6, 5)
    assert cycles.pay_day(date(2025, 3, 31), MONTHLY, CALENDAR) == date(2025, 4, 7)  # 清明 and a weekend
    assert cycles.pay_day(date(2025, 9, 30), MONTHLY, CALENDAR) == date(2025, 10, 9)  # 国庆


def test_a_late_settlement_pays_on_no_day_that_has_passed() -> None:
    period = date(2025, 5, 31)
    assert cycles.pay_day(period, MONTHLY, CALENDAR, date(2025, 6, 1)) == date(2025, 6, 5)
    assert cycles.pay_day(period, MONTHLY, CALENDAR, date(2025, 6, 6)) == date(2025, 6, 6)
    assert cycles.pay_day(period, MONTHLY, CALENDAR, date(2025, 6, 7)) == date(2025, 6, 9)  # a Saturday
    assert cycles.pay_day(period, T_PLUS_3, CALENDAR, date(2025, 6, 7)) == date(2025, 6, 9)


@pytest.mark.parametrize("terms", [MONTHLY, T_PLUS_3, D_PLUS_3, MONDAYS], ids=lambda terms: terms.cycle)
def test_past_the_calendar_the_pay_day_is_refused_with_the_way_out(tmp_path: Path, terms: Settlement) -> None:
    last = cycles.period_ending(CALENDAR.horizon, terms)
    beyond = cycles.pay_day(last, terms, CALENDAR)
    assert isinstance(beyond, Refusal) and beyond.code.code == "calendar_horizon"
    assert beyond.facts["horizon"] == CALENDAR.horizon.isoformat()
    assert "overlay" in beyond.remedy("en") and "日历补充文件" in beyond.remedy("zh")
    overlay = tmp_path / "overlay.toml"
    overlay.write_text(f"[{CALENDAR.horizon.year + 1}]\noff = []\nwork = []\n", "utf-8")
    longer = Calendar.load(overlay)
    assert cycles.pay_day(last, terms, longer) > CALENDAR.horizon  # type: ignore[operator]


def test_a_pay_day_beyond_the_calendar_is_due_as_planned_so_that_the_refusal_is_seen() -> None:
    year = CALENDAR.horizon.year
    december = date(year, 12, 31)
    assert cycles.due_periods(date(year, 12, 1), None, MONTHLY, CALENDAR, date(year + 1, 1, 5)) == [december]
    assert cycles.due_periods(december, None, T_PLUS_3, CALENDAR, date(year + 1, 1, 3)) == [december]


def test_periods_are_due_on_their_pay_day_oldest_first() -> None:
    opened = date(2025, 3, 12)
    march, april, may = date(2025, 3, 31), date(2025, 4, 30), date(2025, 5, 31)

    def due(closed_to: date | None, today: date) -> list[date]:
        return cycles.due_periods(opened, closed_to, MONTHLY, CALENDAR, today)

    assert due(None, date(2025, 4, 6)) == []
    assert due(None, date(2025, 4, 7)) == [march]
    assert due(None, date(2025, 6, 5)) == [march, april, may]
    assert due(march, date(2025, 6, 4)) == [april]
    assert due(april, date(2025, 6, 4)) == []


def test_one_look_takes_on_a_bounded_number_of_periods() -> None:
    due = cycles.due_periods(date(2024, 1, 1), None, T_PLUS_3, CALENDAR, date(2025, 6, 1))
    assert len(due) == cycles.PERIODS_MAX and due[0] == date(2024, 1, 1)


def test_a_period_is_named_by_its_month_or_its_last_day() -> None:
    assert cycles.period_name(date(2025, 5, 31), MONTHLY) == "2025-05"
    assert cycles.period_name(date(2025, 5, 31), T_PLUS_3) == "2025-05-31"
    assert business_date(cycles.cut_instant(date(2025, 5, 31), time(23)), time(23)) == date(2025, 6, 1)
