"""Funds and stocks on a real database: money in and out, what came back, stocks opened against it."""

from typing import Any

import pytest

from kaquan.commands.model import Effect, Kind, Refused
from kaquan.funders import service as funders
from kaquan.funders.model import FundBooks, PayInFund, PayOutFund, SweepFund, fund_id
from kaquan.jobs.run import run_due
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.law.errors import BUDGET_OVERRUN
from kaquan.ledger import service as ledger
from kaquan.ledger.chart import Source
from kaquan.payments.model import Capture, Pay, Refund
from kaquan.programs.catalogue import FundMode
from kaquan.stocks import service as stocks
from kaquan.stocks.model import OpenStock, PauseStock, ResumeStock, StopStock
from kaquan.vouchers.model import Claim, ExpireVoucher, VoidVoucher
from support.database import Database
from support.grants import stock_text
from support.town import Town, build

SHARED = (("city", 6_000), ("merchant", 1_500), ("bank", 2_500))
"""Sixty per cent by the city, fifteen by the merchant, the rest by a bank that is billed afterwards."""


def claim(town: Town, wallet: Id, stock: str = "off-10") -> Any:
    command = Claim(key=town.key(), caller=OPERATOR, wallet=wallet, program="jingxika", stock=stock)
    return town.app.one(Kind.CLAIM, command)


def voucher(town: Town, wallet: Id, stock: str = "off-10") -> Id:
    outcome = claim(town, wallet, stock)
    assert isinstance(outcome, Effect), outcome
    return outcome.id


def pay(town: Town, card: Id, *vouchers: Id, amount: int = 20_000) -> Id:
    command = Pay(
        key=town.key(),
        caller=OPERATOR,
        card=card,
        merchant=town.merchants["mall-1"],
        store=None,
        amount=Money(amount),
        order_no=town.key(),
        vouchers=vouchers,
    )
    return town.ok(Kind.PAY, command).id


def said(outcome: Any) -> tuple[str, dict[str, Any]]:
    assert isinstance(outcome, Refused), outcome
    return outcome.refusal.code.code, dict(outcome.refusal.facts)


def books(town: Town, code: str) -> FundBooks:
    return funders.books(town.app.connection)[fund_id(code)]


def promisable(town: Town, code: str) -> list[int]:
    rows = town.rows("SELECT fen_left FROM slice WHERE pool = %s ORDER BY number", fund_id(code).hex())
    return [row[0] for row in rows]


def proved(town: Town) -> None:
    assert {proof.name: proof.facts for proof in ledger.proofs(town.app.connection) if not proof.ok} == {}


def open_stock(town: Town, code: str) -> Any:
    command = OpenStock(key=town.key(), caller=OPERATOR, program="jingxika", stock=code)
    return town.app.one(Kind.OPEN_STOCK, command)


def pay_out(town: Town, code: str, amount: int) -> Any:
    command = PayOutFund(key=town.key(), caller=OPERATOR, fund=code, amount=Money(amount), reference="back-1")
    return town.app.one(Kind.PAY_OUT_FUND, command)


def sweep(town: Town, code: str) -> Any:
    return town.app.one(Kind.SWEEP_FUND, SweepFund(key=town.key(), caller=OPERATOR, fund=code))


def funded(database: Database, **terms: Any) -> Town:
    """A town whose stock `off-10` is paid by city, bank and merchant, and open."""
    town = build(database.app_url, more=stock_text("off-10", *SHARED, **terms))
    town.fund("city", 100_000)
    town.fund("bank", 50_000, mode=FundMode.PLEDGED)
    town.stock("off-10")
    return town


