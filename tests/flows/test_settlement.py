"""Settlement through the door, on a real database: preview is run, running twice pays once, nothing is lost."""

import threading
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import psycopg
import pytest

from kaquan.commands.execute import Door
from kaquan.commands.model import Effect, Kind, Refused
from kaquan.db.pool import connect
from kaquan.holders.service import Sealer
from kaquan.kernel.calendar import Calendar, shanghai
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal
from kaquan.payments.model import Pay, Refund
from kaquan.programs.catalogue import Catalogue
from kaquan.programs.preset_files import text as preset
from kaquan.programs.service import read_catalogue
from kaquan.settlement import service
from kaquan.settlement.model import PART_FIELDS, Cut, Preview, ReleaseReserve, Settle
from kaquan.settlement.service import ReleaseHandler, SettleHandler
from support.database import Database
from support.quiet import quiet
from support.town import build

CALENDAR = Calendar.load()
MAY, JUNE, JULY = date(2025, 5, 31), date(2025, 6, 30), date(2025, 7, 31)


class Books:
    """A town whose merchants are settled."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.town = build(database.app_url)
        self.app = self.town.app
        self.handler = SettleHandler(self.app.catalogue, CALENDAR)
        self.releases = ReleaseHandler(self.app.catalogue)
        self.card = self.town.sell(self.town.holder(), 100_000)
        self.town.tick(days=1)
        self.program = 1

    def until(self, day: date, hour: int = 9) -> None:
        self.town.now = shanghai(day) + timedelta(hours=hour)

    def preview(self, period_end: date, patience_seconds: float = 60) -> Preview:
        seen = service.preview(
            self.app.connection,
            self.app.catalogue,
            CALENDAR,
            self.program,
            period_end,
            patience_seconds=patience_seconds,
        )
        assert isinstance(seen, Preview), seen
        return seen

    def run(self, seen: Preview) -> list[Any]:
        return service.run(self.app.door, self.handler, seen)

    def settle(self, period_end: date, patience_seconds: float = 60) -> dict[str, Effect]:
        seen = self.preview(period_end, patience_seconds)
        made = {}
        for row, outcome in zip(seen.rows, self.run(seen), strict=True):
            assert isinstance(outcome, Effect), outcome
            shown = {f"{name}_fen": getattr(row.statement.total, name) for name in PART_FIELDS}
            assert {name: outcome.facts[name] for name in shown} == shown, "preview is run, to the fen"
            made[row.code] = outcome
        self.town.ok(Kind.CLOSE_PERIOD, service.close_command(seen))
        return made

    def pay(self, amount: int, merchant: str = "mall-1") -> Id:
        outcome = self.town.pay(self.card, amount, merchant=merchant)
        assert isinstance(outcome, Effect), outcome
        return outcome.id

    def refund(self, payment: Id) -> None:
        self.town.ok(
            Kind.REFUND, Refund(key=self.town.key(), caller=OPERATOR, payment=payment, reason="returned", late=True)
        )

    def one(self, sql: str) -> Any:
        row = self.app.connection.execute(sql).fetchone()
        assert row is not None
        return row[0]

    def moved(self) -> int:
        return int(self.one("SELECT count(*) FROM posting"))

    def payable(self, merchant: str) -> int:
        owner = self.town.merchants[merchant].hex()
        return int(
            self.one(
                "SELECT coalesce(sum(CASE WHEN credit = 40 THEN amount ELSE -amount END), 0)::bigint FROM posting"
                f" WHERE (credit = 40 AND credit_owner = '{owner}') OR (debit = 40 AND debit_owner = '{owner}')"
            )
        )

    def command(self, seen: Preview, merchant: str = "mall-1", **changed: Any) -> Settle:
        values = {
            "key": self.town.key(),
            "caller": OPERATOR,
            "program": seen.program,
            "merchant": self.town.merchants[merchant],
            "period_end": seen.period_end,
            "terms": seen.terms,
            "cut": seen.cut,
        }
        return Settle(**(values | changed))

    def refused(self, command: Settle) -> str:
        before = self.moved()
        outcome = self.app.door.one(self.handler, command)
        assert isinstance(outcome, Refused), outcome
        assert self.moved() == before, "a refusal moves nothing"
        return outcome.refusal.code.code


@pytest.fixture
def books(database: Database) -> Books:
    return Books(database)


def test_a_month_is_paid_held_back_and_charged(books: Books) -> None:
    books.pay(60_000)
    books.pay(10_000, "mall-2")
    books.refund(books.pay(5_000))
    books.until(date(2025, 6, 5))
    made = books.settle(MAY)
    assert set(made) == {"mall-1", "mall-2"}
    facts = made["mall-1"].facts
    assert (facts["gross_fen"], facts["refunds_fen"], facts["fee_fen"]) == (65_000, 5_000, 360)
    assert (facts["reserved_fen"], facts["paid_fen"], facts["carry_fen"]) == (5_964, 53_676, 0)
    assert facts["pay_on"] == "2025-06-05"
    assert books.payable("mall-1") == books.payable("mall-2") == 0
    lines = service.payouts(books.app.connection, books.app.catalogue, books.program, MAY)
    assert sum(line.amount for line in lines if line.merchant_code == "mall-1") == 53_676
    assert {line.account_no for line in lines} == {"6222020200112230"}
    shown = service.settlements(books.app.connection, books.program, MAY)
    assert [(row.code, row.paid) for row in shown] == [("mall-1", 53_676), ("mall-2", facts_paid(made["mall-2"]))]


def facts_paid(effect: Effect) -> int:
    return int(effect.facts["paid_fen"])


def test_running_twice_pays_once(books: Books) -> None:
    books.pay(60_000)
    books.until(date(2025, 6, 5))
    seen = books.preview(MAY)
    first, again = books.run(seen), books.run(seen)
    moved = books.moved()
    assert [outcome.answer for outcome in again] == [outcome.answer for outcome in first]
    assert all(outcome.replayed for outcome in again)
    later = books.preview(MAY)
    assert later.rows == () and later.settled == 1, "mall-2 has nothing to come and needs no settlement"
    with_another_cut = books.preview(MAY).cut
    command = books.command(seen, key="settle-1-2025-05", cut=with_another_cut)
    assert books.refused(command) == "period_settled", "another caller's run of the period"
    assert books.refused(books.command(seen)) == "period_settled"
    assert books.moved() == moved


def test_what_comes_after_the_preview_is_counted_next_time(books: Books) -> None:
    books.pay(30_000)
    books.until(MAY, 22)
    late = books.pay(1_000)
    books.until(MAY, 23)
    books.pay(2_000)
    books.until(date(2025, 6, 5))
    seen = books.preview(MAY)
    books.refund(late)
    made = books.run(seen)
    assert sum(outcome.facts["gross_fen"] for outcome in made) == 31_000
    books.until(date(2025, 7, 7))
    june = books.settle(JUNE)["mall-1"].facts
    assert (june["gross_fen"], june["refunds_fen"]) == (2_000, 1_000)
    assert books.payable("mall-1") == 0


def test_a_payment_that_commits_late_is_never_lost(books: Books) -> None:
    """It was stamped inside the period and committed after the cut: the next settlement counts it, once."""
    books.pay(30_000)
    books.until(MAY, 22)
    quiet(books.app.connection)
    with psycopg.connect(books.database.app_url) as slow:
        slow.execute("SELECT pg_current_xact_id()")
        other = Door(slow, Sealer(books.app.master))
        other._now = lambda: books.town.now
        command = Pay(
            key="slow",
            caller=OPERATOR,
            card=books.card,
            merchant=books.town.merchants["mall-1"],
            store=None,
            amount=7_000,  # type: ignore[arg-type]
            order_no="slow",
        )
        assert isinstance(other.one(books.app.handlers[Kind.PAY], command), Effect)
        books.until(date(2025, 6, 5))
        may = books.settle(MAY, patience_seconds=0.2)["mall-1"].facts
    assert may["gross_fen"] == 30_000
    assert books.payable("mall-1") == 7_000
    books.until(date(2025, 7, 7))
    assert books.settle(JUNE)["mall-1"].facts["gross_fen"] == 7_000
    books.until(date(2025, 8, 5))
    assert books.settle(JULY) == {}, "nothing is left to settle"
    assert books.payable("mall-1") == 0


def test_refunds_of_an_earlier_period_are_carried_until_trade_covers_them(books: Books) -> None:
    payment = books.pay(40_000)
    books.until(date(2025, 6, 5))
    books.settle(MAY)
    books.refund(payment)
    books.until(date(2025, 7, 7))
    june = books.settle(JUNE)["mall-1"].facts
    assert (june["refunds_fen"], june["fee_fen"], june["paid_fen"], june["carry_fen"]) == (40_000, 0, 0, -40_000)
    assert books.payable("mall-1") == -40_000
    books.pay(90_000)
    books.until(date(2025, 8, 5))
    july = books.settle(JULY)["mall-1"].facts
    assert (july["carried_fen"], july["gross_fen"], july["carry_fen"]) == (-40_000, 90_000, 0)
    assert books.payable("mall-1") == 0


def test_a_reserve_is_released_once_when_it_is_due_and_paid_with_the_next_settlement(books: Books) -> None:
    books.pay(60_000)
    books.until(date(2025, 6, 5))
    settlement = books.settle(MAY)["mall-1"]
    held = settlement.facts["reserved_fen"]
    release_on = date(2025, 6, 5) + timedelta(days=90)

    def release(key: str) -> Any:
        command = ReleaseReserve(key=key, caller=OPERATOR, settlement=settlement.id)
        return books.app.door.one(books.releases, command)

    books.until(release_on - timedelta(days=1), 23)
    early = release("r")
    assert isinstance(early, Refused) and early.refusal.code.code == "reserve_not_due"
    assert service.due(books.app.connection, books.app.catalogue, CALENDAR, books.town.now).reserves == []
    books.until(release_on, 0)
    due = service.due(books.app.connection, books.app.catalogue, CALENDAR, books.town.now)
    assert due.reserves == [settlement.id]
    released = release("r")
    assert isinstance(released, Effect) and released.facts["released_fen"] == held
    assert release("r").replayed
    assert release("another").refusal.code.code == "reserve_released"
    assert books.payable("mall-1") == held
    assert service.release(books.app.door, books.releases, [settlement.id])[0].refusal.code.code == "reserve_released"  # type: ignore[union-attr]
    books.until(date(2025, 10, 9))
    paid = books.settle(date(2025, 9, 30))["mall-1"].facts
    assert (paid["released_fen"], paid["paid_fen"], paid["reserved_fen"]) == (held, held, 0)


def test_due_tells_periods_oldest_first_until_they_are_settled(books: Books) -> None:
    books.pay(10_000)

    def due(day: date) -> list[Any]:
        at = shanghai(day) + timedelta(hours=9)
        return service.due(books.app.connection, books.app.catalogue, CALENDAR, at).periods

    assert due(date(2025, 6, 4)) == []
    assert due(date(2025, 6, 5)) == [(1, MAY)]
    assert due(date(2025, 7, 7)) == [(1, MAY), (1, JUNE)]
    books.until(date(2025, 7, 7))
    only_one = [books.town.merchants["mall-1"]]
    part = service.preview(books.app.connection, books.app.catalogue, CALENDAR, 1, MAY, only_one)
    assert isinstance(part, Preview)
    books.run(part)
    assert due(date(2025, 6, 5)) == [(1, MAY)], "the run stopped half way"
    books.settle(MAY)
    books.settle(JUNE)
    assert due(date(2025, 7, 7)) == []


def test_every_refusal_of_a_settlement_moves_nothing(books: Books) -> None:
    books.pay(10_000)
    early = books.preview(MAY)
    stranger = books.town.merchants["stranger"]
    assert books.refused(books.command(early)) == "period_not_over"
    books.until(date(2025, 6, 5))
    seen = books.preview(MAY)
    assert books.refused(books.command(seen, merchant="stranger")) == "settlement_merchant_unknown"
    assert books.refused(books.command(seen, program=99)) == "settlement_merchant_unknown"
    assert books.refused(books.command(seen, period_end=date(2025, 5, 30))) == "period_invalid"
    assert books.refused(books.command(seen, terms=99)) == "settlement_terms_changed"
    assert books.refused(books.command(seen, cut=Cut(seen.cut.at_us, seen.cut.xid + 10_000))) == "cut_stale"
    assert books.refused(books.command(seen, cut=Cut(seen.cut.at_us - 1, seen.cut.xid))) == "cut_stale"
    last = CALENDAR.horizon
    refused = service.preview(books.app.connection, books.app.catalogue, CALENDAR, 1, last)
    assert isinstance(refused, Refusal) and refused.code.code == "calendar_horizon"
    unknown = books.app.door.one(books.releases, ReleaseReserve(key="u", caller=OPERATOR, settlement=stranger))
    assert isinstance(unknown, Refused) and unknown.refusal.code.code == "reserve_unknown"
    assert isinstance(books.run(seen)[0], Effect), "no refusal burnt the period's id"


def test_a_preview_older_than_the_last_settlement_is_refused(books: Books) -> None:
    """Counting by it would count again, the time after, what came between the two cuts."""
    books.pay(10_000)
    books.until(date(2025, 7, 7))
    june = books.preview(JUNE)
    books.pay(5_000)
    books.settle(MAY)
    assert books.refused(books.command(june)) == "cut_stale"
    assert books.settle(JUNE) == {}
    books.until(date(2025, 8, 5))
    assert books.settle(JULY)["mall-1"].facts["gross_fen"] == 5_000


def test_new_terms_between_preview_and_run_ask_for_a_new_preview(books: Books) -> None:
    books.pay(10_000)
    books.until(date(2025, 6, 5))
    seen = books.preview(MAY)
    cheaper = preset("jingxika").replace("fee_bps = 60 ", "fee_bps = 50 ")
    books.town.amend(cheaper)
    assert {outcome.refusal.code.code for outcome in books.run(seen)} == {"settlement_terms_changed"}
    assert books.settle(MAY)["mall-1"].facts["fee_fen"] == 50


def test_two_runs_at_once_pay_once(books: Books) -> None:
    books.pay(60_000)
    books.until(date(2025, 6, 5))
    at: datetime = books.town.now
    outcomes: list[Any] = []
    start = threading.Barrier(4)

    def settle(caller_key: str) -> None:
        with connect(books.database.app_url) as connection:
            door = Door(connection, Sealer(books.app.master))
            door._now = lambda: at
            catalogue = Catalogue(read_catalogue)
            seen = service.preview(connection, catalogue, CALENDAR, 1, MAY)
            assert isinstance(seen, Preview)
            start.wait()
            command = books.command(seen, key=caller_key)
            outcomes.append(door.one(SettleHandler(catalogue, CALENDAR), command))

    threads = [threading.Thread(target=settle, args=(f"run-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Effect", "Refused", "Refused", "Refused"]
    assert books.one("SELECT sum(amount)::bigint FROM payout") == 53_676
    assert books.one("SELECT count(*) FROM settlement WHERE number = 1") == 1


def test_two_settlements_of_one_merchant_in_one_batch_do_not_count_twice(books: Books) -> None:
    books.pay(60_000)
    books.until(date(2025, 6, 3))
    books.pay(1_000)
    books.until(date(2025, 7, 7))
    may, june = books.preview(MAY), books.preview(JUNE)
    june = msgspec.structs.replace(june, cut=Cut(june.cut.at_us, may.cut.xid))
    commands = [books.command(may), books.command(june), books.command(may)]
    first, second, third = books.app.door.execute(books.handler, commands)
    assert isinstance(first, Effect) and first.facts["gross_fen"] == 60_000
    assert isinstance(second, Effect) and second.facts["gross_fen"] == 1_000
    assert isinstance(third, Refused) and third.refusal.code.code == "period_settled"
    assert books.payable("mall-1") == 0


def test_a_settlement_whose_predecessor_in_the_batch_was_refused_counts_nothing(books: Books) -> None:
    """Its entries were counted from the cut of the one before; without that one they would be lost."""
    books.pay(60_000)
    books.until(date(2025, 7, 7))
    may, june = books.preview(MAY), books.preview(JUNE)
    commands = [books.command(may, terms=99), books.command(june)]
    before = books.moved()
    first, second = books.app.door.execute(books.handler, commands)
    assert isinstance(first, Refused) and first.refusal.code.code == "settlement_terms_changed"
    assert isinstance(second, Refused) and second.refusal.code.code == "cut_stale"
    assert books.moved() == before
    assert books.settle(JUNE)["mall-1"].facts["gross_fen"] == 60_000
