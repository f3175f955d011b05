"""Closing days, titles, trial balances and names in beancount, as pure functions."""

import re
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from beancount.parser import parser
from hypothesis import given
from hypothesis import strategies as st

from kaquan.accounting import rules
from kaquan.accounting.beancount import account
from kaquan.accounting.invoices import Invoicing
from kaquan.accounting.mapping import TitleMap, read_mapping, shipped
from kaquan.accounting.model import BookKind, CloseDays, ClosedDay, CloseFacts, Figure, Period, Root, Title, cut_us
from kaquan.accounting.owners import Titles
from kaquan.accounting.trial import Trial, trial
from kaquan.accounting.words import defused, plain
from kaquan.commands.model import Entry, Plan
from kaquan.kernel.calendar import shanghai
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.clock import SHANGHAI
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Account, Source
from kaquan.programs.catalogue import Catalogue, Merchant

DAY = date(2025, 5, 20)
AT = datetime(2025, 5, 26, 12, tzinfo=SHANGHAI)


def closing(through: date, last: date | None, first: date | None, **more: Any) -> Plan | Refusal:
    command = CloseDays(key="c", caller=OPERATOR, through=through)
    facts = CloseFacts(commands={}, last=last, first=first, horizon=7, unsettled=more)
    return rules.decide_close(Entry(command, Id(bytes(16)), b""), facts, AT)


@given(st.integers(0, 40), st.none() | st.integers(0, 40), st.none() | st.integers(0, 40))
def test_closed_days_have_no_gap_and_end_where_it_was_said(through: int, last: int | None, first: int | None) -> None:
    days = [DAY - timedelta(days=30) + timedelta(days=one) for one in range(41)]
    plan = closing(days[through], None if last is None else days[last], None if first is None else days[first])
    if isinstance(plan, Refusal):
        assert plan.code.code in ("accounting_day_closed", "accounting_day_not_over")
        assert (last is not None and through <= last) or days[through] >= AT.date()
        return
    assert days[through] < AT.date()
    rows = [row for _, row in plan.cold]
    told = [date.fromisoformat(row["day"]) for row in rows]
    assert told == [told[0] + timedelta(days=number) for number in range(len(told))] and told[-1] == days[through]
    if last is not None:
        assert told[0] == days[last] + timedelta(days=1)
    elif first is not None:
        assert told[0] == min(days[first], days[through])
    assert [row["cut_at"] for row in rows] == [cut_us(one) for one in told] and {row["cut_xid"] for row in rows} == {
        7
    }


def test_a_day_ends_at_midnight_in_shanghai() -> None:
    assert cut_us(DAY) == int(shanghai(date(2025, 5, 21)).timestamp()) * 1_000_000


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))
def test_a_period_is_only_of_closed_days(since: int, until: int, closed: int) -> None:
    known = [ClosedDay(DAY + timedelta(days=one), one, one) for one in range(closed)]
    days = [DAY + timedelta(days=one) for one in range(22)]
    found = rules.period(days[since], days[until], [one for one in known if one.day <= days[until]], 366)
    if since > until:
        assert isinstance(found, Refusal) and found.code.code == "accounting_period_wrong"
    elif until >= closed:
        assert isinstance(found, Refusal) and found.facts["day"] == days[max(since, closed)].isoformat()
    else:
        assert isinstance(found, Period) and found.days == tuple(days[since : until + 1])
        assert len(found.cuts) == len(found.days) + 1 and found.cuts[1:] == tuple(known[since : until + 1])


def shipped_titles(text: str | None = None) -> TitleMap:
    found = read_mapping(text)
    assert isinstance(found, TitleMap), found
    return found


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(Account), st.sampled_from(Account), st.integers(1, 10**12))
    ),
    st.sampled_from(list(BookKind)),
)
def test_a_trial_balance_adds_up_or_says_that_titles_split_an_entry(moved: list[Any], kind: BookKind) -> None:
    figures = [
        one
        for day, debit, credit, amount in moved
        for one in (
            Figure(day, debit, None, 0, Money(amount), Money(0)),
            Figure(day, credit, None, 0, Money(0), Money(amount)),
        )
    ]
    mapping = shipped_titles()
    found = trial(figures, Titles("book", kind, mapping, Catalogue(lambda *_: None)))
    if isinstance(found, Refusal):
        assert found.code.code in ("accounting_memo_mixed", "accounting_account_unmapped")
        return
    assert isinstance(found, Trial)
    for memo in (False, True):
        total = found.totals(memo=memo)
        assert total["opening_debit"] == total["opening_credit"] and total["debit"] == total["credit"]
        assert total["closing_debit"] == total["closing_credit"]
    assert sum(found.by_account.values()) == 0
    assert sum(row.debit for row in found.rows) == sum(amount for day, *_, amount in moved if day > 0)


@given(st.from_regex(r"[a-z0-9][a-z0-9_-]{0,39}", fullmatch=True), st.sampled_from(shipped().title), st.booleans())
def test_every_title_of_every_owner_is_a_legal_name_in_beancount(code: str, entry: Any, owned: bool) -> None:
    title = Title(entry.code, entry.zh, entry.en, entry.root, entry.cites)
    name = account(code, title, code if owned else "")
    entries, errors, _ = parser.parse_string(f"2025-05-20 open {name} CNY\n")
    assert not errors and entries[0].account == name
    assert name.split(":")[0] in ("Assets", "Liabilities", "Income", "Expenses", "Equity")