def test_a_discount_is_promised_used_and_returned_fund_by_fund(database: Database) -> None:
    town = funded(database)
    zhang = town.holder()
    card = town.sell(zhang)
    town.tick(days=1)
    first, second = voucher(town, zhang), voucher(town, zhang)
    assert (books(town, "city").promised_fen, books(town, "bank").promised_fen) == (1_200, 500)
    payment = pay(town, card, first)
    city, bank = books(town, "city"), books(town, "bank")
    assert (city.promised_fen, city.used_fen, city.free_fen, city.receivable_fen) == (600, 600, 98_800, 0)
    assert (bank.promised_fen, bank.used_fen, bank.free_fen, bank.receivable_fen) == (250, 250, 49_500, 250)
    proved(town)
    back = Refund(key=town.key(), caller=OPERATOR, payment=payment, reason="half", amount=Money(10_000))
    town.ok(Kind.REFUND, back)
    assert (books(town, "city").used_fen, books(town, "bank").receivable_fen) == (300, 125)
    town.ok(Kind.VOID_VOUCHER, VoidVoucher(key=town.key(), caller=OPERATOR, voucher=second, reason="asked"))
    assert books(town, "city").not_swept_fen == 900
    proved(town)
    facts = {proof.name: proof.facts for proof in ledger.proofs(town.app.connection)}
    assert facts["funds"]["not_swept_fen"] == 900 + 375
    assert facts["discounts"]["discounts_fen"] == 500, "half of a voucher of ten yuan, whoever pays"
    assert facts["stocks"] == {"stocks": 1, "handed_out": 2, "remaining": 98, "over": 0}


def test_what_comes_back_is_swept_once_and_can_be_promised_again(database: Database) -> None:
    town = funded(database)
    zhang = town.holder()
    issued = [voucher(town, zhang) for _ in range(3)]
    town.tick(days=31)
    for one in issued:
        town.ok(Kind.EXPIRE_VOUCHER, ExpireVoucher(key=town.key(), caller=OPERATOR, voucher=one))
    assert sum(promisable(town, "city")) == 98_200
    done = run_due(town.app)
    assert done[Kind.SWEEP_FUND] == 2 and sum(promisable(town, "city")) == 100_000
    assert max(promisable(town, "city")) - min(promisable(town, "city")) <= 1, "slices are level again"
    assert said(sweep(town, "city")) == ("nothing_to_sweep", {"fund": "city"})
    assert run_due(town.app)[Kind.SWEEP_FUND] == 0
    proved(town)


def test_a_fund_is_registered_once_and_under_a_name_of_its_own(database: Database) -> None:
    town = build(database.app_url)
    town.fund("city")
    assert promisable(town, "city") == [0] * 8
    for terms, refused in [
        ({}, "code_taken"),
        ({"code": "merchant"}, "code_taken"),
        ({"code": "City"}, "code_invalid"),
        ({"code": "x", "organisation": "nobody"}, "organisation_unknown"),
        ({"code": "x", "book": "jingxi-stores"}, "fund_book_unknown"),
        ({"code": "x", "source": 1}, "fund_source"),
    ]:
        with pytest.raises(AssertionError) as stopped:
            town.fund(**{"code": "city", **terms})
        assert f"code='{refused}'" in str(stopped.value)
    assert town.rows("SELECT count(*) FROM fund") == [(1,)]


def test_money_goes_back_only_as_far_as_it_is_free(database: Database) -> None:
    town = funded(database)
    voucher(town, town.holder())
    assert said(pay_out(town, "city", 40_001)) == (
        "fund_not_free",
        {"fund": "city", "free_fen": 40_000, "kept_fen": 59_400},
    )
    assert said(pay_out(town, "city", 0))[0] == "fund_amount"
    for reference in ("", "x" * 65, "a\nb"):
        command = PayInFund(key=town.key(), caller=OPERATOR, fund="city", amount=Money(1), reference=reference)
        assert said(town.app.one(Kind.PAY_IN_FUND, command))[0] == "fund_reference"
    assert said(pay_out(town, "town", 1))[0] == "fund_unknown"
    assert books(town, "city").paid_out_fen == 0
    outcome = pay_out(town, "city", 40_000)
    assert isinstance(outcome, Effect) and outcome.facts["free_fen"] == 59_400
    town.ok(
        Kind.STOP_STOCK, StopStock(key=town.key(), caller=OPERATOR, program="jingxika", stock="off-10", reason="x")
    )
    assert isinstance(pay_out(town, "city", 59_400), Effect)
    assert isinstance(pay_out(town, "bank", 49_750), Effect)
    assert (books(town, "city").promised_fen, books(town, "bank").free_fen) == (600, 0)
    proved(town)


