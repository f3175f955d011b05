"""Program files: what they say, what they are refused for, how versions differ, and that every term is read."""

import ast
import string
import tomllib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Fault, RefusalCode
from kaquan.law import errors as law_errors
from kaquan.law.model import Rules, law_on
from kaquan.programs import compiler, errors, preset_files, source
from kaquan.programs.changes import Change, diff
from kaquan.programs.explain import explain
from kaquan.programs.meaning import described, entries
from kaquan.programs.terms import ProgramTerms, fingerprint, from_json, to_json
from support.grants import SETTLEMENT_TEXT, everything_text
from support.programs import DAY, PRESET, edited, judged, opinion, plain, terms_of
from support.stories import tables

STORY = Path(__file__).parents[1] / "stories" / "program_validate.md"
SOURCE = Path(compiler.__file__).parents[1]
LAW = law_on(terms_of().program.law_packs, DAY)
CODES = [
    value for module in (errors, law_errors) for value in vars(module).values() if isinstance(value, RefusalCode)
]

WORDS_ABOUT_TERMS = {
    "giveaways",
    "explain_stocks",
    "explain_leaving",
    "explain_custody",
    "terms",
    "meaning",
    "source",
    "promises",
    "compiler",
    "lawful",
    "explain",
    "explain_merchants",
    "contract",
    "changes",
}
"""Modules of `programs` that judge or tell a term; reading it there puts it to no use."""
NO_COMMAND_READS = {
    "program.region": "validate: the law pack of the region is named, and no other region's",
    "program.name_zh": "words for people: explain",
    "program.name_en": "words for people: explain",
    "program.archetype": "validate: stored value in an open network needs a licence",
    "program.legal_class": "validate chooses law and scope by it; explain tells it",
    "program.licence": "validate asks for it where the law does; explain and contract tell it",
    "opinions": "validate: what an opinion allows is not refused; explain and contract tell it",
    "opinions.rule": "validate",
    "opinions.on": "validate: an opinion counts from its day on",
    "opinions.by": "explain and contract tell it",
    "opinions.reference": "explain and contract tell it",
    "opinions.note_zh": "explain and contract tell it",
    "opinions.note_en": "explain and contract tell it",
    "custody.guarantees.by": "explain tells it",
    "custody.guarantees.reference": "explain tells it",
    "presale.cooling_off_days": "validate holds it against the law; explain tells it",
    "rebate.base": "one base so far: the decoder refuses others",
    "rebate.clawback_allow_negative": "validate refuses true: the ledger has a floor",
    "settlement.calendar": "one time zone so far: the decoder refuses others",
}


class Row(msgspec.Struct, frozen=True):
    instead_of: str
    write: str
    code: str
    facts: dict[str, str]


def story_rows() -> list[Row]:
    return [
        Row(
            row["of"].strip("`").replace("⏎", "\n"),
            row["write"].strip("`").replace("⏎", "\n"),
            row["as"],
            dict(part.strip().split("=", 1) for part in row["facts"].split(";") if part.strip()),
        )
        for table in tables(STORY)
        for row in table.rows
    ]


@pytest.mark.parametrize("row", story_rows(), ids=lambda row: f"{row.code}: {row.write or 'nothing'}")
def test_the_story_of_each_refusal(row: Row) -> None:
    refusals = [refusal for refusal in judged(edited((row.instead_of, row.write))) if refusal.code.code == row.code]
    shown = [{name: str(value) for name, value in refusal.facts.items()} for refusal in refusals]
    assert any(row.facts.items() <= facts.items() for facts in shown), shown
    for refusal in refusals:
        for language in ("zh", "en"):
            words = refusal.message(language) + refusal.remedy(language)
            assert "{" not in words and words


def test_the_law_is_named_where_it_binds() -> None:
    for code in CODES:
        names_article = "{article_zh}" in code.zh and "{article_en}" in code.en
        assert names_article == bool(code.article), code.code
        assert not code.article or code.article in Rules.__struct_fields__, code.code


