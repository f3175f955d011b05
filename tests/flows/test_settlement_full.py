"""Settlement in full on a real database: the chain of months, draws and shares; previews are run, proofs hold."""

from datetime import date, timedelta
from typing import Any

import pytest

from kaquan.commands.model import Effect, Kind
from kaquan.kernel.calendar import shanghai
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id
from kaquan.ledger.proofs import proofs
from kaquan.merchants.model import RegisterMerchant
from kaquan.payments.model import Refund
from kaquan.settlement import service
from kaquan.settlement.lines import MOVING, RESULTS
from kaquan.settlement.making import line_document
from kaquan.settlement.model import PART_FIELDS, Preview, ReleaseReserve, release_key
from kaquan.settlement.write_offs import WriteOff
from support.database import Database
from support.town import Town, build

FULL = (
    ('cycle = "monthly"\nmonthly_day = 5', 'cycle = "d_plus"\ndays = 1'),
    ("window_days = 7", "window_days = 60"),
    (
        "fee_bps = 60",
        "fee_bps = 60\nfee_vat_bps = 600\nmin_payout_fen = 2_000\n"
        "[[settlement.fee_tiers]]\nfrom_fen = 60_000\nrate_bps = 45\n"
        '[[settlement.sharing]]\npartner = "hall"\nshare_bps = 700\ncap_fen = 5_000\n'
        '[[settlement.sharing]]\npartner = "guide"\nshare_bps = 133',
    ),
    (
        "release_days = 90",
        "release_days = 90\ncap_fen = 9_000\ncovers_negative = true\n"
        "[[reserve.steps]]\nafter_days = 60\nshare_bps = 3_333",
    ),
)


class Desk:
    """A town of one program that uses every term of settlement."""

    def __init__(self, database: Database, *edits: tuple[str, str]) -> None:
        self.town: Town = build(database.app_url, *edits)
        self.app = self.town.app
        for code in ("hall", "guide"):
            fields = {"organisation": "jingxi-stores", "code": code, "name": code}
            self.town.ok(
                Kind.REGISTER_MERCHANT,
                RegisterMerchant(
                    key=self.town.key(),
                    caller=OPERATOR,
                    account_bank="工商银行",
                    account_no="6222020200112230",
                    **fields,
                ),
            )
        self.card = self.town.sell(self.town.holder(), 100_000)
        self.town.tick(days=1)

    def until(self, day: date, hour: int = 12) -> None:
        self.town.now = shanghai(day) + timedelta(hours=hour)

    def pay(self, amount: int, merchant: str = "mall-1") -> Id:
        outcome = self.town.pay(self.card, amount, merchant=merchant)
        assert isinstance(outcome, Effect), outcome
        return outcome.id

    def refund(self, payment: Id, amount: int) -> None:
        self.town.ok(
            Kind.REFUND,
            Refund(
                key=self.town.key(), caller=OPERATOR, payment=payment, reason="returned", amount=amount, late=False
            ),
        )

    def preview(self, period_end: date) -> Preview:
        at = self.app.door.at()
        seen = service.preview(self.app.connection, self.app.catalogue, self.app.calendar, 1, period_end, at=at)
        assert isinstance(seen, Preview), seen
        return seen

    def settle(self, period_end: date) -> dict[str, dict[str, Any]]:
        """Settle as previewed, to the fen and to the line, close, and give what was kept by merchant."""
        seen = self.preview(period_end)
        made = {}
        for row, outcome in zip(
            seen.rows, service.run(self.app.door, self.app.handlers[Kind.SETTLE], seen), strict=True
        ):
            assert isinstance(outcome, Effect), outcome
            shown = {f"{name}_fen": getattr(row.statement.total, name) for name in PART_FIELDS}
            assert {name: outcome.facts[name] for name in shown} == shown, "preview is run, to the fen"
            kept = service.settlement(self.app.connection, outcome.id)
            assert kept.lines == [line_document(line) for line in row.statement.lines]
            self._adds_up(kept)
            made[row.code] = {**shown, "lines": kept.lines, "id": outcome.id}
        self.town.ok(Kind.CLOSE_PERIOD, service.close_command(seen))
        return made

    def _adds_up(self, kept: Any) -> None:
        """What the lines move is what becomes of it."""
        sides = [sum(line["amount_fen"] for line in kept.lines if line["line"] in side) for side in (MOVING, RESULTS)]
        assert sides[0] == sides[1], kept.lines
        assert all(line["rule"] for line in kept.lines)
        trade = [line for line in kept.lines if line["line"] in ("gross", "refunds")]
        assert all(line["funder"] and line["source"] for line in trade)
        assert sum(line["amount_fen"] for line in trade) == kept.gross - kept.refunds

    def prove(self) -> None:
        """Every proof holds."""
        wrong = [proof for proof in proofs(self.app.connection) if not proof.ok]
        assert not wrong, wrong


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database, *FULL)


