"""Forty thousand commands on twenty wallets from four processes, while the command line and the timetable write too.

KAQUAN_TEST_SEED repeats the commands of an earlier run.
"""

import multiprocessing
import os
import sys
from collections import Counter
from pathlib import Path
from secrets import randbelow

import pytest

from kaquan.kernel.clock import seconds, system_now
from support.crowd import run_at_once, told
from support.database import Database
from support.race import EFFECT, FAULT, Answer
from support.race_books import misheard, untrue
from support.race_traffic import BATCH, WRITERS, World, clerk, timetable, write
from support.town import build

COMMANDS = 40_000
WALLETS = 20
ACCEPTED_MIN = 0.2
RETRIES_MIN = 1_000


def run(world: World, folder: Path) -> dict[str, list[tuple[bool, Answer]]]:
    """All processes at once; their answers by name. A process that fails takes the test with it."""
    writers = {f"writer-{number}": (write, number) for number in range(WRITERS)}
    others = {"clerk": clerk, "timetable": timetable}
    run_at_once(world, folder, writers, others)
    return {name: list(told(folder / name)) for name in (*writers, *others)}


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
    taken = multiprocessing.get_context("spawn").Value("i", 0)
    return World(database.app_url, seed, cards, merchants, town.now, system_now(), COMMANDS // BATCH, taken)


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
    assert len(written) == COMMANDS
    assert accepted >= ACCEPTED_MIN and retries >= RETRIES_MIN
    assert list(misheard(everything, database.owner_url)) == []
    assert list(untrue(database.owner_url)) == []
