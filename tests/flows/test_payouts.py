"""Payouts on a real database: one number for life, never paid twice, never lost; files stay as they were made."""

import csv
import hashlib
import io
from datetime import date

import pytest

from kaquan.commands.model import Effect, Kind
from kaquan.kernel.caller import OPERATOR
from kaquan.ledger.chart import Source
from kaquan.merchants.model import BindBankAccount
from kaquan.payouts import service
from kaquan.payouts.model import FileFormat, Verdict
from support.database import Database
from support.payouts import PAY_DAY, Desk, code

PAYOUT, WAITING = 42, 46


@pytest.fixture
def desk(database: Database) -> Desk:
    desk = Desk(database)
    desk.settle()
    return desk


def test_a_payout_is_sent_and_confirmed_and_leaves_the_bank_once(desk: Desk) -> None:
    first = desk.payouts()
    file = desk.made()
    assert desk.state(first) == ("sent", 1, 0)
    owed = desk.balance(PAYOUT)
    line = desk.said(first, "成功")
    assert desk.told(line)[:2] == (1, 0)
    assert desk.state(first) == ("confirmed", 1, 0)
    paid = desk.town.rows("SELECT amount FROM payout WHERE id = %s", first.hex())[0][0]
    assert desk.balance(PAYOUT) == owed - paid
    moved = desk.moved()
    assert desk.told(line)[:2] == (0, 1), "the same file again"
    assert desk.told(desk.said(first, "confirmed"))[:2] == (0, 1), "the same in other words"
    assert desk.moved() == moved
    assert code(desk.reissue(first)) == "payout_state"
    assert file
    desk.proved()


def test_what_fails_waits_and_is_told_again_under_the_same_number(desk: Desk) -> None:
    first = desk.payouts()
    desk.made()
    owed = desk.balance(PAYOUT)
    desk.told(desk.said(first, "失败", reference="F-1"))
    assert desk.state(first) == ("failed", 1, 0)
    assert (desk.balance(PAYOUT), desk.balance(WAITING)) == (0, owed), "owed as before, and not on its way"
    desk.proved()
    assert code(desk.reissue(first, " ")) == "payout_reason_missing"
    again = desk.reissue(first)
    assert (again.facts["payout"], again.facts["attempt"], again.facts["state"]) == (first.hex(), 2, "instructed")
    assert code(desk.reissue(first)) == "payout_state", "once only"
    text = desk.content(desk.made()).decode("utf-8-sig")
    assert f"{service.instruction(first, 2)}," in text
    desk.told(desk.said(first, "成功", attempt=2, reference="B-2"))
    desk.told(desk.said(first, "退汇", attempt=2, reference="R-2"))
    assert desk.state(first) == ("returned", 2, 0)
    assert (desk.balance(PAYOUT), desk.balance(WAITING)) == (0, owed)
    desk.proved()
    desk.reissue(first, "new account")
    desk.made()
    desk.told(desk.said(first, "成功", attempt=3, reference="B-3"))
    assert desk.state(first) == ("confirmed", 3, 0)
    assert desk.told(desk.said(first, "成功", attempt=2, reference="B-2"))[:3] == (0, 1, []), "told before"
    states = [service.state_word(step.state) for step in service.steps(desk.app.connection, first)]
    sent = ["sent", "confirmed", "returned", "instructed"]
    assert states == ["sent", "failed", "instructed", *sent, "sent", "confirmed"]
    desk.proved()


@pytest.mark.parametrize("sent_again", [False, True])
def test_a_late_confirmation_stops_what_was_to_be_paid_again(desk: Desk, sent_again: bool) -> None:
    first = desk.payouts()
    desk.made()
    desk.told(desk.said(first, "失败", reference="F-1"))
    desk.reissue(first)
    if sent_again:
        desk.made()
    found = desk.told(desk.said(first, "成功", reference="B-1"))
    (odd,) = found.exceptions
    assert odd["result"] == "attempt_over"
    assert desk.state(first) == ("sent" if sent_again else "instructed", 2, 1)
    if not sent_again:
        assert desk.make().refusal.code.code == "payout_nothing_due", "it is not sent while that is open"
    paid = desk.explain(odd["exception"], Verdict.PAID)
    if sent_again:
        assert code(paid) == "payout_exception_not_paid", "both may be paid: that is for the bank to say"
        assert isinstance(desk.explain(odd["exception"], Verdict.DISMISSED), Effect)
        desk.told(desk.said(first, "成功", attempt=2, reference="B-2"))
    else:
        assert isinstance(paid, Effect)
    assert desk.state(first)[::2] == ("confirmed", 0)
    assert code(desk.explain(odd["exception"], Verdict.DISMISSED)) == "payout_exception_explained"
    assert code(desk.reissue(first)) == "payout_state"
    desk.proved()


