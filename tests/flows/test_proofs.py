"""The proofs hold for whatever the door did, and each turns red when a row is changed behind it."""

import json
import re
import subprocess
import sys
import threading
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from kaquan.commands.model import Effect, Kind
from kaquan.db.pool import connect
from kaquan.funders.model import PayOutFund
from kaquan.kernel.calendar import Calendar, shanghai
from kaquan.kernel.caller import OPERATOR, SYSTEM
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.ledger import service as ledger
from kaquan.ledger.chart import CHART, Account
from kaquan.ledger.movements import Movement
from kaquan.ledger.store import QUERIES
from kaquan.payments.model import Authorize, Capture, Pay, Refund
from kaquan.rewards.model import ExpireLot, GrantReward
from kaquan.rewards.packet_model import EndPackets, OpenPacket, OpenPackets
from kaquan.rewards.plan_model import GrantDrip
from kaquan.sales.model import TopUp
from kaquan.settlement import service as settlement
from kaquan.vouchers.model import Claim
from support.custody import in_custody
from support.database import Database
from support.grants import custody_text, stock_text
from support.quiet import quiet
from support.town import Town, build

CALENDAR = Calendar.load()
READD = Path(__file__).parents[1] / "support" / "readd.py"
GIFTS = stock_text("off-10", ("city", 6_000), ("merchant", 4_000)) + stock_text(
    "value", kind="top_up", min_order_fen=0, face_fen=3_000
)
GIFTS += stock_text("gift", kind="instant", min_order_fen=0, hand_out="grant", face_fen=2_000)
GIFTS += '\n[[drips]]\ncode = "monthly"\nstock = "gift"\nfrom_face_fen = 50000\nmonths = 2\n'
GIFTS += (
    '\n[[packets]]\ncode = "luck"\nstock = "gift"\ntotal_fen = 5000\ncount = 10\nmin_fen = 100\n'
    "max_fen = 1000\nclaim_hours = 24\n"
)
TABLES = ("posting", "payment", "refund", "reward", "lot", "settlement", "payout", "reserve", "journal", "rollup")


def founded(url: str) -> Town:
    """A town with vouchers that a city pays for, settled by the calendar of these tests."""
    town = build(url, more=GIFTS + custody_text(release="with_redemption"))
    town.app.handlers.update(settlement.handlers(town.app.catalogue, CALENDAR))
    town.fund("city", 1_000_000)
    for stock in ("off-10", "value", "gift"):
        town.stock(stock)
    return town


def busy(url: str) -> Town:
    """A town in which everything happened that moves money, left with an open hold, a carry and a late payment."""
    town = founded(url)
    handlers = town.app.handlers
    zhang = town.holder()
    card = town.sell(zhang, 100_000)
    town.top_up(card)
    li = town.holder("13900139000")
    other = town.sell(li)
    spender = town.sell(town.holder("13700137000"), 100_000)
    town.tick(days=1)
    filled(town, li, other)
    paid(town, other, 50_510, "mall-2")
    large = paid(town, card, 60_000)
    late = paid(town, card, 52_000, "mall-2")
    back = paid(town, card, 3_000)
    hold = authorized(town, card, 9_000)
    town.ok(Kind.CAPTURE, Capture(key=town.key(), caller=OPERATOR, payment=hold, amount=4_000))
    refund(town, back)
    discounted(town, zhang, card)
    first = paid(town, spender, 50_000)
    town.tick(days=9)
    overspent(town, spender, first)
    for payment in (large, late):
        town.ok(Kind.GRANT_REWARD, GrantReward(key=town.key(), caller=SYSTEM, card=card, payment=payment))
    refund(town, late)
    kept = paid(town, card, 50_000)
    town.now = shanghai(date(2025, 6, 5)) + timedelta(hours=9)
    settle(town, date(2025, 5, 31))
    ledger.roll_up(town.app.connection)
    paid(town, card, 10_000)
    refund(town, large)
    town.tick(days=5)
    town.ok(Kind.GRANT_REWARD, GrantReward(key=town.key(), caller=SYSTEM, card=card, payment=kept))
    filled(town, zhang, card)
    town.tick(days=120)
    for lot in bonus_lots(town):
        town.app.one(Kind.EXPIRE_LOT, ExpireLot(key=town.key(), caller=SYSTEM, card=card, lot=lot))
    due = settlement.due(town.app.connection, town.app.catalogue, CALENDAR, town.now)
    released = settlement.release(town.app.door, handlers[Kind.RELEASE_RESERVE], due.reserves)  # type: ignore[arg-type]
    assert released and all(isinstance(outcome, Effect) for outcome in released)
    for _, period_end in due.periods:
        settle(town, period_end)
    authorized(town, card, 1_234)
    paid(town, card, 777, "mall-2")
    granted(town, zhang, card)
    command = PayOutFund(key=town.key(), caller=OPERATOR, fund="city", amount=Money(9), reference="back")
    town.ok(Kind.PAY_OUT_FUND, command)
    in_custody(town)
    return town


