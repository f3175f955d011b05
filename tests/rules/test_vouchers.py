"""What vouchers take off an order, and how funders share it: never more than there is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaquan.funders.rules import promised, used
from kaquan.kernel.clock import instant, microseconds
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import FundShare, Stock
from kaquan.programs.terms import VOUCHERS_MAX
from kaquan.quotas.model import Quotas
from kaquan.vouchers.model import Discount, Voucher, VoucherState, pack_discounts, unpack_discounts
from kaquan.vouchers.orders import Line, apply, counts_for, day_number, usable
from kaquan.vouchers.spending import applied_to
from support.catalogues import BUREAU, MALL, identity, order, stock, voucher

NOW = instant(1_750_000_000_000_000)
"""Sunday 2025-06-15, 23:06 in Shanghai."""

codes = st.sampled_from(["", "bread", "tea", "tv"])
lines = st.lists(st.tuples(codes, st.integers(1, 50_000)), max_size=8)
rules: Any = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["threshold", "percent", "exchange"]),
        "rate_bps": st.integers(0, 10_000),
        "face_fen": st.integers(1, 60_000),
        "goods": st.sampled_from(["", "bread", "tea,tv"]),
        "rank": st.integers(0, 3),
    }
)


@given(st.lists(rules, min_size=1, max_size=5), lines, st.integers(1, 100_000))
def test_vouchers_take_off_at_most_the_goods_they_are_for(
    told: list[dict[str, Any]], goods: list[tuple[str, int]], amount: int
) -> None:
    stocks = [stock(number, **each) for number, each in enumerate(told)]
    of = order(sum(part for _, part in goods) if goods else amount, *goods)
    applied = apply([(voucher(each.id, each), each) for each in stocks], of)
    left = [line.amount for line in (of.lines or (Line("", of.amount),))]
    for one in applied:
        assert sum(one.by_line) == one.amount <= one.voucher.face
        for line, part in zip((of.lines or (Line("", of.amount),)), one.by_line, strict=True):
            assert part == 0 or counts_for(one.stock.rules, line.goods)
        left = [Money(free - part) for free, part in zip(left, one.by_line, strict=True)]
    assert min(left) >= 0
    assert [one.stock.rules.rank for one in applied] == sorted(each.rules.rank for each in stocks)


@given(st.integers(1, 10**9), st.lists(st.integers(1, 10_000), min_size=1, max_size=4), st.data())
def test_what_funders_pay_sums_up_and_nobody_pays_more_than_was_promised(
    face: int, weights: list[int], data: st.DataObject
) -> None:
    funding = tuple(FundShare(BUREAU, bps) for bps in weights)
    promise = promised(funding, Money(face))
    amount = data.draw(st.integers(0, face))
    parts = used(promise, Money(amount))
    assert sum(part for _, part in promise) == face
    assert sum(part for _, part in parts) == amount
    assert all(0 <= part <= most for (_, part), (_, most) in zip(parts, promise, strict=True))


def code_of(vouchers: list[tuple[Voucher, Stock]], amount: int = 10_000, most: int = 20) -> str:
    """The code with which vouchers are refused for an order, or nothing."""
    found = applied_to(order(amount), vouchers, most, Quotas(), NOW)
    return found.code.code if isinstance(found, Refusal) else ""


def test_the_smallest_number_that_a_program_allows_counts() -> None:
    vouchers = [(voucher(number, each), each) for number in (1, 2) if (each := stock(number))]
    assert VOUCHERS_MAX == 20
    assert (code_of(vouchers, most=2), code_of(vouchers, most=1)) == ("", "vouchers_too_many")


def test_a_hold_whose_time_is_up_holds_nobody_off() -> None:
    ten = stock(1)
    at = microseconds(NOW)
    held = {"state": VoucherState.HELD, "holder": identity(5)}
    assert code_of([(voucher(1, ten, held_us=at + 1, **held), ten)]) == "voucher_held"
    assert code_of([(voucher(1, ten, held_us=at, **held), ten)]) == ""


def test_a_day_limit_counts_what_was_used_before() -> None:
    ten = stock(1, use_person_day=2)
    quotas = Quotas()
    quotas.tally(identity(700), ten.id, day_number(NOW)).count = 1
    pairs = [(voucher(1, ten), ten)]
    assert isinstance(applied_to(order(10_000), pairs, 20, quotas, NOW), list)
    quotas.tally(identity(700), ten.id, day_number(NOW)).count = 2
    found = applied_to(order(10_000), pairs, 20, quotas, NOW)
    assert isinstance(found, Refusal)
    assert found.facts == {"stock": "s1", "limit": 2, "used": 2}


@pytest.mark.parametrize(
    ("hours", "counts"),
    [
        pytest.param("22:00-24:00", True, id="until_midnight"),
        pytest.param("22:00-23:06", False, id="the_end_is_not_in_it"),
        pytest.param("23:06-23:07", True, id="the_beginning_is"),
        pytest.param("22:00-02:00", True, id="over_midnight"),
        pytest.param("00:00-22:00", False, id="earlier_today"),
    ],
)
def test_hours_of_the_day(hours: str, counts: bool) -> None:
    late = stock(1, hours=hours)
    assert (usable(voucher(1, late), late, order(10_000), NOW) is None) == counts


@given(
    st.lists(st.tuples(st.integers(1, 9), st.sampled_from([bytes(16), BUREAU.id, MALL.id]), st.integers(1, 2**62)))
)
def test_discounts_are_read_as_they_were_stored(parts: list[tuple[int, bytes, int]]) -> None:
    discounts = [Discount(identity(number), fund, fen) for number, fund, fen in parts]
    assert unpack_discounts(pack_discounts(discounts)) == discounts
