"""Money: parts that sum, one rounding, amounts as people write them."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaquan.kernel.money import MONEY_MAX, Money, MoneyError, Rate, allocate, allocate_next, share, text, yuan

amounts = st.integers(-MONEY_MAX, MONEY_MAX).map(Money)
weights = st.lists(st.integers(0, 10**12), min_size=1, max_size=12).filter(any)


@pytest.mark.parametrize(
    ("amount", "rate", "part"),
    [
        pytest.param(10_000, 60, 60, id="six_per_mille"),
        pytest.param(1, 5_000, 1, id="half_a_fen_goes_up"),
        pytest.param(-1, 5_000, -1, id="half_a_fen_owed_goes_away_from_zero"),
        pytest.param(1, 4_999, 0, id="less_than_half_goes_down"),
        pytest.param(3, 10_000, 3, id="the_whole"),
        pytest.param(99_999, 0, 0, id="nothing"),
    ],
)
def test_a_share_is_rounded_half_up_once(amount: int, rate: int, part: int) -> None:
    assert share(Money(amount), Rate(rate)) == part


@given(amounts, st.integers(0, 10_000).map(Rate))
def test_a_share_is_the_nearest_fen(amount: Money, rate: Rate) -> None:
    exact = Fraction(amount * rate, 10_000)
    assert abs(share(amount, rate) - exact) <= Fraction(1, 2)
    assert share(Money(-amount), rate) == -share(amount, rate)


@pytest.mark.parametrize(
    ("amount", "by", "parts"),
    [
        pytest.param(100, [1, 1, 1], [33, 34, 33], id="thirds"),
        pytest.param(-100, [1, 1, 1], [-33, -34, -33], id="thirds_owed"),
        pytest.param(1, [1, 1], [1, 0], id="one_fen_for_two"),
        pytest.param(10, [0, 5, 0], [0, 10, 0], id="weight_zero_gets_nothing"),
    ],
)
def test_allocate_by_example(amount: int, by: list[int], parts: list[int]) -> None:
    assert allocate(Money(amount), by) == parts


@given(amounts, weights)
def test_parts_sum_and_none_is_off_by_more_than_a_fen(amount: Money, by: list[int]) -> None:
    parts = allocate(amount, by)
    assert sum(parts) == amount
    for part, weight in zip(parts, by, strict=True):
        assert abs(part - Fraction(amount * weight, sum(by))) <= 1
        assert weight or part == 0


@given(st.integers(0, 10**9), weights)
def test_no_part_exceeds_its_weight_as_long_as_the_amount_does_not_their_sum(amount: int, by: list[int]) -> None:
    parts = allocate(Money(min(amount, sum(by))), by)
    assert all(0 <= part <= weight for part, weight in zip(parts, by, strict=True))


@given(st.lists(st.one_of(st.integers(0, 5), st.integers(0, 10**6)), min_size=1, max_size=8).filter(any), st.data())
def test_giving_back_bit_by_bit_never_drifts(weights: list[int], data: st.DataObject) -> None:
    given_back, total = [0] * len(weights), sum(weights)
    for _ in range(data.draw(st.integers(1, 30))):
        amount = min(data.draw(st.one_of(st.integers(0, 3), st.integers(0, total))), total - sum(given_back))
        parts = allocate_next(Money(amount), weights, given_back)
        given_back = [gone + part for gone, part in zip(given_back, parts, strict=True)]
        assert sum(parts) == amount
        assert min(parts) >= 0
        for gone, weight in zip(given_back, weights, strict=True):
            assert gone <= weight
            assert abs(gone * total - weight * sum(given_back)) < 2 * total, "two fen beside its share"
    parts = allocate_next(Money(total - sum(given_back)), weights, given_back)
    assert [gone + part for gone, part in zip(given_back, parts, strict=True)] == weights


def test_a_fen_at_a_time_comes_from_everybody_in_turn() -> None:
    given_back = [0, 0, 0]
    for step in range(1, 7):
        parts = allocate_next(Money(1), [2, 2, 2], given_back)
        given_back = [gone + part for gone, part in zip(given_back, parts, strict=True)]
        assert sum(given_back) == step
        assert max(given_back) <= 2
    assert given_back == [2, 2, 2]


@pytest.mark.parametrize("amount", [-1, 4])
def test_no_more_is_given_back_than_is_left(amount: int) -> None:
    with pytest.raises(MoneyError):
        allocate_next(Money(amount), [2, 3], [1, 1])


@pytest.mark.parametrize("by", [[], [0, 0], [2, -1]])
def test_there_must_be_something_to_split_by(by: list[int]) -> None:
    with pytest.raises(MoneyError):
        allocate(Money(1), by)


@given(amounts)
def test_an_amount_is_read_as_it_is_written(amount: Money) -> None:
    assert yuan(text(amount)) == amount


@pytest.mark.parametrize("written", ["", "1.234", "abc", "nan", "1e3", "10,000,000,000,000.01"])
def test_what_is_no_amount_is_refused(written: str) -> None:
    with pytest.raises(MoneyError):
        yuan(written)
