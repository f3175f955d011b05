"""Cycles by the timetable, on a real database: T+3, weekly to a verified account, missed runs, closed periods."""

import threading
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest

from kaquan.commands.execute import Door
from kaquan.commands.model import Effect, Kind, Refused
from kaquan.db.pool import connect
from kaquan.holders.service import Sealer
from kaquan.jobs.run import run_due
from kaquan.kernel.calendar import shanghai
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id
from kaquan.ledger.service import proofs
from kaquan.main import Kaquan
from kaquan.merchants.model import BindBankAccount, VerifyBankAccount
from kaquan.payments.model import Pay, Refund
from kaquan.programs.enrolment import EnrolMerchant, SuspendMerchant
from kaquan.settlement import service
from kaquan.settlement.model import Cut, Preview
from support.database import Database
from support.quiet import quiet
from support.town import MASTER_KEY, build, program_text

NO_RESERVE = ("rate_bps = 1_000", "rate_bps = 0")
T_PLUS_3 = (('cycle = "monthly"', 'cycle = "t_plus"\ndays = 3'), ("monthly_day = 5\n", ""), NO_RESERVE)
WEEKLY = (
    ('cycle = "monthly"', 'cycle = "weekly"\nweekday = 1\nrequires_verified_bank = true'),
    ("monthly_day = 5\n", ""),
)
NUMBER = "6222020200112230"


class Year:
    """A town that lives day by day: the timetable looks at nine each morning, people pay at noon."""

    def __init__(self, database: Database, *edits: tuple[str, str]) -> None:
        self.database = database
        self.town = build(database.app_url, *edits)
        self.cards = [self.town.sell(self.town.holder(f"1380013800{n}"), 100_000) for n in range(3)]
        for card in self.cards:
            for _ in range(4):
                self.town.top_up(card, 100_000)
        self.paid: dict[date, list[tuple[str, date, int]]] = {}

    def at(self, day: date, hour: int) -> None:
        self.town.now = shanghai(day) + timedelta(hours=hour)

    def pay(self, amount: int, merchant: str = "mall-1", card: int = 0) -> Id:
        outcome = self.town.pay(self.cards[card], amount, merchant=merchant)
        assert isinstance(outcome, Effect), outcome
        return outcome.id

    def look(self, day: date) -> dict[Kind, int]:
        """The timetable at nine, and what it paid out."""
        self.at(day, 9)
        before = self.payouts()
        done = dict(run_due(self.town.app))
        self.paid[day] = [one for one in self.payouts() if one not in before]
        return done

    def payouts(self) -> list[tuple[str, date, int]]:
        return self.town.rows(
            "SELECT m.code, s.period_end, sum(p.amount)::int FROM payout p JOIN merchant m ON m.id = p.merchant"
            " JOIN settlement s ON s.bucket = p.bucket AND s.id = p.settlement GROUP BY 1, 2 ORDER BY 1, 2"
        )

    def live(self, first: date, last: date, noon: Callable[[date], Any]) -> None:
        day = first
        while day <= last:
            self.look(day)
            self.at(day, 12)
            noon(day)
            day += timedelta(days=1)

    def proved(self) -> None:
        assert [proof.name for proof in proofs(self.town.app.connection) if not proof.ok] == []

    def verify(self, merchant: str) -> Effect:
        command = VerifyBankAccount(
            key=self.town.key(), caller=OPERATOR, merchant=merchant, account_no=NUMBER, proof="TT-2025-06"
        )
        return self.town.ok(Kind.VERIFY_BANK_ACCOUNT, command)

    def preview(self, period_end: date) -> Preview:
        app = self.town.app
        seen = service.preview(app.connection, app.catalogue, app.calendar, 1, period_end, patience_seconds=60)
        assert isinstance(seen, Preview), seen
        return seen


def net(amount: int) -> int:
    """Less the fee of 0.6 %."""
    return amount - (amount * 60 + 5_000) // 10_000


