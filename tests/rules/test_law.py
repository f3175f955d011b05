"""The law packs as data, and the rules that read them, at and around every limit."""

import string
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Fault, Refusal, RefusalCode
from kaquan.law import errors
from kaquan.law.model import Article, Law, LawPackMissing, Rules, decode_pack, law_on, load_pack, pack_ids
from kaquan.law.rules import (
    CASH,
    CREDIT_CARD,
    balance_allowed,
    budget_kept,
    channel_allowed,
    identity_given,
    voucher_valid_days_max,
)

DAY = date(2025, 5, 20)
LAW = law_on(("cn_single_purpose",), DAY)
LICENSED = law_on(("cn_multi_purpose",), DAY)
VOUCHERS = law_on(("cn_government_voucher", "cn_voucher_convention"), DAY)
TEXT = files("kaquan.law").joinpath("packs", "cn_single_purpose.toml").read_text(encoding="utf-8")
CODES = [value for value in vars(errors).values() if isinstance(value, RefusalCode)]
SALES = [code for code in CODES if code.code.startswith("law_")]

amounts = st.integers(0, 10_000_000).map(Money)


def code_of(outcome: Refusal | None) -> RefusalCode | None:
    return outcome.code if outcome else None


VALUES = {
    "cn_single_purpose": {
        "registered_balance_max_fen": 500_000,
        "bearer_balance_max_fen": 100_000,
        "registered_valid_days": 0,
        "bearer_valid_days_min": 3 * 365,
        "registered_identity_from_fen": 0,
        "bearer_identity_from_fen": 1_000_000,
        "person_non_cash_from_fen": 5_000_000,
        "organisation_non_cash_from_fen": 500_000,
        "cooling_off_days_min": 7,
        "cooling_off_free_days_min": 7,
        "closing_fee_bps_max": 500,
        "issuer_cause_list_price_allowed": 0,
        "holder_cause_list_price_allowed": 1,
        "interest_issuer_cause_bps_min": 300,
        "interest_holder_cause_bps_min": 150,
        "refund_cash_max_fen": 10_000,
        "transfer_fee_max_fen": 0,
        "breakage_idle_days_min": 3 * 365,
        "open_network_allowed": 0,
        "custody_group_quarter_bps_min": 3_000,
        "custody_brand_quarter_bps_min": 4_000,
        "custody_scale_quarter_bps_min": 2_000,
        "custody_offset_allowed": 1,
    },
    "cn_multi_purpose": {
        "registered_balance_max_fen": 500_000,
        "bearer_balance_max_fen": 100_000,
        "registered_valid_days": 0,
        "bearer_valid_days_min": 3 * 365,
        "registered_identity_from_fen": 0,
        "bearer_identity_from_fen": 1_000_000,
        "person_non_cash_from_fen": 5_000_000,
        "organisation_non_cash_from_fen": 500_000,
        "credit_card_allowed": 0,
        "licence_required": 1,
        "discount_allowed": 0,
        "bonus_allowed": 0,
        "bearer_refund_allowed": 0,
        "custody_owed_bps_min": 10_000,
        "custody_offset_allowed": 0,
    },
    "cn_beijing": {
        "cooling_off_unused_days_min": 7,
        "cooling_off_pay_days_max": 5,
        "closing_pay_days_max": 15,
        "issuer_cause_list_price_allowed": 0,
        "custody_quarter_bps_min": 4_000,
        "custody_quarter_from_fen": 50_000_000,
        "custody_stop_required": 1,
    },
    "cn_shanghai": {
        "custody_outstanding_bps_min": 4_000,
        "custody_outstanding_above_fen": 20_000_000,
        "custody_special_bps_min": 10_000,
        "custody_special_revenue_bps": 2_000,
        "custody_special_cap_fen": 5_000_000_000,
        "custody_offset_allowed": 1,
    },
    "cn_jiangsu": {"cooling_off_days_min": 15, "cooling_off_cost_allowed": 1},
    "cn_zhejiang": {
        "closing_pay_days_max": 5,
        "issuer_cause_list_price_allowed": 0,
        "reactivation_fee_max_fen": 0,
    },
    "cn_government_voucher": {"principal_allowed": 0, "budget_overrun_allowed": 0},
    "cn_voucher_convention": {"bonus_valid_days_max": 90, "voucher_valid_days_max": 90},
}


def articles() -> list[Article]:
    return [article for pack_id in pack_ids() for article in load_pack(pack_id).articles()]


