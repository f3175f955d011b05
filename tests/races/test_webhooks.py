"""A dispatcher is killed (kill -9) between writing deliveries and sending them: nothing is lost or told twice."""

import os
import subprocess
import sys
from pathlib import Path

import kaquan
from kaquan.events.catalogue import event_id
from kaquan.webhooks import service
from kaquan.webhooks.model import DeliveryState
from support.database import Database
from support.quiet import quiet
from support.receiver import receiving
from support.webhooks import hook, hooked_town, turn

TESTS = Path(__file__).resolve().parents[1]
SOURCES = Path(next(iter(kaquan.__path__))).parent


def test_a_killed_dispatcher_loses_nothing(database: Database) -> None:
    town = hooked_town(database.app_url)
    with receiving() as receiver:
        hook(town, receiver.url, "card.*")
        cards = [town.sell(town.holder(f"1380013{number:04}")) for number in range(5)]
        quiet(town.app.connection)
        child = subprocess.Popen(
            [sys.executable, str(TESTS / "support" / "hook_process.py"), database.app_url],
            stdout=subprocess.PIPE,
            text=True,
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "PYTHONPATH": os.pathsep.join([str(SOURCES), str(TESTS)]),
            },
        )
        assert child.stdout is not None and child.stdout.readline() == "sending\n"
        child.kill()
        child.communicate()
        waiting = "SELECT state::int, attempts, count(*) FROM webhook_delivery GROUP BY 1, 2"
        assert town.rows(waiting) == [(DeliveryState.WAITING, 0, 5)]
        later = town.rows("SELECT sum(attempts)::int, max(due_at) FROM webhook_delivery")
        assert later[0][0] == 0
        town.tick(minutes=1)
        town.sell(town.holder("13800139999"))
        assert turn(town).delivered == 1  # what came later does not wait for what was taken
        town.now += service.LEASE
        assert turn(town).delivered == 5
    assert {event_id(card) for card in cards} < set(receiver.ids) and len(receiver.ids) == 6
    assert town.rows(waiting) == [(DeliveryState.DELIVERED, 1, 6)]
