"""What the law says to a program's terms: scope, yield, opinions, packs in force; lists of texts in the file."""

from datetime import date

import pytest

from kaquan.law import errors as law_errors
from kaquan.law.model import law_on
from kaquan.programs import compiler, errors, source
from kaquan.programs.changes import Change, diff
from kaquan.programs.explain import explain
from support.programs import DAY, edited, judged, opinion, terms_of

LICENSED = (
    ('legal_class = "single_purpose_group"', 'legal_class = "multi_purpose_licensed"\nlicence = "Z2000133000019"'),
    ('"cn_single_purpose"', '"cn_multi_purpose"'),
    ("paid_fen = 47_500", "paid_fen = 50_000"),
    ("paid_fen = 95_000", "paid_fen = 100_000"),
    ("from_fen = 50_000\nrate_bps = 500", "from_fen = 50_000\nrate_bps = 0"),
)
"""Edits that make the preset a card of a licensed institution: sold at face, without a rebate."""


@pytest.mark.parametrize("archetype", ["open_alliance", "hybrid"])
def test_open_acceptance_of_stored_value_needs_a_licence(archetype: str) -> None:
    shape = ('archetype = "closed_loop"', f'archetype = "{archetype}"')
    (single,) = judged(edited(shape))
    assert single.code == law_errors.NETWORK_OPEN
    assert "第二条" in str(single.facts["article_zh"]) and archetype in single.message("en")
    assert judged(edited(*LICENSED, shape)) == []
    (unlicensed,) = judged(edited(*LICENSED, shape, ('licence = "Z2000133000019"', 'licence = ""')))
    assert unlicensed.code == law_errors.LICENCE_MISSING
    assert "第四十七条" in unlicensed.message("zh") and unlicensed.facts["law_pack"] == "cn_multi_purpose"


def test_another_pack_than_that_of_the_class_is_no_way_around_the_law() -> None:
    codes = [r.code for r in judged(edited(('"cn_single_purpose"', '"cn_government_voucher"')))]
    assert codes == [errors.LAW_PACK_NOT_NAMED]
    both = ('"cn_single_purpose"', '"cn_multi_purpose", "cn_single_purpose"')
    assert {r.code for r in judged(edited(both))} == {
        law_errors.LICENCE_MISSING,
        law_errors.DISCOUNT_REFUSED,
        law_errors.BONUS_REFUSED,
    }


def test_a_licensed_card_gives_no_yield_unless_an_opinion_allows_it() -> None:
    discount = edited(*LICENSED[:3], *LICENSED[4:])
    rebate = edited(*LICENSED[:4])
    (refused,) = judged(discount)
    assert (refused.code, refused.facts["term"]) == (law_errors.DISCOUNT_REFUSED, "presale.offers[2]")
    (refused,) = judged(rebate)
    assert (refused.code, refused.facts["term"]) == (law_errors.BONUS_REFUSED, "rebate.bands[1]")
    assert "第二十四条" in refused.message("zh")
    assert judged(edited(*LICENSED[:3], *LICENSED[4:], opinion("discount_allowed"))) == []
    assert judged(edited(*LICENSED[:4], opinion("bonus_allowed"))) == []
    assert [r.code for r in judged(edited(*LICENSED[:4], opinion("discount_allowed")))] == [law_errors.BONUS_REFUSED]


def test_an_opinion_counts_from_its_day_on_and_only_where_the_article_admits_one() -> None:
    later = edited(*LICENSED[:4], opinion("bonus_allowed", "2025-05-21"))
    assert [r.code for r in judged(later)] == [law_errors.BONUS_REFUSED]
    for rule, code in [
        ("registered_balance_max_fen", errors.OPINION_NOT_ADMITTED),
        ("bonus_allowed", errors.OPINION_ARTICLE_UNKNOWN),
        ("packs", errors.OPINION_ARTICLE_UNKNOWN),
    ]:
        assert [r.code for r in judged(edited(opinion(rule)))] == [code], rule
    open_without = [('archetype = "closed_loop"', 'archetype = "hybrid"'), opinion("open_network_allowed")]
    assert {r.code for r in judged(edited(*open_without))} == {law_errors.NETWORK_OPEN, errors.OPINION_NOT_ADMITTED}
    bad_day = judged(edited(*LICENSED, opinion("bonus_allowed", "2025-02-30")))
    assert [(r.code, r.facts["form"]) for r in bad_day] == [(errors.TERM_MALFORMED, "YYYY-MM-DD")]


