"""A contest at full size: more than 100,000 commands for the same few things, on a durable server.

    python bench/contest.py [--rounds 700] [--seed N]

Two servers, each a committer with two lanes, send a flood that follows from the seed; the command line types one
command after another, each a process of its own; the timetable moves the clock and carries out what is due. The table
says what they were answered, and what was wrong: nothing. It measures no speed.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from secrets import randbelow

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from rig import rig  # noqa: E402
from support.contest import contested  # noqa: E402
from support.contest_books import decided, judge  # noqa: E402
from support.contest_run import run  # noqa: E402
from support.contest_table import shown  # noqa: E402


def main(rounds: int, seed: int) -> int:
    """Run it and print the table; 1 when anything was wrong."""
    print(f"{'seed':>28}  {seed}")
    with rig(256) as ready, tempfile.TemporaryDirectory(prefix="kaquan-contest-") as folder:
        settings = ready.settings()
        print(f"{'server':>28}  {', '.join(f'{name} {value}' for name, value in settings.items())}", flush=True)
        world = contested(ready.server.app_url, seed, rounds)
        before = decided(ready.server.owner_url)
        run(world, Path(folder))
        verdict = judge(world, ready.server.owner_url, Path(folder), before)
    print(shown(verdict))
    facts = {"seed": seed, "commands": verdict.sent, "distinct": verdict.distinct, "typed": verdict.lines}
    print(json.dumps({**facts, "wrong": len(verdict.wrong)}))
    return 1 if verdict.wrong else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=700)
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    sys.exit(main(given.rounds, randbelow(2**32) if given.seed is None else given.seed))
