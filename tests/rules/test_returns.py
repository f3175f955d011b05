"""Partial refunds, captures and voids: whatever the order, every party gets back exactly what it paid, never more.

The real rules decide on loaded rows, one command after the other; the money that they post is added up beside them.
"""

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from kaquan.commands.model import Plan
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Account
from kaquan.payments.model import Authorize, Capture, Pay, Payment, Void
from kaquan.programs.catalogue import FundShare, Stock
from kaquan.vouchers.model import VoucherState, unpack_discounts
from kaquan.vouchers.orders import Line
from support.catalogues import BUREAU, MALL, SHOP, SPLIT, identity, stock
from support.till import Till

MERCHANT_BORNE = (FundShare(None, 10_000),)
THREE = (FundShare(BUREAU, 3_333), FundShare(MALL, 3_333), FundShare(None, 3_334))


def fifty(**rules: Any) -> Stock:
    """满100减10."""
    return stock(1, **({"kind": "threshold", "min_order_fen": 10_000} | rules))


stocks: Any = st.lists(
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["threshold", "percent", "instant"]),
            "rate_bps": st.integers(1, 6_000),
            "face_fen": st.integers(1, 4_000),
            "min_order_fen": st.sampled_from([0, 3_000]),
            "goods": st.sampled_from(["", "", "bread"]),
            "rank": st.integers(0, 2),
            "partial_refund": st.sampled_from(["keep", "reprice"]),
            "below_threshold": st.sampled_from(["keep", "drop"]),
            "after_refund": st.sampled_from(["reusable", "never", "proportional", "reissue"]),
            "funding": st.sampled_from([SPLIT, MERCHANT_BORNE, THREE]),
        }
    ),
    min_size=1,
    max_size=3,
)
baskets = st.lists(
    st.tuples(st.sampled_from(["bread", "tea"]), st.integers(1, 6_000)), min_size=1, max_size=6
).filter(lambda goods: sum(part for code, part in goods if code == "bread") >= 3_000)
budgets = st.sampled_from([0, 5_000])


def opened(told: list[dict[str, Any]], budget: int) -> Till:
    """A till with a voucher of each of these stocks."""
    return Till(
        *[
            stock(at, *each["funding"], **{k: v for k, v in each.items() if k != "funding"})
            for at, each in enumerate(told, 1)
        ],
        budget=budget,
    )


def paid(till: Till, goods: list[tuple[str, int]], outside: int, shape: type[Pay] = Pay) -> Payment | None:
    """A payment for a basket, or None when some voucher finds nothing to take off."""
    lines = tuple(Line(code, Money(part)) for code, part in goods)
    amount = Money(sum(part for _, part in goods))
    told = {"vouchers": tuple(till.vouchers), "store": None, "order_no": "o", "merchant": SHOP.id}
    command = shape(
        key="k", caller=OPERATOR, card=till.card.id, amount=amount, lines=lines, outside=Money(outside), **told
    )
    return till.payments[identity(till.number)] if isinstance(till.say(command), Plan) else None


@given(stocks, baskets, st.integers(0, 800), budgets, st.data())
def test_refunds_in_any_sizes_give_every_party_what_it_paid(
    told: list[dict[str, Any]], goods: list[tuple[str, int]], outside: int, budget: int, data: st.DataObject
) -> None:
    till = opened(told, budget)
    payment = paid(till, goods, outside)
    if payment is None:
        return
    till.check(payment)
    for _ in range(data.draw(st.integers(1, 12))):
        left = payment.captured - payment.refunded
        if not left:
            break
        if data.draw(st.booleans()):
            till.refund(payment, data.draw(st.one_of(st.integers(1, left + 1), st.integers(1, 9))))
        else:
            till.refund(payment, None, *data.draw(st.sets(st.integers(0, len(goods)), min_size=1)))
        till.check(payment)
    if payment.refunded < payment.captured:
        assert isinstance(till.refund(payment), Plan)
    till.check(payment)
    refunded, weights, back = till.paid(payment)
    assert (refunded, back) == (payment.captured, weights)
    assert sum(each.balance for each in till.lots) == 100_000
    assert till.books[Account.MERCHANT_PAYABLE, SHOP.id] == 0
    assert isinstance(till.refund(payment), Refusal)


