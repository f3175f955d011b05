"""Disputes on a real database: what is disputed is held back, once, and never lost."""

from datetime import date
from typing import Any

import pytest

from kaquan.casework import service
from kaquan.casework.model import About, DisputeState, OpenDispute, ResolveDispute
from kaquan.casework.rules import deadlines
from kaquan.commands.model import Effect, Kind, Refused
from kaquan.kernel.calendar import Calendar, shanghai
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from support.database import Database
from support.payouts import Desk, code

PAYABLE, PAYOUT, DISPUTED = 40, 42, 47


class Bench(Desk):
    """A desk that also decides disputes."""

    def dispute(self, target: Id, fen: int, about: About = About.PAYOUT, key: str = "") -> Any:
        command = OpenDispute(
            key=key or self.town.key(), caller=OPERATOR, about=about, object=target, amount=Money(fen), reason="why"
        )
        return self.app.one(Kind.OPEN_DISPUTE, command)

    def resolve(self, dispute: Id) -> Any:
        told = {"dispute": dispute, "text": "papers", "side": DisputeState.FOR_MERCHANT}
        return self.app.one(Kind.RESOLVE_DISPUTE, ResolveDispute(key=self.town.key(), caller=OPERATOR, **told))


@pytest.fixture
def bench(database: Database) -> Bench:
    return Bench(database)


def test_a_payout_pays_what_is_not_disputed(bench: Bench) -> None:
    bench.settle()
    payout = bench.payouts()
    key = bench.town.key()
    opened = bench.dispute(payout, 3_676, key=key)
    assert isinstance(opened, Effect) and opened.facts["held_from"] == "payout"
    assert bench.dispute(payout, 3_676, key=key).replayed
    assert code(bench.dispute(payout, 1)) == "dispute_open"
    assert (bench.balance(PAYOUT), bench.balance(DISPUTED)) == (50_000, 3_676)
    assert ",500.00," in bench.content(bench.made()).decode("utf-8-sig")
    odd = bench.told(bench.said(payout, "成功", reference="B-0", fen=53_676)).exceptions
    assert [one["result"] for one in odd] == ["amount_differs"], "all of it was not sent"
    bench.told(bench.said(payout, "成功", reference="B-1"))
    bench.proved()
    bench.resolve(opened.id)
    assert (bench.balance(PAYABLE), bench.balance(DISPUTED)) == (3_676, 0)
    bench.proved()


def test_a_payout_that_is_disputed_as_a_whole_is_never_sent(bench: Bench) -> None:
    bench.settle()
    payout = bench.payouts()
    opened = bench.dispute(payout, 53_676)
    assert bench.state(payout)[0] == "withheld"
    bench.made()
    assert bench.state(payout)[0] == "withheld" and isinstance(bench.reissue(payout), Refused)
    odd = bench.told(bench.said(payout, "成功", reference="B-1", fen=53_676)).exceptions
    assert [one["result"] for one in odd] == ["withheld"]
    bench.resolve(opened.id)
    assert bench.balance(PAYABLE) == 53_676
    bench.proved()


def test_what_is_disputed_is_left_out_of_the_settlement_and_paid_when_it_is_resolved(bench: Bench) -> None:
    bench.settle()
    payment = bench.town.pay(bench.card, 20_000).id
    opened = bench.dispute(payment, 5_000, About.PAYMENT)
    assert opened.facts["held_from"] == "next"
    (row,) = service.listed(bench.app.connection)
    assert (row.answer_by, row.decide_by) == (date(2025, 6, 12), date(2025, 6, 26))
    bench.until(date(2025, 7, 7))
    bench.settle(date(2025, 6, 30))
    joined = "payout p JOIN settlement s ON s.id = p.settlement"
    paid = f"SELECT p.amount::int FROM {joined} WHERE p.merchant = %s ORDER BY s.number"
    owner = bench.town.merchants["mall-1"].hex()
    assert bench.town.rows(paid, owner) == [(53_676,), (17_892 - 5_000,)], "fee and reserve are of all the trade"
    bench.proved()
    bench.resolve(opened.id)
    bench.until(date(2025, 8, 5))
    bench.settle(date(2025, 7, 31))
    assert bench.town.rows(paid, owner)[-1] == (5_000,), "to the fen as if undisputed"
    bench.proved()


def test_deadlines_skip_holidays_and_count_makeup_days() -> None:
    calendar = Calendar.load()
    until = deadlines(calendar, shanghai(date(2025, 9, 26)))
    assert until.answer_by == date(2025, 10, 10), "28 September and 11 October are worked, 1 to 8 October are off"
    far = deadlines(calendar, shanghai(date(calendar.horizon.year, 12, 30)))
    assert far.decide_by > far.answer_by