def test_three_working_days_later_over_the_golden_week(database: Database) -> None:
    year = Year(database, *T_PLUS_3)
    year.live(date(2025, 9, 26), date(2025, 10, 15), lambda day: year.pay(1_000 * day.day))
    paid = {day.day: [(end.day, amount) for _, end, amount in found] for day, found in year.paid.items() if found}
    expected = {
        30: [26, 27],  # Friday and Saturday: Sunday 09-28 is worked
        9: [28],
        10: [29],
        11: [30, 1, 2, 3, 4, 5, 6, 7, 8],  # Saturday 10-11 is worked
        13: [9],
        14: [10],
        15: [11, 12],
    }
    assert paid == {day: [(end, net(1_000 * end)) for end in ends] for day, ends in expected.items()}
    year.proved()


def test_what_is_cleared_shows_at_once_with_its_value_date(database: Database) -> None:
    year = Year(database, *T_PLUS_3)
    year.look(date(2025, 9, 29))
    year.at(date(2025, 9, 30), 12)
    year.pay(10_000)
    year.at(date(2025, 9, 30), 23)
    year.pay(5_000)
    quiet(year.town.app.connection)
    app = year.town.app
    seen = service.coming(app.connection, app.catalogue, app.calendar, 1, at=app.door.at())
    shown = [(one.period_end, one.pay_on, row.statement.total.gross) for one in seen for row in one.rows]
    assert shown == [
        (date(2025, 9, 30), date(2025, 10, 11), 10_000),
        (date(2025, 10, 1), date(2025, 10, 11), 5_000),
    ]
    assert (
        service.coming(app.connection, app.catalogue, app.calendar, 1, at=app.door.at(), merchants=[])[0].rows == ()
    )


def test_missed_runs_are_made_up_oldest_first_and_once(database: Database) -> None:
    year = Year(database, *T_PLUS_3)
    for day in (date(2025, 6, 9), date(2025, 6, 10), date(2025, 6, 12)):
        year.at(day, 12)
        year.pay(1_000 * day.day)
    done = year.look(date(2025, 6, 17))
    assert year.paid[date(2025, 6, 17)] == [
        ("mall-1", day, net(1_000 * day.day)) for day in (date(2025, 6, 9), date(2025, 6, 10), date(2025, 6, 12))
    ]
    assert done[Kind.SETTLE] == 3 and done[Kind.CLOSE_PERIOD] == 24, "every day since the program opened is closed"
    assert year.look(date(2025, 6, 17)) == {} and year.paid[date(2025, 6, 17)] == []
    assert year.town.rows("SELECT max(number) FROM settlement") == [(3,)]
    year.proved()


def test_a_merchant_that_trades_rarely_is_read_no_further_back_than_the_closed_period(database: Database) -> None:
    year = Year(database, *T_PLUS_3)
    year.at(date(2025, 6, 9), 12)
    year.pay(10_000, "mall-2")
    year.live(date(2025, 6, 10), date(2025, 6, 30), lambda day: year.pay(1_000))
    year.pay(20_000, "mall-2")
    year.look(date(2025, 7, 3))
    assert ("mall-2", date(2025, 6, 30), net(20_000)) in year.paid[date(2025, 7, 3)]
    settlements = year.town.rows(
        "SELECT count(*) FROM settlement s JOIN merchant m ON m.id = s.merchant WHERE m.code = 'mall-2'"
    )
    assert settlements == [(2,)], "none for days without trade"
    year.proved()


def test_a_week_waits_for_a_verified_account_and_is_never_lost(database: Database) -> None:
    year = Year(database, *WEEKLY)
    app = year.town.app
    year.at(date(2025, 6, 3), 12)
    year.pay(10_000)
    year.pay(20_000, "mall-2")
    year.verify("mall-2")
    year.look(date(2025, 6, 9))
    assert year.paid[date(2025, 6, 9)] == [("mall-2", date(2025, 6, 8), 17_892)]
    waits = service.waiting(app.connection)
    assert [(one.period_end, one.amount) for one in waits] == [(date(2025, 6, 8), 8_946)]
    row = year.town.rows("SELECT fee, reserved, paid, carry, pending_bank FROM settlement WHERE pending_bank > 0")
    assert row == [(60, 994, 0, 8_946, 8_946)]
    assert year.look(date(2025, 6, 16))[Kind.CLOSE_PERIOD] == 1, "nothing is new: nothing is settled"
    year.at(date(2025, 6, 17), 12)
    year.pay(30_000)
    year.look(date(2025, 6, 23))
    assert [one.amount for one in service.waiting(app.connection)] == [8_946 + 26_838]
    year.verify("mall-1")
    assert year.look(date(2025, 6, 24)) == {}, "the week is settled; the next run pays"
    year.look(date(2025, 6, 30))
    assert year.paid[date(2025, 6, 30)] == [("mall-1", date(2025, 6, 29), 8_946 + 26_838)]
    assert service.waiting(app.connection) == []
    held = year.town.rows("SELECT sum(amount)::int FROM reserve")
    assert held == [(994 + 1_988 + 2_982,)], "what waited was held back from once"
    year.proved()


