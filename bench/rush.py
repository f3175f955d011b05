"""A rush at full size: 100,000 persons claim 10,000 vouchers from several processes, on a durable server.

    python bench/rush.py [--persons 100000] [--vouchers 10000] [--workers 4] [--kill]

One person in ten tries with two wallets, one claim in twenty is sent again, an operator voids vouchers as they are
handed out, and the timetable runs beside. The table says how many were handed out, and what was wrong: nothing.

With --kill all claimers die (kill -9) when half of the vouchers are handed out, and others ask for the same again; at
the end the database and all its processes die, and what it comes back with is compared with what anybody was told.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from kaquan.db import embedded, postmaster  # noqa: E402
from kaquan.kernel.clock import seconds  # noqa: E402
from rig import Rig, rig  # noqa: E402
from support.grants import stock_text  # noqa: E402
from support.processes import kill_server  # noqa: E402
from support.rush import RUSHED, Told, acknowledged, persons, rush, untrue  # noqa: E402
from support.town import build  # noqa: E402

MONEY_EACH = 1_000


class After(NamedTuple):
    """What was found after a rush, and again after the database was killed and started."""

    vouchers: set[bytes]
    wrong: list[str]


def main(claimers: int, vouchers: int, workers: int, *, kill: bool) -> int:
    """Run it and print the table; 1 when anything was wrong."""
    with rig() as ready, tempfile.TemporaryDirectory(prefix="kaquan-rush-") as name:
        url, folder = ready.server.app_url, Path(name)
        town = build(url, more=stock_text(RUSHED, count=vouchers, person_total=1))
        town.fund("city", 2 * MONEY_EACH * vouchers)
        town.stock(RUSHED)
        began = seconds()
        wallets = persons(town, claimers)
        prepared = seconds() - began
        town.app.connection.close()
        told = rush(url, town.now, wallets, workers, folder=folder, killed_at=vouchers // 2 if kill else 0)
        durable = ", ".join(f"{name} {value}" for name, value in ready.settings().items())
        found = [look(ready.server.owner_url)]
        if kill:
            with crashed(ready) as owner_url:
                found.append(look(owner_url))
        known = acknowledged(folder)
    print(f"{'persons':>28}  {claimers:,} with {len(wallets):,} wallets, registered in {prepared:.0f} s")
    print(f"{'server':>28}  {durable}")
    print(f"{'processes':>28}  {workers} that claim, 1 timetable, 1 operator who voids")
    return verdict(told, found, known, vouchers)


def look(url: str) -> After:
    """The vouchers that are there, and what of the books is wrong."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT id FROM kaquan.voucher").fetchall()
    return After({row[0].bytes for row in rows}, list(untrue(url)))


@contextmanager
def crashed(ready: Rig) -> Iterator[str]:
    """kill -9 of the database and all its processes, and the start that follows; the owner's URL."""
    running = postmaster.running(ready.server.data_dir)
    assert running is not None
    kill_server(running.pid, children_too=True)
    with embedded.open_server(ready.installation) as server:
        yield server.owner_url


def verdict(told: list[Told], found: list[After], known: set[bytes], vouchers: int) -> int:
    """Print what came of it; 1 when anything was wrong."""
    took = max(one.took for one in told)
    codes = sum((one.codes for one in told), Counter[str]())
    decided, handed = sum(codes.values()), len(found[-1].vouchers)
    effects = set().union(*(one.effects for one in told))
    lost = [one for after in found for one in (after.vouchers ^ effects) | (after.vouchers ^ known)]
    differing, wrong = sum(one.differing for one in told), [each for after in found for each in after.wrong]
    if len(found) == 1:
        print(f"{'claims decided':>28}  {decided:,} in {took:.1f} s: {decided / took:,.0f} a second")
    else:
        print(f"{'claims':>28}  {decided:,}, again after all claimers were killed at {vouchers // 2:,} vouchers")
        print(f"{'before the database died':>28}  {len(found[0].vouchers):,} vouchers")
    print(f"{'vouchers handed out':>28}  {handed:,} of {vouchers:,}")
    for code, count in codes.most_common():
        print(f"{code or 'got one':>28}  {count:,}")
    print(f"{'told and there differ in':>28}  {len(lost)}")
    print(f"{'retries told otherwise':>28}  {differing}")
    print(f"{'wrong':>28}  {len(wrong)}", *wrong, sep="\n")
    facts = {"claims_per_s": round(decided / took), "claims": decided, "handed_out": handed, "of": vouchers}
    amiss = len(wrong) + len(lost) + differing
    print(json.dumps({**facts, "killed": len(found) > 1, "wrong": amiss}))
    return 0 if handed == vouchers and not amiss else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=100_000)
    parser.add_argument("--vouchers", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--kill", action="store_true")
    given = parser.parse_args()
    sys.exit(main(given.persons, given.vouchers, given.workers, kill=given.kill))
