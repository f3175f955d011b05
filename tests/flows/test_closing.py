"""Returning and passing on cards on a real database: what others gave, plans that end, who was paid, who approves."""

from typing import Any

import psycopg

from kaquan.cards.model import CardState
from kaquan.commands.model import Effect, Kind, Refused
from kaquan.holders.service import registration
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.ledger.proofs import proofs, prove
from kaquan.sales.closing_model import CloseCard, RequestClosing
from kaquan.sales.closing_service import Payee, closing, payee_of, paying_out
from kaquan.sales.leaving_model import RecogniseBreakage, TransferCard
from kaquan.sales.leaving_service import AGES, following, idle_balances, reminders
from kaquan.sales.model import TopUp
from kaquan.vouchers.model import Claim
from support.database import Database
from support.grants import stock_text
from support.rewards import assert_proved, drip_text, free, off_10, promised, run, town_with
from support.town import Town, build


def returned(town: Town, card: Id, cause: str = "holder") -> Effect:
    """The card is asked for and closed."""
    asked = RequestClosing(key=town.key(), caller=OPERATOR, card=card, cause=cause, reason="moves away")
    request = town.ok(Kind.REQUEST_CLOSING, asked).id
    return town.ok(Kind.CLOSE_CARD, CloseCard(key=town.key(), caller=OPERATOR, closing=request))


def closing_id(done: Effect) -> Id:
    """The request that was closed."""
    return Id(bytes.fromhex(done.facts["closing"]))


def test_a_returned_card_ends_its_plan_and_gives_a_funds_money_back_to_it(database: Database) -> None:
    subsidy = stock_text("subsidy", ("city", 10_000), kind="top_up", min_order_fen=0, face_fen=5_000)
    parts = (off_10(("city", 10_000), hand_out="grant"), subsidy, drip_text())
    town = town_with(database.app_url, *parts, city=1_000_000, stocks=("off-10", "subsidy"))
    wallet = town.holder()
    before = free(town)
    card = town.sell(wallet)
    assert promised(town) > 0
    claim = Claim(key=town.key(), caller=OPERATOR, wallet=wallet, program="jingxika", stock="subsidy")
    told = {"card": card, "face": Money(0), "channel": "sandbox", "vouchers": (town.ok(Kind.CLAIM, claim).id,)}
    town.ok(Kind.TOP_UP, TopUp(key=town.key(), caller=OPERATOR, **told))
    town.tick(days=30)
    done = returned(town, card)
    assert (done.facts["plans_cancelled"], done.facts["subsidy_back_fen"]) == (1, 5_000)
    assert (done.facts["refund_fen"], done.facts["released_fen"]) == (47_500, 6_000)
    assert (promised(town), free(town)) == (0, before)
    assert town.rows("SELECT state FROM card WHERE id = %s", card.hex()) == [(CardState.CLOSED,)]
    assert_proved(town)


def test_a_rebate_that_waits_lapses_with_its_card(database: Database) -> None:
    town = build(database.app_url)
    card = town.sell(town.holder(), 100_000)
    town.tick(days=2)
    town.pay(card, 60_000)
    returned(town, card)
    town.tick(days=8)
    assert run(town)[Kind.GRANT_REWARD] == 1, "it is decided once, not tried again every day"
    assert town.rows("SELECT state, granted FROM reward") == [(3, 0)]
    assert_proved(town)


def paid_to(town: Town, request: Id, payee: Payee, route: Any = "bank") -> Any:
    """What becomes of paying a person."""
    told = {"closing": request, "route": route, "reference": "r-1", "payee": payee}
    command = paying_out(town.app.connection, town.app.master, OPERATOR, town.key(), **told)
    return town.app.one(Kind.PAY_OUT_CLOSING, command)


def test_who_was_paid_is_sealed_with_the_holders_own_key(database: Database) -> None:
    town = build(database.app_url)
    request = closing_id(returned(town, town.sell(town.holder())))
    account = "6222029999000011112"
    done = paid_to(town, request, Payee("张三", "工商银行", account))
    assert isinstance(done, Effect) and done.facts["paid_fen"] == 47_500
    row = closing(town.app.connection, request)
    assert row is not None and payee_of(town.app.connection, town.app.master, row) == Payee(
        "张三", "工商银行", account
    )
    everything = str(
        town.rows("SELECT c::text FROM closing c UNION ALL SELECT encode(answer, 'escape') FROM command")
    )
    assert account not in everything and account.encode().hex() not in everything
    assert "张三" not in everything and repr(Payee("张三")) == "Payee(…)"
    assert_proved(town)