def test_the_values_of_the_law() -> None:
    # Typed a second time from the instruments: a slip in the file must not pass for law.
    shipped = {pack_id: load_pack(pack_id) for pack_id in pack_ids()}
    assert {name: {one.id: one.value for one in pack.articles()} for name, pack in shipped.items()} == VALUES
    assert {name: (pack.version, str(pack.effective_from)) for name, pack in shipped.items()} == {
        "cn_single_purpose": (2, "2012-11-01"),
        "cn_multi_purpose": (1, "2012-11-01"),
        "cn_government_voucher": (1, "2018-12-29"),
        "cn_voucher_convention": (1, "2012-11-01"),
        "cn_beijing": (1, "2022-06-01"),
        "cn_shanghai": (1, "2019-01-01"),
        "cn_jiangsu": (1, "2021-04-01"),
        "cn_zhejiang": (1, "2017-05-01"),
    }
    regions = {pack.id: pack.jurisdiction for pack in shipped.values() if pack.jurisdiction != "CN"}
    assert regions == {
        "cn_beijing": "CN-BJ",
        "cn_shanghai": "CN-SH",
        "cn_jiangsu": "CN-JS",
        "cn_zhejiang": "CN-ZJ",
    }
    assert all(pack.effective_to is None for pack in shipped.values())


def test_only_what_is_our_reading_leaves_room_for_an_opinion() -> None:
    assert {article.id for article in articles() if article.opinion_allowed} == {"discount_allowed", "bonus_allowed"}


def test_every_article_says_where_it_stands_in_both_languages() -> None:
    clauses = [clause for pack_id in pack_ids() for clause in load_pack(pack_id).contract]
    for provision in (*articles(), *clauses):
        assert provision.source
        assert provision.article_zh
        assert provision.article_en.isascii()
        assert bool(provision.note_zh) == bool(provision.note_en)
        assert provision.note_zh or provision.conf == "C", "an unsure value tells the operator why"


def test_every_rule_is_read_and_set_by_some_pack() -> None:
    root = Path(str(files("kaquan")))
    read = "".join(
        path.read_text(encoding="utf-8") for path in root.rglob("*.py") if path != root / "law" / "model.py"
    )
    unread = [rule for rule in Rules.__struct_fields__ if f"law.{rule}" not in read]
    assert unread == [], "remove the rule, or write the code that reads it"
    assert set(Rules.__struct_fields__) == {article.id for article in articles()}


def test_what_is_a_convention_does_not_pass_for_law() -> None:
    seeds = [article for article in articles() if article.source == "seed"]
    assert [article.id for article in seeds] == ["bonus_valid_days_max", "voucher_valid_days_max"]
    assert all("not law" in article.article_en and article.conf == "I" for article in seeds)
    assert {article.id for article in load_pack("cn_voucher_convention").articles()} == {one.id for one in seeds}


def test_all_shipped_packs_load() -> None:
    assert pack_ids() == tuple(sorted(VALUES))
    for pack_id in pack_ids():
        assert load_pack(pack_id).id == pack_id


@pytest.mark.parametrize("pack_id", ["", "nowhere", "../model", "cn_single_purpose.toml"])
def test_an_unknown_pack_is_missing(pack_id: str) -> None:
    with pytest.raises(LawPackMissing) as caught:
        load_pack(pack_id)
    assert caught.value.pack_id == pack_id


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version = 2", "version = 0"),
        ("version = 2", 'version = "2"'),
        ('jurisdiction = "CN"', ""),
        ('conf = "S"', 'conf = "X"'),
        ("value = 7", "value = -7"),
        ("value = 7", "value = 7.0"),
        ("[cooling_off_days_min]", "[cooling_off_days]"),
        ("[cooling_off_days_min]", "[packs]"),
        ('about = "place"', 'about = "weather"'),
        ("effective_from = 2012-11-01", "effective_from = 2012-11-01\neffective_to = 2012-10-31"),
        ("effective_from = 2025-05-01", "effective_from = 2025-05-01\neffective_to = 2025-04-30"),
        ("effective_from = 2012-11-01", "effective_from = ["),
    ],
)
def test_a_broken_pack_is_a_fault(old: str, new: str) -> None:
    assert old in TEXT
    with pytest.raises(Fault):
        decode_pack(TEXT.replace(old, new))


@given(amounts)
def test_a_registered_card_holds_up_to_5000_yuan(balance: Money) -> None:
    refused = balance_allowed(True, balance, LAW)
    assert code_of(refused) == (errors.REGISTERED_BALANCE_ABOVE_MAX if balance > 500_000 else None)


@given(amounts)
def test_a_bearer_card_holds_up_to_1000_yuan(balance: Money) -> None:
    refused = balance_allowed(False, balance, LAW)
    assert code_of(refused) == (errors.BEARER_BALANCE_ABOVE_MAX if balance > 100_000 else None)


@pytest.mark.parametrize(("registered", "limit"), [(True, 500_000), (False, 100_000)])
def test_the_limit_itself_is_allowed(registered: bool, limit: int) -> None:
    assert balance_allowed(registered, Money(limit), LAW) is None
    assert balance_allowed(registered, Money(limit + 1), LAW) is not None


