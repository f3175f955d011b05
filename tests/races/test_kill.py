"""kill -9 at random moments: what was acknowledged is there once, what was refused did nothing, all starts by itself.

KAQUAN_TEST_SEED repeats the moments and the commands of an earlier run.
"""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice
from pathlib import Path
from random import Random
from time import sleep
from typing import NamedTuple

import psycopg
import pytest

from kaquan.commands.execute import BATCH_MAX
from kaquan.commands.model import Kind
from kaquan.db import embedded, migrate, postmaster
from kaquan.db.pool import connect
from kaquan.kernel.clock import seconds
from kaquan.main import Kaquan
from kaquan.settings import Settings
from support.crash_client import commands
from support.installation import fresh_home
from support.processes import SOURCES, kill_server
from support.race import EFFECT, FAULT, NOT_DECIDED, REFUSED, Answer, answer
from support.race_books import untrue
from support.town import MASTER_KEY, build

KILLS = 10
CARDS = 12
PROGRESS_SECONDS = 30
SUPPORT = Path(__file__).resolve().parents[1] / "support"


class Place(NamedTuple):
    """A home of its own, with fsync on, and a town in it. Nobody has it open."""

    settings: Settings
    folder: Path
    data_dir: Path
    seed: int
    cards: list[bytes]
    merchant: bytes

    @property
    def acknowledged(self) -> Path:
        """The client's file."""
        return self.folder / "acknowledged"

    def lines(self) -> int:
        """How much has been acknowledged."""
        return self.acknowledged.read_bytes().count(b"\n") if self.acknowledged.exists() else 0

    def progress(self) -> None:
        """Wait until something more is acknowledged. Nobody helps."""
        before, until = self.lines(), seconds() + PROGRESS_SECONDS
        while self.lines() <= before:
            assert seconds() < until, f"nothing was acknowledged for {PROGRESS_SECONDS} seconds"
            sleep(0.02)

    def server_pid(self) -> int:
        """The database's process, as soon as there is one. Nobody helps."""
        until = seconds() + PROGRESS_SECONDS
        while (found := postmaster.running(self.data_dir)) is None:
            assert seconds() < until, f"the database did not come back within {PROGRESS_SECONDS} seconds"
            sleep(0.02)
        return found.pid


@pytest.fixture
def place() -> Iterator[Place]:
    """A fresh installation with a town in it."""
    with fresh_home("kill") as home:
        with embedded.open_server(home.settings) as server:
            migrate.migrate(server.owner_url)
            town = build(server.app_url, ("activation_days = 1", "activation_days = 0"))
            cards = [town.sell(town.holder(f"138{number:08d}"), 100_000) for number in range(CARDS)]
            assert town.app.connection.execute("SHOW fsync").fetchone() == ("on",)
            town.app.connection.close()
            data_dir = server.data_dir
        yield Place(home.settings, home.folder, data_dir, home.seed, cards, town.merchants["mall-1"])


@contextmanager
def started(script: str, *arguments: object) -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours, killed at the end if it still lives."""
    path = os.pathsep.join([str(SOURCES), str(SUPPORT.parent)])
    environment = {**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH", "") + os.pathsep + path}
    words = [sys.executable, str(SUPPORT / script), *map(str, arguments)]
    process = subprocess.Popen(words, env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def client(place: Place) -> Iterator[None]:
    """The client works until the block ends; then it has to get an answer for everything that it has sent."""
    stop, orders = place.folder / "stop", place.folder / "orders.json"
    orders.write_text(
        json.dumps(
            {
                "seed": place.seed,
                "cards": [card.hex() for card in place.cards],
                "merchant": place.merchant.hex(),
                "socket": str(place.folder / "socket"),
                "stop": str(stop),
                "acknowledged": str(place.acknowledged),
            }
        )
    )
    with started("crash_client.py", orders) as process:
        yield
        stop.touch()
        assert process.wait(PROGRESS_SECONDS) == 0


class Host:
    """The process that serves. Start is all that is ever done to it after a kill."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._open = ExitStack()

    def __enter__(self) -> "Host":
        self._open.enter_context(started("crash_host.py", self._place.settings.home, self._place.folder / "socket"))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def kill(self) -> None:
        """kill -9, and start it again."""
        self._open.close()
        self.__enter__()


def at_random_moments(place: Place, kill: Callable[[int], None]) -> None:
    """Kill ten times, each time after something was acknowledged and a moment more."""
    moments = Random(place.seed)
    for number in range(KILLS):
        place.progress()
        sleep(moments.uniform(0.02, 0.5))
        kill(number)
    place.progress()


def test_kill_the_process_that_serves(place: Place) -> None:
    with Host(place) as host, client(place):
        at_random_moments(place, lambda _: host.kill())
    assert_kept(place)


def test_kill_the_database(place: Place) -> None:
    def kill(number: int) -> None:
        pid = place.server_pid()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if number % 5 == 4 and children:
            with suppress(ProcessLookupError):
                os.kill(int(children[place.seed % len(children)]), signal.SIGKILL)
        else:
            kill_server(pid, children_too=number % 5 != 3)

    with Host(place), client(place):
        at_random_moments(place, kill)
    assert_kept(place)


def acknowledged(place: Place) -> dict[int, Answer]:
    """The client's file: each command was acknowledged once, some only when they were sent again."""
    lines = [json.loads(line) for line in place.acknowledged.read_text("ascii").splitlines()]
    told = {
        number: Answer(bytes.fromhex(identity), what, bytes.fromhex(body), replayed)
        for number, _, identity, what, body, replayed in lines
    }
    assert len(told) == len(lines)
    again = sum(times > 1 for _, times, *_ in lines)
    replayed = sum(each.replayed for each in told.values())
    kinds = dict(Counter(each.code or "accepted" for each in told.values()))
    print(f"{len(told)} acknowledged, {again} sent again, {replayed} had been done: {kinds}", file=sys.stderr)
    assert again > 0, "no kill met a command in flight"
    return told


def assert_kept(place: Place) -> None:
    """Everything acknowledged is there, once and unchanged; nothing else is; a retry of all of it tells the same."""
    told = acknowledged(place)
    sent = list(islice(commands(place.seed, place.cards, place.merchant), len(told)))
    assert sorted(told) == list(range(len(told))), "every command that was sent got its answer"
    assert [each for each in told.values() if each.what == FAULT] == []
    with embedded.open_server(place.settings) as server:
        assert list(untrue(server.owner_url)) == []
        with psycopg.connect(server.owner_url) as connection:
            rows = connection.execute("SELECT id, outcome, answer FROM kaquan.command WHERE kind >= 20").fetchall()
        kept = {identity.bytes: (outcome, bytes(body)) for identity, outcome, body in rows}
        assert kept == {each.id: (each.what, each.body) for each in told.values() if each.what in (EFFECT, REFUSED)}
        app = Kaquan(connect(server.app_url), MASTER_KEY)
        for kind in Kind:
            retried = [(number, command) for number, sent_as, command in sent if sent_as == kind]
            for start in range(0, len(retried), BATCH_MAX):
                batch = retried[start : start + BATCH_MAX]
                outcomes = app.execute(kind, [command for _, command in batch])
                for (number, _), outcome in zip(batch, outcomes, strict=True):
                    if told[number].what != NOT_DECIDED:
                        assert answer(outcome) == told[number]._replace(replayed=True)
        app.connection.close()
