"""Vouchers that pay for cards and top-ups on a real database: in one batch, over time, in what is written of them."""

from typing import Any

from kaquan.commands.model import Effect, Kind, Refused
from kaquan.jobs.run import run_due
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id
from kaquan.kernel.money import ZERO, Money
from kaquan.ledger.chart import Source
from kaquan.ledger.service import proofs
from kaquan.payments.model import Refund
from kaquan.programs.contract import contract, digest
from kaquan.sales.model import Sell, TopUp
from kaquan.sales.service import bought
from kaquan.vouchers.errors import VOUCHER_STATE
from kaquan.vouchers.model import Claim
from support.database import Database
from support.grants import stock_text
from support.town import Town, build

FIFTY: dict[str, Any] = {"kind": "top_up", "face_fen": 5_000, "min_order_fen": 0, "valid_days": 3, "count": 20}


def town_of(database: Database) -> Town:
    """A town whose city gives vouchers of 50 that top up cards, spent before anything else."""
    edit = ('burn_order = "principal_first"', 'burn_order = "bonus_first"')
    town = build(database.app_url, edit, more=stock_text("fifty", ("city", 10_000), **FIFTY))
    town.fund("city", 100_000, source=Source.FISCAL)
    town.stock("fifty")
    return town


def claimed(town: Town, wallet: Id) -> Id:
    """A voucher of the wallet."""
    command = Claim(key=town.key(), caller=OPERATOR, wallet=wallet, program="jingxika", stock="fifty")
    return town.ok(Kind.CLAIM, command).id


def sale(town: Town, wallet: Id, *vouchers: Id) -> Sell:
    """A card of 500 yuan, partly paid by vouchers."""
    told = {"wallet": wallet, "program": "jingxika", "face": Money(50_000), "channel": "sandbox"}
    return Sell(key=town.key(), caller=OPERATOR, vouchers=vouchers, **told)


def top_up(town: Town, card: Id, *vouchers: Id) -> TopUp:
    """What vouchers are worth, put on a card."""
    return TopUp(key=town.key(), caller=OPERATOR, card=card, face=ZERO, channel="sandbox", vouchers=vouchers)


def assert_proved(town: Town) -> None:
    assert [proof.name for proof in proofs(town.app.connection) if not proof.ok] == []


def test_two_sales_of_one_batch_use_a_voucher_once(database: Database) -> None:
    town = town_of(database)
    wallet = town.holder()
    voucher = claimed(town, wallet)
    first, second = town.app.execute(Kind.SELL, [sale(town, wallet, voucher), sale(town, wallet, voucher)])
    assert isinstance(first, Effect) and isinstance(second, Refused)
    assert second.refusal.code is VOUCHER_STATE
    assert town.rows("SELECT count(*), sum(granted)::int FROM lot WHERE kind = 2") == [(1, 5_000)]
    assert town.rows("SELECT count(*) FROM card") == [(1,)]
    assert_proved(town)


def test_two_top_ups_of_one_batch_stand_on_each_other(database: Database) -> None:
    town = town_of(database)
    wallet = town.holder()
    card, one, other = town.sell(wallet), claimed(town, wallet), claimed(town, wallet)
    outcomes = town.app.execute(
        Kind.TOP_UP, [top_up(town, card, one), top_up(town, card, one), top_up(town, card, other)]
    )
    assert [isinstance(outcome, Effect) for outcome in outcomes] == [True, False, True]
    assert town.rows("SELECT sum(balance)::int FROM lot WHERE kind = 2") == [(10_000,)]
    assert_proved(town)


def test_an_expired_subsidy_is_its_funds_also_when_a_refund_comes_late(database: Database) -> None:
    town = town_of(database)
    wallet = town.holder()
    card = town.sell(wallet)
    town.ok(Kind.TOP_UP, top_up(town, card, claimed(town, wallet)))
    paid = town.pay(card, 3_000)
    assert isinstance(paid, Effect) and paid.facts["subsidy_fen"] == 3_000
    town.tick(days=3)
    assert run_due(town.app)[Kind.EXPIRE_LOT] == 1
    assert budget(town) == 97_000
    late = Refund(key=town.key(), caller=OPERATOR, payment=paid.id, reason="returned")
    town.ok(Kind.REFUND, late)
    assert (budget(town), town.rows("SELECT balance FROM lot WHERE kind = 2")) == (100_000, [(0,)])
    town.tick(days=1)
    assert Kind.EXPIRE_LOT not in run_due(town.app)
    assert_proved(town)


def budget(town: Town) -> int:
    """What the funds have free, by the books."""
    moved = "SELECT sum(CASE WHEN credit = 30 THEN amount ELSE 0 END - CASE WHEN debit = 30 THEN amount ELSE 0 END)"
    return int(town.rows(f"{moved} FROM posting")[0][0])


def test_the_contract_of_a_voucher_paid_purchase_is_the_one_that_was_kept(database: Database) -> None:
    town = town_of(database)
    wallet = town.holder()
    sold = town.ok(Kind.SELL, sale(town, wallet, claimed(town, wallet)))
    loaded = town.ok(Kind.TOP_UP, top_up(town, sold.id, claimed(town, wallet)))
    terms = town.app.catalogue.program("jingxika")
    assert terms is not None
    for effect, one in zip((sold, loaded), bought(town.app.connection, sold.id), strict=True):
        assert one.contract == effect.facts["contract"] == digest(terms, one.purchase)
    first, second = (contract(terms, one.purchase, "zh") for one in bought(town.app.connection, sold.id))
    assert "消费券补贴 50.00 元（不可提现，最早 2025-05-24 00:00:00 到期" in first, "active on the 21st, three days"
    assert (
        "实付 0.00 元，得面值 50.00 元：本金 0.00 元，赠金 0.00 元，消费券补贴 50.00 元（不可提现，最早 2025-05-23"
        in second
    )
