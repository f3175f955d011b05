"""Funds and stocks on a real database: money in and out, what came back, stocks opened against it."""

from typing import Any

from kaquan.commands.model import Effect, Kind
from kaquan.kernel.caller import OPERATOR
from kaquan.vouchers.model import Claim
from support.database import Database
from support.grants import stock_text
from support.town import Town, build


def claim(town: Town, wallet: Any, stock: str = "off-10") -> Any:
    command = Claim(key=town.key(), caller=OPERATOR, wallet=wallet, program="jingxika", stock=stock)
    return town.app.one(Kind.CLAIM, command)


def test_a_claim_promises_the_money_of_an_opened_stock(database: Database) -> None:
    town = build(database.app_url, more=stock_text("off-10", ("city", 6_000), ("merchant", 4_000)))
    town.fund("city", 100_000)
    town.stock("off-10")
    outcome = claim(town, town.holder())
    assert isinstance(outcome, Effect), outcome
    assert town.rows("SELECT sum(fen_left)::int FROM slice WHERE count_left > 1000") == [(99_400,)]
