"""Vouchers at the till: quote, pay, authorize, refund and look up on the command line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kaquan.commands.model import Effect, Kind
from kaquan.db.pool import connect
from kaquan.funders.model import PayInFund, RegisterFund
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id, parse, public
from kaquan.kernel.money import Money
from kaquan.ledger.chart import Source
from kaquan.main import Kaquan
from kaquan.programs.catalogue import FundMode
from kaquan.stocks.model import OpenStock
from kaquan.vouchers.model import Claim
from support.cli import PHONE, Shop, opened_shop
from support.voucher_words import stock_told

STOCKS = (
    "off-10 face=10 min_order=100 by=city:60,merchant:40",
    "fifteen face=15 min_order=200 by=city",
    "bread kind=exchange face=30 goods=bread category=goods rank=1 count=10 by=city",
)
AT = ("--merchant", "mall-1")
NAME, ID_NUMBER = "欧阳明月", "11010519491231002X"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    more = "".join(map(stock_told, STOCKS))
    with opened_shop(tmp_path_factory.mktemp("till"), NAME, ID_NUMBER, more) as shop:
        with door(shop) as execute:
            party = {"name": "city", "organisation": "jingxi", "book": "jingxi", "mode": FundMode.PREPAID}
            execute(Kind.REGISTER_FUND, RegisterFund, code="city", source=Source.FISCAL, **party)
            execute(Kind.PAY_IN_FUND, PayInFund, fund="city", amount=Money(1_000_000), reference="bank-1")
            for told in STOCKS:
                execute(Kind.OPEN_STOCK, OpenStock, program="jingxika", stock=told.split()[0])
        yield shop


@contextmanager
def door(shop: Shop) -> Iterator[Any]:
    """Executes commands that must take effect."""
    with connect(shop.url) as connection:
        app, count = Kaquan(connection, shop.master_key), 0

        def execute(kind: Kind, shape: Any, **fields: Any) -> Id:
            nonlocal count
            count += 1
            key = f"{fields}-{count}"[:64]
            outcome = app.one(kind, shape(key=key, caller=OPERATOR, **fields))
            assert isinstance(outcome, Effect), outcome
            return outcome.id

        yield execute


def claimed(shop: Shop, wallet: str, *stocks: str) -> list[str]:
    """Vouchers of these stocks in a wallet, as a person names them."""
    with door(shop) as execute:
        fields = {"wallet": parse("wal", wallet), "program": "jingxika"}
        return [public("vch", execute(Kind.CLAIM, Claim, stock=stock, **fields)) for stock in stocks]


def holder(shop: Shop, phone: str) -> str:
    """A new wallet."""
    person = ("--name", NAME, "--phone", "-", "--id-number", "-")
    wallet: str = shop.ok("holder", "register", *person, stdin=f"{phone}\n{ID_NUMBER}\n")["wallet"]
    return wallet


def test_a_quote_says_of_each_voucher_why_and_a_payment_takes_the_best(shop: Shop) -> None:
    wallet = holder(shop, "13700002001")
    ten, fifteen, bread = claimed(shop, wallet, "off-10", "fifteen", "bread")
    card = shop.ok("card", "sell", "--program", "jingxika", "--face", "500", "--wallet", wallet)["number"]
    quoted = shop.ok("quote", card, *AT, "--amount", "120")
    assert (quoted["dry_run"], quoted["discount_fen"], quoted["principal_fen"]) == (True, 1_000, 11_000)
    verdicts = {one["voucher"]: one for one in quoted["vouchers"]}
    assert verdicts[ten]["used"] and verdicts[ten]["discount_fen"] == 1_000
    assert verdicts[fifteen]["facts"] == {"min_order_fen": 20_000, "missing_fen": 8_000}
    assert verdicts[bread]["code"] == "voucher_goods_not_covered"
    assert [(one["fund"], one["fund_fen"]) for one in quoted["discounts"]] == [("city", 600), ("merchant", 400)]
    said = shop.run("quote", card, *AT, "--amount", "120", "--lang", "zh")
    assert said.code == 0 and "还差 80.00 元" in said.out and "商户自担" in said.out and ten in said.out
    assert shop.balance(card) == 50_000
    lines = ("--line", "bread:25", "--line", "tea:95")
    pay = ("pay", card, *AT, "--amount", "120", *lines, "--vouchers", "auto", "--outside", "5", "--key", f"k-{card}")
    paid = shop.ok(*pay)
    assert (paid["discount_fen"], paid["outside_fen"], paid["principal_fen"]) == (3_500, 500, 8_000)
    again = shop.ok(*pay)
    assert again["replayed"] and again["payment"] == paid["payment"]
    assert shop.balance(card) == 42_000


def test_what_comes_back_is_told_by_line_and_by_amount(shop: Shop) -> None:
    wallet = holder(shop, "13700002002")
    (bread,) = claimed(shop, wallet, "bread")
    card = shop.ok("card", "sell", "--program", "jingxika", "--face", "500", "--wallet", wallet)["number"]
    lines = ("--line", "bread:25", "--line", "tea:75")
    payment = shop.ok("pay", card, *AT, "--amount", "100", *lines, "--vouchers", bread)["payment"]
    told = shop.ok("payment", "outcomes", payment, "--line", "1")
    assert [one["most_fen"] for one in told["outcomes"][0]["shares"] if one["part"] == "voucher"]
    back = shop.ok("refund", payment, "--line", "1")
    assert back["amount_fen"] == told["would"]["amount_fen"] == told["outcomes"][0]["amount_fen"]
    seen = shop.run("payment", "outcomes", payment, "--amount", "100000").out
    assert "✗ 还可退的商品只值" in seen and "可以改为：退尽余下的" in seen, seen
    assert (back["amount_fen"], back["card_fen"], back["discount_fen"], back["state"]) == (
        2_500,
        0,
        2_500,
        "partly_refunded",
    )
    shop.ok("refund", payment, "--amount", "15", "--reason", "破损")
    shown = shop.ok("payment", "show", payment)
    assert [(one["goods"], one["returned"]) for one in shown["lines"]] == [("bread", True), ("tea", False)]
    assert [(one["fund"], one["fund_fen"], one["refunded_fen"]) for one in shown["discounts"]] == [
        ("city", 2_500, 2_500)
    ]
    assert [(one["amount_fen"], one["card_fen"], one["reason"]) for one in shown["refunds"]] == [
        (2_500, 0, ""),
        (1_500, 1_500, "破损"),
    ]
    said = shop.run("payment", "show", payment, "--lang", "zh")
    assert said.code == 0 and "破损" in said.out and "已部分退款" in said.out
    assert shop.run("refund", payment, "--line", "2", "--amount", "1").code == 2
    assert shop.run("refund", payment, "--line", "0").code == 2


def test_a_voucher_without_a_card_is_authorized_and_given_up(shop: Shop) -> None:
    wallet = holder(shop, "13700002003")
    claimed(shop, wallet, "off-10")
    order = (*AT, "--wallet", wallet, "--amount", "100", "--outside", "90")
    held = shop.ok("authorize", *order)
    assert (held["discount_fen"], held["outside_fen"], held["state"]) == (1_000, 9_000, "authorized")
    refused = shop.no("quote", *order)
    assert refused["code"] == "payer_missing" and refused["vouchers"][0]["code"] == "voucher_held"
    said = shop.run("quote", *order, "--lang", "en")
    assert said.code == 1 and "Another order holds the voucher" in said.out and "Name a card" in said.err
    shop.ok("void", held["payment"])
    assert shop.ok("quote", *order)["discount_fen"] == 1_000


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("pay", *AT, "--amount", "1"), id="nobody_pays"),
        pytest.param(("pay", "88", *AT, "--amount", "1", "--wallet", "wal_x"), id="two_payers"),
        pytest.param(("pay", *AT, "--amount", "1", "--wallet", "nobody"), id="no_wallet"),
        pytest.param(("quote", "88", *AT, "--amount", "1", "--line", "bread"), id="no_price"),
        pytest.param(("quote", "88", *AT, "--amount", "1", "--line", "bread:0"), id="no_amount"),
    ],
)
def test_what_cannot_be_meant_is_told(shop: Shop, words: tuple[str, ...]) -> None:
    assert shop.run(*words).code == 2


def test_a_wrong_voucher_is_named(shop: Shop) -> None:
    card = shop.card(PHONE)
    assert shop.run("pay", card, *AT, "--amount", "1", "--vouchers", "ten").code == 2
    (other,) = claimed(shop, holder(shop, "13700002004"), "off-10")
    refused = shop.no("pay", card, *AT, "--amount", "100", "--vouchers", other)
    assert refused["code"] == "voucher_unknown"
    assert shop.balance(card) == 50_000