@pytest.mark.parametrize("legal_class", ["voucher_only", "fiscal_subsidy"])
def test_a_program_of_vouchers_takes_nothing_in_advance(legal_class: str) -> None:
    offers = (
        "[[presale.offers]]\nface_fen = 50_000\npaid_fen = 47_500\n\n"
        "[[presale.offers]]\nface_fen = 100_000\npaid_fen = 95_000\n"
    )
    without = [
        ('legal_class = "single_purpose_group"', f'legal_class = "{legal_class}"'),
        ('archetype = "closed_loop"', 'archetype = "open_alliance"'),
        ('"cn_single_purpose"', '"cn_government_voucher"'),
    ]
    (refused,) = judged(edited(*without))
    assert (refused.code, refused.facts["count"]) == (law_errors.PRINCIPAL_REFUSED, 2)
    empty = edited(*without, (offers, "offers = []\n"))
    assert judged(empty) == []
    law = law_on(("cn_government_voucher", "cn_voucher_convention"), DAY)
    assert "不售卡，不充值，不收预付款。" in explain(terms_of(empty), law, "zh")
    assert [r.code for r in judged(edited((offers, "offers = []\n")))] == [errors.OFFERS_MISSING]


def test_lists_of_texts_are_read_written_and_limited() -> None:
    both = terms_of(edited(opinion("bonus_allowed")))
    assert both.program.law_packs == ("cn_single_purpose", "cn_voucher_convention")
    assert source.decode(source.encode(both)) == both
    packs = 'law_packs = ["cn_single_purpose", "cn_voucher_convention"]'
    for write, code, fact in [
        ("law_packs = []", errors.TERM_RANGE, {"value": 0, "unit": "codes"}),
        ('law_packs = ["a1", "b1", "c1", "d1", "e1"]', errors.TERM_RANGE, {"value": 5, "high": 4}),
        ('law_packs = ["CN"]', errors.TERM_MALFORMED, {"term": "program.law_packs", "form": "a-z 0-9 - _"}),
        ('law_packs = ["cn_single_purpose", "cn_single_purpose"]', errors.TERM_MALFORMED, {"form": "each once"}),
        ("law_packs = [1]", errors.TERM_TYPE, {"expected": "array of strings", "found": "array"}),
        ('law_packs = "cn_single_purpose"', errors.TERM_TYPE, {"found": "string"}),
    ]:
        found = [r.facts for r in judged(edited((packs, write))) if r.code == code]
        assert any(fact.items() <= facts.items() for facts in found), write


def test_fewer_packs_and_more_opinions_promise_more() -> None:
    fewer = terms_of(edited((', "cn_voucher_convention"', "")))
    assert diff(terms_of(), fewer) == [
        Change("program.law_packs", "cn_single_purpose, cn_voucher_convention", "cn_single_purpose", True)
    ]
    assert [change.loosens for change in diff(fewer, terms_of())] == [False]
    opined = terms_of(edited(opinion("bonus_allowed")))
    told = diff(terms_of(), opined)
    assert {change.field.rpartition(".")[0] for change in told} == {"opinions[rule=bonus_allowed,reference=KQ-1]"}
    assert [(change.before, change.loosens) for change in told] == [(None, True)] * len(told)
    assert [change.after for change in told] == ["A Law Firm", "2025-05-20", "可行", "It may be done"]
    assert {change.loosens for change in diff(opined, terms_of())} == {False}


def test_a_pack_that_is_not_in_force_judges_nothing_and_is_refused() -> None:
    old = date(2012, 10, 31)
    refusals = compiler.validate(terms_of(), old)
    assert [r.code for r in refusals] == [errors.LAW_PACK_NOT_IN_FORCE, errors.LAW_PACK_NOT_IN_FORCE]
    assert (refusals[0].facts["law_pack"], refusals[0].facts["effective_from"]) == ("cn_single_purpose", "2012-11-01")
    assert "2012-10-31" in refusals[0].message("zh")
    assert compiler.validate(terms_of(), date(2012, 11, 1)) == []