@pytest.mark.parametrize(
    "text",
    [
        '[[title]]\naccount = "card.gold"\ncode = "1"\nzh = "a"\nen = "a"\nroot = "assets"\ncites = ""',
        '[[title]]\naccount = "card.bonus"\ncode = "22a"\nzh = "a"\nen = "a"\nroot = "assets"\ncites = ""',
        '[[title]]\naccount = "card.bonus"\ncode = "2205"\nzh = "a"\nen = "a"\nroot = "equity"\ncites = ""',
        '[[book]]\ncode = "jingxi"\nkind = "bank"',
        "[[title]\n",
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused(text: str) -> None:
    found = read_mapping(text)
    assert isinstance(found, Refusal) and found.code.code == "accounting_mapping_wrong"


def test_what_an_operator_says_of_a_book_counts_before_what_he_says_of_a_kind() -> None:
    told = '[[title]]\naccount = "card.bonus"\ncode = "{}"\nzh = "a"\nen = "a"\nroot = "assets"\ncites = ""\n{}\n'
    mapping = shipped_titles(told.format("9001", "") + told.format("9002", 'book = "jingxi"'))
    kind = BookKind.SINGLE_PURPOSE
    assert [mapping.title(one, kind, "card.bonus", False).code for one in ("jingxi", "else")] == ["9002", "9001"]  # type: ignore[union-attr]
    assert mapping.digest != shipped_titles().digest


@given(st.integers(-(10**15), 10**15))
def test_amounts_are_written_to_the_fen(amount: int) -> None:
    text = plain(amount)
    assert re.fullmatch(r"-?\d+\.\d\d", text) and int(text.replace(".", "")) == amount


def test_text_is_never_a_formula() -> None:
    assert [defused(one) for one in ("=1+1", "-x", "@a", "商户")] == ["'=1+1", "'-x", "'@a", "商户"]


def test_roots_are_those_of_the_statements() -> None:
    assert {entry.root for entry in shipped().title} == set(Root)


def listed(*moved: tuple[Account, Account, Source, int]) -> list[tuple[str, str, str, int, int | None]]:
    """What invoices a transfer calls for that moved so much between these accounts, at a merchant."""
    catalogue = Catalogue(lambda *_: None)
    known = Merchant(Id(b"m" * 16), "mall-1", "一号店", 1, None, True, "", "", False)
    catalogue.merchants[known.id] = known
    transfer, merchant = UUID(bytes=b"t" * 16), UUID(bytes=b"m" * 16)
    rows = [(1, 40, 0, transfer, debit, credit, merchant, source, amount) for debit, credit, source, amount in moved]
    invoicing = Invoicing(shipped().invoice, "jingxi", catalogue)
    assert {(debit, credit) for debit, credit, *_ in moved} <= set(invoicing.pairs())
    period_ = Period(DAY, DAY, (DAY,), (ClosedDay(DAY, 0, 0), ClosedDay(DAY, 1, 1)))
    found = invoicing.listed(iter(rows), period_)
    return [(one.entry.item, one.seller, one.buyer, one.amount, one.tax) for one in found]


def test_a_fee_is_invoiced_with_the_tax_that_was_posted_and_the_sales_with_all_of_it() -> None:
    payable, custody = Account.MERCHANT_PAYABLE, Source.CUSTODY
    paid = (payable, Account.MERCHANT_PAYOUT, custody, 9_000)
    fee, tax = (payable, Account.FEE_INCOME, custody, 223), (payable, Account.TAX_PAYABLE, custody, 14)
    assert listed(paid, fee, tax) == [
        ("card_settlement", "mall-1", "jingxi", 9_237, 0),
        ("fee", "jingxi", "mall-1", 223, 14),
    ]
    assert listed(fee) == [("card_settlement", "mall-1", "jingxi", 223, 0), ("fee", "jingxi", "mall-1", 223, None)]


def test_a_fee_that_is_given_back_is_red_and_no_sale() -> None:
    payable, custody = Account.MERCHANT_PAYABLE, Source.CUSTODY
    back = (Account.FEE_INCOME, payable, custody, 100)
    tax_back = (Account.TAX_PAYABLE, payable, custody, 6)
    assert listed((payable, Account.MERCHANT_PAYOUT, custody, 1_106), back, tax_back) == [
        ("card_settlement", "mall-1", "jingxi", 1_000, 0),
        ("fee_returned", "jingxi", "mall-1", -100, -6),
    ]


def test_public_money_is_no_prepaid_settlement_and_a_returned_card_is_red() -> None:
    (one,) = listed((Account.MERCHANT_PAYABLE, Account.MERCHANT_PAYOUT, Source.FISCAL, 500))
    assert one[:3] == ("funded_settlement", "mall-1", "-")
    assert listed((Account.CARD_PRINCIPAL, Account.HOLDER_REFUND, Source.CUSTODY, 700)) == [
        ("prepaid_card_returned", "jingxi", "holder", -700, 0)
    ]
