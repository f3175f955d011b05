"""The books for an accountant: closed days, files that add up and stay the same, beancount that finds nothing."""

import csv
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import psycopg
import pytest

from kaquan.accounting import service
from kaquan.accounting.mapping import shipped
from kaquan.accounting.model import CloseDays, Root, Voucher, cut_us
from kaquan.accounting.service import Asked
from kaquan.commands.model import Effect, Kind, Refused
from kaquan.db.pool import connect
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal
from kaquan.ledger import service as ledger
from kaquan.main import Kaquan
from kaquan.programs.terms import from_json, to_json
from support.accounting import FIRST, LAST, balances, checked, close, closed, titles, traded, written
from support.database import Database
from support.teller import Teller
from support.town import Town, build_shipped

NEXT = LAST + timedelta(days=1)


@pytest.fixture
def town(database: Database) -> Town:
    return closed(database.app_url)


def read(town: Town, **wishes: Any) -> Any:
    """A book over the whole time, and what `read` makes of it."""
    app = town.app
    app.catalogue.refresh(app.connection, -1)
    asked = Asked(wishes.get("book", town.issuer), FIRST, LAST, wishes.get("mapping") or titles())
    return service.opened(app.connection, app.catalogue, asked)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def test_bean_check_finds_nothing_and_a_wrong_fen_at_once(town: Town, tmp_path: Path) -> None:
    for full in (False, True):
        (path,) = written(town, tmp_path / str(full), full=full)
        text = path.read_text("utf-8")
        entries, errors = checked(text)
        assert errors == [] and len(balances(entries)) > 100
        banks = {one.account for one in balances(entries) if one.account.startswith("Assets:JINGXI:10")}
        assert banks == {"Assets:JINGXI:1012-03:0", "Assets:JINGXI:1012-04:SANDBOX"}
        for account in ("2202-01", "2202-02", "2241-07"):
            for merchant in ("MALL-1", "MALL-2"):
                told = [one for one in balances(entries) if one.account == f"Liabilities:JINGXI:{account}:{merchant}"]
                assert told and told[-1].date > LAST
        posting = next(line for line in text.splitlines() if "2202-01:MALL-2" in line and line.startswith("  "))
        amount = posting.split()[1]
        for wrong in (Decimal("0.01"), Decimal("-0.01")):
            changed = posting.replace(amount, str(Decimal(amount) + wrong))
            assert checked(text.replace(posting, changed, 1))[1], "a posting that is a fen off is found"
        figure = next(line for line in text.splitlines() if " balance " in line and "MALL-2" in line)
        told_ = figure.split()[3]
        off = figure.replace(f" {told_} ~", f" {Decimal(told_) + Decimal('0.01')} ~")
        assert checked(text.replace(figure, off, 1))[1], "a figure that is a fen off is found"


def test_a_voucher_that_is_missing_is_found(town: Town, tmp_path: Path) -> None:
    (path,) = written(town, tmp_path, full=True)
    blocks = path.read_text("utf-8").split("\n\n")
    place = next(number for number, block in enumerate(blocks) if '"pay"' in block)
    assert checked("\n\n".join(blocks[:place] + blocks[place + 1 :]))[1]


def test_the_days_agree_with_the_ledger_also_after_a_roll_up(town: Town) -> None:
    for _ in range(2):
        with read(town) as book:
            tied = service.ties(town.app.connection, book)
        assert len(tied) > 10 and all(one.holds for one in tied), tied
        assert any(one.later for one in tied), "what came after the last day is there too"
        ledger.roll_up(town.app.connection)


