"""Statements on a real database: they tie to the books to the fen, form a chain, and are made once."""

from datetime import date, timedelta
from typing import Any

import psycopg
import pytest

from kaquan.commands.model import Effect, Kind, Refused
from kaquan.kernel.calendar import Calendar, shanghai
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.ledger import service as ledger
from kaquan.payments.model import Refund
from kaquan.reporting import rules, service
from kaquan.reporting.model import FIRST, MakeStatement, PartyKind, Stored, canonical, hashed, statement_key
from kaquan.reporting.sections import rows_of
from kaquan.settlement import service as settlement
from kaquan.settlement.model import Preview
from kaquan.settlement.service import SettleHandler
from support.database import Database
from support.town import build

CALENDAR = Calendar.load()
MAY, JUNE, JULY = date(2025, 5, 31), date(2025, 6, 30), date(2025, 7, 31)


class Desk:
    """A town and whoever makes statements in it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.town = build(database.app_url)
        self.app = self.town.app
        self.wallet = self.town.holder()
        self.card = self.town.sell(self.wallet, 100_000)
        self.town.tick(days=1)

    def until(self, day: date, hour: int = 9) -> None:
        self.town.now = shanghai(day) + timedelta(hours=hour)

    def make(self, kind: PartyKind, who: Id, until: date, patience_seconds: float = 60) -> Any:
        told = {"party": kind, "who": who, "until": until}
        below = service.horizon(self.app.connection, patience_seconds)
        command = MakeStatement(key=statement_key(until), caller=OPERATOR, below=below, **told)
        return self.app.one(Kind.MAKE_STATEMENT, command)

    def made(self, kind: PartyKind, who: Id, until: date, patience_seconds: float = 60) -> Stored:
        outcome = self.make(kind, who, until, patience_seconds)
        assert isinstance(outcome, Effect), outcome
        found = service.statement(self.app.connection, who, outcome.facts["number"])
        assert found is not None and found.hash.hex() == outcome.facts["hash"]
        return found

    def pay(self, amount: int, merchant: str = "mall-1") -> Id:
        outcome = self.town.pay(self.card, amount, merchant=merchant)
        assert isinstance(outcome, Effect), outcome
        return outcome.id

    def refund(self, payment: Id, amount: int) -> None:
        command = Refund(
            key=self.town.key(), caller=OPERATOR, payment=payment, amount=Money(amount), reason="returned"
        )
        self.town.ok(Kind.REFUND, command)

    def settle(self, period_end: date) -> None:
        handler = SettleHandler(self.app.catalogue, CALENDAR)
        seen = settlement.preview(self.app.connection, self.app.catalogue, CALENDAR, 1, period_end)
        assert isinstance(seen, Preview), seen
        assert all(isinstance(one, Effect) for one in settlement.run(self.app.door, handler, seen))


def _account(found: Stored, name: str) -> dict[str, int]:
    """The amounts of an account over all its programs and owners."""
    keys = ("opening_fen", "in_fen", "out_fen", "closing_fen", "ledger_fen")
    rows = [row for row in rows_of(found.record, "accounts") if row["account"] == name]
    return {key: sum(row[key] for row in rows) for key in keys}


def test_a_merchants_statement_ties_to_the_books_and_the_next_one_stands_on_it(database: Database) -> None:
    desk = Desk(database)
    mall = desk.town.merchants["mall-1"]
    desk.refund(desk.pay(12_345), 2_345)
    desk.pay(5_055)
    desk.until(date(2025, 6, 5))
    desk.settle(MAY)
    may = desk.made(PartyKind.MERCHANT, mall, MAY)
    assert (may.number, may.previous, may.since) == (1, FIRST, date(2025, 5, 21))
    assert _account(may, "merchant.payable") == {
        "opening_fen": 0, "in_fen": 17_400, "out_fen": 2_345, "closing_fen": 15_055, "ledger_fen": 15_055,
    }  # fmt: skip
    assert hashed(canonical(may.record)) == may.hash and canonical(may.record) == may.body
    (day,) = rows_of(may.record, "days")
    assert (day["payments"], day["gross_fen"], day["refunds_fen"], day["balance_fen"]) == (2, 17_400, 2_345, 15_055)
    desk.until(date(2025, 7, 7))
    june = desk.made(PartyKind.MERCHANT, mall, JUNE)
    assert (june.number, june.previous, june.since) == (2, may.hash, date(2025, 6, 1))
    (settled,) = rows_of(june.record, "settlements")
    assert (settled["gross_fen"], settled["fee_fen"], settled["reserved_fen"], settled["paid_fen"]) == (
        17_400, 90, 1_497, 13_468,
    )  # fmt: skip
    assert _account(june, "merchant.payable")["closing_fen"] == 0
    assert _account(june, "merchant.reserve")["closing_fen"] == 1_497


def _proof(desk: Desk) -> Any:
    return ledger.prove(desk.app.connection, "statements")


def test_a_statement_that_does_not_tie_is_not_made(database: Database) -> None:
    """Money that was counted and is gone: the recount from the first posting says so."""
    desk = Desk(database)
    mall = desk.town.merchants["mall-1"]
    desk.pay(12_345)
    lost = desk.pay(100)
    desk.until(date(2025, 6, 1))
    desk.made(PartyKind.MERCHANT, mall, MAY)
    desk.until(date(2025, 7, 1))
    assert _proof(desk).ok
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("DELETE FROM kaquan.posting WHERE transfer = %s", [lost.hex()])
    refused = desk.make(PartyKind.MERCHANT, mall, JUNE)
    assert isinstance(refused, Refused) and refused.refusal.code.code == "statement_untied"
    assert refused.refusal.facts == {"account": "merchant.payable", "difference_fen": 100}
    assert desk.town.rows("SELECT count(*) FROM statement") == [(1,)]
    assert not _proof(desk).ok


def test_a_record_that_was_changed_in_the_database_is_found(database: Database) -> None:
    desk = Desk(database)
    mall = desk.town.merchants["mall-1"]
    desk.pay(12_345)
    desk.until(date(2025, 7, 1))
    may = desk.made(PartyKind.MERCHANT, mall, MAY)
    desk.made(PartyKind.MERCHANT, mall, JUNE)
    assert _proof(desk).ok and _proof(desk).facts["statements"] == 2
    forged = may.body.replace(b'"number":1', b'"number":9', 1)
    with psycopg.connect(database.owner_url) as owner:
        with pytest.raises(psycopg.errors.CheckViolation):
            owner.execute("UPDATE kaquan.statement SET body = %s WHERE id = %s", [forged, may.id.hex()])
        owner.rollback()
        owner.execute(
            "UPDATE kaquan.statement SET body = %s, hash = sha256(%s) WHERE id = %s", [forged, forged, may.id.hex()]
        )
    assert _proof(desk).facts["broken"] == 1


def test_what_commits_late_is_counted_by_the_next_statement(database: Database) -> None:
    """A payment of May that another process commits after May's statement was cut is counted once: by June's."""
    desk = Desk(database)
    mall = desk.town.merchants["mall-1"]
    desk.pay(1_000)
    service.horizon(desk.town.app.connection)  # whoever of another database still writes is older than the next one
    desk.town.now = shanghai(MAY) + timedelta(hours=23)
    with psycopg.connect(database.app_url) as slow:
        slow.execute("SELECT pg_current_xact_id()")  # an older transaction that has not ended yet
        desk.pay(200)
        desk.until(date(2025, 6, 1))
        may = desk.made(PartyKind.MERCHANT, mall, MAY, 0)
        slow.rollback()
    assert _account(may, "merchant.payable")["closing_fen"] == 1_000
    desk.until(date(2025, 7, 1))
    june = desk.made(PartyKind.MERCHANT, mall, JUNE)
    account = _account(june, "merchant.payable")
    assert (account["opening_fen"], account["in_fen"], account["closing_fen"]) == (1_000, 200, 1_200)
    assert rows_of(june.record, "days")[0]["day"] == "2025-05-31"
    assert _proof(desk).ok


def test_a_statement_has_a_most_of_lines(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(database)
    monkeypatch.setattr(rules, "LINES_MAX", 3)
    desk.pay(1_000)
    desk.until(date(2025, 6, 1))
    refused = desk.make(PartyKind.HOLDER, desk.wallet, MAY)
    assert isinstance(refused, Refused) and refused.refusal.code.code == "statement_too_long"
    assert refused.refusal.facts["lines_max"] == 3
    assert desk.town.rows("SELECT count(*) FROM statement") == [(0,)]


def test_two_who_make_statements_of_one_party_at_once_make_a_chain(database: Database) -> None:
    """While June's is being decided another process makes May's: June's is decided again, and stands on it."""
    desk = Desk(database)
    mall = desk.town.merchants["mall-1"]
    desk.pay(1_000)
    desk.until(date(2025, 7, 1))
    may = MakeStatement(key="may", caller=OPERATOR, party=PartyKind.MERCHANT, who=mall, until=MAY)
    desk.town.meanwhile(database.app_url, Kind.MAKE_STATEMENT, lambda other: other.one(Kind.MAKE_STATEMENT, may))
    june = desk.made(PartyKind.MERCHANT, mall, JUNE)
    assert (june.number, june.since) == (2, date(2025, 6, 1))
    assert desk.town.rows("SELECT number, until FROM statement ORDER BY number") == [(1, MAY), (2, JUNE)]
    assert _proof(desk).ok