@given(stocks, baskets, st.lists(st.one_of(st.integers(1, 9), st.integers(1, 9_000)), max_size=12))
def test_who_keeps_his_discount_gives_back_in_proportion(
    told: list[dict[str, Any]], goods: list[tuple[str, int]], amounts: list[int]
) -> None:
    till = opened([each | {"partial_refund": "keep"} for each in told], 0)
    payment = paid(till, goods, 0)
    if payment is None:
        return
    for amount in amounts:
        till.refund(payment, min(amount, payment.captured - payment.refunded))
        refunded, weights, back = till.paid(payment)
        for weight, gone in zip(weights, back, strict=True):
            assert abs(gone * payment.captured - weight * refunded) < 2 * payment.captured, "two fen beside its share"
        if refunded == payment.captured:
            break


@given(stocks, baskets, st.integers(0, 800), st.data())
def test_a_capture_takes_its_amount_and_no_voucher_for_nothing(
    told: list[dict[str, Any]], goods: list[tuple[str, int]], outside: int, data: st.DataObject
) -> None:
    till = opened(told, 0)
    payment = paid(till, goods, outside, Authorize)
    if payment is None:
        return
    held = list(unpack_discounts(payment.discounts))
    amount = data.draw(st.integers(1, payment.amount))
    assert isinstance(till.say(Capture(key="k", caller=OPERATOR, payment=payment.id, amount=Money(amount))), Plan)
    till.check(payment)
    assert payment.captured == amount
    assert sum(each.held for each in till.lots) == 0
    taken = {one.voucher for one in unpack_discounts(payment.discounts)}
    for identity_ in {one.voucher for one in held}:
        state = till.vouchers[identity_].state
        assert state == (VoucherState.REDEEMED if identity_ in taken else VoucherState.ISSUED)
    till.refund(payment)
    till.check(payment)
    assert sum(each.balance for each in till.lots) == 100_000


@given(stocks, baskets, st.integers(0, 800))
def test_a_void_leaves_everything_as_it_was(
    told: list[dict[str, Any]], goods: list[tuple[str, int]], outside: int
) -> None:
    till = opened(told, 0)
    payment = paid(till, goods, outside, Authorize)
    if payment is None:
        return
    assert isinstance(till.say(Void(key="k", caller=OPERATOR, payment=payment.id)), Plan)
    till.check(payment)
    assert {one.state for one in till.vouchers.values()} == {VoucherState.ISSUED}
    assert [(each.balance, each.held) for each in till.lots] == [(66_666, 0), (33_334, 0)]


