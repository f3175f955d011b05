"""The quote: never beaten by any legal combination, and a reason for every voucher that it leaves out."""

from itertools import combinations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kaquan.kernel.clock import instant
from kaquan.kernel.money import Money
from kaquan.programs.catalogue import Stock
from kaquan.quotas.model import Quotas
from kaquan.vouchers.model import Voucher
from kaquan.vouchers.orders import Order
from kaquan.vouchers.quote import SEARCHED_MAX, Choice, choose
from kaquan.vouchers.spending import applied_to
from support.catalogues import LAST, order, stock, voucher

NOW = instant(1_750_000_000_000_000)
CODES = ["bread", "tea", "tv"]

Pair = tuple[Voucher, Stock]


def chosen(of: Order, vouchers: list[Pair], most: int = 20, room: int | None = None) -> Choice:
    """The quote for vouchers that are used by nobody else."""
    return choose(of, vouchers, Quotas(), NOW, most=most, room=of.amount if room is None else Money(room))


def codes(choice: Choice) -> list[str]:
    """Of each voucher, the code of why it is not used, or nothing."""
    return [one.why_not.code.code if one.why_not else "" for one in choice.verdicts]


@st.composite
def wallets(draw: st.DrawFn) -> list[Pair]:
    """Up to seven vouchers of up to five stocks that get in each other's way."""
    stocks = []
    for number in range(draw(st.integers(1, 5))):
        percent = draw(st.booleans())
        rules: dict[str, Any] = {
            "kind": "percent" if percent else "threshold",
            "rate_bps": draw(st.integers(1, 10_000)) if percent else 0,
            "face_fen": draw(st.integers(1, 3_000)),
            "min_order_fen": draw(st.sampled_from([0, 0, 1_000, 5_000])),
            "goods": draw(st.sampled_from(["", "", "bread", "tea,tv"])),
            "category": draw(st.sampled_from(["a", "b", "c", "d"])),
            "exclusive": draw(st.sampled_from([False, False, False, True])),
            "rank": draw(st.integers(0, 2)),
            "use_person_day": draw(st.integers(0, 1)),
        }
        stocks.append(stock(number, **rules))
    picked = draw(st.lists(st.tuples(st.sampled_from(stocks), st.integers(1, 3)), min_size=1, max_size=7))
    return [(voucher(number, of, expires_us=LAST + days), of) for number, (of, days) in enumerate(picked, start=1)]


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """An order, with its lines or without."""
    lines = draw(st.lists(st.tuples(st.sampled_from(CODES), st.integers(1, 4_000)), max_size=4))
    return order(sum(part for _, part in lines) if lines else draw(st.integers(1, 9_000)), *lines)


def place(combination: tuple[Pair, ...], of: Order, most: int, room: int) -> tuple[Any, ...] | None:
    """Where a combination stands among all, by what the quote promises; None when it does not count."""
    applied = applied_to(of, combination, most, Quotas(), NOW)
    if not isinstance(applied, list) or sum(one.amount for one in applied) > room:
        return None
    expiries = sorted(one.voucher.expires_us for one in applied)
    return -sum(one.amount for one in applied), len(applied), expiries


@given(wallets(), orders(), st.integers(0, 4), st.integers(0, 2_000))
def test_no_legal_combination_beats_the_choice(vouchers: list[Pair], of: Order, most: int, outside: int) -> None:
    room = max(0, of.amount - outside)
    choice = chosen(of, vouchers, most, room)
    everything = [each for size in range(1, len(vouchers) + 1) for each in combinations(vouchers, size)]
    places = [found for each in everything if (found := place(each, of, most, room))]
    used = tuple((one.voucher, one.stock) for one in choice.applied)
    if places:
        assert place(used, of, most, room) == min(places)
    else:
        assert not used