def test_every_voucher_adds_up_on_the_balance_sheet_and_beside_it(town: Town) -> None:
    with read(town) as book:
        for full in (False, True):
            found: list[Voucher] = list(service.book_vouchers(town.app.connection, book, full=full))
            for memo in (False, True):
                for one in found:
                    lines = [line for line in one.lines if (line.title.root is Root.MEMO) == memo]
                    assert sum(line.debit for line in lines) == sum(line.credit for line in lines), one
            for day in {one.day for one in found}:
                numbers = [one.number for one in found if one.day == day]
                assert numbers == [f"{day:%Y%m%d}-{number:04d}" for number in range(1, len(numbers) + 1)]
    moved = town.rows("SELECT count(DISTINCT transfer), sum(amount)::bigint FROM posting WHERE at < %s", _END)
    assert [(sum(one.transfers for one in found), sum(line.debit for one in found for line in one.lines))] == moved


def test_a_closed_day_reads_the_same_whatever_commits_later(database: Database, tmp_path: Path) -> None:
    town = closed(database.app_url)
    before = {form: contents(written(town, tmp_path / "1", form)) for form in service.FORMS}
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("SET search_path TO kaquan")
        late = "INSERT INTO posting SELECT amount, %s, %s, gen_random_uuid(), debit_owner, credit_owner, bucket,"
        rest = " line, book, program, kind, debit, credit, source FROM posting WHERE kind = 20 LIMIT 1"
        (now,) = owner.execute("SELECT pg_current_xact_id()::text::bigint").fetchone() or (0,)
        (at,) = owner.execute("SELECT min(at) FROM posting WHERE kind = 20").fetchone() or (0,)
        owner.execute(late + rest, [at, now])
    for form, files in before.items():
        assert contents(written(town, tmp_path / "2", form)) == files, form
    town.tick(days=2)
    close(town, NEXT)
    later = table(written(town, tmp_path / "3", "csv", since=NEXT, until=NEXT)[0])
    assert {row["业务笔数"] for row in later if row["摘要"] == "持卡消费"} == {"2"}, "it is booked on the next day"


def test_days_are_not_closed_while_an_older_operation_runs(database: Database, monkeypatch: Any) -> None:
    monkeypatch.setattr("kaquan.accounting.store.PATIENCE_SECONDS", 0.1)
    town = traded(database.app_url)
    with connect(database.app_url, autocommit=False) as slow:
        slow.execute("SELECT pg_current_xact_id()")
        town.top_up(Id(town.rows("SELECT id FROM card")[0][0].bytes))
        town.tick(days=1)
        outcome = close(town, NEXT)
        assert isinstance(outcome, Refused) and outcome.refusal.code.code == "accounting_day_busy"
        assert town.rows("SELECT count(*) FROM closed_day") == [(0,)]
        slow.rollback()
    assert isinstance(close(town, NEXT), Effect)


def test_of_two_who_close_at_once_one_is_told_that_it_is_done(database: Database) -> None:
    town = traded(database.app_url)

    def other_closes(app: Kaquan) -> None:
        command = CloseDays(key="other", caller=OPERATOR, through=LAST)
        assert isinstance(app.one(Kind.CLOSE_DAYS, command), Effect)

    town.meanwhile(database.app_url, Kind.CLOSE_DAYS, other_closes)
    outcome = close(town, LAST)
    assert isinstance(outcome, Refused) and outcome.refusal.code.code == "accounting_day_closed"
    assert town.rows("SELECT count(*), count(DISTINCT cut_xid) FROM closed_day") == [(17, 1)]


def test_a_book_of_two_kinds_wants_to_be_told_which(town: Town) -> None:
    app = town.app
    app.catalogue.refresh(app.connection, -1)
    (known,) = app.catalogue.latest.values()
    other = from_json(to_json(known.terms).replace(b'"single_purpose_group"', b'"multi_purpose_licensed"'))
    app.catalogue.latest[99] = msgspec.structs.replace(known, program=99, terms=other)
    asked = Asked(town.issuer, FIRST, LAST, titles())
    with service.opened(app.connection, app.catalogue, asked) as found:
        assert isinstance(found, Refusal) and found.code.code == "accounting_kind_unclear"
    told = titles('[[book]]\ncode = "jingxi"\nkind = "licensed"')
    with service.opened(app.connection, app.catalogue, asked._replace(mapping=told)) as found:
        assert isinstance(found, service.Book)


