"""Refunds on a real database beside the oracle: settled in between, at the same moment, told before."""

from datetime import timedelta
from random import Random
from typing import Any

from kaquan.commands.model import Effect, Kind
from kaquan.documents.outcomes import plain, refund_outcomes
from kaquan.kernel.caller import OPERATOR, SYSTEM
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.ledger.proofs import proofs
from kaquan.main import Kaquan
from kaquan.oracle.model import Ask
from kaquan.oracle.rules import judge
from kaquan.payments.model import Pay, Refund
from kaquan.payments.service import refund_facts
from kaquan.payments.tenders import unpack_returned
from kaquan.rewards.model import GrantReward
from kaquan.sales.closing_model import CloseCard, RequestClosing
from kaquan.settlement import service as settlement
from kaquan.vouchers.model import Claim
from kaquan.vouchers.orders import Line
from support.database import Database
from support.grants import stock_text
from support.town import Town, build

SEQUENCES = 24
STOCKS = (
    stock_text("keep", ("city", 6_000), ("mall", 4_000), after_refund="proportional", category="first", count=500)
    + stock_text("anew", ("city", 3_333), ("merchant", 6_667), partial_refund="reprice", category="second", count=500)
    + stock_text("fresh", ("mall", 10_000), after_refund="reissue", category="third", count=500)
)


def founded(database: Database) -> Town:
    """A town with three stocks of vouchers and their funders."""
    town = build(database.app_url, more=STOCKS)
    town.fund("city", 1_000_000)
    town.fund("mall", 1_000_000)
    for code in ("keep", "anew", "fresh"):
        town.stock(code)
    return town


def paid(town: Town, draw: Random, wallet: Id, card: Id) -> Id:
    """An order of random goods, with vouchers and money from outside."""
    goods = [draw.randint(10_000, 12_000), *(draw.randint(100, 3_000) for _ in range(draw.randint(1, 4)))]
    vouchers = []
    for code in draw.sample(("keep", "anew", "fresh"), draw.randint(0, 3)):
        claim = Claim(key=town.key(), caller=OPERATOR, wallet=wallet, program=town.program, stock=code)
        vouchers.append(town.ok(Kind.CLAIM, claim).id)
    command = Pay(
        key=town.key(),
        caller=OPERATOR,
        card=card,
        merchant=town.merchants["mall-1"],
        store=None,
        amount=Money(sum(goods)),
        order_no=town.key(),
        vouchers=tuple(vouchers),
        lines=tuple(Line("bread", Money(part)) for part in goods),
        outside=Money(draw.choice((0, 500))),
    )
    return town.ok(Kind.PAY, command).id


def refunded(town: Town, payment: Id, ask: Ask) -> bool:
    """A refund that the oracle was asked about before; whether it took effect."""
    app = town.app
    facts = refund_facts(app.connection, app.catalogue, payment)
    order = plain(facts.payments[payment], facts, app.catalogue, app.door.at())
    verdict = judge(order, ask)
    amount = None if ask.amount is None else Money(ask.amount)
    told = {"payment": payment, "reason": "", "late": ask.late, "amount": amount, "lines": ask.lines}
    outcome = app.one(Kind.REFUND, Refund(key=town.key(), caller=OPERATOR, **told))
    if not isinstance(outcome, Effect):
        assert outcome.refusal.code.code in {one.code for one in verdict.refused}
        return False
    after = refund_facts(app.connection, app.catalogue, payment).payments[payment]
    back = unpack_returned(after.returned, len(order.parts))
    assert verdict.outcomes, (order, ask)
    for part, then, share in zip(order.parts, back, verdict.outcomes[0].shares, strict=True):
        assert share.least <= then - part.back <= share.most, (order, ask, share)
        assert then <= part.paid
    return True


def settle(town: Town, kind: str) -> None:
    """Settle what is due now."""
    app = town.app
    due = settlement.due(app.connection, app.catalogue, app.calendar, town.now)
    for program, period_end in due.periods:
        seen = settlement.preview(app.connection, app.catalogue, app.calendar, program, period_end)
        assert isinstance(seen, settlement.Preview), (kind, seen)
        outcomes = settlement.run(app.door, app.handlers[Kind.SETTLE], seen)  # type: ignore[arg-type]
        assert all(isinstance(one, Effect) for one in outcomes)
        town.ok(Kind.CLOSE_PERIOD, settlement.close_command(seen))


def unproved(town: Town) -> dict[str, Any]:
    return {one.name: dict(one.facts) for one in proofs(town.app.connection) if not one.ok}


