"""Settlement: the arithmetic sums, the sources add up, periods follow the calendar."""

import io
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaquan.kernel.calendar import Calendar, month_end, shanghai
from kaquan.kernel.ids import Id, new_id
from kaquan.kernel.money import Money, Rate, share
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Source
from kaquan.programs.compiler import compile_program
from kaquan.programs.preset_files import text as preset
from kaquan.programs.terms import ProgramTerms
from kaquan.settlement import cycles
from kaquan.settlement.model import Cut, Entries, PayoutLine
from kaquan.settlement.payouts import write_csv
from kaquan.settlement.statement import statement

CALENDAR = Calendar.load()
CUSTODY, OPERATING = Source.CUSTODY, Source.OPERATING
FEE, RESERVE = Rate(60), Rate(1000)


def terms() -> ProgramTerms:
    compiled = compile_program(preset("jingxika"), date(2025, 5, 20))
    assert not isinstance(compiled, list)
    return compiled[0]


SETTLEMENT = terms().settlement


def entries(gross: int = 0, refunds: int = 0, released: int = 0) -> Entries:
    return Entries(Money(gross), Money(refunds), Money(released))


def test_a_plain_month() -> None:
    made = statement({CUSTODY: entries(90_000), OPERATING: entries(10_000)}, {}, FEE, RESERVE)
    total = made.total
    assert (total.gross, total.fee, total.reserved, total.paid, total.carry) == (100_000, 600, 9_940, 89_460, 0)
    assert made.parts[CUSTODY].paid == 80_514
    assert made.parts[OPERATING].paid == 8_946


def test_the_fee_of_a_refund_in_the_same_period_is_returned() -> None:
    made = statement({CUSTODY: entries(100_000, 50_000)}, {}, FEE, RESERVE)
    assert made.total.fee == share(Money(50_000), FEE)


def test_more_refunds_than_sales_are_carried_and_cost_nothing() -> None:
    made = statement({CUSTODY: entries(1_000, 5_000)}, {}, FEE, RESERVE)
    total = made.total
    assert (total.fee, total.reserved, total.paid, total.carry) == (0, 0, 0, -4_000)
    after = statement({CUSTODY: entries(10_000)}, {CUSTODY: total.carry}, FEE, RESERVE)
    assert after.total.carried == -4_000
    assert after.total.paid + after.total.reserved + after.total.fee == 6_000


def test_a_fee_larger_than_what_is_left_is_charged_and_carried() -> None:
    made = statement({CUSTODY: entries(10_000)}, {CUSTODY: Money(-9_990)}, FEE, RESERVE)
    assert (made.total.fee, made.total.paid, made.total.carry) == (60, 0, -50)


def test_released_reserve_is_paid_and_not_held_back_again() -> None:
    alone = statement({CUSTODY: entries(released=10_000)}, {}, FEE, RESERVE)
    assert (alone.total.fee, alone.total.reserved, alone.total.paid) == (0, 0, 10_000)
    with_trade = statement({CUSTODY: entries(100_000, released=10_000)}, {}, FEE, RESERVE)
    assert with_trade.total.reserved == share(Money(100_000 - 600), RESERVE)


def test_a_source_that_is_owed_lowers_what_the_other_pays() -> None:
    made = statement({CUSTODY: entries(0, 2_000), OPERATING: entries(12_000)}, {}, Rate(0), Rate(0))
    assert made.parts[OPERATING].paid == 10_000
    assert (made.parts[CUSTODY].carry, made.parts[OPERATING].carry) == (-2_000, 2_000)
    assert made.total.carry == 0


def test_nothing_is_a_settlement_of_nothing() -> None:
    made = statement({}, {}, FEE, RESERVE)
    assert made.parts == {} and made.total.paid == 0


amounts = st.integers(0, 10**12)
by_source = st.dictionaries(
    st.sampled_from([CUSTODY, OPERATING, Source.FISCAL]), st.builds(entries, amounts, amounts, amounts)
)
carries = st.dictionaries(
    st.sampled_from([CUSTODY, OPERATING, Source.FISCAL]), st.integers(-(10**12), 10**12).map(Money)
)


@given(by_source, carries, st.integers(0, 5_000).map(Rate), st.integers(0, 5_000).map(Rate))
def test_every_fen_goes_somewhere(
    found: dict[Source, Entries], carried: dict[Source, Money], fee_bps: Rate, reserve_bps: Rate
) -> None:
    made = statement(found, carried, fee_bps, reserve_bps)
    for source, part in made.parts.items():
        assert part.fee >= 0 and part.reserved >= 0 and part.paid >= 0
        payable = part.gross - part.refunds + part.carried + part.released
        assert payable - part.fee - part.reserved - part.paid == part.carry
        if part.paid or part.reserved:
            assert part.carry >= 0, "a source pays no more than it owes"
        assert part.carried == carried.get(source, 0)
    total = made.total
    net = total.gross - total.refunds + total.carried + total.released
    assert total.fee == share(Money(max(total.gross - total.refunds, 0)), fee_bps)
    if net - total.fee > 0:
        assert total.carry == 0 and total.paid + total.reserved == net - total.fee
        assert total.reserved <= share(Money(net - total.fee), reserve_bps)
    else:
        assert total.paid == total.reserved == 0 and total.carry == net - total.fee


def test_the_cut_off_begins_the_next_period() -> None:
    cut_off = cycles.cut_off(SETTLEMENT)
    assert cut_off == time(23)
    before = datetime(2025, 5, 31, 14, 59, 59, 999_999, tzinfo=UTC)
    at = datetime(2025, 5, 31, 15, 0, tzinfo=UTC)
    assert cycles.period_of(before, cut_off) == date(2025, 5, 31)
    assert cycles.period_of(at, cut_off) == date(2025, 6, 30)
    assert cycles.cut_instant(date(2025, 5, 31), cut_off) == at


