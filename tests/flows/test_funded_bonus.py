"""Bonus and subsidies that funds pay for, on a real database: pledged money is billed, and unbilled when back."""

from kaquan.commands.model import Kind
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.money import Money
from kaquan.payments.model import Refund
from kaquan.programs.catalogue import FundMode
from kaquan.sales.model import TopUp
from kaquan.vouchers.model import Claim
from support.database import Database
from support.grants import stock_text
from support.rewards import assert_proved, books, drip_text, free, off_10, pool_left, promised, run, town_with
from support.town import Town, build

REBATE = '\n[[funding]]\nof = "rebate"\nfund = "city"\nshare_bps = 3333\n'
AND_BANK = '\n[[funding]]\nof = "rebate"\nfund = "bank"\nshare_bps = 6667\n'
RECEIVABLE, PLEDGE = 32, 33


def granted(database: Database, paid: int = 60_000) -> Town:
    """A town in which an order of 600 yuan has earned 30, paid for by a pledge of the city and money of a bank."""
    town = build(database.app_url, more=REBATE + AND_BANK)
    town.fund("city", 10_000, mode=FundMode.PLEDGED)
    town.fund("bank", 10_000)
    card = town.sell(town.holder(), 100_000)
    town.tick(days=1)
    town.pay(card, paid, "o-1")
    town.tick(days=8)
    assert run(town)[Kind.GRANT_REWARD] == 1
    return town


def test_a_pledge_is_billed_as_the_rebate_is_granted_and_unbilled_as_it_expires(database: Database) -> None:
    town = granted(database)
    assert (books(town, RECEIVABLE), free(town)) == (-1_000, 20_000 - 3_000)
    assert town.rows("SELECT granted, state FROM reward") == [(3_000, 2)]
    assert_proved(town)
    town.tick(days=91)
    assert run(town)[Kind.EXPIRE_LOT] == 2
    assert (books(town, RECEIVABLE), books(town, PLEDGE), free(town)) == (0, -10_000, 20_000)
    assert_proved(town)


def test_partial_refunds_take_each_funds_share_back_to_the_fen(database: Database) -> None:
    town = granted(database, 100_000)
    assert free(town) == 20_000 - 5_000
    payment = town.rows("SELECT id FROM payment")[0][0].bytes
    given = []
    for number, amount in enumerate((33_333, 11_111, None)):
        command = Refund(
            key=f"r{number}",
            caller=OPERATOR,
            payment=payment,
            reason="returned",
            late=True,
            amount=None if amount is None else Money(amount),
        )
        given.append(town.ok(Kind.REFUND, command).facts["clawback_fen"])
    assert sum(given) == 5_000
    assert free(town) == 20_000 and books(town, RECEIVABLE) == 0
    assert town.rows("SELECT sum(balance)::int FROM lot WHERE fund IS NOT NULL") == [(0,)]
    assert_proved(town)


def test_what_is_left_of_a_subsidy_goes_back_to_its_funder_when_it_expires(database: Database) -> None:
    start = stock_text("start", ("city", 10_000), kind="top_up", min_order_fen=0, face_fen=5_000)
    town = build(database.app_url, more=start)
    town.fund("city", 500_000)
    town.stock("start")
    wallet = town.holder()
    card = town.sell(wallet)
    claim = Claim(key="c", caller=OPERATOR, wallet=wallet, program="jingxika", stock="start")
    voucher = town.ok(Kind.CLAIM, claim).id
    town.ok(
        Kind.TOP_UP,
        TopUp(key="t", caller=OPERATOR, card=card, face=Money(0), channel="sandbox", vouchers=(voucher,)),
    )
    assert (books(town, 22), free(town)) == (5_000, 495_000)
    town.tick(days=31)
    assert run(town)[Kind.EXPIRE_LOT] == 1
    assert (books(town, 22), free(town)) == (0, 500_000)
    assert_proved(town)


def test_a_bonus_and_a_plan_of_one_purchase_take_different_money(database: Database) -> None:
    presale = '\n[[funding]]\nof = "presale"\nfund = "city"\nshare_bps = 10000\n'
    town = town_with(database.app_url, off_10(shared_budget=True), drip_text(), presale, city=100_000)
    town.sell(town.holder())
    fund = town.app.catalogue.funds["city"]
    assert (books(town, 21), promised(town), free(town)) == (2_500, 6_000, 91_500)
    assert pool_left(town, fund.id)[1] == 91_500
    assert_proved(town)