def test_an_account_bound_later_diverts_nothing_and_is_paid_only_after_its_own_proof(database: Database) -> None:
    year = Year(database, *WEEKLY)
    app = year.town.app
    year.verify("mall-1")
    year.at(date(2025, 6, 3), 12)
    year.pay(10_000)
    year.look(date(2025, 6, 9))
    new = {"merchant": "mall-1", "account_bank": "招商银行", "account_no": "6225880100001234"}
    year.town.ok(Kind.BIND_BANK_ACCOUNT, BindBankAccount(key="bind", caller=OPERATOR, **new))
    lines = service.payouts(app.connection, app.catalogue, 1, date(2025, 6, 8))
    assert {line.account_no for line in lines} == {NUMBER}
    year.at(date(2025, 6, 10), 12)
    year.pay(10_000)
    year.look(date(2025, 6, 16))
    assert year.paid[date(2025, 6, 16)] == [], "the new account is not verified"
    stale = VerifyBankAccount(key="old", caller=OPERATOR, merchant="mall-1", account_no=NUMBER, proof="p")
    outcome = app.one(Kind.VERIFY_BANK_ACCOUNT, stale)
    assert isinstance(outcome, Refused) and outcome.refusal.code.code == "bank_account_other"
    proof = VerifyBankAccount(key="new", caller=OPERATOR, merchant="mall-1", account_no=new["account_no"], proof="p")
    year.town.ok(Kind.VERIFY_BANK_ACCOUNT, proof)
    year.look(date(2025, 6, 23))
    lines = service.payouts(app.connection, app.catalogue, 1, date(2025, 6, 22))
    assert [(line.account_no, line.amount) for line in lines] == [(new["account_no"], 8_946)]


def test_who_takes_part_no_longer_is_still_settled(database: Database) -> None:
    year = Year(database, *T_PLUS_3)
    town = year.town
    year.at(date(2025, 6, 9), 12)
    year.pay(10_000)
    year.pay(20_000, "mall-2")
    suspend = SuspendMerchant(key="s", caller=OPERATOR, program="jingxika", merchant="mall-1", reason="complaint")
    town.ok(Kind.SUSPEND_MERCHANT, suspend)
    elsewhere = program_text(*T_PLUS_3, ('platform = "jingxi-stores"', 'platform = "others"'))
    town.amend(elsewhere)
    year.look(date(2025, 6, 12))
    assert [code for code, *_ in year.paid[date(2025, 6, 12)]] == ["mall-1", "mall-2"]
    enrol = EnrolMerchant(key="e", caller=OPERATOR, program="jingxika", merchant="mall-1")
    outcome = town.app.one(Kind.ENROL_MERCHANT, enrol)
    assert isinstance(outcome, Refused) and outcome.refusal.code.code == "merchant_platform_not_accepted"
    year.proved()


