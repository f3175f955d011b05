"""Group commit: many callers, few transactions, one effect each."""

from concurrent.futures import ThreadPoolExecutor

from kaquan.commands.committer import Committer
from kaquan.commands.model import Effect, Kind
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