def test_a_quarter_of_days_is_settled_as_previewed_and_proved(desk: Desk) -> None:
    """Trade, refunds of three sizes, days without trade, two ends of months; every third day the books are proved."""
    sold: list[Id] = []
    day = date(2025, 5, 22)
    for number in range(45):
        desk.until(day)
        if number % 4 == 0 and number < 33:
            sold.append(desk.pay(7_777 + number))
        if number % 4 == 2 and len(sold) > 1:
            desk.refund(sold[-2], 1_111 if number % 8 == 2 else 3_333)
        desk.until(day + timedelta(days=1), 9)
        desk.settle(day)
        if number % 9 == 8:
            for command in service.partners_due(desk.app.connection):
                desk.town.ok(Kind.PAY_PARTNER, command)
        if number % 15 == 14:
            desk.prove()
        day += timedelta(days=1)
    desk.prove()
    (owed,) = desk.town.rows("SELECT count(*) FROM settlement WHERE fee < 0 OR shared < 0")[0]
    (paid,) = desk.town.rows("SELECT count(*) FROM partner_payment")[0]
    assert owed and paid, "something was given back, and partners were paid"


def test_a_debt_is_shown_with_its_age_and_alarm_and_is_gone_when_it_is_written_off(desk: Desk) -> None:
    desk.until(date(2025, 5, 22))
    payment = desk.pay(50_000)
    desk.until(date(2025, 5, 23), 9)
    desk.settle(date(2025, 5, 22))
    desk.until(date(2025, 5, 23))
    desk.refund(payment, 50_000)
    desk.until(date(2025, 5, 24), 9)
    desk.settle(date(2025, 5, 23))

    def owing(day: date) -> list[tuple[str, int, bool]]:
        found = service.owing(desk.app.connection, desk.app.catalogue, [1], day)
        return [(one.code, one.days, one.alarm) for one in found]

    assert owing(date(2025, 6, 22)) == [("mall-1", 30, False)]
    assert owing(date(2025, 6, 23)) == [("mall-1", 31, True)]
    desk.town.ok(
        Kind.WRITE_OFF_DEBT,
        WriteOff(
            key=desk.town.key(),
            caller=OPERATOR,
            program=1,
            merchant=desk.town.merchants["mall-1"],
            approved_by="wang",
            reason="bankrupt",
        ),
    )
    assert owing(date(2025, 6, 23)) == []
    desk.prove()
    desk.until(date(2025, 5, 25), 9)
    made = desk.settle(date(2025, 5, 24))["mall-1"]
    assert made["written_off_fen"] == -made["carried_fen"] > 0 and made["carry_fen"] == 0
    desk.prove()


def test_the_month_is_trued_up_for_a_merchant_without_trade_on_its_last_day(desk: Desk) -> None:
    desk.until(date(2025, 6, 10))
    desk.pay(40_000)
    desk.until(date(2025, 6, 11), 9)
    desk.settle(date(2025, 6, 10))
    desk.until(date(2025, 6, 12))
    desk.pay(30_000)
    desk.until(date(2025, 6, 13), 9)
    accrued = desk.settle(date(2025, 6, 12))["mall-1"]
    desk.until(date(2025, 7, 1), 9)
    trued = desk.settle(date(2025, 6, 30))["mall-1"]
    assert accrued["fee_fen"] == 135 and trued["fee_fen"] == 315 - 240 - 135
    (line,) = (one for one in trued["lines"] if one["line"] == "fee_trued_up")
    assert (line["rule"], line["month_trade_fen"], line["rate_bps"]) == ("settlement.fee_tiers[1]", 70_000, 45)
    desk.prove()


def test_a_reserve_that_is_due_is_not_drawn_on_so_that_the_preview_is_run(desk: Desk) -> None:
    desk.until(date(2025, 5, 22))
    payment = desk.pay(50_000)
    desk.until(date(2025, 5, 23), 9)
    held = desk.settle(date(2025, 5, 22))["mall-1"]["reserved_fen"]
    assert held > 3_000
    desk.until(date(2025, 7, 20))
    desk.refund(payment, 40_000)
    desk.until(date(2025, 7, 22), 9)  # two days late, and the first part is due today
    seen = desk.preview(date(2025, 7, 20))
    app = desk.app
    early = service.due(app.connection, app.catalogue, app.calendar, app.door.at()).reserves
    assert len(early) == 1
    desk.town.ok(
        Kind.RELEASE_RESERVE, ReleaseReserve(key=release_key(early[0]), caller=OPERATOR, settlement=early[0])
    )
    (outcome,) = service.run(desk.app.door, desk.app.handlers[Kind.SETTLE], seen)
    assert isinstance(outcome, Effect), outcome
    (row,) = seen.rows
    assert outcome.facts["drawn_fen"] == row.statement.total.drawn == held - round(held * 0.3333)
    assert outcome.facts["carry_fen"] == row.statement.total.carry
    desk.prove()
