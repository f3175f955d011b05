"""What must lie in custody: every rule by itself, the strictest of all, by whatever law and terms."""

from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaquan.custody import camt
from kaquan.custody.coverage import Coverage, releasable_fen
from kaquan.custody.matching import matched
from kaquan.custody.model import Books, Custody, Moved, custody_id
from kaquan.custody.requirement import Requirement, instants, quarter_of, required
from kaquan.custody.statement_model import BankEntry, Booked
from kaquan.kernel.calendar import shanghai
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money, Rate
from kaquan.kernel.refusal import Refusal
from kaquan.law.model import law_on
from kaquan.programs.custody import Custody as CustodyTerms
from kaquan.programs.custody import CustodyRule, Guarantee
from kaquan.programs.terms import ProgramTerms
from support.camt import ACCOUNT_NO, camt_file
from support.programs import terms_of

DAY = date(2025, 8, 15)
amounts = st.integers(0, 10**12).map(Money)


def books(quarter_end: int, now: int, owed: int = 0, topped_up: int = 0) -> Books:
    return Books(
        Moved(Money(now), Money(owed), Money(topped_up), Money(0)), {}, {quarter_of(DAY): Money(quarter_end)}
    )


def program(legal_class: str, packs: tuple[str, ...], **custody: Any) -> ProgramTerms:
    terms = terms_of()
    names = msgspec.structs.replace(terms.program, legal_class=legal_class, law_packs=packs)
    return msgspec.structs.replace(
        terms, program=names, custody=CustodyTerms(bank="某银行", account_no=ACCOUNT_NO, **custody)
    )


def asked(terms: ProgramTerms, known: Books) -> Requirement:
    laws = [law_on((pack,), DAY) for pack in terms.program.law_packs]
    return required(terms, laws, known, DAY, None)


@pytest.mark.parametrize(
    ("legal_class", "packs", "quarter_end", "now", "owed", "wanted", "rule"),
    [
        ("single_purpose_scale", ("cn_single_purpose",), 1_000_000, 0, 0, 200_000, "custody_scale_quarter_bps_min"),
        ("single_purpose_group", ("cn_single_purpose",), 1_000_000, 0, 0, 300_000, "custody_group_quarter_bps_min"),
        ("single_purpose_brand", ("cn_single_purpose",), 1_000_000, 0, 0, 400_000, "custody_brand_quarter_bps_min"),
        ("single_purpose_other", ("cn_single_purpose",), 1_000_000, 0, 0, 0, ""),
        ("multi_purpose_licensed", ("cn_multi_purpose",), 0, 700, 900, 900, "custody_owed_bps_min"),
        (
            *("single_purpose_group", ("cn_single_purpose", "cn_beijing")),
            *(50_000_000, 0, 0, 20_000_000, "custody_quarter_bps_min"),
        ),
        (
            *("single_purpose_group", ("cn_single_purpose", "cn_beijing")),
            *(49_999_999, 0, 0, 15_000_000, "custody_group_quarter_bps_min"),
        ),
        (
            *("single_purpose_other", ("cn_single_purpose", "cn_shanghai")),
            *(0, 20_000_001, 0, 20_000_001, "custody_special_bps_min"),
        ),
        (*("single_purpose_other", ("cn_single_purpose", "cn_shanghai")), *(0, 20_000_000, 0, 0, "")),
    ],
)
def test_each_issuer_keeps_what_its_law_asks(
    legal_class: str, packs: tuple[str, ...], quarter_end: int, now: int, owed: int, wanted: int, rule: str
) -> None:
    found = asked(program(legal_class, packs), books(quarter_end, now, owed))
    assert found.required_fen == wanted
    assert (found.strictest.rule if found.strictest else "") == rule


def test_a_large_revenue_makes_shanghai_ask_for_forty_per_cent_only() -> None:
    packs = ("cn_single_purpose", "cn_shanghai")
    terms = program("single_purpose_other", packs, issuer_revenue_fen=Money(200_000_000))
    assert asked(terms, books(0, 40_000_000)).required_fen == 16_000_000
    assert asked(terms, books(0, 40_000_001)).required_fen == 40_000_001
    young = program("single_purpose_other", packs, issuer_revenue_fen=Money(200_000_000), issuer_first_year=True)
    assert asked(young, books(0, 40_000_000)).required_fen == 40_000_000


@given(amounts, amounts, amounts, st.integers(0, 10_000), st.integers(0, 10_000))
def test_the_strictest_counts_and_never_the_sum(quarter_end: int, now: int, taken: int, one: int, two: int) -> None:
    rules = (
        CustodyRule(code="one", base="top_ups", rate_bps=Rate(one)),
        CustodyRule(code="two", base="outstanding", rate_bps=Rate(two)),
    )
    terms = program("single_purpose_group", ("cn_single_purpose", "cn_beijing", "cn_shanghai"), rules=rules)
    found = asked(terms, books(quarter_end, now, topped_up=taken))
    assert found.required_fen == max(line.required_fen for line in found.lines)
    for line in found.lines:
        assert line.required_fen * 10_000 >= line.basis_fen * line.rate_bps - line.deducted_fen * 10_000
        assert line.required_fen <= line.basis_fen


