"""Vouchers at the door: two want the same one, a batch counts what it used, the database keeps their life."""

from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import msgspec
import pytest

from kaquan.commands.model import Effect, Kind, Refused
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.main import Kaquan
from kaquan.payments.lifecycle import TRANSITIONS as PAYMENTS
from kaquan.payments.lifecycle import PaymentState
from kaquan.payments.model import Authorize, Pay, Refund
from kaquan.vouchers.lifecycle import TRANSITIONS as VOUCHERS
from kaquan.vouchers.model import Claim, VoucherState
from support.database import Database
from support.town import Town, build
from support.voucher_words import open_for, stock_told

STOCKS = ["ten kind=instant face=10 use_person_day=2 by=city", "any kind=instant face=10 by=city"]


class Till(NamedTuple):
    """A town with one card and vouchers of ten yuan."""

    town: Town
    card: Id
    wallet: Id
    database: Database

    def claim(self, stock: str = "ten") -> Id:
        """One more voucher: two `ten` count a day, and as many of `any` as there are."""
        told = {"wallet": self.wallet, "program": "jingxika", "stock": stock}
        return self.town.ok(Kind.CLAIM, Claim(key=self.town.key(), caller=OPERATOR, **told)).id

    def pay(self, key: str, voucher: Id, kind: type[Pay] = Pay) -> Pay:
        """A payment of a hundred with a voucher."""
        told: dict[str, Any] = {"store": None, "amount": Money(10_000), "order_no": f"order-{key}"}
        told |= {"card": self.card, "merchant": self.town.merchants["mall-1"], "vouchers": (voucher,)}
        return kind(key=key, caller=OPERATOR, **told)

    def in_cash(self, key: str, voucher: Id, kind: type[Pay] = Pay) -> Pay:
        """The same without the card: the rest is paid in cash, so that payments share nothing but vouchers."""
        told = {"card": None, "wallet": self.wallet, "outside": Money(9_000)}
        return msgspec.structs.replace(self.pay(key, voucher, kind), **told)

    def meanwhile(self, kind: Kind, act: Callable[[Kaquan], Any]) -> None:
        """The next time a command of `kind` has loaded its facts, another process acts before it goes on."""
        self.town.meanwhile(self.database.app_url, kind, act)


@pytest.fixture
def till(database: Database) -> Till:
    town = build(database.app_url, more="".join(map(stock_told, STOCKS)))
    open_for(town, ["city 2000"], STOCKS)
    wallet = town.holder()
    card = town.sell(wallet)
    town.tick(days=1)
    return Till(town, card, wallet, database)


def codes(outcomes: list[Any]) -> list[str]:
    """Why each was refused, or nothing."""
    return [one.refusal.code.code if isinstance(one, Refused) else "" for one in outcomes]


def test_a_voucher_that_another_used_after_the_facts_were_loaded_is_not_used_twice(till: Till) -> None:
    voucher = till.claim("any")
    till.meanwhile(Kind.PAY, lambda other: other.one(Kind.PAY, till.in_cash("theirs", voucher)))
    assert codes([till.town.app.one(Kind.PAY, till.in_cash("mine", voucher))]) == ["voucher_state"]
    assert till.town.rows("SELECT count(*)::int FROM payment") == [(1,)]
    assert till.town.rows("SELECT state, used FROM voucher") == [(VoucherState.REDEEMED, 1_000)]


def test_a_voucher_that_another_holds_by_now_is_not_held_twice(till: Till) -> None:
    voucher = till.claim("any")
    theirs = till.in_cash("theirs", voucher, Authorize)
    till.meanwhile(Kind.AUTHORIZE, lambda other: other.one(Kind.AUTHORIZE, theirs))
    assert codes([till.town.app.one(Kind.AUTHORIZE, till.in_cash("mine", voucher, Authorize))]) == ["voucher_held"]
    assert till.town.rows("SELECT count(*)::int FROM payment") == [(1,)]


def test_a_batch_counts_what_its_earlier_payments_used(till: Till) -> None:
    one, two, three = till.claim(), till.claim(), till.claim()
    wishes = [till.pay("a", one), till.pay("b", one), till.pay("c", two), till.pay("d", three)]
    outcomes = till.town.app.execute(Kind.PAY, wishes)
    assert codes(outcomes) == ["", "voucher_state", "", "voucher_person_day_limit"]
    assert till.town.rows("SELECT count FROM tally WHERE rule = 1") == [(2,)]


def test_a_use_that_another_counted_meanwhile_counts(till: Till) -> None:
    one, two, three = till.claim(), till.claim(), till.claim()
    till.town.ok(Kind.PAY, till.in_cash("first", one))
    till.meanwhile(Kind.PAY, lambda other: other.one(Kind.PAY, till.in_cash("theirs", two)))
    assert codes([till.town.app.one(Kind.PAY, till.in_cash("mine", three))]) == ["voucher_person_day_limit"]
    assert till.town.rows("SELECT count FROM tally WHERE rule = 1") == [(2,)]


def test_a_first_use_that_another_counted_meanwhile_counts(till: Till) -> None:
    one, two = till.claim(), till.claim()
    till.meanwhile(Kind.PAY, lambda other: other.one(Kind.PAY, till.in_cash("theirs", one)))
    till.town.ok(Kind.PAY, till.in_cash("mine", two))
    assert till.town.rows("SELECT count, version FROM tally WHERE rule = 1") == [(2, 2)]


def test_two_refunds_at_once_give_back_what_was_paid(till: Till) -> None:
    paid = till.town.ok(Kind.PAY, till.pay("p", till.claim())).id

    def half(key: str) -> Refund:
        return Refund(key=key, caller=OPERATOR, payment=paid, reason="", amount=Money(6_000))

    till.meanwhile(Kind.REFUND, lambda other: other.one(Kind.REFUND, half("theirs")))
    outcome = till.town.app.one(Kind.REFUND, half("mine"))
    assert codes([outcome]) == ["refund_exceeds_payment"]
    assert till.town.rows("SELECT refunded, state FROM payment") == [(6_000, PaymentState.PARTLY_REFUNDED)]
    rest = till.town.app.one(Kind.REFUND, Refund(key="rest", caller=OPERATOR, payment=paid, reason=""))
    assert isinstance(rest, Effect) and (rest.facts["card_fen"], rest.facts["discount_fen"]) == (3_600, 400)


@pytest.mark.parametrize(
    ("function", "states", "transitions"),
    [
        pytest.param("voucher_may", VoucherState, VOUCHERS, id="vouchers"),
        pytest.param("payment_may", PaymentState, PAYMENTS, id="payments"),
    ],
)
def test_the_database_enforces_the_same_life(till: Till, function: str, states: Any, transitions: Any) -> None:
    allowed = {(before, after) for (before, _), after in transitions.items()}
    for before, after in product(states, states):
        (said,) = till.town.rows(f"SELECT {function}(%s::smallint, %s::smallint)", int(before), int(after))[0]
        assert said == ((before, after) in allowed), f"{function}: {before.name} to {after.name}"