def test_the_preset_stands() -> None:
    assert "jingxika" in preset_files.names()
    outcome = compiler.compile_program(PRESET, DAY)
    assert not isinstance(outcome, list)
    terms, law = outcome
    assert (terms.program.code, law) == ("jingxika", LAW)
    assert [(offer.paid_fen, offer.face_fen) for offer in terms.presale.offers] == [
        (47_500, 50_000),
        (95_000, 100_000),
    ]
    with pytest.raises(KeyError):
        preset_files.text("../terms")


@pytest.mark.parametrize("name", preset_files.names())
def test_every_preset_stands_and_explains_itself(name: str) -> None:
    outcome = compiler.compile_program(preset_files.text(name), DAY)
    assert not isinstance(outcome, list), outcome
    terms, law = outcome
    zh, en = explain(terms, law, "zh"), explain(terms, law, "en")
    assert len(zh) == len(en) > 10


def test_there_is_a_preset_for_each_way_to_trade() -> None:
    assert preset_files.names() == [
        "closed_loop",
        "hongbaoka",
        "hybrid",
        "jingxika",
        "open_alliance",
        "xiaofeibao",
    ]
    named = {"closed_loop", "hybrid", "open_alliance"}
    shapes = {name: tomllib.loads(preset_files.text(name))["program"]["archetype"] for name in named}
    assert shapes == {name: name for name in named}


def test_everything_wrong_is_told_at_once() -> None:
    text = edited(
        ("fee_bps = 60", "fee_bps = 9_001"),
        ('cut_off = "23:00"', 'cut_off = "noon"'),
        ("valid_days = 90", "valid_days = 91"),
    )
    assert [refusal.code for refusal in judged(text)] == [
        errors.TERM_MALFORMED,
        errors.FEE_AND_RESERVE,
        law_errors.BONUS_VALID_TOO_LONG,
    ]
    text = edited(("fee_bps = 60", "fee_bps = true"), ("[refund]", "[return]"))
    assert [(refusal.code, refusal.facts["term"]) for refusal in judged(text)] == [
        (errors.TERM_MISSING, "refund"),
        (errors.TERM_UNKNOWN, "return"),
        (errors.TERM_TYPE, "settlement.fee_bps"),
    ]


def test_a_file_that_is_not_a_program_is_refused_and_never_raises() -> None:
    assert [r.code for r in judged("#" * (source.FILE_BYTES_MAX + 1))] == [errors.FILE_TOO_LONG]
    assert [r.code for r in judged("a = " + "[" * 5_000)] == [errors.FILE_INVALID]
    assert [r.code for r in judged("a = " + "9" * 5_000)] == [errors.FILE_INVALID]
    assert {r.code for r in judged("")} == {errors.TERM_MISSING}
    assert judged("\ufeff" + PRESET) == []
    (refusal,) = judged(PRESET + '\n"\\u001b[31m" = 1\n')
    assert refusal.facts["term"] == "reserve.?[31m"


@given(st.text(max_size=200))
def test_any_text_gets_an_answer(text: str) -> None:
    assert judged(text)


@given(st.data())
def test_any_value_in_any_place_gets_an_answer_in_both_languages(data: st.DataObject) -> None:
    lines = [line for line in plain(PRESET).splitlines() if "=" in line]
    line = data.draw(st.sampled_from(lines))
    value = data.draw(
        st.one_of(
            st.integers(-(2**70), 2**70).map(str),
            st.text(string.ascii_letters + ":{}%卡", max_size=50).map(lambda text: f'"{text}"'),
            st.sampled_from(["true", "1.5", "nan", "[]", "{}", "[[1]]", "1979-05-27", "[{face_fen = 1}]"]),
        )
    )
    for refusal in judged(edited((line, f"{line.partition('=')[0]}= {value}"))):
        for language in ("zh", "en"):
            assert refusal.message(language) and refusal.remedy(language)