def overspent(town: Town, card: Any, first: Any) -> None:
    """An order whose rebate is spent before it comes back: the card owes what it no longer holds."""
    town.ok(Kind.GRANT_REWARD, GrantReward(key=town.key(), caller=SYSTEM, card=card, payment=first))
    paid(town, card, 51_500)
    refund(town, first)


def voucher(town: Town, wallet: Any, stock: str = "off-10") -> Any:
    command = Claim(key=town.key(), caller=OPERATOR, wallet=wallet, program="jingxika", stock=stock)
    return town.ok(Kind.CLAIM, command).id


def filled(town: Town, wallet: Any, card: Any) -> None:
    """A voucher that tops up a card."""
    given = (voucher(town, wallet, "value"),)
    town.ok(
        Kind.TOP_UP,
        TopUp(key=town.key(), caller=OPERATOR, card=card, face=Money(0), channel="sandbox", vouchers=given),
    )


def granted(town: Town, wallet: Any, card: Any) -> None:
    """A voucher kept, one on the card, a month of a plan, a packet of a pool that then ends, one that comes back."""
    voucher(town, wallet)
    filled(town, wallet, card)
    ((plan,),) = town.rows("SELECT id FROM plan ORDER BY at, id LIMIT 1")
    town.ok(Kind.GRANT_DRIP, GrantDrip(key=town.key(), caller=SYSTEM, plan=Id(plan.bytes), month=1))
    command = OpenPackets(key=town.key(), caller=OPERATOR, program="jingxika", code="luck", seed=bytes(32))
    pool = town.ok(Kind.OPEN_PACKETS, command).id
    town.ok(Kind.OPEN_PACKET, OpenPacket(key=town.key(), caller=OPERATOR, wallet=wallet, pool=pool))
    town.tick(days=1)
    town.ok(Kind.END_PACKETS, EndPackets(key=town.key(), caller=SYSTEM, pool=pool))
    again(town, wallet, card)


def again(town: Town, wallet: Any, card: Any) -> None:
    """An order that a voucher pays in part, all of it back at once: the voucher counts again."""
    given = (voucher(town, wallet),)
    payment = town.ok(Kind.PAY, order(town, card, Money(10_000), given)).id
    town.ok(Kind.REFUND, Refund(key=town.key(), caller=OPERATOR, payment=payment, reason="all"))


def discounted(town: Town, wallet: Any, card: Any) -> None:
    """An order that a voucher pays in part; half of it comes back."""
    command = order(town, card, Money(10_001), (voucher(town, wallet),))
    payment = town.ok(Kind.PAY, command).id
    back = Refund(key=town.key(), caller=OPERATOR, payment=payment, reason="half", amount=Money(5_000))
    town.ok(Kind.REFUND, back)
    filled(town, wallet, card)
    paid(town, card, 100)


def order(town: Town, card: Any, amount: Money, vouchers: tuple[Id, ...]) -> Pay:
    return Pay(
        key=town.key(),
        caller=OPERATOR,
        card=card,
        merchant=town.merchants["mall-1"],
        store=None,
        amount=amount,
        order_no=town.key(),
        vouchers=vouchers,
    )


def paid(town: Town, card: Any, amount: int, merchant: str = "mall-1") -> Any:
    outcome = town.pay(card, amount, merchant=merchant)
    assert isinstance(outcome, Effect), outcome
    return outcome.id


def authorized(town: Town, card: Any, amount: int) -> Any:
    command = Authorize(
        key=town.key(),
        caller=OPERATOR,
        card=card,
        merchant=town.merchants["mall-1"],
        store=None,
        amount=amount,  # type: ignore[arg-type]
        order_no=town.key(),
    )
    return town.ok(Kind.AUTHORIZE, command).id


def refund(town: Town, payment: Any) -> None:
    town.ok(Kind.REFUND, Refund(key=town.key(), caller=OPERATOR, payment=payment, reason="returned", late=True))


def settle(town: Town, period_end: date) -> None:
    seen = settlement.preview(town.app.connection, town.app.catalogue, CALENDAR, 1, period_end)
    assert isinstance(seen, settlement.Preview), seen
    outcomes = settlement.run(town.app.door, town.app.handlers[Kind.SETTLE], seen)  # type: ignore[arg-type]
    assert all(isinstance(outcome, Effect) for outcome in outcomes)
    town.ok(Kind.CLOSE_PERIOD, settlement.close_command(seen))


def bonus_lots(town: Town) -> list[bytes]:
    rows = town.rows("SELECT id FROM lot WHERE kind IN (1, 2) AND expires_at IS NOT NULL AND balance > 0")
    return [row[0].bytes for row in rows]