def card_back(till: Till, payment: Payment) -> int:
    """What has come back to the card."""
    _, _, back = till.paid(payment)
    return sum(back[: len(payment.allocation) // 24])


@pytest.mark.parametrize(
    ("rule", "back"), [pytest.param("keep", 4_500, id="keep"), pytest.param("reprice", 4_000, id="reprice")]
)
@pytest.mark.parametrize("by_line", [False, True])
def test_one_of_two_comes_back(rule: str, back: int, by_line: bool) -> None:
    till = Till(fifty(partial_refund=rule))
    payment = till.pay(10_000, lines=(Line("cup", Money(5_000)), Line("cup", Money(5_000))))
    plan = till.refund(payment, None, 1) if by_line else till.refund(payment, 5_000)
    assert isinstance(plan, Plan)
    assert card_back(till, payment) == back
    till.check(payment)


def test_of_what_costs_less_than_the_discount_lost_with_it_nothing_comes_back() -> None:
    till = Till(fifty(face_fen=3_000, partial_refund="reprice"))
    payment = till.pay(11_000, lines=(Line("pot", Money(9_000)), Line("lid", Money(2_000))))
    assert isinstance(till.refund(payment, None, 1), Plan)
    assert card_back(till, payment) == 0
    assert isinstance(till.refund(payment, None, 0), Plan)
    assert card_back(till, payment) == 8_000


def test_the_rest_is_priced_after_what_earlier_vouchers_take_off_it() -> None:
    ten = stock(1, rank=1)
    fifth = stock(2, kind="percent", rate_bps=2_000, face_fen=5_000, rank=2, partial_refund="reprice")
    till = Till(ten, fifth)
    payment = till.pay(10_000)  # 10 off, then 20 % of 90: 18
    assert isinstance(till.refund(payment, 5_000), Plan)
    # 5 of the 10 stay, and 20 % of 45, which are 9: of the 50 the vouchers get 5 and 9 back
    assert card_back(till, payment) == 3_600


def test_one_that_is_priced_anew_leaves_others_no_less_than_nothing() -> None:
    anew = {"partial_refund": "reprice"}
    till = Till(stock(1, rank=1, face_fen=5_000, **anew), stock(2, rank=2, face_fen=3_000), stock(3, rank=3, **anew))
    payment = till.pay(10_000)
    assert isinstance(till.refund(payment, 6_000), Plan), "the first takes all of the rest, the second a share of it"
    till.check(payment)
    assert isinstance(till.refund(payment), Plan)
    till.check(payment)


def test_27_refunds_of_a_quarter_yuan_never_give_back_more_than_was_paid() -> None:
    till = Till(stock(1, face_fen=133))
    payment = till.pay(799)  # 6.66 by card
    for _ in range(26):
        assert isinstance(till.refund(payment, 30), Plan)
        till.check(payment)
    assert isinstance(till.refund(payment, 20), Refusal)
    assert isinstance(till.refund(payment, 19), Plan)
    assert card_back(till, payment) == 666


def test_without_budget_a_voucher_that_had_left_some_of_its_face_does_not_count_again() -> None:
    half = {"kind": "percent", "rate_bps": 500, "face_fen": 1_000}
    for budget, state in ((0, VoucherState.RETURNED), (1_000, VoucherState.ISSUED)):
        till = Till(stock(1, **half), budget=budget)
        payment = till.pay(10_000)  # 5 of its 10 off: the other 5 are free again, but in no slice yet
        assert isinstance(till.refund(payment), Plan)
        till.check(payment)
        assert till.vouchers[identity(101)].state == state


@pytest.mark.parametrize(("budget", "again", "left"), [(320, 1, 20), (620, 2, 5)])
def test_vouchers_that_count_again_do_not_draw_on_the_same_budget(budget: int, again: int, left: int) -> None:
    half = {"kind": "percent", "rate_bps": 500, "face_fen": 1_000}
    till = Till(stock(1, **half), stock(2, **half), budget=budget)
    payment = till.pay(10_000)  # 5 off, then 4.75: of the bureau's 6 each, 3 and 3.15 would be promised anew
    assert isinstance(till.refund(payment), Plan)
    till.check(payment)
    assert [one.state for one in till.vouchers.values()].count(VoucherState.ISSUED) == again
    assert [each.fen_left for each in till.quotas.pool(BUREAU.id)] == [left]


def test_a_capture_that_earlier_vouchers_cover_frees_the_others() -> None:
    till = Till(stock(1, rank=1), stock(2, rank=2, face_fen=500))
    payment = till.pay(10_000, Authorize)
    till.say(Capture(key="k", caller=OPERATOR, payment=payment.id, amount=Money(800)))
    till.check(payment)
    states = [one.state for one in till.vouchers.values()]
    assert states == [VoucherState.REDEEMED, VoucherState.ISSUED]
    assert (till.vouchers[identity(101)].used, till.vouchers[identity(102)].used) == (800, 0)


def test_a_voucher_of_which_some_came_back_before_does_not_count_again() -> None:
    till = Till(fifty(), budget=10_000)
    payment = till.pay(10_000)
    till.refund(payment, 1)
    till.refund(payment)
    till.check(payment)
    assert till.vouchers[identity(101)].state == VoucherState.RETURNED