def test_what_fits_nothing_becomes_an_exception_with_its_reason(desk: Desk) -> None:
    first, second = desk.payouts(), desk.payouts("mall-2")
    before = desk.told(desk.said(first, "成功", reference="early"))
    assert [one["result"] for one in before.exceptions] == ["not_sent"]
    assert isinstance(desk.explain(before.exceptions[0]["exception"], Verdict.DISMISSED), Effect)
    desk.made()
    moved = desk.town.rows("SELECT count(*) FROM posting")
    unknown = service.instruction(desk.card, 1)
    found = desk.told(
        desk.said(first, "成功", reference="B-1", fen=1),
        desk.said(second, "退汇", reference="R-1"),
        f"{unknown},成功,1.00,B-9,",
        "no number,成功,1.00,B-8,",
        desk.said(first, "也许", reference="B-7"),
        desk.said(first, "处理中", reference="B-6"),
    )
    reasons = sorted(one["result"] for one in found.exceptions)
    assert reasons == ["amount_differs", "returned_before_confirmed", "unknown", "unreadable", "unreadable"]
    assert (found.taken, found.pending) == (0, 1)
    assert desk.town.rows("SELECT count(*) FROM posting") == moved
    assert desk.state(first)[::2] == ("sent", 2)
    desk.told(desk.said(second, "成功", reference="B-2"))
    twice = desk.told(desk.said(second, "成功", reference="B-3"), desk.said(second, "失败", reference="F-3"))
    assert sorted(one["result"] for one in twice.exceptions) == ["confirmed_twice", "failed_after_confirmed"]
    assert desk.state(second)[0] == "confirmed"
    listed = service.exceptions(desk.app.connection)
    assert len(listed) == 7
    assert all(one.code in service.REASONS for one in listed)
    desk.proved()


@pytest.mark.parametrize("form", FileFormat)
def test_a_file_is_made_once_numbered_hashed_and_the_same_for_ever(desk: Desk, form: FileFormat) -> None:
    key = desk.town.key()
    made = desk.make(format=form, key=key)
    assert isinstance(made, Effect)
    facts = made.facts
    assert (facts["number"], facts["lines"], facts["left_out"], facts["state"]) == (1, 2, 0, "made")
    assert facts["total_fen"] == 53_676 + 8_946
    file = service.file_id(facts)
    content = desk.content(file)
    assert hashlib.sha256(content).hexdigest() == facts["sha256"]
    assert desk.content(file) == content
    again = desk.make(format=form, key=key)
    assert again.replayed and again.facts == facts
    assert code(desk.make(format=form)) == "payout_nothing_due"
    stored = bytes(desk.town.rows("SELECT content FROM payout_file")[0][0])
    assert b"6222020200112230" in content and b"6222020200112230" not in stored, "sealed where it lies"


def test_csv_files_have_chinese_headings_and_a_control_row(desk: Desk) -> None:
    utf8 = desk.content(desk.made(format=FileFormat.CSV_UTF8))
    rows = list(csv.reader(io.StringIO(utf8.decode("utf-8-sig"))))
    assert rows[0][1:6] == ["打款编号", "收款户名", "收款开户行", "收款账号", "金额（元）"]
    assert rows[-1][:2] == ["合计", "2"] and rows[-1][5] == "626.22"
    assert sum(round(float(row[5]) * 100) for row in rows[1:-1]) == 62_622
    assert {row[9] for row in rows[1:-1]} == {"0200000001"}


def test_each_bank_account_gets_its_own_file(desk: Desk) -> None:
    assert code(desk.make(source=Source.FISCAL)) == "payout_source_missing"
    assert code(desk.make(organisation="jingxi-stores")) == "payout_book_unknown"
    assert code(desk.make(source=Source.OPERATING)) == "payout_nothing_due", "the bonus was not spent here"
    assert code(desk.make(until=date(2025, 6, 4))) == "payout_nothing_due", "its day has not come"
    assert isinstance(desk.make(until=PAY_DAY), Effect)


def test_a_changed_account_waits_and_is_paid_where_it_was_proved(database: Database) -> None:
    desk = Desk(database, ("monthly_day = 5", "monthly_day = 5\nrequires_verified_bank = true"))
    for merchant in ("mall-1", "mall-2"):
        desk.verify(merchant)
    desk.settle()
    bound = BindBankAccount(
        key=desk.town.key(), caller=OPERATOR, merchant="mall-1", account_bank="建设银行", account_no="62170001"
    )
    desk.town.ok(Kind.BIND_BANK_ACCOUNT, bound)
    file = desk.content(desk.made()).decode("utf-8-sig")
    assert "62170001" not in file and desk.state(desk.payouts())[0] == "instructed", "nobody has verified it"
    assert desk.state(desk.payouts("mall-2"))[0] == "sent"
    desk.verify("mall-1", "62170001")
    file = desk.content(desk.made()).decode("utf-8-sig")
    assert "建设银行,62170001" in file
    desk.proved()
