"""Several packs on one day: the strictest article wins, each from its day to its day."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaquan.kernel.money import Money
from kaquan.law import model
from kaquan.law.model import Law, LawPack, Rules, decode_pack, law_on
from kaquan.law.rules import balance_allowed

DAY = date(2025, 5, 20)
WORDS = 'source = "x"\narticle_zh = "条"\narticle_en = "art."\nconf = "C"\n'
HIGHEST = {
    *("bearer_valid_days_min", "cooling_off_days_min", "licence_required"),
    *("cooling_off_free_days_min", "cooling_off_unused_days_min", "breakage_idle_days_min"),
    *("interest_issuer_cause_bps_min", "interest_holder_cause_bps_min"),
}
HIGHEST |= {
    name
    for name in Rules.__struct_fields__
    if name.startswith("custody_") and name.endswith(("_bps_min", "_required"))
}
"""Rules of which the highest value is the strictest, typed a second time."""


def pack(name: str, *rules: str, version: int = 1, dates: str = "effective_from = 2020-01-01") -> LawPack:
    head = f'id = "{name}"\nversion = {version}\njurisdiction = "CN"\ntitle_zh = "法"\ntitle_en = "law"\n{dates}\n'
    return decode_pack(head + "\n".join(rules))


def rule(name: str, value: int, dates: str = "", many: bool = False) -> str:
    head = f"[[{name}]]" if many else f"[{name}]"
    return f"{head}\nvalue = {value}\n{WORDS}{dates}\n"


Shelf = dict[str, LawPack]


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    packs: Shelf = {}
    monkeypatch.setattr(model, "load_pack", packs.__getitem__)
    law_on.cache_clear()
    yield packs
    law_on.cache_clear()


def stacked(shelf: Shelf, *packs: LawPack, day: date = DAY) -> Law:
    law_on.cache_clear()
    shelf.update({one.id: one for one in packs})
    return law_on(tuple(one.id for one in packs), day)


@pytest.mark.parametrize("name", Rules.__struct_fields__)
def test_of_each_rule_the_strictest_article_wins_whatever_the_order(name: str, shelf: Shelf) -> None:
    low, high = pack("aa", rule(name, 0)), pack("bb", rule(name, 1), version=3)
    winner = "bb" if name in HIGHEST else "aa"
    for packs in ((low, high), (high, low)):
        law = stacked(shelf, *packs)
        found = law.find(name)
        assert found is not None and found is getattr(law, name)
        assert (found.pack.id, found.value) == (winner, int(name in HIGHEST))
        assert found.facts["law_pack_version"] == (3 if winner == "bb" else 1)
    assert (law.ids, law.versions) == ("bb+aa", "3+1")


def test_of_equal_articles_the_first_pack_is_cited(shelf: Shelf) -> None:
    one, two = (pack(name, rule("bonus_valid_days_max", 90)) for name in ("aa", "bb"))
    assert (found := stacked(shelf, two, one).bonus_valid_days_max) and found.pack.id == "bb"


def test_a_pack_that_is_silent_takes_nothing_from_the_others(shelf: Shelf) -> None:
    law = stacked(shelf, pack("aa"), pack("bb", rule("registered_balance_max_fen", 7)))
    refused = balance_allowed(True, Money(8), law)
    assert refused is not None and refused.facts["law_pack"] == "bb"
    assert balance_allowed(False, Money(8), law) is None


@given(st.integers(-3, 40))
def test_an_article_binds_from_its_first_day_to_its_last(offset: int) -> None:
    first, last = date(2025, 5, 20), date(2025, 6, 20)
    dates = f"effective_from = {first}\neffective_to = {last}"
    article = next(pack("aa", rule("bonus_valid_days_max", 90, dates)).articles())
    day = first + timedelta(days=offset)
    assert article.in_force(day) == (first <= day <= last)


def test_articles_follow_one_another_and_the_pack_has_its_own_days(shelf: Shelf) -> None:
    old = rule("registered_balance_max_fen", 500, "effective_to = 2025-05-31", many=True)
    new = rule("registered_balance_max_fen", 900, "effective_from = 2025-06-01", many=True)
    amended = pack("aa", old, new, dates="effective_from = 2020-01-01\neffective_to = 2025-12-31")
    for day, value in [
        (date(2019, 12, 31), None),
        (date(2020, 1, 1), 500),
        (date(2025, 5, 31), 500),
        (date(2025, 6, 1), 900),
        (date(2025, 12, 31), 900),
        (date(2026, 1, 1), None),
    ]:
        found = stacked(shelf, amended, day=day).registered_balance_max_fen
        assert (found and found.value) == value, day


def test_the_cooling_off_time_of_2025_binds_from_its_day() -> None:
    shipped = ("cn_single_purpose",)
    assert law_on(shipped, date(2025, 4, 30)).cooling_off_days_min is None
    found = law_on(shipped, date(2025, 5, 1)).cooling_off_days_min
    assert found is not None and found.value == 7
    assert law_on(("cn_multi_purpose",), date(2024, 4, 30)).licence_required is None
    assert law_on(("cn_multi_purpose",), date(2024, 5, 1)).licence_required is not None


def test_what_no_rule_is_called_is_not_found() -> None:
    law = law_on(("cn_single_purpose",), DAY)
    assert law.find("packs") is None and law.find("bonus_allowed") is None and law.find("__class__") is None