def test_pay_outs_and_pay_ins_of_one_batch_stand_on_each_other(database: Database) -> None:
    town = funded(database)
    more = [
        PayInFund(key=town.key(), caller=OPERATOR, fund="city", amount=Money(1_000), reference=f"in-{number}")
        for number in range(2)
    ]
    assert [one.facts["free_fen"] for one in town.app.execute(Kind.PAY_IN_FUND, more)] == [101_000, 102_000]
    assert sum(promisable(town, "city")) == 102_000
    back = [
        PayOutFund(key=town.key(), caller=OPERATOR, fund="city", amount=Money(30_000), reference=f"back-{number}")
        for number in range(2)
    ]
    first, second = town.app.execute(Kind.PAY_OUT_FUND, back)
    assert isinstance(first, Effect) and first.facts["free_fen"] == 72_000
    assert said(second) == ("fund_not_free", {"fund": "city", "free_fen": 12_000, "kept_fen": 60_000})
    assert books(town, "city").paid_out_fen == 30_000
    proved(town)


def test_a_stock_opens_when_all_that_it_may_cost_is_there(database: Database) -> None:
    wide = stock_text("wide", count=90, shared_budget=True)
    town = build(database.app_url, more=stock_text("off-10") + stock_text("off-20", count=11) + wide)
    assert said(open_stock(town, "off-10")) == ("fund_unknown", {"fund": "city"})
    town.fund("city", 100_000)
    assert said(open_stock(town, "nothing"))[0] == "stock_not_in_terms"
    town.stock("off-10")
    assert said(open_stock(town, "off-10"))[0] == "stock_exists"
    town.pay_in("city", 10_000)
    facts = {"stock": "off-20", "fund": "city", "wanted_fen": 11_000, "free_fen": 10_000}
    assert said(open_stock(town, "off-20")) == ("stock_not_covered", facts)
    assert said(open_stock(town, "wide")) == ("stock_budget_mixed", {"fund": "city", "other": "off-10"})
    voucher(town, town.holder())
    assert said(open_stock(town, "off-20")) == ("stock_not_covered", facts), "a claim changes nothing of it"
    town.pay_in("city", 1_000)
    town.stock("off-20")
    assert town.rows("SELECT count(*) FROM stock") == [(2,)]
    proved(town)


def test_a_stock_of_public_money_does_not_overrun_the_budget(database: Database) -> None:
    edits = [
        ("[[presale.offers]]\nface_fen = 50_000\npaid_fen = 47_500\n\n", "offers = []\n"),
        ("[[presale.offers]]\nface_fen = 100_000\npaid_fen = 95_000\n\n", ""),
        ('"single_purpose_group"', '"voucher_only"'),
        ('"cn_single_purpose"', '"cn_government_voucher"'),
        ('kind = "top_up"', 'kind = "instant"'),
    ]
    town = build(database.app_url, *edits, more=stock_text("off-10"))
    town.fund("city", 99_999, source=Source.FISCAL)
    refused = open_stock(town, "off-10")
    assert isinstance(refused, Refused) and refused.refusal.code is BUDGET_OVERRUN
    assert (refused.refusal.facts["amount_fen"], refused.refusal.facts["left_fen"]) == (100_000, 99_999)
    assert "《预算法》" in refused.refusal.message("zh")
    assert town.rows("SELECT count(*) FROM stock") == [(0,)]
    town.pay_in("city", 1)
    town.stock("off-10")
    proved(town)


def test_stocks_opened_in_one_batch_do_not_count_on_the_same_money(database: Database) -> None:
    town = build(database.app_url, more=stock_text("off-10") + stock_text("off-20", count=60))
    town.fund("city", 120_000)
    commands = [
        OpenStock(key=town.key(), caller=OPERATOR, program="jingxika", stock=code) for code in ("off-10", "off-20")
    ]
    first, second = town.app.execute(Kind.OPEN_STOCK, commands)
    assert isinstance(first, Effect) and said(second)[0] == "stock_not_covered"


def test_stocks_that_share_a_budget_hand_out_until_it_is_empty(database: Database) -> None:
    text = stock_text("off-10", shared_budget=True) + stock_text("off-20", shared_budget=True)
    town = build(database.app_url, more=text)
    town.fund("city", 2_500)
    town.stock("off-10"), town.stock("off-20")
    zhang = town.holder()
    voucher(town, zhang), voucher(town, zhang, "off-20")
    assert said(claim(town, zhang)) == ("budget_exhausted", {"fund": "city", "wanted_fen": 1_000})
    proved(town)


