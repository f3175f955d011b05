"""Payments through the door, on a real database."""

import pytest

from kaquan.commands.model import Effect, Kind, Refused
from kaquan.kernel.caller import OPERATOR
from kaquan.payments.model import Authorize, Capture, Refund, Void
from support.database import Database
from support.town import Town, build


@pytest.fixture
def town(database: Database) -> Town:
    return build(database.app_url)


def test_pay_takes_principal_first_and_a_retry_answers_the_same(town: Town) -> None:
    card = town.sell(town.holder())
    town.tick(days=1)
    first = town.pay(card, 48_000, "o-1", key="k")
    assert isinstance(first, Effect)
    assert (first.facts["principal_fen"], first.facts["bonus_fen"]) == (47_500, 500)
    again = town.pay(card, 48_000, "o-1", key="k")
    assert again.replayed and again.answer == first.answer
    refused = town.pay(card, 2_001)
    assert isinstance(refused, Refused) and refused.refusal.code.code == "balance_insufficient"
    assert refused.refusal.facts == {"available_fen": 2_000, "missing_fen": 1}


def test_authorize_capture_void_refund(town: Town) -> None:
    card = town.sell(town.holder())
    town.tick(days=1)
    hold = town.ok(
        Kind.AUTHORIZE,
        Authorize(
            key="a",
            caller=OPERATOR,
            card=card,
            merchant=town.merchants["mall-1"],
            store=None,
            amount=30_000,
            order_no="o-1",
        ),
    )
    assert isinstance(town.pay(card, 20_001), Refused)
    taken = town.ok(Kind.CAPTURE, Capture(key="c", caller=OPERATOR, payment=hold.id, amount=10_000))
    assert taken.facts["released_fen"] == 20_000
    assert isinstance(town.app.one(Kind.VOID, Void(key="v", caller=OPERATOR, payment=hold.id)), Refused)
    back = town.ok(Kind.REFUND, Refund(key="r", caller=OPERATOR, payment=hold.id, reason="returned"))
    assert back.facts["amount_fen"] == 10_000
    assert isinstance(town.pay(card, 50_000), Effect)
