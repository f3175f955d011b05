"""The refund oracle and the rules that refund agree on random lives of orders; what the oracle says of named ones.

`KAQUAN_REFUND_SEQUENCES` tells how many sequences of five refunds or so are told, `KAQUAN_REFUND_SEED` from which one
on: 50,000 take three minutes on one core.
"""

import os
from collections import Counter
from fractions import Fraction
from typing import Any

import pytest

from kaquan.oracle.model import Ask, LineOf, Outcome, PaidOrder, Part, Policy, RebateOf, VoucherUse
from kaquan.oracle.rules import earned, judge
from kaquan.oracle.shares import proportion
from support.sequences import Sequence

SEQUENCES = int(os.environ.get("KAQUAN_REFUND_SEQUENCES", "400"))
FIRST = int(os.environ.get("KAQUAN_REFUND_SEED", "0"))
SITUATIONS = {
    *("late", "by_line", "repriced", "first_paid_first", "last_paid_first", "cash", "settled", "set_off"),
    *("card_frozen", "card_closed", "principal_expired", "principal_kept", "grant_expired", "grant_again"),
    *("rebate_cancelled", "rebate_clawed", "refund_window_over", "late_refund_forbidden", "refund_card_frozen"),
    *("refund_lines_invalid", "refund_count_reached", "payment_state"),
}


def test_engine_and_oracle_agree_on_random_sequences() -> None:
    seen: Counter[str] = Counter()
    for seed in range(FIRST, FIRST + SEQUENCES):
        sequence = Sequence(seed)
        sequence.run()
        seen += sequence.seen
    if SEQUENCES >= 400:
        assert not SITUATIONS - seen.keys(), "each situation was met"


def order(**told: Any) -> PaidOrder:
    """100 yuan: 63 principal, 27 bonus, a voucher of 10 that two funds pay, unless told otherwise."""
    parts = (
        Part("principal", "holder", 6_300),
        Part("bonus", "issuer", 2_700),
        Part("voucher", "city", 600),
        Part("voucher", "mall", 400),
        Part("outside", "merchant", 0),
    )
    voucher = VoucherUse((2, 3), 1_000, (("city", 6_000), ("mall", 4_000)), min_order=10_000)
    return PaidOrder(**{"captured": 10_000, "refunded": 0, "parts": parts, "vouchers": (voucher,)} | told)


def only(given: PaidOrder, ask: Ask) -> Outcome:
    """The one outcome."""
    verdict = judge(given, ask)
    assert not verdict.refused
    (outcome,) = verdict.outcomes
    return outcome


def test_a_third_comes_back_in_fractions_and_rounding_leaves_less_than_two_fen() -> None:
    outcome = only(order(), Ask(amount=3_333))
    principal = outcome.shares[0]
    assert principal.exact.low == principal.exact.high == Fraction(6_300 * 3_333, 10_000)
    assert (principal.least, principal.most) == (2_098, 2_101)
    assert [one.fate for one in outcome.vouchers] == ["kept"]


@pytest.mark.parametrize(
    ("card", "policy", "goes"),
    [
        ("open", Policy(), ["on_card", "on_card"]),
        ("closed", Policy(), ["owed_to_holder", "payer"]),
        ("frozen", Policy(), ["on_card", "on_card"]),
    ],
)
def test_where_the_cards_part_goes(card: Any, policy: Policy, goes: list[str]) -> None:
    outcome = only(order(card=card, policy=policy), Ask())
    assert [one.goes for one in outcome.shares[:2]] == goes


def test_a_voucher_that_needs_a_fen_more_or_less_of_a_budget_has_two_outcomes() -> None:
    used = VoucherUse((2, 3), 1_500, (("city", 6_001), ("mall", 3_999)))
    fates = [
        [one.vouchers[0].fate for one in judge(order(vouchers=(used,), free=free), Ask()).outcomes]
        for free in ((), (("city", 300), ("mall", 200)), (("city", 301), ("mall", 200)))
    ]
    assert fates == [["returned"], ["again", "returned"], ["again"]]


def test_everything_that_speaks_against_a_refund_is_said_at_once() -> None:
    given = order(window_over=True, card="frozen", policy=Policy(frozen_card="refuse", count_max=1), refunds=1)
    refused = judge(given, Ask(amount=20_000)).refused
    codes = ["refund_window_over", "refund_card_frozen", "refund_exceeds_payment", "refund_count_reached"]
    assert [one.code for one in refused] == codes
    assert all(one.zh and one.en for one in refused)


def test_lines_give_back_what_vouchers_took_off_them() -> None:
    lines = (LineOf("bread", 8_000, (1_000,)), LineOf("tea", 2_000, (0,)))
    outcome = only(order(lines=lines), Ask(lines=(1,)))
    assert [one.most for one in outcome.shares[2:4]] == [0, 0] or outcome.shares[2].exact.high == 0
    assert judge(order(lines=lines), Ask(lines=(2,))).refused[0].code == "refund_lines_invalid"


def test_a_rebate_becomes_what_the_rest_earns() -> None:
    rebate = RebateOf("granted", 900, 0, ((5_000, 500), (8_000, 1_000)), cap=10_000)
    assert earned(order(rebate=rebate), 9_000) == 900
    assert only(order(rebate=rebate), Ask(amount=2_000)).rebate_cut[1] >= 900 - 360
    assert only(order(rebate=rebate), Ask()).rebate_cut == (900, 900)


def test_who_gave_back_too_much_before_waits_for_the_others() -> None:
    assert proportion(Fraction(10), [50, 50], [30, 0]) == [0, 10]
    assert proportion(Fraction(40), [50, 50], [30, 0]) == [5, 35]
    assert sum(proportion(Fraction(7), [3, 5, 11], [0, 5, 2])) == 7
