"""Forty thousand commands on twenty wallets from four processes, while the command line and the timetable write too.

KAQUAN_TEST_SEED repeats the commands of an earlier run.
"""

import multiprocessing
import os
import pickle
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import randbelow
from typing import Any

import pytest

from kaquan.kernel.clock import seconds, system_now
from support.database import Database
from support.race import EFFECT, FAULT, Answer
from support.race_books import misheard, untrue
from support.race_traffic import World, clerk, timetable, write
from support.town import build

WRITERS = 4
COMMANDS = 10_000
WALLETS = 20
BATCH = 100
ACCEPTED_MIN = 0.3
RETRIES_MIN = 1_000


def told(path: Path) -> Iterator[tuple[bool, Answer]]:
    """What a process was answered, in order."""
    with path.open("rb") as file:
        while True:
            try:
                yield pickle.load(file)
            except EOFError:
                return


def run(world: World, folder: Path) -> dict[str, list[tuple[bool, Answer]]]:
    """All processes at once; their answers by name. A process that fails takes the test with it."""
    context = multiprocessing.get_context("spawn")
    stop = folder / "stop"

    def start(name: str, target: Callable[..., None], argument: object) -> Any:
        process = context.Process(target=target, args=(world, argument, folder / name), name=name, daemon=True)
        process.start()
        return process

    writers = [start(f"writer-{number}", write, number) for number in range(WRITERS)]
    others = [start("clerk", clerk, stop), start("timetable", timetable, stop)]
    for process in writers:
        process.join()
    stop.touch()
    for process in others:
        process.join()
    failed = [path.read_text() for path in folder.glob("*.failed")]
    assert not failed, "\n".join(failed)
    return {process.name: list(told(folder / process.name)) for process in (*writers, *others)}


@pytest.fixture
def world(database: Database) -> World:
    """Twenty holders with a card each, four merchants' worth of orders, a clock that runs."""
    town = build(
        database.app_url,
        ("activation_days = 1", "activation_days = 0"),
        ("hold_minutes = 30", "hold_minutes = 720"),
    )
    cards = [town.sell(town.holder(f"138{number:08d}"), 100_000) for number in range(WALLETS)]
    merchants = [town.merchants["mall-1"], town.merchants["mall-2"]]
    seed = int(os.environ.get("KAQUAN_TEST_SEED") or randbelow(2**32))
    rounds = COMMANDS // BATCH
    return World(database.app_url, seed, cards, merchants, town.now, system_now(), WRITERS, rounds)


def test_forty_thousand_commands_at_once(world: World, database: Database, tmp_path: Path) -> None:
    print(f"seed {world.seed}", file=sys.stderr)
    started = seconds()
    answers = run(world, tmp_path)
    took = seconds() - started
    everything = [each for told in answers.values() for _, each in told]
    written = [
        each for name, told in answers.items() if name.startswith("writer") for retry, each in told if not retry
    ]
    retries = sum(retry for told in answers.values() for retry, _ in told)
    accepted = sum(each.what == EFFECT for each in written) / len(written)
    shown = Counter(each.code or "accepted" for each in written).most_common()
    print(f"{len(written)} commands in {took:.1f} s, {accepted:.0%} accepted, {retries} retries", file=sys.stderr)
    print(", ".join(f"{code} {count}" for code, count in shown), file=sys.stderr)

    assert [each for each in everything if each.what == FAULT] == []
    assert len(written) == WRITERS * COMMANDS
    assert accepted >= ACCEPTED_MIN and retries >= RETRIES_MIN
    assert list(misheard(everything, database.owner_url)) == []
    assert list(untrue(database.owner_url)) == []
