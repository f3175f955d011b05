"""When a stock may be claimed, and when what it gives counts: to the minute, by Shanghai's days."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaquan.kernel.clock import SHANGHAI, instant
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.vouchers.claims import Issue, day_slices, new_voucher, not_open
from kaquan.vouchers.errors import CLAIM_OVER
from kaquan.vouchers.model import NewVoucher
from kaquan.vouchers.orders import usable
from support.catalogues import identity, order, stock, voucher

FIRST = datetime(2025, 1, 1, tzinfo=SHANGHAI)
moments = st.integers(0, 2 * 365 * 86_400).map(lambda second: FIRST + timedelta(seconds=second))


def at(text: str) -> datetime:
    """A moment in Shanghai."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("moment", "refused"),
    [
        ("2025-05-22 09:59:59", "claim_not_yet"),
        ("2025-05-22 10:00:00", ""),
        ("2025-05-22 10:04:59", ""),
        ("2025-05-22 10:05:00", "claim_over"),
    ],
)
def test_a_window_opens_and_ends_on_its_minute(moment: str, refused: str) -> None:
    rushed = stock(1, claim_from="2025-05-22 10:00", claim_until="2025-05-22 10:05")
    found = not_open(rushed, at(moment))
    assert (found.code.code if found else "") == refused


def born(moment: datetime, **rules: object) -> NewVoucher | Refusal:
    """A voucher that is handed out at a moment."""
    return new_voucher(Issue(identity(1), identity(2), identity(3), stock(1, **rules), Money(1_000)), moment)


@given(moments, st.integers(0, 30), st.integers(1, 400))
def test_a_voucher_counts_through_the_end_of_its_last_day(moment: datetime, wait: int, days: int) -> None:
    issued = born(moment, wait_days=wait, valid_days=days)
    assert isinstance(issued, NewVoucher)
    begins, ends = instant(issued.valid_us).astimezone(SHANGHAI), instant(issued.expires_us).astimezone(SHANGHAI)
    assert (ends.hour, ends.minute, ends.second) == (0, 0, 0)
    assert begins == (moment if not wait else midnight(moment + timedelta(days=wait)))
    assert midnight(begins) + timedelta(days=days) == ends


@given(moments, st.integers(0, 30), st.integers(1, 400))
def test_nothing_outlives_the_last_day_of_its_stock(moment: datetime, wait: int, days: int) -> None:
    issued = born(moment, wait_days=wait, valid_days=days, not_after="2025-12-31")
    if isinstance(issued, Refusal):
        assert issued.code is CLAIM_OVER and midnight(moment) + timedelta(days=wait) >= at("2026-01-01 00:00:00")
        return
    assert instant(issued.expires_us) <= at("2026-01-01 00:00:00")
    assert issued.valid_us < issued.expires_us


def midnight(moment: datetime) -> datetime:
    """The beginning of the day in Shanghai."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.mark.parametrize(
    ("weekdays", "hours", "moment", "refused"),
    [
        ("", "22:00-02:00", "2025-05-23 23:30:00", ""),
        ("", "22:00-02:00", "2025-05-24 01:59:59", ""),
        ("", "22:00-02:00", "2025-05-24 02:00:00", "voucher_not_now"),
        ("", "18:00-24:00", "2025-05-23 23:59:59", ""),
        ("5", "", "2025-05-23 00:00:00", ""),
        ("5", "", "2025-05-24 00:00:00", "voucher_not_today"),
        ("67", "", "2025-05-22 23:59:59", "voucher_not_today"),
    ],
)
def test_slots_of_the_week_and_of_the_day(weekdays: str, hours: str, moment: str, refused: str) -> None:
    of = stock(1, weekdays=weekdays, hours=hours)
    found = usable(voucher(9, of), of, order(10_000), at(moment))
    assert (found.code.code if found else "") == refused


def test_a_stock_without_limits_by_day_opens_none() -> None:
    assert day_slices(stock(1), at("2025-05-22 10:00:00")) == []
    rows = day_slices(stock(1, day_count=10), at("2025-05-22 10:00:00"))
    assert sum(row["count_left"] for row in rows) == 10 and {row["day"] for row in rows} == {20_230}
    assert day_slices(stock(1, day_count=10), at("2025-05-22 23:59:59")) == rows