def test_the_tables_hold_what_the_books_say(town: Town, tmp_path: Path) -> None:
    vouchers, trial, invoices, accounts = map(table, written(town, tmp_path, "csv"))
    assert vouchers[-1]["日期"] == "合计" and vouchers[-1]["借方金额"] == vouchers[-1]["贷方金额"]
    total = sum(Decimal(row["借方金额"] or 0) for row in vouchers[:-1])
    assert total == Decimal(vouchers[-1]["借方金额"]) == Decimal(town.rows(_ALL, _END)[0][0]) / 100
    on_sheet = next(row for row in trial if row["科目编码"] == "合计" and row["表内/表外"] == "表内")
    for one, other in (("期初借方", "期初贷方"), ("本期借方", "本期贷方"), ("期末借方", "期末贷方")):
        assert on_sheet[one] == on_sheet[other]
    assert {row["系统科目"] for row in accounts} >= {entry.account for entry in shipped().title} - {
        "tax.payable", "partner.payable", "suspense"
    }  # fmt: skip
    assert (tmp_path / "jingxi-2025-05-20-2025-06-05-vouchers.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    due = [(row["事项"], row["开票方"], row["受票方"], row["税收分类编码"], row["金额"]) for row in invoices]
    for row, amount in zip(due, ("475.00", "950.00"), strict=False):
        assert row == ("prepaid_card", "jingxi", "holder", "6010000000000000000", amount)
    settled = [row for row in invoices if row["事项"] == "card_settlement"]
    assert {row["备注栏"] for row in settled} == {"收到预付卡结算款"}
    assert {row["开票方"] for row in settled} == {"mall-1", "mall-2"}
    fees = sum(Decimal(row["金额"]) for row in invoices if row["事项"] == "fee")
    assert fees == Decimal(town.rows("SELECT sum(fee)::bigint FROM settlement")[0][0]) / 100


def test_the_workbook_has_numbers_frozen_headings_and_sums(town: Town, tmp_path: Path) -> None:
    (path,) = written(town, tmp_path, "xlsx", full=True)
    workbook = openpyxl.load_workbook(path)
    assert workbook.sheetnames == ["说明", "记账凭证", "科目余额表", "开票清单", "科目对照"]
    sheet = workbook["记账凭证"]
    assert sheet.freeze_panes == "A2"
    *rows, last = sheet.iter_rows(min_row=2, values_only=True)
    debits = [row[9] for row in rows if row[9] is not None]
    assert all(isinstance(one, int | float) for one in debits) and last[9] == f"=SUM(J2:J{len(rows) + 1})"
    values = openpyxl.load_workbook(path, data_only=True)["记账凭证"]
    total = town.rows(_ALL, _END)[0][0]
    assert round(values.cell(len(rows) + 2, 10).value * 100) == round(sum(debits) * 100) == total


def test_books_that_owe_each_other_are_each_whole(database: Database, tmp_path: Path) -> None:
    town = build_shipped(database.app_url, "open_alliance", "mall")
    teller = Teller(town)
    for at, words in (("05-20 12:00", "sell A 1000"), ("05-20 12:01", "pay A 133.33 order o-1 at shop-1")):
        teller.at(at)
        assert isinstance(teller.say(words), Effect)
    teller.at("06-06 12:00")
    close(town, LAST)
    owed = []
    accounts = {"institution": "Liabilities:INSTITUTION:2241-10:MALL", "mall": "Assets:MALL:1221-02:INSTITUTION"}
    for book, account in accounts.items():
        (path,) = written(town, tmp_path / book, book=book)
        entries, errors = checked(path.read_text("utf-8"))
        assert errors == []
        owed.append(next(one.amount.number for one in reversed(balances(entries)) if one.account == account))
    assert owed == [Decimal("-133.33"), Decimal("133.33")]


def contents(files: list[Path]) -> list[bytes]:
    return [path.read_bytes() for path in files]


_ALL = "SELECT sum(amount)::bigint FROM posting WHERE at < %s"


_END = cut_us(LAST)