def test_stored_terms_come_back_and_have_one_fingerprint() -> None:
    terms = terms_of()
    stored = to_json(terms)
    assert from_json(stored) == from_json(stored.decode()) == terms
    assert to_json(from_json(stored)) == stored
    assert fingerprint(terms) == fingerprint(terms_of(plain(PRESET)))
    assert fingerprint(terms) != fingerprint(terms_of(edited(("fee_bps = 60", "fee_bps = 61"))))
    with pytest.raises(Fault):
        from_json(stored.replace(b"fee_bps", b"fee"))


@pytest.mark.parametrize(
    "edits",
    [[], [('name_en = "Jingxi Card"', 'name_en = "A \\"B\\" \\\\ [C] 京"'), ("valid_days = 90", "valid_days = 1")]],
)
def test_terms_are_written_as_the_file_that_says_them(edits: list[tuple[str, str]]) -> None:
    terms = terms_of(edited(*edits))
    assert source.decode(source.encode(terms)) == terms
    bare = msgspec.structs.replace(terms, rebate=msgspec.structs.replace(terms.rebate, bands=()))
    assert source.decode(source.encode(bare)) == bare


def test_explain_tells_offers_rebate_and_law() -> None:
    chinese, english = ("\n".join(explain(terms_of(), LAW, language)) for language in ("zh", "en"))
    assert "付 475.00 元得 500.00 元面值，其中本金 475.00 元，赠金 25.00 元。" in chinese
    assert "例如：500.00 元的订单返 25.00 元，499.99 元的订单不返。" in chinese
    assert "an order of 500.00 yuan earns 25.00; an order of 499.99 yuan earns nothing" in english
    assert "The merchant pays a fee of 0.6%: 6.00 yuan on 1,000.00." in english
    for binding in (LAW.registered_balance_max_fen, LAW.registered_valid_days, LAW.cooling_off_days_min):
        assert binding and binding.article.article_zh in chinese and binding.article.article_en in english


@pytest.mark.parametrize(
    ("edits", "chinese"),
    [
        ([("activation_days = 1", "activation_days = 0")], "售卡或充值后立即可用。"),
        ([("paid_fen = 47_500", "paid_fen = 50_000")], "付 500.00 元得 500.00 元面值，全部为本金。"),
        ([("hold_minutes = 30", "hold_minutes = 2_880")], "预授权最长 2 天，到时未完成则自动释放。"),
        ([("window_days = 7", "window_days = 0")], "支付后不可退款。"),
        ([("rate_bps = 1_000", "rate_bps = 0")], "不冻结保证金。"),
        ([("rate_bps = 500", "rate_bps = 0")], "消费不返利。"),
        ([('mode = "whole"', 'mode = "marginal"')], "例如：600.00 元的订单返 5.00 元，500.00 元的订单不返。"),
        ([("principal_first", "pro_rata")], "支付时按余额比例同时扣本金和赠金。"),
    ],
)
def test_explain_follows_the_terms(edits: list[tuple[str, str]], chinese: str) -> None:
    terms = terms_of(edited(*edits))
    assert compiler.validate(terms, DAY) == []
    law = law_on(terms.program.law_packs, DAY)
    assert chinese in explain(terms, law, "zh")
    assert len(explain(terms, law, "zh")) == len(explain(terms, law, "en"))


def test_diff_says_what_promises_more() -> None:
    new = terms_of(
        edited(
            ("balance_max_fen = 500_000", "balance_max_fen = 400_000"),
            ("paid_fen = 47_500", "paid_fen = 47_000"),
            ("face_fen = 100_000\npaid_fen = 95_000", "face_fen = 200_000\npaid_fen = 190_000"),
            ("hold_minutes = 30", "hold_minutes = 60"),
            ("one_payment_per_order = true", "one_payment_per_order = false"),
            ("rate_bps = 500", "rate_bps = 400"),
            ("fee_bps = 60", "fee_bps = 50"),
        )
    )
    assert diff(terms_of(), terms_of()) == []
    assert diff(terms_of(), new) == [
        Change("card.balance_max_fen", 500_000, 400_000, False),
        Change("spending.hold_minutes", 30, 60, None),
        Change("spending.one_payment_per_order", True, False, True),
        Change("settlement.fee_bps", 60, 50, True),
        Change("presale.offers[face_fen=50000].paid_fen", 47_500, 47_000, True),
        Change("presale.offers[face_fen=100000].paid_fen", 95_000, None, False),
        Change("presale.offers[face_fen=200000].paid_fen", None, 190_000, True),
        Change("rebate.bands[from_fen=50000].rate_bps", 500, 400, False),
    ]