@given(
    st.integers(0, 10 * 366 * 86_400).map(lambda s: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=s)),
    st.times(),
)
def test_a_period_holds_what_its_cuts_enclose(at: datetime, cut_off: time) -> None:
    period = cycles.period_of(at, cut_off)
    before = month_end(period.replace(day=1) - timedelta(days=1))
    assert cycles.cut_instant(before, cut_off) <= at < cycles.cut_instant(period, cut_off)


def test_pay_day_moves_to_a_business_day() -> None:
    assert cycles.pay_day(date(2025, 5, 31), SETTLEMENT, CALENDAR) == date(2025, 6, 5)
    assert cycles.pay_day(date(2025, 3, 31), SETTLEMENT, CALENDAR) == date(2025, 4, 7)  # 清明 and a weekend
    assert cycles.pay_day(date(2025, 9, 30), SETTLEMENT, CALENDAR) == date(2025, 10, 9)  # 国庆


def test_a_late_settlement_pays_on_no_day_that_has_passed() -> None:
    period = date(2025, 5, 31)
    assert cycles.pay_day(period, SETTLEMENT, CALENDAR, date(2025, 6, 1)) == date(2025, 6, 5)
    assert cycles.pay_day(period, SETTLEMENT, CALENDAR, date(2025, 6, 6)) == date(2025, 6, 6)
    assert cycles.pay_day(period, SETTLEMENT, CALENDAR, date(2025, 6, 7)) == date(2025, 6, 9)  # a Saturday


def test_past_the_calendar_the_pay_day_is_refused_with_the_way_out(tmp_path: Path) -> None:
    beyond = cycles.pay_day(month_end(CALENDAR.horizon), SETTLEMENT, CALENDAR)
    assert isinstance(beyond, Refusal) and beyond.code.code == "calendar_horizon"
    assert beyond.facts["horizon"] == CALENDAR.horizon.isoformat()
    assert "overlay" in beyond.remedy("en") and "日历补充文件" in beyond.remedy("zh")
    overlay = tmp_path / "overlay.toml"
    overlay.write_text(f"[{CALENDAR.horizon.year + 1}]\noff = []\nwork = []\n", "utf-8")
    longer = Calendar.load(overlay)
    assert cycles.pay_day(month_end(CALENDAR.horizon), SETTLEMENT, longer) > CALENDAR.horizon  # type: ignore[operator]


def due(opened: date, settled_to: list[date | None], today: date) -> list[date]:
    return cycles.due_periods(opened, settled_to, SETTLEMENT, CALENDAR, today)


def test_periods_are_due_on_their_pay_day_oldest_first() -> None:
    opened = date(2025, 3, 12)
    march, april, may = date(2025, 3, 31), date(2025, 4, 30), date(2025, 5, 31)
    assert due(opened, [None, None], date(2025, 4, 6)) == []
    assert due(opened, [None, None], date(2025, 4, 7)) == [march]
    assert due(opened, [None, None], date(2025, 6, 5)) == [march, april, may]
    assert due(opened, [march, april], date(2025, 6, 4)) == [april]
    assert due(opened, [april, april], date(2025, 6, 4)) == []
    assert due(opened, [], date(2025, 6, 5)) == []


def test_a_run_that_stopped_half_way_is_still_due_for_the_others() -> None:
    april = date(2025, 4, 30)
    assert due(date(2025, 4, 1), [april, None], date(2025, 5, 6)) == [april]


def test_a_pay_day_beyond_the_calendar_is_due_as_planned_so_that_the_refusal_is_seen() -> None:
    year = CALENDAR.horizon.year
    december = date(year, 12, 31)
    assert due(date(year, 12, 1), [None], date(year + 1, 1, 5)) == [december]


def test_a_cut_follows_only_what_it_includes() -> None:
    assert Cut(20, 200).follows(Cut(10, 200))
    assert not Cut(20, 100).follows(Cut(10, 200))
    assert not Cut(5, 300).follows(Cut(10, 200))


def line(name: str, amount: int = 123_456) -> PayoutLine:
    identity: Id = new_id(1_700_000_000_000, 60)
    return PayoutLine(
        identity,
        "mall-1",
        name,
        "工商银行",
        "0200112230",
        CUSTODY,
        Money(amount),
        date(2025, 5, 31),
        date(2025, 6, 5),
    )


def test_the_banks_file_has_plain_amounts_and_a_control_row() -> None:
    out = io.StringIO(newline="")
    assert write_csv(out, [line("甲店"), line("乙店", 5)]) == (2, 123_461)
    rows = out.getvalue().split("\r\n")
    assert not rows[0].startswith("\ufeff")
    assert rows[1].startswith("pyo_")
    assert rows[1].endswith(",mall-1,甲店,工商银行,0200112230,bank.custody,1234.56,2025-05,2025-06-05")
    assert rows[2].split(",")[6] == "0.05"
    assert rows[3] == "合计,2,,,,,1234.61,,"


@pytest.mark.parametrize("name", ["=1+1", "+86", "-1", "@SUM(A1)", "\tx"])
def test_a_name_is_never_a_formula(name: str) -> None:
    out = io.StringIO(newline="")
    write_csv(out, [line(name)])
    assert f",'{name}," in out.getvalue()


def test_the_first_instant_after_midnight_cut_off_is_the_next_day() -> None:
    assert cycles.cut_instant(date(2025, 5, 31), time.min) == shanghai(date(2025, 6, 1))
