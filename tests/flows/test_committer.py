"""Group commit: many callers, few transactions, one effect each."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from kaquan.commands.committer import Committer
from kaquan.commands.execute import Unavailable
from kaquan.commands.model import Effect, Kind, Refused
from kaquan.db.pool import connect
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.money import Money
from kaquan.main import Kaquan
from kaquan.payments.model import Pay
from support.database import Database
from support.town import MASTER_KEY, build


def _app(url: str, lane: int, town) -> Kaquan:
    app = Kaquan(connect(url), MASTER_KEY, lane)
    app.door._now = lambda: town.now
    return app


def test_concurrent_callers_share_transactions_and_each_takes_effect_once(database: Database) -> None:
    town = build(database.app_url)
    cards = [town.sell(town.holder(f"1380013{i:04d}")) for i in range(8)]
    town.tick(days=1)

    def pay(number: int, key: str) -> Pay:
        return Pay(
            key=key,
            caller=OPERATOR,
            card=cards[number % 8],
            merchant=town.merchants["mall-1"],
            store=None,
            amount=Money(100),
            order_no=f"order-{key}",
        )

    with Committer(lambda lane: _app(database.app_url, lane, town), lanes=2) as committer:
        with ThreadPoolExecutor(32) as callers:
            outcomes = list(callers.map(lambda n: committer.submit(Kind.PAY, pay(n, f"k{n}")).result(), range(400)))
        again = [committer.submit(Kind.PAY, pay(n, f"k{n}")).result() for n in range(0, 400, 10)]
    assert all(isinstance(outcome, Effect) and not outcome.replayed for outcome in outcomes)
    assert [outcome.answer for outcome in again] == [outcome.answer for outcome in outcomes[::10]]
    assert all(outcome.replayed for outcome in again)
    with connect(database.app_url) as connection:
        batches, payments, left = connection.execute(
            "SELECT (SELECT count(*) FROM journal WHERE kind = 20), (SELECT count(*) FROM payment), "
            "(SELECT sum(balance)::bigint FROM lot)"
        ).fetchone()
    assert payments == 400 and left == 8 * 50_000 - 400 * 100
    assert batches < 400


ANSWER_SECONDS = 20
"""Far longer than any batch: a caller that waits longer waits for ever."""


class _Gate:
    """A lane whose batches wait until they are let in."""

    def __init__(self, app: Kaquan) -> None:
        self.app = app
        self.entered, self.open = threading.Event(), threading.Event()

    def execute(self, kind: Kind, commands: list[Any], *, dry_run: bool = False) -> list[Any]:
        self.entered.set()
        assert self.open.wait(ANSWER_SECONDS)
        return self.app.execute(kind, commands, dry_run=dry_run)


def _pay(town, card, key: str, **other: Any) -> Pay:
    fields = {"merchant": town.merchants["mall-1"], "store": None, "amount": Money(100), "order_no": f"order-{key}"}
    return Pay(key=key, caller=OPERATOR, card=card, **{**fields, **other})


def test_a_caller_that_gives_up_stops_nobody_else(database: Database) -> None:
    """A cancelled command that still waits is never executed; one that is under way can't be cancelled."""
    town = build(database.app_url)
    card = town.sell(town.holder())
    town.tick(days=1)
    gates: list[_Gate] = []

    def open_lane(lane: int) -> _Gate:
        gates.append(_Gate(_app(database.app_url, lane, town)))
        return gates[-1]

    with Committer(open_lane, lanes=1) as committer:
        under_way = committer.submit(Kind.PAY, _pay(town, card, "under-way"))
        while not gates:
            threading.Event().wait(0.01)
        assert gates[0].entered.wait(ANSWER_SECONDS)
        waiting = committer.submit(Kind.PAY, _pay(town, card, "waiting"))
        assert waiting.cancel() and not under_way.cancel()
        gates[0].open.set()
        later = committer.submit(Kind.PAY, _pay(town, card, "later"))
        assert isinstance(later.result(ANSWER_SECONDS), Effect)
        assert isinstance(under_way.result(ANSWER_SECONDS), Effect)
    assert town.rows("SELECT count(*), sum(amount)::bigint FROM payment") == [(2, 200)]


def test_a_command_that_nobody_can_read_is_refused_alone(database: Database) -> None:
    town = build(database.app_url)
    card = town.sell(town.holder())
    town.tick(days=1)
    with Committer(lambda lane: _app(database.app_url, lane, town), lanes=1) as committer:
        wishes = [{}, {"order_no": "\ud800"}, {"amount": Money(2**70)}, {}]
        futures = [committer.submit(Kind.PAY, _pay(town, card, f"k{n}", **wish)) for n, wish in enumerate(wishes)]
        outcomes = [future.result(ANSWER_SECONDS) for future in futures]
    assert [type(outcome) for outcome in outcomes] == [Effect, Refused, Refused, Effect]


def test_a_lane_whose_connection_is_gone_opens_another_and_the_same_key_tells(database: Database) -> None:
    town = build(database.app_url)
    card = town.sell(town.holder())
    town.tick(days=1)
    opened: list[Kaquan] = []

    def open_lane(lane: int) -> Kaquan:
        opened.append(_app(database.app_url, lane, town))
        return opened[-1]

    with Committer(open_lane, lanes=1) as committer:
        first = committer.submit(Kind.PAY, _pay(town, card, "a")).result(ANSWER_SECONDS)
        with psycopg.connect(database.root_url, autocommit=True) as root:
            root.execute("SELECT pg_terminate_backend(%s)", [opened[0].connection.info.backend_pid])
        with pytest.raises(Unavailable):
            committer.submit(Kind.PAY, _pay(town, card, "b")).result(ANSWER_SECONDS)
        again = committer.submit(Kind.PAY, _pay(town, card, "a")).result(ANSWER_SECONDS)
        assert isinstance(again, Effect) and again.replayed and again.answer == first.answer
        assert isinstance(committer.submit(Kind.PAY, _pay(town, card, "b")).result(ANSWER_SECONDS), Effect)
    assert len(opened) == 2
    assert town.rows("SELECT sum(balance)::bigint FROM lot") == [(50_000 - 200,)]