def test_a_bearer_card_is_paid_to_whoever_shows_an_identity(database: Database) -> None:
    bearer = ("registered = true\nbalance_max_fen = 500_000", "registered = false\nbalance_max_fen = 100_000")
    town = build(database.app_url, bearer)
    request = closing_id(returned(town, town.sell(_anonymous(town))))
    nameless = paid_to(town, request, Payee("李四", "工商银行", "6222"))
    assert isinstance(nameless, Refused) and nameless.refusal.code.code == "payout_payee_missing"
    assert isinstance(paid_to(town, request, Payee("李四", "工商银行", "6222", "11010519491231002X")), Effect)
    assert_proved(town)


def _anonymous(town: Town) -> Id:
    return town.ok(Kind.REGISTER_HOLDER, registration(town.app.master, OPERATOR, town.key(), None)).id


def test_the_timetable_tells_of_overdue_requests_and_idle_cards_once(database: Database) -> None:
    town = build(database.app_url)
    idle, asked = town.sell(town.holder()), town.sell(town.holder("13900139000"))
    command = RequestClosing(key=town.key(), caller=OPERATOR, card=asked, cause="holder", reason="moves away")
    town.ok(Kind.REQUEST_CLOSING, command)
    town.tick(days=200)
    done = run(town)
    assert (done[Kind.NOTE_OVERDUE], done[Kind.REMIND_IDLE]) == (1, 1)
    town.tick(days=1)
    assert not {Kind.NOTE_OVERDUE, Kind.REMIND_IDLE} & run(town).keys()
    assert town.rows("SELECT card FROM idle_reminder")[0][0].bytes == idle
    town.tick(days=400)
    town.pay(idle, 100)
    at = town.app.door.at()
    assert reminders(town.app.connection, town.app.catalogue, at, "k", 10) == []
    ages = [(one.age, one.cards, one.balance) for one in idle_balances(town.app.connection, _us(town), None)]
    assert ages == [(0, 1, 49_900), (len(AGES[:2]), 1, 50_000)]


def _us(town: Town) -> int:
    return microseconds(town.app.door.at())


def test_a_card_goes_through_three_hands_and_its_history_with_it(database: Database) -> None:
    town = build(database.app_url)
    card = town.sell(town.holder())
    town.tick(days=2)
    town.pay(card, 10_000)
    for phone in ("13900139000", "13700137000"):
        to = town.holder(phone)
        sent = town.ok(
            Kind.TRANSFER_CARD, TransferCard(key=town.key(), caller=OPERATOR, card=card, to=to, reason="gift")
        )
        assert prove(town.app.connection, "passing").facts["passing_fen"] == sent.facts["amount_fen"]
        card = town.ok(Kind.RECEIVE_CARD, following(sent, to)).id
        assert prove(town.app.connection, "passing").facts["passing_fen"] == 0
        town.tick(days=1)
        assert isinstance(town.pay(card, 1_000), Effect)
    town.tick(days=30)
    done = returned(town, card, "issuer")
    assert (done.facts["paid_fen"], done.facts["used_fen"]) == (47_500, 12_000)
    assert (done.facts["consumed_fen"], done.facts["refund_fen"]) == (11_400, 36_100)
    assert all(proof.ok for proof in proofs(town.app.connection))


RED = {
    "closings": "UPDATE closing SET paid = paid + 1",
    "breakage": "UPDATE breakage SET amount = amount + 1",
}
"""What must turn each proof red."""


def test_each_proof_turns_red_when_rows_change_behind_the_door(database: Database) -> None:
    bearer = "registered = false\nbalance_max_fen = 100_000\nprincipal_valid_days = 1_095"
    town = build(database.app_url, ("registered = true\nbalance_max_fen = 500_000", bearer))
    request = closing_id(returned(town, town.sell(town.holder())))
    assert isinstance(paid_to(town, request, Payee("张三", "工商银行", "6222")), Effect)
    card = town.sell(town.holder("13900139000"))
    town.tick(days=2_200)
    told = {"evidence": "audit-7", "approved_by": "second"}
    income = RecogniseBreakage(key=town.key(), caller=OPERATOR, card=card, **told)
    assert town.ok(Kind.RECOGNISE_BREAKAGE, income).facts["amount_fen"] == 47_500
    assert_proved(town)
    for name in RED:
        with psycopg.connect(database.owner_url) as connection:
            connection.execute(RED[name].encode())
            assert not prove(connection, name).ok, name
            connection.rollback()
