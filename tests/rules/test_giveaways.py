"""What a program gives away: it is payable and countable, told in sentences, its worst case known beforehand."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaquan.funders.rules import promised
from kaquan.kernel.money import Money, Rate
from kaquan.kernel.refusal import RefusalCode
from kaquan.law import errors as law_errors
from kaquan.law.model import law_on
from kaquan.programs import errors
from kaquan.programs.catalogue import FundShare
from kaquan.programs.explain import explain
from kaquan.programs.liability import ISSUER, FunderPart, liability, worst_parts
from support.grants import everything_text, stock_text
from support.programs import DAY, PRESET, edited, judged, terms_of

TOP_UP: dict[str, Any] = {"kind": "top_up", "min_order_fen": 0}
READ_BY_ORDERS: dict[str, Any] = {
    "weekdays": "67",
    "hours": "18:00-24:00",
    "goods": "tea",
    "places": "mall-1",
    "use_person_day": 1,
    "below_threshold": "keep",
    "partial_refund": "reprice",
    "after_refund": "never",
    "breaker_hour_count": 100,
}
"""Terms that only an order at a merchant reads."""


def codes(text: str) -> list[RefusalCode]:
    return [refusal.code for refusal in judged(PRESET + text)]


def granted(**stock: Any) -> str:
    """A stock that a monthly plan of twelve vouchers grants."""
    return stock_text("gift", **stock) + everything_text(only=("drips",))


def paying(of: str, fund: str, share: int = 10_000) -> str:
    """A fund that pays for a bonus."""
    return f'\n[[funding]]\nof = "{of}"\nfund = "{fund}"\nshare_bps = {share}\n'


def test_who_pays_for_bonus_is_told_and_bears_it() -> None:
    text = PRESET + paying("rebate", "bank", 6_000) + paying("rebate", "city", 4_000) + paying("presale", "city")
    assert judged(text) == []
    terms = terms_of(text)
    english = explain(terms, law_on(terms.program.law_packs, DAY), "en")
    assert "Of the rebate bank pays 60%, city pays 40%." in english
    assert "Of what a purchase puts on top of its price city pays all of it." in english
    assert [(item.cause, item.code) for item in liability(terms).unbounded] == [
        ("bonus", "city"),
        ("rebate", "bank, city"),
    ]


def test_a_program_that_gives_everything_stands_and_is_told() -> None:
    text = PRESET + everything_text()
    assert judged(text) == []
    terms = terms_of(text)
    law = law_on(terms.program.law_packs, DAY)
    chinese, english = explain(terms, law, "zh"), explain(terms, law, "en")
    assert len(chinese) == len(english)
    for told in (
        "券“满减券”（off-10）：满 100.00 元减 10.00 元。",
        "共 100 张，最多 1,000.00 元，领取。",
        "优惠由city承担 60%，商户承担 40%。",
        "每人最多领 2 张，每台设备最多 1 张。",
        "券“满减券”（tenth）：满 0.00 元减 10%，最多 20.00 元。",
        "充值或购卡满 500.00 元，之后 12 个月每月发 1 张“满减券”，预算在充值时锁定。",
    ):
        assert told in chinese
    for told in (
        "Voucher Ten off (off-10): 10.00 yuan off an order from 100.00 yuan on.",
        "There are 100 vouchers, 1,000.00 yuan at most, claimed.",
        "3 days after it is handed out, it counts for 30 days, on weekdays (1 is Monday) 67, at 18:00-24:00.",
        "Of the discount city pays 60%, the merchant pays 40%.",
        "10 random packets of 1.00 to 10.00 yuan hold 50.00 yuan together, as Ten off; "
        "what is left after 24 hours goes back.",
    ):
        assert any(sentence.casefold() == told.casefold() for sentence in english), told


def test_what_cannot_be_given_is_refused() -> None:
    cases: list[tuple[str, RefusalCode, dict[str, Any]]] = [
        (stock_text() + stock_text(), errors.GRANT_CODE_TWICE, {"term": "stocks[2].code", "code": "off-10"}),
        (stock_text("a1", ("city", 9_999)), errors.FUNDING_SHARES, {"stock": "a1", "sum_bps": 9_999}),
        (stock_text("a1", ("city", 5_000), ("city", 5_000)), errors.FUNDING_TWICE, {"term": "funding[2]"}),
        (stock_text("a1").replace('of = "a1"', 'of = "b1"'), errors.FUNDING_OF_NOTHING, {"stock": "b1"}),
        (stock_text(rate_bps=1), errors.STOCK_RATE, {"kind": "threshold", "rate_bps": 1}),
        (stock_text(kind="percent"), errors.STOCK_RATE, {"kind": "percent", "rate_bps": 0}),
        (stock_text(kind="exchange"), errors.STOCK_GOODS, {"term": "stocks[1].goods"}),
        (stock_text(min_order_fen=1_000), errors.STOCK_THRESHOLD, {"face_fen": 1_000, "min_order_fen": 1_000}),
        (stock_text(budget_fen=999), errors.STOCK_BUDGET, {"term": "stocks[1].budget_fen", "budget_fen": 999}),
        (stock_text(day_budget_fen=1), errors.STOCK_BUDGET, {"term": "stocks[1].day_budget_fen"}),
        (
            stock_text(claim_from="2025-06-02 10:00", claim_until="2025-06-02 10:00"),
            errors.STOCK_WINDOW,
            {"earlier": "2025-06-02 10:00", "later": "2025-06-02 10:00"},
        ),
        (stock_text(claim_from="2025-02-30 10:00"), errors.STOCK_WINDOW, {"earlier": "2025-02-30 10:00"}),
        (stock_text(not_after="2025-02-30"), errors.STOCK_WINDOW, {"later": "2025-02-30"}),
        (
            stock_text(claim_until="2025-06-02 10:00", not_after="2025-06-04", wait_days=3),
            errors.STOCK_WINDOW,
            {"earlier": "2025-06-02 10:00", "later": "2025-06-04"},
        ),
        (stock_text(hours="22:00-02:00"), errors.STOCK_WINDOW, {"earlier": "22:00", "later": "02:00"}),
        (stock_text(valid_days=91), law_errors.VOUCHER_VALID_TOO_LONG, {"valid_days": 91, "law_days": 90}),
        (
            stock_text() + everything_text(only=("drips",)).replace('stock = "gift"', 'stock = "none"'),
            errors.GRANT_STOCK,
            {"term": "drips[1].stock", "stock": "none"},
        ),
    ]
    assert_refused(cases)


def test_what_is_granted_by_itself_fits_its_stock() -> None:
    cases: list[tuple[str, RefusalCode, dict[str, Any]]] = [
        (granted(), errors.GRANT_HAND_OUT, {"term": "drips[1].stock", "hand_out": "claim"}),
        (granted(hand_out="grant", person_total=1), errors.GRANT_LIMITED, {"limit": "person_total"}),
        (granted(hand_out="grant", claim_from="2025-06-02 10:00"), errors.GRANT_LIMITED, {"limit": "claim_from"}),
        (granted(hand_out="grant", not_after="2025-06-30"), errors.GRANT_ENDS, {"not_after": "2025-06-30"}),
        (granted(hand_out="grant", count=11), errors.PLAN_FITS, {"wanted": 12, "count": 11}),
        (paying("rebate", "merchant"), errors.FUNDING_BONUS, {"of": "rebate"}),
        (paying("presale", "city", 9_000), errors.FUNDING_SHARES, {"stock": "presale", "sum_bps": 9_000}),
        (stock_text("rebate"), errors.GRANT_CODE_TWICE, {"code": "rebate"}),
    ]
    assert_refused(cases)


def assert_refused(cases: list[tuple[str, RefusalCode, dict[str, Any]]]) -> None:
    """Each text is refused for this reason, with these facts and in words."""
    for text, code, facts in cases:
        found = [refusal for refusal in judged(PRESET + text) if refusal.code is code]
        assert any(facts.items() <= refusal.facts.items() for refusal in found), (text, judged(PRESET + text))
        assert all("{" not in one.message(to) + one.remedy(to) for one in found for to in ("zh", "en"))


@pytest.mark.parametrize("name", READ_BY_ORDERS)
def test_a_top_up_voucher_has_no_term_that_only_orders_read(name: str) -> None:
    term = {name: READ_BY_ORDERS[name]}
    (refused,) = judged(PRESET + stock_text(**TOP_UP, **term))
    assert (refused.code, dict(refused.facts)) == (errors.STOCK_TERM_UNREAD, {"term": f"stocks[1].{name}"})
    assert codes(stock_text(kind="instant", min_order_fen=0, **term)) == []


def test_a_merchant_bears_no_part_of_a_top_up_voucher() -> None:
    for paying in ([("merchant", 10_000)], [("city", 9_000), ("merchant", 1_000)]):
        assert codes(stock_text("a1", *paying, **TOP_UP)) == [errors.STOCK_TOP_UP]


def test_a_top_up_voucher_needs_a_program_that_sells_cards() -> None:
    offer = "[[presale.offers]]\nface_fen = {}\npaid_fen = {}\n"
    text = edited((f"{offer.format('50_000', '47_500')}\n{offer.format('100_000', '95_000')}", "offers = []\n"))
    refused = [one for one in judged(text + stock_text(**TOP_UP)) if one.code is errors.STOCK_WITHOUT_CARD]
    assert [dict(one.facts) for one in refused] == [{"term": "stocks[1]", "stock": "off-10"}]


def test_a_top_up_voucher_is_told_with_what_becomes_of_its_money() -> None:
    everything = {"min_order_fen": 47_500, "rank": 3, "category": "top", "exclusive": True, "not_after": "2025-12-31"}
    for more, zh, en in (
        (
            {},
            "为卡充值 10.00 元，或抵购卡、充值的价款。",
            "puts 10.00 yuan on a card, or pays that part of a card or top-up.",
        ),
        (
            everything,
            "购卡或充值的价款满 475.00 元，抵 10.00 元。",
            "pays 10.00 yuan of a card or top-up that costs 475.00 or more.",
        ),
    ):
        text = PRESET + stock_text(**TOP_UP | more)
        assert judged(text) == []
        terms = terms_of(text)
        law = law_on(terms.program.law_packs, DAY)
        chinese, english = "".join(explain(terms, law, "zh")), "".join(explain(terms, law, "en"))
        assert zh in chinese and en in english
        assert "不可提现；有效天数与券相同" in chinese and "goes back to its funders when it expires" in english
    assert "补贴" not in "".join(explain(terms_of(), law_on(terms_of().program.law_packs, DAY), "zh"))


@pytest.mark.parametrize(
    "edit",
    [
        ("total_fen = 5000", "total_fen = 999"),
        ("total_fen = 5000", "total_fen = 10001"),
        ("max_fen = 1000", "max_fen = 1001"),
        ("count = 10\nmin_fen", "count = 101\nmin_fen"),
    ],
)
def test_packets_that_can_not_be_split_are_refused(edit: tuple[str, str]) -> None:
    text = everything_text()
    assert edit[0] in text and codes(text.replace(*edit)) == [errors.PACKETS_FIT]


def test_both_edges_of_what_stands() -> None:
    for terms in (
        {"min_order_fen": 1_001},
        {"budget_fen": 1_000},
        {"valid_days": 90},
        {"claim_until": "2025-06-02 10:00", "not_after": "2025-06-05", "wait_days": 3},
        {"hours": "22:00-24:00"},
    ):
        assert codes(stock_text(**terms)) == [], terms


def test_the_worst_case_is_told_by_funder_and_what_grows_as_a_rate() -> None:
    found = liability(terms_of(PRESET + everything_text()))
    items = {(item.cause, item.code): item for item in found.items}
    assert items["stock", "off-10"].worst_fen == 100_000
    assert items["stock", "off-10"].parts == (
        FunderPart("city", Money(60_000)),
        FunderPart("merchant", Money(40_000)),
    )
    assert items["stock", "few"].worst_fen == 2_000, "the budget pays for two whole vouchers, not for two and a half"
    assert (items["drip", "monthly"].within, items["packets", "luck"].worst_fen) == ("gift", 5_000)
    assert dict(found.funders)["merchant"] == 40_000
    bonus, rebate = found.unbounded
    assert (bonus.cause, bonus.code, bonus.rate_bps, bonus.each_fen) == ("bonus", ISSUER, 527, 5_000)
    assert (rebate.cause, rebate.rate_bps, rebate.each_fen, rebate.worst_fen) == ("rebate", 500, 20_000, None)


@given(
    st.lists(st.integers(1, 9_999), min_size=1, max_size=4),
    st.integers(1, 5_000),
    st.lists(st.integers(1, 5_000), min_size=1, max_size=30),
)
def test_no_run_of_promises_costs_a_funder_more_than_its_worst_case(
    weights: list[int], face: int, faces: list[int]
) -> None:
    total = sum(weights)
    shares = [weight * 10_000 // total for weight in weights]
    shares[0] += 10_000 - sum(shares)
    funding = tuple(FundShare(None, Rate(share)) for share in shares)
    fixed = worst_parts(Money(face), 30, Money(face * 30), shares, varying=False)
    paid = [30 * part for _, part in promised(funding, Money(face))]
    assert fixed == paid and sum(fixed) == face * 30
    varying = worst_parts(Money(5_000), len(faces), Money(sum(faces)), shares, varying=True)
    sums = [0] * len(shares)
    for one in faces:
        for position, (_, part) in enumerate(promised(funding, Money(one))):
            sums[position] += part
    assert all(cost <= most for cost, most in zip(sums, varying, strict=True))