@given(amounts, st.booleans(), st.booleans())
def test_identity_for_every_registered_and_for_large_bearer_purchases(
    paid: Money, registered: bool, identified: bool
) -> None:
    refused = code_of(identity_given(registered, paid, identified, LAW))
    if identified or (not registered and paid < 1_000_000):
        assert refused is None
    else:
        assert refused == (errors.REGISTERED_IDENTITY_MISSING if registered else errors.BEARER_IDENTITY_MISSING)


def test_ten_thousand_yuan_itself_asks_for_identity() -> None:
    assert identity_given(False, Money(999_999), False, LAW) is None
    assert code_of(identity_given(False, Money(1_000_000), False, LAW)) == errors.BEARER_IDENTITY_MISSING


def test_what_the_law_is_silent_about_it_does_not_limit() -> None:
    nothing = law_on((), DAY)
    for registered in (True, False):
        assert balance_allowed(registered, Money(10**12), nothing) is None
        assert identity_given(registered, Money(10**12), False, nothing) is None
    for channel in (CASH, CREDIT_CARD, "sandbox"):
        assert channel_allowed(channel, Money(10**12), nothing, organisation=True) is None
    assert budget_kept(Money(2), Money(1), nothing) is None
    assert voucher_valid_days_max(nothing) is None
    assert balance_allowed(True, Money(10**12), VOUCHERS) is None


def test_a_licensed_card_is_not_bought_with_a_credit_card() -> None:
    assert code_of(channel_allowed(CREDIT_CARD, Money(1), LICENSED)) == errors.CREDIT_CARD_REFUSED
    assert channel_allowed(CREDIT_CARD, Money(1), LAW) is None
    assert channel_allowed("sandbox", Money(1), LICENSED) is None


@pytest.mark.parametrize("law", [LAW, LICENSED], ids=["single", "multi"])
def test_large_amounts_are_not_paid_in_cash(law: Law) -> None:
    for organisation, limit, code in [
        (False, 5_000_000, errors.PERSON_CASH_ABOVE_MAX),
        (True, 500_000, errors.ORGANISATION_CASH_ABOVE_MAX),
    ]:
        assert channel_allowed(CASH, Money(limit - 1), law, organisation=organisation) is None
        assert code_of(channel_allowed(CASH, Money(limit), law, organisation=organisation)) == code
        assert channel_allowed("sandbox", Money(limit), law, organisation=organisation) is None


def test_a_public_budget_is_not_overrun() -> None:
    assert budget_kept(Money(100), Money(100), VOUCHERS) is None
    assert code_of(budget_kept(Money(101), Money(100), VOUCHERS)) == errors.BUDGET_OVERRUN


def test_vouchers_last_as_long_as_the_convention_says() -> None:
    found = voucher_valid_days_max(VOUCHERS)
    assert found is not None
    assert (found[0], found[1].facts["law_pack"]) == (90, "cn_voucher_convention")
    assert voucher_valid_days_max(LAW) is None


def refusals() -> list[Refusal]:
    found = [
        balance_allowed(True, Money(500_001), LAW),
        balance_allowed(False, Money(100_001), LAW),
        identity_given(True, Money(1), False, LAW),
        identity_given(False, Money(1_000_000), False, LAW),
        channel_allowed(CREDIT_CARD, Money(1), LICENSED),
        channel_allowed(CASH, Money(5_000_000), LAW),
        channel_allowed(CASH, Money(500_000), LAW, organisation=True),
        budget_kept(Money(2), Money(1), VOUCHERS),
    ]
    return [refusal for refusal in found if refusal is not None]


def test_every_code_is_reached_and_names_a_real_rule() -> None:
    assert {refusal.code.code for refusal in refusals()} == {code.code for code in SALES}
    for code in CODES:
        assert code.article in Rules.__struct_fields__


@pytest.mark.parametrize("refusal", refusals(), ids=lambda refusal: refusal.code.code)
def test_words_fill_with_facts_and_tell_the_article(refusal: Refusal) -> None:
    pack = load_pack(str(refusal.facts["law_pack"]))
    assert refusal.facts["law_pack_version"] == pack.version
    (cited,) = [article for article in pack.articles() if article.id == refusal.code.article]
    assert refusal.facts["article_zh"] == cited.article_zh and cited.article_zh in refusal.message("zh")
    assert refusal.facts["article_en"] == cited.article_en and cited.article_en in refusal.message("en")
    for template in (refusal.code.remedy_zh, refusal.code.remedy_en):
        assert not [name for _, name, _, _ in string.Formatter().parse(template) if name]


def test_amounts_are_shown_in_yuan() -> None:
    refusal = balance_allowed(True, Money(500_001), LAW)
    assert refusal is not None
    assert "5,000.01" in refusal.message("en")
    assert "5,000.00" in refusal.message("zh")
