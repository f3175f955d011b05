"""The rebate of one order: a table that finance people can check, and what holds for every ladder."""

from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaquan.kernel.money import WHOLE, ZERO, Money, Rate, share
from kaquan.programs.explain import examples
from kaquan.programs.terms import Band, Rebate
from kaquan.rewards.tiers import rebate

Mode = Literal["whole", "marginal"]
NO_CAP = Money(10**12)


def ladder(mode: Mode, *bands: tuple[int, int], cap: int = NO_CAP) -> Rebate:
    return Rebate(
        base="order",
        mode=mode,
        bands=tuple(Band(from_fen=Money(start), rate_bps=Rate(rate)) for start, rate in bands),
        cap_fen=Money(cap),
        valid_days=90,
    )


@pytest.mark.parametrize(
    ("order", "earned"),
    [
        (0, 0),
        (49_999, 0),
        (50_000, 2_500),
        (50_001, 2_500),  # 2,500.05 fen
        (50_009, 2_500),  # 2,500.45 fen
        (50_010, 2_501),  # 2,500.50 fen: half up
        (399_999, 20_000),  # 19,999.95 fen
        (400_000, 20_000),
        (400_001, 20_000),  # the cap
        (10_000_000, 20_000),
    ],
)
def test_the_preset_gives_five_percent_of_the_whole_order_from_500_yuan(order: int, earned: int) -> None:
    assert rebate(Money(order), ladder("whole", (50_000, 500), cap=20_000)) == earned


@pytest.mark.parametrize(
    ("order", "earned"),
    [
        (50_000, 0),
        (50_009, 0),  # 0.45 fen
        (50_010, 1),  # 0.50 fen: half up
        (60_000, 500),
        (100_000, 2_500),
        (100_005, 2_501),  # 2,500 + 0.5 fen: half up once, on the sum
        (110_000, 3_500),
        (1_000_000, 20_000),
    ],
)
def test_marginal_bands_pay_on_their_own_part(order: int, earned: int) -> None:
    assert rebate(Money(order), ladder("marginal", (50_000, 500), (100_000, 1_000), cap=20_000)) == earned


def test_marginal_rounds_the_sum_and_not_each_band() -> None:
    two_halves = ladder("marginal", (0, 5_000), (1, 5_000))  # 0.5 fen in each band
    assert rebate(Money(2), two_halves) == 1


def test_no_bands_no_rebate() -> None:
    assert rebate(Money(1_000_000), ladder("whole")) == ZERO
    assert rebate(Money(1_000_000), ladder("marginal")) == ZERO


@st.composite
def ladders(draw: st.DrawFn, mode: Mode | None = None) -> Rebate:
    """Any ladder that `validate` lets through."""
    starts = sorted(draw(st.sets(st.integers(0, 1_000_000), max_size=6)))
    rates = draw(st.lists(st.integers(0, WHOLE), min_size=len(starts), max_size=len(starts)))
    either: st.SearchStrategy[Mode] = st.sampled_from(("whole", "marginal"))
    chosen = draw(either) if mode is None else mode
    if chosen == "whole":
        rates.sort()
    return ladder(chosen, *zip(starts, rates, strict=True), cap=draw(st.integers(1, 500_000)))


orders = st.integers(0, 2_000_000).map(Money)


@given(ladders(), orders)
def test_a_rebate_is_never_negative_never_above_the_cap_nor_the_order(tiers: Rebate, order: Money) -> None:
    assert 0 <= rebate(order, tiers) <= min(tiers.cap_fen, order)


@given(ladders(), orders, orders)
def test_spending_more_never_earns_less(tiers: Rebate, one: Money, other: Money) -> None:
    low, high = sorted((one, other))
    assert rebate(low, tiers) <= rebate(high, tiers)


@given(ladders("whole"), orders)
def test_whole_is_the_share_of_the_highest_band_reached(tiers: Rebate, order: Money) -> None:
    reached = [band.rate_bps for band in tiers.bands if band.from_fen <= order]
    expected = share(order, reached[-1]) if reached else ZERO
    assert rebate(order, tiers) == min(expected, tiers.cap_fen)


@given(ladders("marginal"), orders)
def test_marginal_is_the_sum_over_single_fen_bands_within_half_a_fen(tiers: Rebate, order: Money) -> None:
    edges = [*(min(band.from_fen, order) for band in tiers.bands), order]
    exact = sum((high - low) * band.rate_bps for band, (low, high) in zip(tiers.bands, pairwise(edges), strict=False))
    earned = rebate(order, tiers)
    assert (
        earned == tiers.cap_fen
        or -WHOLE < 2 * (exact - earned * WHOLE) < WHOLE
        or 2 * (earned * WHOLE - exact) == WHOLE
    )


@given(ladders())
def test_the_examples_that_explain_gives_are_what_the_rule_pays(tiers: Rebate) -> None:
    for order, earned in examples(tiers):
        assert rebate(order, tiers) == earned