def test_a_period_is_closed_only_when_nobody_has_anything_left(database: Database) -> None:
    year = Year(database, *T_PLUS_3)
    app = year.town.app
    year.at(date(2025, 6, 9), 12)
    payment = year.pay(10_000)
    early = year.preview(date(2025, 6, 10))

    def refused(seen: Preview, **changed: Any) -> str:
        command = service.close_command(seen)
        for name, value in changed.items():
            command = type(command)(**{**{f: getattr(command, f) for f in command.__struct_fields__}, name: value})
        before = year.town.rows("SELECT count(*) FROM journal")
        outcome = app.one(Kind.CLOSE_PERIOD, command)
        assert isinstance(outcome, Refused), outcome
        assert year.town.rows("SELECT count(*) FROM journal") == before
        return outcome.refusal.code.code

    assert refused(early) == "period_not_over"
    year.at(date(2025, 6, 11), 9)
    seen = year.preview(date(2025, 6, 10))
    assert refused(seen) == "period_open"
    assert refused(seen, program=9) == "settlement_merchant_unknown"
    assert refused(seen, terms=99) == "settlement_terms_changed"
    assert refused(seen, cut=Cut(seen.cut.at_us - 1, seen.cut.xid)) == "cut_stale"
    year.town.ok(Kind.REFUND, Refund(key="r", caller=OPERATOR, payment=payment, reason="returned"))
    assert refused(seen) == "period_open", "a sale and its refund are two entries, on the statement too"
    assert all(isinstance(one, Effect) for one in service.run(app.door, app.handlers[Kind.SETTLE], seen))
    year.town.ok(Kind.CLOSE_PERIOD, service.close_command(seen))
    assert refused(seen, key="again") == "period_closed"
    settle = service.settle_commands(seen, OPERATOR)
    for command in settle:
        outcome = app.one(Kind.SETTLE, command)
        assert isinstance(outcome, Refused) and outcome.refusal.code.code == "period_settled"
    year.proved()


def test_what_commits_after_the_close_is_counted_by_the_next_settlement(database: Database) -> None:
    """It was stamped inside the period, but its transaction lies above the cut; its merchant was never settled."""
    year = Year(database, *T_PLUS_3)
    app = year.town.app
    year.at(date(2025, 6, 9), 12)
    quiet(app.connection)
    with psycopg.connect(database.app_url) as slow:
        slow.execute("SELECT pg_current_xact_id()")
        other = Door(slow, Sealer(app.master))
        other._now = lambda: year.town.now
        command = Pay(
            key="slow",
            caller=OPERATOR,
            card=year.cards[0],
            merchant=year.town.merchants["mall-2"],
            store=None,
            amount=7_000,  # type: ignore[arg-type]
            order_no="slow",
        )
        assert isinstance(other.one(app.handlers[Kind.PAY], command), Effect)
        year.at(date(2025, 6, 12), 9)
        seen = service.preview(app.connection, app.catalogue, app.calendar, 1, date(2025, 6, 9), patience_seconds=0.2)
        assert isinstance(seen, Preview) and seen.rows == ()
        year.town.ok(Kind.CLOSE_PERIOD, service.close_command(seen))
    year.look(date(2025, 6, 13))
    assert year.paid[date(2025, 6, 13)] == [("mall-2", date(2025, 6, 10), net(7_000))]
    year.proved()


@pytest.mark.parametrize("before", [T_PLUS_3, WEEKLY], ids=["t_plus", "weekly"])
def test_a_program_that_changes_its_cycle_loses_no_day(
    database: Database, before: tuple[tuple[str, str], ...]
) -> None:
    year = Year(database, *before)
    for merchant in ("mall-1", "mall-2"):
        year.verify(merchant)
    year.live(date(2025, 6, 5), date(2025, 6, 12), lambda day: year.pay(10_000))
    year.town.amend(program_text())
    year.live(date(2025, 6, 13), date(2025, 7, 7), lambda day: year.pay(1_000))
    paid = sum(amount for found in year.paid.values() for *_, amount in found)
    rows = year.town.rows("SELECT sum(gross)::int, sum(fee + reserved + paid)::int, max(period_end) FROM settlement")
    assert rows == [(8 * 10_000 + 18 * 1_000, 98_000, date(2025, 6, 30))] and paid > 85_000
    year.proved()


def test_timetables_that_look_at_once_pay_once_and_close_once(database: Database) -> None:
    year = Year(database, *T_PLUS_3)
    for day in range(9, 13):
        year.at(date(2025, 6, day), 12)
        year.pay(10_000)
        year.pay(5_000, "mall-2", card=1)
    year.at(date(2025, 6, 17), 9)
    start = threading.Barrier(3)

    def look() -> None:
        with connect(database.app_url) as connection:
            app = Kaquan(connection, MASTER_KEY)
            app.door._now = lambda: year.town.now
            start.wait()
            run_due(app)

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = year.town.rows("SELECT count(*), count(DISTINCT (merchant, period_end)), sum(gross)::int FROM settlement")
    assert rows == [(8, 8, 60_000)]
    assert year.town.rows("SELECT count(*), max(period_end) FROM closed_period") == [(24, date(2025, 6, 12))]
    year.proved()
