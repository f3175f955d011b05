"""Limits of a card's day at the door: counted in the batch that pays, beside what vouchers count."""

from typing import Any

import pytest

from kaquan.commands.model import Kind, Refused
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.payments.model import Pay
from kaquan.risk.model import CARD_DAY_COUNT, CARD_DAY_FEN
from kaquan.vouchers.model import Claim
from support.database import Database
from support.town import Town, build
from support.voucher_words import open_for, stock_told

LIMITS = ("one_payment_per_order = true", "one_payment_per_order = true\ncard_day_count = 3\ncard_day_fen = 20_000")
STOCKS = ["ten kind=instant face=10 use_person_day=2 by=city"]


@pytest.fixture
def town(database: Database) -> Town:
    """Cards that pay three times a day and 200 yuan at most; vouchers of ten of which a person uses two a day."""
    built = build(database.app_url, LIMITS, more="".join(map(stock_told, STOCKS)))
    open_for(built, ["city 2000"], STOCKS)
    return built


def active_card(town: Town, wallet: Id) -> Id:
    card = town.sell(wallet)
    town.tick(days=1)
    return card


def wish(town: Town, card: Id, amount: int, key: str, *vouchers: Id) -> Pay:
    told: dict[str, Any] = {"store": None, "amount": Money(amount), "order_no": f"order-{key}", "card": card}
    return Pay(key=key, caller=OPERATOR, merchant=town.merchants["mall-1"], vouchers=vouchers, **told)


def codes(outcomes: list[Any]) -> list[str]:
    """Why each was refused, or nothing."""
    return [one.refusal.code.code if isinstance(one, Refused) else "" for one in outcomes]


def counted(town: Town, rule: int) -> list[tuple[Any, ...]]:
    return town.rows("SELECT count, version FROM tally WHERE rule = %s", rule)


def test_a_batch_counts_what_its_earlier_payments_took(town: Town) -> None:
    card = active_card(town, town.holder())
    wishes = [wish(town, card, amount, f"{number}") for number, amount in enumerate((15_000, 5_001, 5_000, 0, 1))]
    outcomes = codes(town.app.execute(Kind.PAY, wishes))
    assert outcomes == ["", "card_day_amount", "", "amount_invalid", "card_day_amount"]
    assert counted(town, CARD_DAY_FEN) == [(20_000, 1)] and counted(town, CARD_DAY_COUNT) == [(2, 1)]


def test_what_another_process_paid_meanwhile_counts(town: Town, database: Database) -> None:
    wallet = town.holder()
    card = active_card(town, wallet)
    theirs = wish(town, card, 15_000, "theirs")
    town.meanwhile(database.app_url, Kind.PAY, lambda other: other.one(Kind.PAY, theirs))
    assert codes([town.app.one(Kind.PAY, wish(town, card, 5_001, "mine"))]) == ["card_day_amount"]
    assert counted(town, CARD_DAY_FEN) == [(15_000, 1)]


def test_cards_and_vouchers_are_counted_side_by_side(town: Town) -> None:
    wallet = town.holder()
    card = active_card(town, wallet)
    claim = {"wallet": wallet, "program": "jingxika", "stock": "ten"}
    vouchers = [town.ok(Kind.CLAIM, Claim(key=town.key(), caller=OPERATOR, **claim)).id for _ in range(3)]
    outcomes = [
        town.app.one(Kind.PAY, wish(town, card, 2_000, f"{number}", voucher))
        for number, voucher in enumerate(vouchers)
    ]
    assert codes(outcomes) == ["", "", "voucher_person_day_limit"]
    assert counted(town, CARD_DAY_FEN) == [(2_000, 2)] and counted(town, CARD_DAY_COUNT) == [(2, 2)]
    assert counted(town, 1) == [(2, 2)]


def test_nothing_is_counted_where_nothing_is_limited(database: Database) -> None:
    plain = build(database.app_url)
    card = active_card(plain, plain.holder())
    assert codes([plain.pay(card, 1_000)]) == [""]
    assert plain.rows("SELECT count(*)::int FROM tally") == [(0,)]