@given(wallets(), orders(), st.integers(0, 4))
def test_every_voucher_is_used_or_told_why_not(vouchers: list[Pair], of: Order, most: int) -> None:
    choice = chosen(of, vouchers, most)
    assert [one.voucher for one in choice.verdicts] == [one for one, _ in vouchers]
    for verdict in choice.verdicts:
        assert (verdict.amount > 0) == (verdict.why_not is None)
    assert sum(one.amount for one in choice.verdicts) == choice.amount <= of.amount


@given(wallets(), orders(), st.permutations(range(7)))
def test_the_choice_does_not_depend_on_the_order_of_the_wallet(
    vouchers: list[Pair], of: Order, turn: list[int]
) -> None:
    shuffled = [vouchers[at] for at in turn if at < len(vouchers)]
    assert [one.voucher.id for one in chosen(of, shuffled).applied] == [
        one.voucher.id for one in chosen(of, vouchers).applied
    ]


def test_what_saves_less_is_told_how_much_less() -> None:
    ten, eight = stock(1, category="a"), stock(2, face_fen=800, category="a")
    choice = chosen(order(5_000), [(voucher(1, ten), ten), (voucher(2, eight), eight)])
    assert codes(choice) == ["", "voucher_not_best"]
    reason = choice.verdicts[1].why_not
    assert reason is not None
    assert reason.facts == {"saves_more_fen": 200}


def test_of_two_alike_the_one_that_expires_first_is_used_and_the_other_spared() -> None:
    ten = stock(1)
    later, sooner = voucher(1, ten, expires_us=LAST + 2), voucher(2, ten, expires_us=LAST + 1)
    choice = chosen(order(5_000), [(later, ten), (sooner, ten)])
    assert [one.voucher for one in choice.applied] == [sooner]
    assert codes(choice) == ["voucher_spared", ""]


def test_one_voucher_that_covers_the_order_is_better_than_two() -> None:
    small, large = stock(1, face_fen=500, rank=1), stock(2, face_fen=1_000, rank=2)
    choice = chosen(order(1_000), [(voucher(1, small), small), (voucher(2, large), large)])
    assert [one.stock.code for one in choice.applied] == ["s2"]
    assert codes(choice) == ["voucher_spared", ""]


def test_an_exclusive_voucher_stands_against_all_others_together() -> None:
    alone, one, two = stock(1, face_fen=1_500, exclusive=True), stock(2), stock(3)
    vouchers = [(voucher(number, each), each) for number, each in enumerate((alone, one, two), start=1)]
    choice = chosen(order(5_000), vouchers)
    assert choice.amount == 2_000
    assert codes(choice) == ["voucher_not_best", "", ""]


def test_what_was_paid_outside_leaves_no_room_for_a_voucher() -> None:
    ten = stock(1)
    choice = chosen(order(5_000), [(voucher(1, ten), ten)], room=999)
    assert not choice.applied
    assert codes(choice) == ["voucher_no_effect"]


def test_beyond_the_limit_only_the_best_of_each_category_are_searched() -> None:
    many = [stock(number, face_fen=number) for number in range(1, SEARCHED_MAX + 4)]
    choice = chosen(order(50_000), [(voucher(each.id, each), each) for each in many], most=3)
    assert [one.amount for one in choice.applied] == [13, 14, 15]
    assert (choice.usable, choice.searched) == (SEARCHED_MAX + 3, SEARCHED_MAX)
    assert codes(choice)[:3] == ["voucher_not_searched"] * 3


def test_two_hundred_lines_and_twelve_vouchers_are_quoted_in_the_blink_of_an_eye() -> None:
    lines = [(f"{CODES[number % 3]}-{number}", 100 + number) for number in range(200)]
    many = [
        stock(number, kind="percent", rate_bps=500, face_fen=5_000, goods=CODES[number % 3], rank=number)
        for number in range(SEARCHED_MAX)
    ]
    of = order(sum(part for _, part in lines), *lines)
    choice = chosen(of, [(voucher(each.id + 1, each), each) for each in many], most=5)
    assert len(choice.applied) == 5