def test_fixed_terms_stay() -> None:
    new = terms_of(edited(('issuer = "jingxi"', 'issuer = "other"'), ("registered = true", "registered = false")))
    refusals = compiler.validate_change(terms_of(), new, DAY)
    assert [(r.code, r.facts.get("term")) for r in refusals[:2]] == [
        (errors.TERM_FIXED, "program.issuer"),
        (errors.TERM_FIXED, "card.registered"),
    ]
    assert refusals[2].code == law_errors.BEARER_BALANCE_ABOVE_LAW
    assert "true" in refusals[1].message("zh")


def test_every_term_says_what_it_means_in_both_languages() -> None:
    for term in described(ProgramTerms):
        meaning = term.meaning
        assert meaning.zh and meaning.en, term.path
        assert (meaning.low is None) == (meaning.high is None), term.path
    opined = terms_of(edited(opinion("bonus_allowed")) + everything_text() + SETTLEMENT_TEXT)
    assert {entry.term for entry in entries(opined)} == {term.path for term in described(ProgramTerms)}


def test_both_ends_of_every_limit_stand_and_one_step_beyond_does_not() -> None:
    limited = {errors.TERM_RANGE, errors.HOLD_LENGTH, errors.SETTLEMENT_DAY, errors.REBATE_RATE}
    limited |= {errors.CYCLE_INCOMPLETE}  # where zero says that the cycle has no use for the term
    for name, value, low, high in [
        ("hold_minutes", "30", 1, 43_200),
        ("monthly_day", "5", 1, 28),
        ("window_days", "7", 0, 365),
        ("rate_bps", "500", 0, 10_000),
        ("activation_days", "1", 0, 90),
    ]:
        for wanted, stands in [(low, True), (high, True), (low - 1, False), (high + 1, False)]:
            refusals = judged(edited((f"{name} = {value}", f"{name} = {wanted}")))
            assert any(refusal.code in limited for refusal in refusals) != stands, (name, wanted)


def test_a_bearer_card_may_expire_after_the_laws_time() -> None:
    edits = [("registered = true", "registered = false\nprincipal_valid_days = 1_095"), ("500_000", "100_000")]
    assert judged(edited(*edits, ("cap_fen = 20_000", "cap_fen = 10_000"))) == []


def test_every_term_is_read_by_a_rule() -> None:
    """A knob that nothing reads is a promise that nothing keeps. Way out: write the rule, or remove the term."""
    read = set()
    for path in SOURCE.rglob("*.py"):
        if path.parent.name == "programs" and path.stem in WORDS_ABOUT_TERMS:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        read |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    unread = {term.path for term in described(ProgramTerms) if term.path.rpartition(".")[2] not in read}
    assert sorted(unread - NO_COMMAND_READS.keys()) == []


def test_the_preset_marks_what_is_assumed() -> None:
    """Every number of the preset says where it comes from."""
    for line in preset_files.text("jingxika").splitlines():
        if "=" in plain(line) and any(letter.isdigit() for letter in plain(line).partition("=")[2]):
            assert any(word in line for word in ("assumption", "source", "law")), line
    limit = LAW.registered_balance_max_fen
    assert limit and Money(tomllib.loads(PRESET)["card"]["balance_max_fen"]) == limit.value


def test_a_platform_more_promises_more_and_one_less_promises_less() -> None:
    partner = '[[acceptance]]\nplatform = "partner"\nmerchants = "enrolled"\n\n[card]'
    one, two = terms_of(), terms_of(edited(("[card]", partner)))
    added = diff(one, two)
    assert {change.field for change in added} == {"acceptance[platform=partner].merchants"}
    assert {change.loosens for change in added} == {True}
    assert {change.loosens for change in diff(two, one)} == {False}
