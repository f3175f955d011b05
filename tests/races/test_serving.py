"""Two servers on one database under load; the database, then a server, is killed: nobody is told what is not so.

Clients send each order under its id until they hear a decision. Until then they may hear only what says "retry".
KAQUAN_TEST_SEED repeats the orders of an earlier run.
"""

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from random import Random
from threading import Event
from time import sleep
from typing import NamedTuple

import httpx2
import psycopg
import pytest

from kaquan.db import embedded, migrate, postmaster
from kaquan.kernel.caller import Role
from kaquan.kernel.clock import seconds
from kaquan.kernel.ids import public
from kaquan.settings import Settings
from races.test_kill import started
from support.installation import fresh_home
from support.race_books import untrue
from support.service import issue, set_clock
from support.town import build

CLIENTS = 6
ORDERS = 200  # of each client's own
SHARED = 60  # that every client wants to pay, each under ids of its own
CARDS = 12
RETRY = {429, 503}
PATIENCE_SECONDS = 60


class Place(NamedTuple):
    """An installation as an operator has it, with a town in it. Nobody has it open."""

    settings: Settings
    folder: Path
    data_dir: Path
    seed: int
    numbers: list[str]
    token: str


class Heard(NamedTuple):
    """What a client heard of one order: everything before the decision, and the decision."""

    order_no: str
    before: list[int]
    status: int
    payment: str


@pytest.fixture
def place() -> Iterator[Place]:
    """A fresh installation, with cards and a till's key."""
    with fresh_home("serving") as home:
        with embedded.open_server(home.settings) as server:
            migrate.migrate(server.owner_url)
            town = build(server.app_url, ("activation_days = 1", "activation_days = 0"))
            for number in range(CARDS):
                town.sell(town.holder(f"138{number:08d}"), 100_000)
            numbers = [row[0] for row in town.rows("SELECT number FROM card ORDER BY number")]
            token = issue(town, Role.CASHIER, organisation="jingxi-stores", merchant="mall-1")
            set_clock(server.owner_url, town)
            town.app.connection.close()
            data_dir = server.data_dir
        yield Place(home.settings, home.folder, data_dir, home.seed, numbers, token)


@contextmanager
def serving(place: Place, name: str) -> Iterator[Callable[[], str]]:
    """A server process; it is started again when it is found killed. Gives its present address."""
    file, open_ = place.folder / name, []

    def address() -> str:
        return f"http://127.0.0.1:{file.read_text()}" if file.exists() else "http://127.0.0.1:9"

    stop = Event()

    def keep() -> None:
        while not stop.is_set():
            file.unlink(missing_ok=True)
            with started("serve_host.py", place.settings.home, file) as process:
                open_[:] = [process]
                while process.poll() is None and not stop.is_set():
                    sleep(0.05)

    with ThreadPoolExecutor(1) as keeper:
        kept = keeper.submit(keep)
        try:
            _wait(file.exists)
            address.kill = lambda: open_[0].kill()  # type: ignore[attr-defined]
            yield address
        finally:
            stop.set()
            kept.result()


def _wait(done: Callable[[], bool]) -> None:
    until = seconds() + PATIENCE_SECONDS
    while not done():
        assert seconds() < until, f"nothing happened for {PATIENCE_SECONDS} seconds"
        sleep(0.02)


def pay(place: Place, number: int, addresses: list[Callable[[], str]], heard: list[Heard]) -> None:
    """One client: its own orders and the shared ones, now at one server, now at the other."""
    pick = Random(place.seed + number)
    orders = [(f"c{number}-{i}", pick.randint(1, 300)) for i in range(ORDERS)]
    orders += [(f"shared-{i}", 100) for i in range(SHARED)]
    pick.shuffle(orders)
    doors = cycle(addresses)
    with httpx2.Client(headers={"Authorization": f"Bearer {place.token}"}, timeout=30) as client:
        for order_no, amount in orders:
            body = {
                "merchant": "mall-1",
                "amount_fen": amount,
                "order_no": order_no,
                "card": pick.choice(place.numbers),
            }
            heard.append(_until_decided(client, doors, body, f"{number}-{order_no}"))


def _until_decided(
    client: httpx2.Client, doors: Iterator[Callable[[], str]], body: dict[str, object], key: str
) -> Heard:
    before: list[int] = []
    until = seconds() + PATIENCE_SECONDS
    while seconds() < until:
        try:
            told = client.post(f"{next(doors)()}/v1/payments", json=body, headers={"Idempotency-Key": key})
        except (httpx2.TransportError, OSError):
            before.append(0)
            sleep(0.05)
            continue
        if told.status_code in RETRY or told.json().get("code") == "order_in_flight":
            before.append(told.status_code)
            sleep(0.05)
            continue
        return Heard(str(body["order_no"]), before, told.status_code, told.json().get("payment", ""))
    raise AssertionError(f"{key} was not decided for {PATIENCE_SECONDS} seconds: {Counter(before)}")


def test_what_was_acknowledged_is_there_whatever_died(place: Place) -> None:
    heard: list[list[Heard]] = [[] for _ in range(CLIENTS)]
    with serving(place, "first") as first, serving(place, "second") as second, ThreadPoolExecutor(CLIENTS) as pool:
        running = [pool.submit(pay, place, number, [first, second], heard[number]) for number in range(CLIENTS)]
        done = lambda: sum(map(len, heard))  # noqa: E731
        everything = CLIENTS * (ORDERS + SHARED)
        for part, kill in ((0.2, "database"), (0.45, "server"), (0.7, "database")):
            _wait(lambda part=part: done() >= part * everything or any(one.done() for one in running))
            if kill == "server":
                second.kill()  # type: ignore[attr-defined]
            else:
                found = postmaster.running(place.data_dir)
                assert found is not None
                os.kill(found.pid, signal.SIGKILL)
        for one in running:
            one.result()
    told = [one for client in heard for one in client]
    statuses = Counter(one.status for one in told)
    retried = Counter(status for one in told for status in one.before)
    print(f"decided {dict(statuses)}, before that {dict(retried)}", file=sys.stderr)
    assert set(statuses) <= {200, 409, 422}
    assert sum(retried.values()) > 0, "nothing was ever disturbed"

    paid = [one for one in told if one.status == 200]
    with embedded.open_server(place.settings) as server, psycopg.connect(server.owner_url) as books:
        rows = books.execute("SELECT id, order_no FROM kaquan.payment").fetchall()
        assert sorted((public("pay", identity.bytes), order_no) for identity, order_no in rows) == sorted(
            (one.payment, one.order_no) for one in paid
        )
        by_order = Counter(order_no for _, order_no in rows)
        assert set(by_order.values()) == {1} and sum(name.startswith("shared") for name in by_order) == SHARED
        assert list(untrue(server.owner_url)) == []
