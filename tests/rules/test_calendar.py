"""The business calendar: every day against two packages, the arithmetic against a day-by-day count."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path

import chinese_calendar
import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaquan.kernel.calendar import (
    Calendar,
    CalendarFileError,
    CalendarHorizon,
    business_date,
    month_end,
    shanghai,
)

CALENDAR = Calendar.load()
MISSING_FROM_CHINESECALENDAR = {date(2005, 12, 31)}  # 国办发明电〔2005〕35号: worked
DAY = timedelta(days=1)
LONGEST_CLOSURE_DAYS = 30

known_days = st.dates(CALENDAR.first, CALENDAR.horizon)
inner_days = st.dates(CALENDAR.first, CALENDAR.horizon - timedelta(days=120))


def days_between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=count) for count in range((last - first).days + 1)]


def write(folder: Path, text: str) -> Path:
    path = folder / "overlay.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_table_agrees_with_chinesecalendar_where_both_know() -> None:
    last = min(CALENDAR.horizon, max(chinese_calendar.holidays))
    differ = {
        day
        for day in days_between(CALENDAR.first, last)
        if CALENDAR.is_business_day(day) != chinese_calendar.is_workday(day)
    }
    assert differ == MISSING_FROM_CHINESECALENDAR


def test_table_agrees_with_holidays_where_both_know() -> None:
    # `holidays` goes on past the notices without makeup days: it knows a year only if that year names one.
    china = holidays.country_holidays("CN", years=range(CALENDAR.first.year, CALENDAR.horizon.year + 1))
    known_years = {day.year for day in china.weekend_workdays}
    assert known_years >= set(range(CALENDAR.first.year, 2027))
    differ = [
        day
        for day in days_between(CALENDAR.first, CALENDAR.horizon)
        if day.year in known_years and CALENDAR.is_business_day(day) != china.is_working_day(day)
    ]
    assert differ == []


def test_table_reaches_from_2004_to_the_end_of_a_year() -> None:
    assert CALENDAR.first == date(2004, 1, 1)
    assert date(2026, 12, 31) <= CALENDAR.horizon == date(CALENDAR.horizon.year, 12, 31)


@pytest.mark.parametrize("day", [date(2026, 1, 4), date(2026, 2, 14), date(2026, 2, 28), date(2026, 10, 10)])
def test_makeup_weekend_days_are_business_days(day: date) -> None:
    assert day.weekday() >= 5
    assert CALENDAR.is_business_day(day)


def test_counting_over_the_national_day_week() -> None:
    # 2026-10-01 to 10-07 are off; Saturday 2026-10-10 is worked.
    assert CALENDAR.next_business_day(date(2026, 10, 1)) == date(2026, 10, 8)
    assert CALENDAR.add_business_days(date(2026, 9, 30), 0) == date(2026, 9, 30)
    assert CALENDAR.add_business_days(date(2026, 9, 30), 1) == date(2026, 10, 8)
    assert CALENDAR.add_business_days(date(2026, 10, 2), 0) == date(2026, 10, 8)
    assert CALENDAR.add_business_days(date(2026, 10, 2), 3) == date(2026, 10, 10)


@given(inner_days, st.integers(0, 60))
def test_adding_counts_each_business_day_after_the_first_once(day: date, count: int) -> None:
    found = CALENDAR.add_business_days(day, count)
    assert CALENDAR.is_business_day(found)
    counted = sum(CALENDAR.is_business_day(other) for other in days_between(day + DAY, found))
    if count:
        assert counted == count
    else:
        assert found >= day
        assert not any(CALENDAR.is_business_day(other) for other in days_between(day, found - DAY))


@given(known_days)
def test_no_closure_is_longer_than_a_month(day: date) -> None:
    try:
        assert CALENDAR.next_business_day(day) - day < timedelta(days=LONGEST_CLOSURE_DAYS)
    except CalendarHorizon:
        assert CALENDAR.horizon - day < timedelta(days=LONGEST_CLOSURE_DAYS)


def test_past_the_horizon_everything_is_refused_with_facts() -> None:
    after, before = CALENDAR.horizon + DAY, CALENDAR.first - DAY
    for day in (after, before):
        with pytest.raises(CalendarHorizon):
            CALENDAR.is_business_day(day)
        with pytest.raises(CalendarHorizon):
            CALENDAR.next_business_day(day)
        with pytest.raises(CalendarHorizon):
            CALENDAR.add_business_days(day, 1)
    with pytest.raises(CalendarHorizon) as caught:
        CALENDAR.add_business_days(CALENDAR.horizon, 5)
    facts = caught.value
    assert (facts.day, facts.business_days) == (CALENDAR.horizon, 5)
    assert (facts.first, facts.horizon) == (CALENDAR.first, CALENDAR.horizon)


def test_a_year_that_ends_on_a_closure_is_refused_at_its_end(tmp_path: Path) -> None:
    overlay = write(tmp_path, "[2027]\noff = [2027-12-30, 2027-12-31]\nwork = []\n")
    calendar = Calendar.load(overlay)
    assert calendar.next_business_day(date(2027, 12, 29)) == date(2027, 12, 29)
    assert not calendar.is_business_day(date(2027, 12, 31))
    with pytest.raises(CalendarHorizon):
        calendar.next_business_day(date(2027, 12, 30))


def test_counting_backwards_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="forward"):
        CALENDAR.add_business_days(date(2026, 3, 2), -1)


def test_overlay_adds_a_coming_year_and_the_december_before_it(tmp_path: Path) -> None:
    year = CALENDAR.horizon.year
    weekend = next(day for day in days_between(date(year, 12, 20), date(year, 12, 31)) if day.weekday() == 6)
    first = next(day for day in days_between(date(year + 1, 1, 1), date(year + 1, 1, 9)) if day.weekday() == 0)
    calendar = Calendar.load(write(tmp_path, f"[{year + 1}]\noff = [{first}]\nwork = [{weekend}]\n"))
    assert calendar.horizon == date(year + 1, 12, 31)
    assert not calendar.is_business_day(first)
    assert calendar.is_business_day(weekend)
    assert not CALENDAR.is_business_day(weekend)
    assert calendar.is_business_day(first + DAY)


def test_overlay_replaces_a_year_that_the_table_knows(tmp_path: Path) -> None:
    calendar = Calendar.load(write(tmp_path, "[2026]\noff = []\nwork = []\n"))
    assert calendar.is_business_day(date(2026, 10, 1))
    assert not calendar.is_business_day(date(2026, 10, 10))
    assert not calendar.is_business_day(date(2025, 10, 1))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no year"),
        ("off = [", "overlay.toml"),
        ("[2090]\noff = []\nwork = []\n", "gap"),
        ("[soon]\noff = []\nwork = []\n", "not a year"),
        ("[2027]\noff = []\n", "exactly"),
        ("[2027]\noff = []\nwork = []\nhalf = []\n", "exactly"),
        ("2027 = 1\n", "exactly"),
        ("[2027]\noff = 3\nwork = []\n", "list of dates"),
        ("[2027]\noff = ['2027-01-01']\nwork = []\n", "not a date"),
        ("[2027]\noff = [2027-01-01T00:00:00]\nwork = []\n", "not a date"),
        ("[2027]\noff = [2028-01-03]\nwork = []\n", "cannot name"),
        ("[2027]\noff = [2026-11-30]\nwork = []\n", "cannot name"),
        ("[2027]\noff = [2027-01-02]\nwork = []\n", "weekdays"),
        ("[2027]\noff = []\nwork = [2027-01-01]\n", "weekdays"),
        ("[2027]\noff = [2027-01-01, 2027-01-01]\nwork = []\n", "twice"),
    ],
)
def test_a_wrong_overlay_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(CalendarFileError, match=said):
        Calendar.load(write(tmp_path, text))


def test_a_missing_overlay_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CalendarFileError, match=r"absent\.toml"):
        Calendar.load(tmp_path / "absent.toml")


def test_business_date_turns_at_the_cut_off_in_shanghai() -> None:
    cut_off = time(23, 0)
    before = datetime(2026, 3, 2, 14, 59, 59, 999999, tzinfo=UTC)  # 22:59:59.999999 in Shanghai
    assert business_date(before, cut_off) == date(2026, 3, 2)
    assert business_date(before + timedelta(microseconds=1), cut_off) == date(2026, 3, 3)
    assert business_date(datetime(2026, 3, 2, 16, 0, tzinfo=UTC), cut_off) == date(2026, 3, 3)
    assert business_date(datetime(2026, 12, 31, 15, 0, tzinfo=UTC), cut_off) == date(2027, 1, 1)


def test_without_cut_off_the_day_ends_at_midnight_in_shanghai() -> None:
    assert business_date(datetime(2026, 3, 2, 15, 59, 59, tzinfo=UTC)) == date(2026, 3, 2)
    assert business_date(datetime(2026, 3, 2, 16, 0, tzinfo=UTC)) == date(2026, 3, 3)
    other_zone = datetime(2026, 3, 2, 12, 0, tzinfo=timezone(timedelta(hours=-5)))
    assert business_date(other_zone) == date(2026, 3, 3)


def test_an_instant_without_a_zone_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="time zone"):
        business_date(datetime(2026, 3, 2, 12, 0))  # noqa: DTZ001 (the mistake itself)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.times())
def test_shanghai_and_business_date_are_inverse(day: date, at: time) -> None:
    instant = shanghai(day, at)
    assert instant.utcoffset() == timedelta(0)
    assert instant == datetime.combine(day, at, UTC) - timedelta(hours=8)
    assert business_date(instant) == day


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_month_end_is_the_last_day_of_the_same_month(day: date) -> None:
    end = month_end(day)
    assert (end.year, end.month) == (day.year, day.month)
    assert (end + DAY).day == 1