def test_a_stock_of_another_book_is_not_opened(database: Database) -> None:
    town = build(database.app_url, more=stock_text("off-10"))
    from kaquan.merchants.model import RegisterOrganisation

    command = RegisterOrganisation(key=town.key(), caller=OPERATOR, code="alliance", name="x", keeps_book=True)
    town.ok(Kind.REGISTER_ORGANISATION, command)
    town.fund("city", 100_000, book="alliance")
    assert said(open_stock(town, "off-10")) == ("stock_fund_elsewhere", {"fund": "city"})
    assert town.rows("SELECT count(*) FROM stock") == [(0,)]


def test_a_stock_is_paused_resumed_and_stopped_for_reasons(database: Database) -> None:
    town = funded(database)
    zhang = town.holder()

    def step(kind: Kind, shape: Any, reason: str = "checked") -> Any:
        return town.app.one(
            kind, shape(key=town.key(), caller=OPERATOR, program="jingxika", stock="off-10", reason=reason)
        )

    assert said(step(Kind.PAUSE_STOCK, PauseStock, " "))[0] == "stock_reason"
    assert said(step(Kind.RESUME_STOCK, ResumeStock))[0] == "stock_state"
    assert isinstance(step(Kind.PAUSE_STOCK, PauseStock), Effect)
    assert said(claim(town, zhang))[0] == "stock_closed"
    assert isinstance(step(Kind.RESUME_STOCK, ResumeStock), Effect)
    kept = voucher(town, zhang)
    assert isinstance(step(Kind.STOP_STOCK, StopStock, "budget moved"), Effect)
    assert said(claim(town, zhang))[0] == "stock_closed"
    assert said(step(Kind.RESUME_STOCK, ResumeStock))[1]["state"] == "stopped"
    card = town.sell(zhang)
    town.tick(days=1)
    pay(town, card, kept)
    number = town.app.catalogue.latest_stocks[1, "off-10"].id
    told = [(row.operation, row.reason) for row in stocks.history(town.app.connection, number)]
    assert told == [("open", ""), ("pause", "checked"), ("resume", "checked"), ("stop", "budget moved")]
    proved(town)


def test_the_breaker_pauses_a_stock_that_is_used_too_fast_and_a_resumed_one_runs_on(database: Database) -> None:
    town = funded(database, breaker_hour_count=2)
    zhang = town.holder()
    card = town.sell(zhang, 100_000)
    town.tick(days=1)
    for _ in range(2):
        pay(town, card, voucher(town, zhang))
    assert Kind.PAUSE_STOCK not in run_due(town.app)
    left_over = voucher(town, zhang)
    pay(town, card, voucher(town, zhang))
    assert run_due(town.app)[Kind.PAUSE_STOCK] == 1
    assert said(claim(town, zhang))[0] == "stock_closed"
    town.tick(minutes=1)
    command = ResumeStock(key=town.key(), caller=OPERATOR, program="jingxika", stock="off-10", reason="a real rush")
    town.ok(Kind.RESUME_STOCK, command)
    assert Kind.PAUSE_STOCK not in run_due(town.app)
    pay(town, card, left_over)
    assert Kind.PAUSE_STOCK not in run_due(town.app)
    assert isinstance(claim(town, zhang), Effect)


def test_an_authorization_and_its_capture_keep_the_proofs(database: Database) -> None:
    town = funded(database, below_threshold="keep")
    zhang = town.holder()
    card = town.sell(zhang)
    town.tick(days=1)
    from kaquan.payments.model import Authorize

    hold = Authorize(
        key=town.key(),
        caller=OPERATOR,
        card=card,
        merchant=town.merchants["mall-1"],
        store=None,
        amount=Money(12_345),
        order_no="held",
        vouchers=(voucher(town, zhang),),
    )
    payment = town.ok(Kind.AUTHORIZE, hold).id
    proved(town)
    assert ledger.totals(town.app.connection).held_fen == 11_345
    town.ok(Kind.CAPTURE, Capture(key=town.key(), caller=OPERATOR, payment=payment, amount=Money(10_000)))
    proved(town)
    assert ledger.totals(town.app.connection).discounts_funded_fen == 850
