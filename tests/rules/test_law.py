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
from kaquan.law.model import LawPackMissing, decode_pack, load_pack, pack_ids
from kaquan.law.rules import balance_allowed, identity_given

PACK = load_pack("cn_single_purpose")
TEXT = files("kaquan.law").joinpath("packs", "cn_single_purpose.toml").read_text(encoding="utf-8")
CODES = [value for value in vars(errors).values() if isinstance(value, RefusalCode)]

amounts = st.integers(0, 10_000_000).map(Money)


def code_of(outcome: Refusal | None) -> RefusalCode | None:
    return outcome.code if outcome else None


def test_the_values_of_the_law() -> None:
    # Typed a second time from the instruments: a slip in the file must not pass for law.
    assert {article.id: article.value for article in PACK.articles()} == {
        "registered_balance_max_fen": 500_000,
        "bearer_balance_max_fen": 100_000,
        "registered_valid_days": 0,
        "bearer_valid_days_min": 3 * 365,
        "registered_identity_from_fen": 0,
        "bearer_identity_from_fen": 1_000_000,
        "cooling_off_days_min": 7,
        "bonus_valid_days_max": 90,
    }
    assert (PACK.version, PACK.jurisdiction, PACK.effective_from) == (1, "CN", date(2025, 5, 1))
    assert PACK.effective_to is None


def test_every_article_says_where_it_stands_in_both_languages() -> None:
    for article in PACK.articles():
        assert article.source
        assert article.article_zh
        assert article.article_en.isascii()
        assert bool(article.note_zh) == bool(article.note_en)
        assert article.note_zh or article.conf == "C", "an unsure value tells the operator why"


def test_every_article_is_read_by_some_rule() -> None:
    root = Path(str(files("kaquan")))
    read = "".join(
        path.read_text(encoding="utf-8") for path in root.rglob("*.py") if path != root / "law" / "model.py"
    )
    unread = [article.id for article in PACK.articles() if f"pack.{article.id}" not in read]
    assert unread == [], "remove the article from the pack, or write the rule that reads it"


def test_what_is_a_convention_does_not_pass_for_law() -> None:
    assert [article.id for article in PACK.articles() if article.source == "seed"] == ["bonus_valid_days_max"]
    assert "not law" in PACK.bonus_valid_days_max.article_en
    assert PACK.bonus_valid_days_max.conf == "I"


def test_all_shipped_packs_load() -> None:
    assert "cn_single_purpose" in pack_ids()
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
        ("version = 1", "version = 0"),
        ("version = 1", 'version = "1"'),
        ('jurisdiction = "CN"', ""),
        ('conf = "I"', 'conf = "X"'),
        ("value = 90", "value = -90"),
        ("value = 90", "value = 90.0"),
        ("[bonus_valid_days_max]", "[bonus_valid_days]"),
        ("effective_from = 2025-05-01", "effective_from = 2025-05-01\neffective_to = 2025-04-30"),
        ("effective_from = 2025-05-01", "effective_from = ["),
    ],
)
def test_a_broken_pack_is_a_fault(old: str, new: str) -> None:
    assert old in TEXT
    with pytest.raises(Fault):
        decode_pack(TEXT.replace(old, new))


@given(amounts)
def test_a_registered_card_holds_up_to_5000_yuan(balance: Money) -> None:
    refused = balance_allowed(True, balance, PACK)
    assert code_of(refused) == (errors.REGISTERED_BALANCE_ABOVE_MAX if balance > 500_000 else None)


@given(amounts)
def test_a_bearer_card_holds_up_to_1000_yuan(balance: Money) -> None:
    refused = balance_allowed(False, balance, PACK)
    assert code_of(refused) == (errors.BEARER_BALANCE_ABOVE_MAX if balance > 100_000 else None)


@pytest.mark.parametrize(("registered", "limit"), [(True, 500_000), (False, 100_000)])
def test_the_limit_itself_is_allowed(registered: bool, limit: int) -> None:
    assert balance_allowed(registered, Money(limit), PACK) is None
    assert balance_allowed(registered, Money(limit + 1), PACK) is not None


@given(amounts, st.booleans(), st.booleans())
def test_identity_for_every_registered_and_for_large_bearer_purchases(
    paid: Money, registered: bool, identified: bool
) -> None:
    refused = code_of(identity_given(registered, paid, identified, PACK))
    if identified or (not registered and paid < 1_000_000):
        assert refused is None
    else:
        assert refused == (errors.REGISTERED_IDENTITY_MISSING if registered else errors.BEARER_IDENTITY_MISSING)


def test_ten_thousand_yuan_itself_asks_for_identity() -> None:
    assert identity_given(False, Money(999_999), False, PACK) is None
    assert code_of(identity_given(False, Money(1_000_000), False, PACK)) == errors.BEARER_IDENTITY_MISSING


def refusals() -> list[Refusal]:
    found = [
        balance_allowed(True, Money(500_001), PACK),
        balance_allowed(False, Money(100_001), PACK),
        identity_given(True, Money(1), False, PACK),
        identity_given(False, Money(1_000_000), False, PACK),
    ]
    return [refusal for refusal in found if refusal is not None]


def test_every_code_is_reached_and_names_a_real_article() -> None:
    assert {refusal.code.code for refusal in refusals()} == {code.code for code in CODES}
    for code in CODES:
        assert code.article in {article.id for article in PACK.articles()}


@pytest.mark.parametrize("refusal", refusals(), ids=lambda refusal: refusal.code.code)
def test_words_fill_with_facts_and_tell_the_article(refusal: Refusal) -> None:
    assert refusal.facts["law_pack"] == "cn_single_purpose"
    assert refusal.facts["law_pack_version"] == 1
    assert str(refusal.facts["article_zh"]) in refusal.message("zh")
    assert str(refusal.facts["article_en"]) in refusal.message("en")
    for template in (refusal.code.remedy_zh, refusal.code.remedy_en):
        assert not [name for _, name, _, _ in string.Formatter().parse(template) if name]


def test_amounts_are_shown_in_yuan() -> None:
    refusal = balance_allowed(True, Money(500_001), PACK)
    assert refusal is not None
    assert "5,000.01" in refusal.message("en")
    assert "5,000.00" in refusal.message("zh")