def test_random_refunds_are_among_the_oracles_outcomes_with_settlements_in_between(database: Database) -> None:
    town, draw = founded(database), Random(6)
    wallet = town.holder()
    card = town.sell(wallet, 100_000)
    for _ in range(3):
        town.top_up(card, 100_000)
    town.tick(days=1)
    payments, done = [], 0
    for number in range(SEQUENCES):
        payments.append(paid(town, draw, wallet, card))
        for _ in range(draw.randint(1, 3)):
            payment = draw.choice(payments)
            done += refunded(town, payment, Ask(amount=draw.randint(1, 5_000), late=True))
        done += refunded(town, draw.choice(payments), Ask(lines=(draw.randint(0, 2),), late=draw.random() < 0.7))
        if number % 6 == 5:
            town.tick(days=11)
            settle(town, "monthly")
    for payment in payments:
        refunded(town, payment, Ask(late=True))
    town.tick(days=40)
    settle(town, "last")
    assert done > SEQUENCES and unproved(town) == {}
    carried = town.rows("SELECT carry FROM settlement ORDER BY number DESC LIMIT 1")[0][0]
    assert carried < 0, "what was refunded after its settlement is carried on below zero"


def test_what_comes_back_to_a_closed_card_is_owed_to_the_holder_by_the_books(database: Database) -> None:
    town = build(database.app_url)
    card = town.sell(town.holder(), 100_000)
    town.tick(days=1)
    payment = town.pay(card, 96_000, "o-1").id
    town.tick(days=9)
    asked = RequestClosing(key=town.key(), caller=OPERATOR, card=card, cause="holder", reason="asked", purchase=None)
    closing = town.ok(Kind.REQUEST_CLOSING, asked).id
    command = CloseCard(key=town.key(), caller=OPERATOR, closing=closing, cost=Money(0), cost_reference="")
    town.ok(Kind.CLOSE_CARD, command)
    for ask in (Ask(amount=333, late=True), Ask(lines=(0,), late=True), Ask(late=True)):
        refunded(town, payment, ask)
    assert town.rows("SELECT state::int FROM payment") == [(5,)]
    assert town.rows("SELECT sum(balance)::bigint FROM lot") == [(0,)]
    owed = "SELECT sum(amount)::bigint FROM posting WHERE credit = 50 AND kind = 25"
    assert town.rows(owed) == [(95_000,)]
    assert unproved(town) == {}


def overspent(town: Town) -> tuple[Id, Id, Id]:
    """A card, an order whose rebate was spent, and the order that spent it."""
    card = town.sell(town.holder(), 100_000)
    town.tick(days=1)
    first = town.pay(card, 50_000, "o-1")
    town.tick(days=8)
    town.ok(Kind.GRANT_REWARD, GrantReward(key=town.key(), caller=SYSTEM, card=card, payment=first.id))
    second = town.pay(card, 52_500, "o-2")
    assert isinstance(second, Effect), second
    return card, first.id, second.id


def refund(town: Town, app: Kaquan, payment: Id) -> dict[str, Any]:
    command = Refund(key=town.key(), caller=OPERATOR, payment=payment, reason="", late=True)
    outcome = app.one(Kind.REFUND, command)
    assert isinstance(outcome, Effect), outcome
    return outcome.facts


def test_two_refunds_of_one_card_at_the_same_moment_leave_nobody_a_spent_rebate(database: Database) -> None:
    town = build(database.app_url)
    _, first, second = overspent(town)
    town.meanwhile(database.app_url, Kind.REFUND, lambda other: refund(town, other, first))
    told = refund(town, town.app, second)
    assert told["set_off_fen"] == 2_500, "the other refund came first, and was seen"
    assert town.rows("SELECT sum(fen)::bigint FROM shortfall") == [(0,)]
    assert town.rows("SELECT sum(balance)::bigint FROM lot") == [(100_000,)]
    assert unproved(town) == {}


def test_a_till_is_told_before_it_refunds_and_nothing_moves(database: Database) -> None:
    town = build(database.app_url)
    _, first, second = overspent(town)
    refund(town, town.app, first)
    before = town.rows("SELECT count(*) FROM command")
    command = Refund(key="look", caller=OPERATOR, payment=second, reason="", amount=Money(10_500))
    told = refund_outcomes(town.app, town.app.catalogue, command, "en")
    (outcome,) = told["outcomes"]
    assert 0 < outcome["set_off_least_fen"] <= told["would"]["set_off_fen"] <= outcome["set_off_most_fen"]
    assert told["would"]["amount_fen"] == 10_500
    assert "set_off" in {one["code"] for one in outcome["reasons"]}
    town.now += timedelta(days=30)
    late = refund_outcomes(town.app, town.app.catalogue, command, "zh")
    assert [one["code"] for one in late["refused"]] == ["refund_window_over"]
    assert [one["late"] for one in late["instead"]] == [True, True] and late["would"] is None
    assert [one["all_left"] for one in late["instead"]] == [False, True]
    assert town.rows("SELECT count(*) FROM command") == before
