"""Ten thousand commands of two servers for the same stock, budget, packets, limits, orders and holds.

The command line and the timetable write too. Nothing is wrong.

At full size: `python bench/contest.py`. KAQUAN_TEST_SEED repeats the commands of an earlier run.
"""

import os
import sys
from pathlib import Path
from secrets import randbelow

from support.contest import contested
from support.contest_books import decided, judge
from support.contest_run import run
from support.contest_table import shown
from support.database import Database

ROUNDS = 50
TOOK_EFFECT_MIN = 0.2


def test_everybody_wants_the_same_and_nothing_is_wrong(database: Database, tmp_path: Path) -> None:
    seed = int(os.environ.get("KAQUAN_TEST_SEED") or randbelow(2**32))
    print(f"seed {seed}", file=sys.stderr)
    world = contested(database.app_url, seed, ROUNDS)
    before = decided(database.owner_url)
    run(world, tmp_path)
    verdict = judge(world, database.owner_url, tmp_path, before)
    print(shown(verdict), file=sys.stderr)
    assert verdict.wrong == []
    assert verdict.sent + verdict.retries == 10_000