def test_a_guarantee_stands_where_it_may_on_its_days() -> None:
    paper = Guarantee(
        reference="BH-1", by="某银行", amount_fen=Money(250_000), valid_from="2025-08-15", valid_until="2025-08-15"
    )
    kept = {"guarantees": (paper,)}
    known = books(1_000_000, 1_000_000)
    assert asked(program("single_purpose_group", ("cn_single_purpose",), **kept), known).required_fen == 50_000
    over = msgspec.structs.replace(paper, valid_until="2025-08-14")
    past = program("single_purpose_group", ("cn_single_purpose",), guarantees=(over,))
    assert asked(past, known).required_fen == 300_000
    silent = CustodyRule(code="own", base="outstanding", rate_bps=Rate(3_000))
    both = program("single_purpose_group", ("cn_single_purpose",), rules=(silent,), **kept)
    assert asked(both, known).required_fen == 300_000, "a rule of the terms takes papers only where it says so"


def test_a_period_counts_its_days_and_what_was_used_in_it() -> None:
    rule = CustodyRule(code="own", base="top_ups", rate_bps=Rate(3_000), period_days=30, less_redeemed=True)
    terms = program("single_purpose_other", ("cn_single_purpose",), rules=(rule,))
    begin = microseconds(shanghai(date(2025, 7, 17)))
    assert begin in instants(terms, DAY)
    known = books(0, 900, topped_up=5_000)
    known.since = {begin: Moved(Money(100), Money(0), Money(1_000), Money(0))}  # 1,000 came in, 900 of it was used
    assert asked(terms, known).required_fen == 30


@given(amounts, amounts, amounts, amounts, st.integers(-(10**12), 10**12))
def test_no_release_leaves_less_than_is_required(
    there: int, quarter_end: int, taken: int, now: int, short: int
) -> None:
    terms = program("single_purpose_group", ("cn_single_purpose",), release="with_redemption")
    known = books(quarter_end, min(now, taken), topped_up=taken)
    custody = Custody(id=custody_id("x"), version=1, program=1)
    found = Coverage(asked(terms, known), Money(there), Money(short))
    free = releasable_fen(found, known, custody, terms.custody)
    assert 0 <= free <= max(0, taken - min(now, taken))
    assert free == 0 or found.covered_fen - free >= found.required_fen


@given(st.lists(st.integers(-3, 3).filter(bool), max_size=6), st.lists(st.integers(-3, 3).filter(bool), max_size=6))
def test_every_movement_is_matched_once_and_the_rest_explains_the_difference(
    ours: list[int], theirs: list[int]
) -> None:
    booked = [Booked(Id(bytes([n]) * 16), Money(fen), DAY, "") for n, fen in enumerate(ours)]
    found = matched([BankEntry(Money(fen), DAY, "") for fen in theirs], booked, [])
    taken = [transfer for _, transfer in found.entries if transfer]
    assert len(taken) == len(set(taken)) and len(taken) + len(found.left) == len(ours)
    unbooked = sum(entry.amount for entry, transfer in found.entries if transfer is None)
    assert sum(ours) - sum(theirs) == sum(one.amount for one in found.left) - unbooked


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<Document/>",
        b'<!DOCTYPE d [<!ENTITY e "x">]><Document xmlns="urn:camt.053.001.02">&e;</Document>',
        camt_file("s", ACCOUNT_NO, DAY, ("0", "1"), currency="USD"),
        camt_file("s", ACCOUNT_NO, DAY, ("0.001", "1")),
        camt_file("s", ACCOUNT_NO, DAY, ("0", "1"), edition="urn:iso:std:iso:20022:tech:xsd:camt.052.001.02"),
    ],
)
def test_what_is_no_statement_in_yuan_is_refused(content: bytes) -> None:
    assert isinstance(camt.read(content), Refusal)


def test_younger_editions_are_read_alike() -> None:
    for edition in ("camt.053.001.02", "camt.053.001.08"):
        file = camt_file("s-1", ACCOUNT_NO, DAY, ("10", "-2.50"), ("-12.50/x",), edition=f"urn:iso:{edition}")
        file = file.replace(b"<Sts>BOOK</Sts>", b"<Sts><Cd>BOOK</Cd></Sts>") if edition.endswith("8") else file
        found = camt.read(file)
        assert not isinstance(found, Refusal)
        assert (found[0].opening, found[0].closing) == (1_000, -250)
        assert found[0].entries == (BankEntry(Money(-1_250), DAY, "x"),)