def failed(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    return {proof.name: proof.facts for proof in ledger.proofs(connection) if not proof.ok}


def test_everything_is_proved_and_an_outsider_adds_up_the_same(database: Database) -> None:
    town = busy(database.app_url)
    connection = town.app.connection
    assert failed(connection) == {}
    facts = {proof.name: proof.facts for proof in ledger.proofs(connection)}
    assert facts["lot_holds"]["held_fen"] == 1_234
    empty = {name for name, shown in facts.items() if not any(shown.values())}
    assert empty == {"clearing", "partners", "transfers", *ELSEWHERE}, (
        "one book owes nobody; every other proof had something to prove"
    )

    own = ledger.totals(connection)
    assert facts["merchant_payable"]["open_fen"] == 777 + own.released_fen
    lines = b"\n".join(ledger.export(connection))
    outsider = subprocess.run([sys.executable, READD], input=lines, capture_output=True, check=True)
    added = json.loads(outsider.stdout)
    assert added == {name: getattr(own, name) for name in own.__struct_fields__}
    nothing = [name for name, value in added.items() if value <= 0]
    assert nothing == ["owed_to_holders_fen"], "the story has something of everything, but closes no card"
    loaded = own.cards_sold_fen + own.topped_up_fen + own.rebates_granted_fen + own.refunded_fen
    spent = own.spent_principal_fen + own.spent_bonus_fen + own.spent_subsidy_fen
    gone = spent + own.rebates_clawed_back_fen + own.bonus_expired_fen + own.subsidy_expired_fen
    gone += own.owed_to_holders_fen
    held = own.outstanding_principal_fen + own.outstanding_bonus_fen + own.outstanding_subsidy_fen
    assert loaded - gone == held
    of_no_program = {"funds_paid_in_fen": 0, "funds_paid_out_fen": 0}
    assert ledger.totals(connection, 1) == msgspec.structs.replace(own, **of_no_program)
    assert ledger.totals(connection, 2).cards_sold == 0

    cut_short = b"\n".join(lines.split(b"\n")[:-2])
    outcome = subprocess.run([sys.executable, READD], input=cut_short, capture_output=True, check=False)
    assert outcome.returncode != 0 and b"cut short" in outcome.stderr


ELSEWHERE = {"closings", "passing", "breakage", "statements", "disputes"}
"""Proofs of what this story has not: see `flows/test_closing.py`, `test_statements.py`, `test_disputes.py` there."""

SABOTAGE = {
    "trial_balance": "UPDATE rollup SET debits = debits + 1 WHERE account = 20",
    "floors": "UPDATE posting SET debit = 41 WHERE (bucket, transfer, line) IN"
    " (SELECT bucket, transfer, line FROM posting WHERE kind = 20 LIMIT 1)",
    "lot_balances": "UPDATE lot SET balance = balance + 1",
    "lot_holds": "UPDATE lot SET held = held + 1 WHERE held < balance",
    "payment_allocations": "UPDATE payment SET allocation = set_byte(allocation, 23, get_byte(allocation, 23) # 1)"
    " WHERE state = 2",
    "refund_allocations": "DELETE FROM refund WHERE id IN (SELECT id FROM refund LIMIT 1)",
    "shortfalls": "UPDATE shortfall SET fen = -fen",
    "rewards": "UPDATE reward SET amount = amount + 1, granted = granted + 1 WHERE state = 4",
    "vouchers": "UPDATE voucher SET face = face + 1 WHERE state = 1",
    "funds": "UPDATE slice SET fen_left = fen_left + 1000000 WHERE pool = (SELECT id FROM fund)",
    "plans": "UPDATE plan SET given = given + 1 WHERE given < months",
    "packets": "DELETE FROM packet WHERE id IN (SELECT id FROM packet LIMIT 1)",
    "stocks": "UPDATE stock_event SET count = count - 1",
    "discounts": "UPDATE voucher SET used = used - 1 WHERE used > 0",
    "clearing": "UPDATE posting SET credit = 70 WHERE kind = 11 AND credit = 21",
    "merchant_payable": "UPDATE settlement SET cut_at = 1, cut_xid = 1",
    "settlements": "UPDATE settlement SET carried = carried - 1, gross = gross + 1",
    "fees": "UPDATE settlement SET standing = jsonb_set(standing, '{month,fee}', '1')",
    "partners": "INSERT INTO partner_share"
    " SELECT 1, at, id, id, merchant, merchant, period_end, bucket, program, 1, '{}' FROM settlement",
    "transfers": "INSERT INTO internal_transfer"
    " SELECT 1, at, id, merchant, id, period_end, pay_on, bucket, program, 1 FROM settlement",
    "reserves": "UPDATE reserve SET state = 1",
    "payouts": "UPDATE payout SET amount = amount + 1",
    "payout_lives": "UPDATE payout SET state = 3",
    "payouts_once": "UPDATE payout SET attempt = attempt + 1",
    "custody": "UPDATE custody_day SET required = required - 1",
    "rollup": "UPDATE rollup SET debits = debits + 1, credits = credits + 1 WHERE account = 40",
    "journal": "DELETE FROM journal WHERE id IN (SELECT id FROM journal LIMIT 1)",
    "postings": "UPDATE posting SET kind = 11 WHERE kind = 10",
}


def test_each_proof_turns_red_when_rows_change_behind_the_door(database: Database) -> None:
    busy(database.app_url).app.connection.close()
    assert {*SABOTAGE, *ELSEWHERE} == set(ledger.PROOFS)
    with psycopg.connect(database.owner_url) as owner:
        for name, sabotage in SABOTAGE.items():
            changed = owner.execute(sabotage.encode()).rowcount
            assert changed > 0, name
            assert not ledger.prove(owner, name).ok, name
            owner.rollback()


def test_the_application_itself_may_not_change_history(database: Database) -> None:
    with connect(database.app_url) as connection:
        for table in ("posting", "journal", "command"):
            for statement in (f"UPDATE {table} SET at = 0", f"DELETE FROM {table}"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement.encode())


def test_balances_are_the_same_before_and_after_the_roll_up(database: Database) -> None:
    town = busy(database.app_url)
    connection = town.app.connection
    before = ledger.balances(connection)
    quiet(connection)
    owners = ledger.owner_balances(connection, 1, Account.MERCHANT_PAYABLE)
    rolled = ledger.roll_up(connection)
    assert rolled.rows > 0 and rolled.until > rolled.since
    assert ledger.balances(connection) == before
    assert ledger.owner_balances(connection, 1, Account.MERCHANT_PAYABLE) == owners
    assert {one.owner for one in owners} == {town.merchants["mall-1"], town.merchants["mall-2"]}
    assert sum(one.balance for one in owners) == sum(
        one.balance for one in before if one.account == Account.MERCHANT_PAYABLE
    )
    again = ledger.roll_up(connection)
    assert again.rows == 0 or again.since == rolled.until
    assert failed(connection) == {}
    by_side = {"debit": 0, "credit": 0}
    for one in before:
        by_side[CHART[one.account].side] += one.balance
    assert by_side["debit"] == by_side["credit"]
    with pytest.raises(ValueError, match="in the lot"):
        ledger.owner_balances(connection, 1, Account.CARD_BONUS)


def test_a_transaction_that_is_still_running_is_rolled_up_later(database: Database) -> None:
    town = build(database.app_url)
    card = town.sell(town.holder())
    with psycopg.connect(database.app_url) as slow:
        slow.execute("SELECT pg_current_xact_id()")
        town.top_up(card)
        held = ledger.roll_up(town.app.connection)
        assert failed(town.app.connection) == {}
        slow.rollback()
    quiet(town.app.connection)
    after = ledger.roll_up(town.app.connection)
    assert after.since == held.until and after.rows > 0
    assert failed(town.app.connection) == {}


def test_a_proof_finds_captures_by_their_key_whatever_the_planner_believes(database: Database) -> None:
    """With old statistics it takes a few captures for none; reading all commands for each posting never ends."""
    text = QUERIES.prove_payment_allocations
    with connect(database.app_url) as connection:
        for slow in ("hashjoin", "mergejoin", "seqscan"):
            connection.execute(f"SET enable_{slow} = off".encode())
        plan = "\n".join(row[0] for row in connection.execute(f"EXPLAIN {text}".encode()))
    assert re.search(r"Index Cond: \(\(bucket = p\w*\.bucket\) AND \(id = p\w*\.transfer\)\)", plan), plan


def test_roll_ups_at_the_same_time_count_each_row_once(database: Database) -> None:
    town = busy(database.app_url)
    start = threading.Barrier(4)
    done: list[Any] = []

    def roll() -> None:
        with connect(database.app_url) as connection:
            start.wait()
            done.append(ledger.roll_up(connection))

    threads = [threading.Thread(target=roll) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 4
    assert failed(town.app.connection) == {}


def test_movements_are_the_doors_kinds() -> None:
    assert {movement.name: movement.value for movement in Movement}.items() <= {
        kind.name: kind.value for kind in Kind
    }.items()


def test_the_journal_shows_the_latest_and_one_transfer(database: Database) -> None:
    town = build(database.app_url)
    card = town.sell(town.holder())
    town.tick(hours=1)
    top_up = town.top_up(card)
    latest = ledger.latest(town.app.connection, 2)
    assert {row.transfer.bytes for row in latest} == {top_up}
    assert [row.line for row in ledger.transfer(town.app.connection, top_up)] == [1, 2]
