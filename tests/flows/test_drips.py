"""Monthly plans on a real database: started by a purchase, granted month by month, cancelled."""

from datetime import UTC, datetime

import pytest

from kaquan.commands.model import Effect, Kind, Refused
from kaquan.kernel.caller import OPERATOR, SYSTEM
from kaquan.kernel.ids import Id
from kaquan.rewards.plan_model import CancelPlan, GrantDrip
from support.database import Database
from support.rewards import assert_proved, drip_text, free, off_10, pool_left, promised, run, town_with
from support.town import Town


@pytest.fixture
def town(database: Database) -> Town:
    return town_with(database.app_url, off_10(), drip_text())


def plan_of(town: Town) -> Id:
    return Id(town.rows("SELECT id FROM plan ORDER BY at DESC LIMIT 1")[0][0].bytes)


def test_a_purchase_promises_all_months_at_once(town: Town) -> None:
    town.sell(town.holder())
    assert town.rows("SELECT months, given, face FROM plan") == [(6, 0, 1_000)]
    assert (free(town), promised(town)) == (94_000, 6_000)
    stock = town.app.catalogue.stock_by_code("jingxika", "off-10")
    assert stock is not None and pool_left(town, stock.pool) == (94, 94_000)
    assert_proved(town)


def test_months_are_granted_on_the_day_of_purchase_and_a_missed_run_catches_up_once(town: Town) -> None:
    town.now = datetime(2025, 1, 31, 4, 0, tzinfo=UTC)
    town.sell(town.holder())
    town.now = datetime(2025, 2, 27, 15, 59, tzinfo=UTC)
    assert run(town) == {}
    town.now = datetime(2025, 2, 27, 16, 0, tzinfo=UTC)  # midnight of the 28th in Shanghai: February has no 31st
    assert run(town)[Kind.GRANT_DRIP] == 1
    town.now = datetime(2025, 5, 31, 4, 0, tzinfo=UTC)
    assert run(town)[Kind.GRANT_DRIP] == 3
    assert Kind.GRANT_DRIP not in run(town)
    assert town.rows("SELECT given, state FROM plan") == [(4, 1)]
    assert town.rows("SELECT count(*) FROM voucher") == [(4,)]
    town.now = datetime(2025, 9, 30, 4, 0, tzinfo=UTC)
    run(town)
    assert town.rows("SELECT given, state FROM plan") == [(6, 2)]
    assert_proved(town)


def test_a_cancelled_plan_gives_back_what_it_had_taken_and_it_can_be_promised_at_once(town: Town) -> None:
    town.sell(town.holder())
    town.tick(days=31)
    run(town)
    assert isinstance(cancel(town), Effect)
    stock = town.app.catalogue.stock_by_code("jingxika", "off-10")
    assert stock is not None and pool_left(town, stock.pool) == (99, 99_000)
    assert (free(town), promised(town)) == (99_000, 1_000)
    fund = town.app.catalogue.funds["city"]
    assert pool_left(town, fund.id)[1] == 99_000
    assert_proved(town)


def cancel(town: Town) -> object:
    command = CancelPlan(key=town.key(), caller=OPERATOR, plan=plan_of(town), reason="closed")
    return town.app.one(Kind.CANCEL_PLAN, command)


def test_two_grants_of_one_month_in_one_batch_hand_out_one(town: Town) -> None:
    town.sell(town.holder())
    town.tick(days=31)
    plan = plan_of(town)
    twice = [GrantDrip(key=f"k{n}", caller=SYSTEM, plan=plan, month=1) for n in range(2)]
    first, second = town.app.execute(Kind.GRANT_DRIP, twice)
    assert isinstance(first, Effect) and isinstance(second, Refused)
    assert second.refusal.code.code == "plan_month_granted"
    assert town.rows("SELECT count(*) FROM voucher") == [(1,)]


def test_every_top_up_that_reaches_it_starts_a_plan_of_its_own(town: Town) -> None:
    card = town.sell(town.holder())
    town.top_up(card)
    assert town.rows("SELECT count(*), count(DISTINCT id) FROM plan WHERE card = %s", card.hex()) == [(2, 2)]
    assert promised(town) == 12_000
