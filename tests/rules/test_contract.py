"""The written contract of a sale: one purchase, one text; another purchase, another text; whole in both languages."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec
import pytest

from kaquan.kernel.money import Money
from kaquan.law.model import load_pack
from kaquan.ledger.model import Ledger
from kaquan.programs.catalogue import Terms
from kaquan.programs.contract import Purchase, contract, digest
from kaquan.programs.lifecycle import ProgramState
from support.programs import edited, opinion, terms_of

NOON = datetime(2025, 5, 20, 4, 0, tzinfo=UTC)
BOUGHT = Purchase("6200000000000001", Money(50_000), Money(47_500), NOON, NOON + timedelta(hours=12), False)
MULTI = (
    ('"single_purpose_group"', '"multi_purpose_licensed"\nlicence = "Z2000133000019"'),
    ('"cn_single_purpose"', '"cn_multi_purpose"'),
)


def terms(*edits: tuple[str, str], version: int = 1) -> Terms:
    return Terms(
        id=version,
        program=1,
        version=version,
        terms=terms_of(edited(*edits)),
        ledger=Ledger(1, 1),
        platforms={1: "all"},
        enrolments={},
        state=ProgramState.RUNNING,
        issuer_name="京喜商贸有限公司",
        platform_names=("京喜门店",),
    )


def test_the_contract_says_who_what_and_how_much() -> None:
    chinese, english = contract(terms(), BOUGHT, "zh"), contract(terms(), BOUGHT, "en")
    for words in (
        "京喜卡购卡合同",
        "发行方：京喜商贸有限公司（jingxi）",
        "卡号 6200000000000001 的持卡人",
        "2025-05-20 12:00:00（北京时间）实付 475.00 元，得面值 500.00 元：本金 475.00 元，赠金 25.00 元。",
        "在商户组 京喜门店（jingxi-stores）的门店使用。",
        "自 2025-05-21 00:00:00（北京时间）起可用。",
        "本金永久有效",
        "付款后 7 天内，持卡人可无理由退回本金",
        "支付后 7 天内可退款",
        "法规包 cn_single_purpose 2, cn_voucher_convention 1",
    ):
        assert words in chinese, words
    assert "475.00 yuan were paid for 500.00 of value: 475.00 principal, 25.00 bonus." in english
    assert len(chinese.splitlines()) == len(english.splitlines())
    assert [line[:2] for line in chinese.splitlines() if line[:1].isdigit()] == [f"{n}."[:2] for n in range(1, 13)]


def test_what_vouchers_paid_is_told_with_its_expiry() -> None:
    of_vouchers = msgspec.structs.replace(
        BOUGHT, paid=Money(42_500), subsidy=Money(5_000), subsidy_until=NOON + timedelta(days=30, hours=12)
    )
    assert (
        "实付 425.00 元，得面值 500.00 元：本金 425.00 元，赠金 25.00 元，消费券补贴 50.00 元"
        "（不可提现，最早 2025-06-20 00:00:00 到期，到期退回出资方）。"
    ) in contract(terms(), of_vouchers, "zh")
    assert (
        "425.00 principal, 25.00 bonus, 50.00 subsidy from vouchers (never paid out; the first of it expires on "
        "2025-06-20 00:00:00 and goes back to its funders)."
    ) in contract(terms(), of_vouchers, "en")


def test_every_clause_of_the_packs_stands_in_it_once() -> None:
    for edits, pack in [((), "cn_single_purpose"), (MULTI, "cn_multi_purpose")]:
        chinese, english = (contract(terms(*edits), BOUGHT, language) for language in ("zh", "en"))
        for clause in load_pack(pack).contract:
            assert chinese.count(f"（{clause.article_zh}）") == 1, clause
            assert english.count(f"({clause.article_en})") == 1, clause
    assert "支付业务许可证 Z2000133000019" in contract(terms(*MULTI), BOUGHT, "zh")


def test_the_contract_cites_the_law_of_its_day() -> None:
    before = msgspec.structs.replace(BOUGHT, at=datetime(2025, 4, 30, 15, 59, tzinfo=UTC))
    assert "最高人民法院" not in contract(terms(), before, "zh")
    after = msgspec.structs.replace(BOUGHT, at=datetime(2025, 4, 30, 16, 0, tzinfo=UTC))
    assert "最高人民法院" in contract(terms(), after, "zh")


def test_an_opinion_on_record_is_told() -> None:
    assert "A Law Firm 于 2025-05-20 出具法律意见 KQ-1：可行。" in contract(
        terms(opinion("bonus_allowed")), BOUGHT, "zh"
    )


def test_the_digest_is_that_of_the_chinese_text_and_any_other_fact_gives_another() -> None:
    known = digest(terms(), BOUGHT)
    assert known == sha256(contract(terms(), BOUGHT, "zh").encode()).hexdigest() == digest(terms(), BOUGHT)
    others = [
        digest(terms(), msgspec.structs.replace(BOUGHT, **{name: value}))
        for name, value in [
            ("number", "6200000000000002"),
            ("face", Money(50_001)),
            ("paid", Money(47_501)),
            ("at", NOON + timedelta(seconds=1)),
            ("active_from", NOON),
            ("top_up", True),
        ]
    ]
    others += [digest(terms(version=2), BOUGHT), digest(terms(("window_days = 7", "window_days = 8")), BOUGHT)]
    assert len({known, *others}) == 1 + len(others)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_is_left_to_fill_in(language: str) -> None:
    text = contract(terms(), BOUGHT, "zh" if language == "zh" else "en")
    assert "{" not in text and "None" not in text and text.endswith("\n") and not text.endswith("\n\n")
