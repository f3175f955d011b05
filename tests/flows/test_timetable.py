"""The timetable on a real database: what is due is done once, what does not fit is tried on a later day."""

from datetime import date

import pytest

from kaquan.commands.model import Effect, Kind
from kaquan.jobs.run import run_due
from kaquan.jobs.timetable import due
from kaquan.kernel.calendar import Calendar
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.clock import instant
from kaquan.kernel.ids import Id
from kaquan.ledger.service import proofs, totals
from kaquan.payments.model import Authorize, Refund
from support.database import Database
from support.town import Town, build

CALENDAR = Calendar.load()
ABOUT_MERCHANTS = (Kind.SETTLE, Kind.CLOSE_PERIOD, Kind.RELEASE_RESERVE)


@pytest.fixture
def town(database: Database) -> Town:
    return build(database.app_url)


def ripe_card(town: Town, faces: int = 2) -> Id:
    """A card with 500 yuan for each face, which can be spent."""
    card = town.sell(town.holder())
    for _ in range(faces - 1):
        town.top_up(card)
    town.tick(days=1)
    return card


def run(town: Town) -> dict[Kind, int]:
    return dict(run_due(town.app))


def assert_proved(town: Town) -> None:
    assert [proof.name for proof in proofs(town.app.connection) if not proof.ok] == []


def test_nothing_is_due_in_a_new_town(town: Town) -> None:
    assert due(town.app.connection, town.app.catalogue, CALENDAR, town.app.door.at()) == {}
    assert run(town) == {}


def test_a_hold_is_released_when_its_time_is_up(town: Town) -> None:
    card = ripe_card(town, faces=1)
    town.ok(
        Kind.AUTHORIZE,
        Authorize(
            key="hold",
            caller=OPERATOR,
            card=card,
            merchant=town.merchants["mall-1"],
            store=None,
            amount=40_000,
            order_no="o-1",
        ),
    )
    town.tick(minutes=29)
    assert run(town) == {} and totals(town.app.connection).held_fen == 40_000
    town.tick(minutes=2)
    assert run(town) == {Kind.EXPIRE_HOLD: 1} and totals(town.app.connection).held_fen == 0
    assert run(town) == {}
    assert isinstance(town.pay(card, 50_000), Effect)


def test_a_rebate_is_granted_once_and_its_rest_expires(town: Town) -> None:
    card = ripe_card(town)
    town.pay(card, 60_000)
    town.tick(days=7)
    assert run(town) == {}
    town.tick(days=1)
    assert run(town) == {Kind.GRANT_REWARD: 1}
    assert run(town) == {} and totals(town.app.connection).rebates_granted_fen == 3_000
    town.tick(days=91)
    assert run(town).get(Kind.EXPIRE_LOT) == 1
    assert totals(town.app.connection).bonus_expired_fen == 3_000
    assert_proved(town)


def test_what_an_authorization_holds_is_not_due_to_expire(town: Town) -> None:
    card = ripe_card(town)
    town.pay(card, 100_000)
    town.tick(days=8)
    assert run(town) == {Kind.GRANT_REWARD: 1}
    ((expires_us,),) = town.rows("SELECT expires_at FROM lot WHERE expires_at IS NOT NULL")
    town.now = instant(expires_us - 600_000_000)
    hold = Authorize(
        key="hold",
        caller=OPERATOR,
        card=card,
        merchant=town.merchants["mall-1"],
        store=None,
        amount=5_000,
        order_no="o-1",
    )
    run(town)
    town.ok(Kind.AUTHORIZE, hold)
    town.tick(minutes=20)
    assert due(town.app.connection, town.app.catalogue, CALENDAR, town.app.door.at()) == {}
    town.tick(minutes=20)
    assert run(town) == {Kind.EXPIRE_HOLD: 1, Kind.EXPIRE_LOT: 1}
    assert totals(town.app.connection).bonus_expired_fen == 5_000


def test_a_rebate_that_does_not_fit_is_granted_on_a_later_day(town: Town) -> None:
    card = ripe_card(town)
    town.pay(card, 50_000, "o-1")
    for _ in range(9):
        town.top_up(card)
    town.tick(days=8)
    assert run(town) == {} and run(town) == {}
    assert totals(town.app.connection).rebates_granted_fen == 0
    town.pay(card, 40_000, "o-2")
    assert run(town) == {}, "today's key was burnt when it did not fit"
    town.tick(days=1)
    assert run(town) == {Kind.GRANT_REWARD: 1}
    assert totals(town.app.connection).rebates_granted_fen == 2_500


def test_what_does_not_fit_does_not_hide_what_does(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kaquan.jobs.run.DUE_MAX", 1)
    full, other = ripe_card(town), town.sell(town.holder("13800138001"))
    town.pay(full, 50_000)
    for _ in range(9):
        town.top_up(full)
    town.top_up(other)
    town.tick(days=1)
    town.pay(other, 60_000)
    town.tick(days=8)
    assert run(town) == {Kind.GRANT_REWARD: 1}
    assert totals(town.app.connection).rebates_granted_fen == 3_000


def test_a_refund_leaves_nothing_to_grant(town: Town) -> None:
    card = ripe_card(town)
    paid = town.pay(card, 60_000)
    town.ok(Kind.REFUND, Refund(key="back", caller=OPERATOR, payment=paid.id, reason="returned"))
    town.tick(days=9)
    assert run(town) == {}


def test_months_are_settled_on_business_days_and_reserves_released(town: Town) -> None:
    card = ripe_card(town, faces=4)
    town.pay(card, 100_000)
    paid_on: dict[date, dict[Kind, int]] = {}
    for _ in range(130):
        town.tick(days=1)
        done = {kind: count for kind, count in run(town).items() if kind in ABOUT_MERCHANTS}
        if done:
            paid_on[town.now.date()] = done
    closed = {Kind.CLOSE_PERIOD: 1}
    assert paid_on == {
        date(2025, 6, 5): {Kind.SETTLE: 1, **closed},  # of two merchants one has something to come
        date(2025, 7, 7): closed,  # the 5th is a Saturday
        date(2025, 8, 5): closed,
        date(2025, 9, 3): {Kind.RELEASE_RESERVE: 1},  # 90 days after it was held back
        date(2025, 9, 5): closed,
    }
    found = totals(town.app.connection)
    assert (found.fees_fen, found.held_back_fen, found.released_fen) == (600, 9_940, 9_940)
    assert found.settled_fen == 89_460, "what was released in September is paid in October"
    assert_proved(town)
