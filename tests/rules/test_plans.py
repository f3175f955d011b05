"""When the months of a plan fall due."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kaquan.kernel.calendar import business_date
from kaquan.rewards.plans import due_at

START = datetime(2024, 1, 1, tzinfo=UTC)
INSTANTS = st.integers(0, 12 * 365 * 1440).map(lambda minutes: START + timedelta(minutes=minutes))


@given(INSTANTS, st.integers(1, 36))
def test_a_month_falls_due_on_the_day_of_the_purchase_or_on_the_last_of_a_shorter_month(
    bought: datetime, month: int
) -> None:
    day, due = business_date(bought), business_date(due_at(bought, month))
    assert (due.year - day.year) * 12 + due.month - day.month == month
    last = (due + timedelta(days=1)).month != due.month
    assert due.day == day.day or (due.day < day.day and last)


@given(INSTANTS, st.integers(1, 35))
def test_months_follow_each_other_and_never_within_four_weeks(bought: datetime, month: int) -> None:
    assert timedelta(days=27) < due_at(bought, month + 1) - due_at(bought, month) < timedelta(days=32)


def test_the_day_is_counted_from_the_purchase_and_does_not_wander() -> None:
    bought = datetime(2025, 1, 31, 4, tzinfo=UTC)
    days = [business_date(due_at(bought, month)).isoformat() for month in range(1, 5)]
    assert days == ["2025-02-28", "2025-03-31", "2025-04-30", "2025-05-31"]
    assert due_at(bought, 1) == datetime(2025, 2, 27, 16, tzinfo=UTC), "midnight in Shanghai"
