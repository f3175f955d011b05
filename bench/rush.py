"""A rush at full size: 100,000 persons claim 10,000 vouchers of one stock from four processes, on a durable server.

    python bench/rush.py [--persons 100000] [--vouchers 10000] [--workers 4] [--mixed] [--kill]

One person in ten tries with two wallets, one claim in twenty is sent again (and not counted again), an operator voids
vouchers as they are handed out, and the timetable runs beside, once a second. Each process has a lane, as those of a
server have; with --mixed any wallet claims in any process, and the timetable runs without a pause. The table says how
many answers there were a second, when the last voucher was durable, and what was wrong: nothing.

With --kill, which is mixed, all claimers die (kill -9) when half of the vouchers are handed out, and others ask for
the same again; at the end the database and all its processes die, and what it comes back with is compared with what
anybody was told. That measures no speed.
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
from kaquan.ledger.proofs import proofs  # noqa: E402
from rig import Rig, rig  # noqa: E402
from support.grants import stock_text  # noqa: E402
from support.processes import kill_server  # noqa: E402
from support.rush import RUSHED, Told, acknowledged, persons, rush, untrue  # noqa: E402
from support.town import build  # noqa: E402

MONEY_EACH = 1_000
TPCB_SECONDS = 5
MORE = {"track_commit_timestamp": "on"}
PAUSE_SECONDS = 1.0  # between two runs of the timetable, which a server makes once a minute

EARLY = """
    SELECT count(*) FROM kaquan.command c
    WHERE c.kind = 60 AND c.outcome = 1 AND convert_from(c.answer, 'UTF8') LIKE '%"stock_sold_out"%'
      AND pg_xact_commit_timestamp(c.xmin) < (SELECT max(pg_xact_commit_timestamp(v.xmin)) FROM kaquan.command v
                                              WHERE v.kind = 60 AND v.outcome = 0)
"""
"""Claims that were told "sold out" before the last voucher was handed out: the server keeps when each committed."""

IN_SLICES = """
    SELECT coalesce(sum(l.count_left), 0) FROM kaquan.slice l, kaquan.stock s WHERE l.day = 0 AND l.pool =
        encode(substring(sha256(convert_to('stock ' || s.id, 'UTF8')) FROM 1 FOR 16), 'hex')::uuid
"""


class After(NamedTuple):
    """What was found after a rush, and again after the database was killed and started."""

    vouchers: set[bytes]
    wrong: list[str]


class Speed(NamedTuple):
    """Answers a second, when the last voucher was durable, CPU of an answer, pgbench before and after."""

    answers_per_s: float
    durable_s: float
    pg_us: float
    tpcb_per_s: float


def main(claimers: int, vouchers: int, workers: int, *, mixed: bool, kill: bool) -> int:
    """Run it and print the table; 1 when anything was wrong."""
    with rig(more=MORE) as ready, tempfile.TemporaryDirectory(prefix="kaquan-rush-") as name:
        url, folder = ready.server.app_url, Path(name)
        town = build(url, more=stock_text(RUSHED, count=vouchers, person_total=1))
        town.fund("city", 2 * MONEY_EACH * vouchers)
        town.stock(RUSHED)
        began = seconds()
        wallets = persons(town, claimers)
        prepared = seconds() - began
        town.app.connection.close()
        ready.tpcb_init()
        with psycopg.connect(ready.server.root_url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        before = 0.0 if kill else ready.tpcb(TPCB_SECONDS)
        pg = ready.postgres_cpu_seconds()
        how = {"lanes": not mixed, "pause": 0 if mixed else PAUSE_SECONDS}
        told = rush(url, town.now, wallets, workers, folder=folder, killed_at=vouchers // 2 if kill else 0, **how)
        pg = ready.postgres_cpu_seconds() - pg
        after = 0.0 if kill else ready.tpcb(TPCB_SECONDS)
        durable = ", ".join(f"{name} {value}" for name, value in ready.settings().items())
        found = [look(ready.server.owner_url)]
        if kill:
            with crashed(ready) as owner_url:
                found.append(look(owner_url))
        known = acknowledged(folder)
    print(f"{'persons':>28}  {claimers:,} with {len(wallets):,} wallets, registered in {prepared:.0f} s")
    print(f"{'server':>28}  {durable}")
    print(f"{'processes':>28}  {workers} that claim{', mixed' if mixed else ''}, 1 timetable, 1 operator who voids")
    return verdict(told, found, known, vouchers, None if kill else speed(told, pg, (before + after) / 2))


def look(url: str) -> After:
    """The vouchers that are there, and what of the books and of the answers is wrong."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT id FROM kaquan.voucher").fetchall()
        wrong = list(untrue(url))
        for what, question in (("told sold out too early", EARLY), ("left in slices", IN_SLICES)):
            if count := int(connection.execute(question).fetchall()[0][0]):
                wrong.append(f"{what}: {count}")
        wrong += [f"not proved: {proof.name} {dict(proof.facts)}" for proof in proofs(connection) if not proof.ok]
    return After({row[0].bytes for row in rows}, wrong)


@contextmanager
def crashed(ready: Rig) -> Iterator[str]:
    """kill -9 of the database and all its processes, and the start that follows; the owner's URL."""
    running = postmaster.running(ready.server.data_dir)
    assert running is not None
    kill_server(running.pid, children_too=True)
    with embedded.open_server(ready.installation, overrides=MORE) as server:
        yield server.owner_url


def speed(told: list[Told], pg: float, tpcb: float) -> Speed:
    """From the opening for all: the first process that began until the last ended, or was told of a voucher."""
    opened = min(one.began for one in told)
    decided = sum(sum(one.codes.values()) for one in told)
    took = max(one.ended for one in told) - opened
    return Speed(decided / took, max(one.handed for one in told) - opened, pg / decided * 1e6, tpcb)


def verdict(told: list[Told], found: list[After], known: set[bytes], vouchers: int, measured: Speed | None) -> int:
    """Print what came of it; 1 when anything was wrong."""
    codes = sum((one.codes for one in told), Counter[str]())
    decided, handed = sum(codes.values()), len(found[-1].vouchers)
    effects = set().union(*(one.effects for one in told))
    lost = [one for after in found for one in (after.vouchers ^ effects) | (after.vouchers ^ known)]
    differing, wrong = sum(one.differing for one in told), [each for after in found for each in after.wrong]
    facts: dict[str, object] = {"claims": decided, "handed_out": handed, "of": vouchers}
    if measured:
        ratio = measured.answers_per_s / measured.tpcb_per_s
        print(f"{'answers':>28}  {decided:,}: {measured.answers_per_s:,.0f} a second, {ratio:.2f} x TPC-B")
        print(f"{'TPC-B':>28}  {measured.tpcb_per_s:,.0f} a second, mean of before and after")
        print(f"{'all vouchers durable after':>28}  {measured.durable_s:.2f} s")
        print(f"{'server':>28}  {measured.pg_us:.0f} us of CPU an answer, with all that ran beside")
        facts |= {"claims_per_s": round(measured.answers_per_s), "ratio_to_tpcb": round(ratio, 2)}
        facts |= {"durable_s": round(measured.durable_s, 2), "pg_us": round(measured.pg_us, 1)}
    else:
        print(f"{'claims':>28}  {decided:,}, again after all claimers were killed at {vouchers // 2:,} vouchers")
        print(f"{'before the database died':>28}  {len(found[0].vouchers):,} vouchers")
    print(f"{'vouchers handed out':>28}  {handed:,} of {vouchers:,}")
    for code, count in codes.most_common():
        print(f"{code or 'got one':>28}  {count:,}")
    print(f"{'told and there differ in':>28}  {len(lost)}")
    print(f"{'retries told otherwise':>28}  {differing}")
    print(f"{'wrong':>28}  {len(wrong)}", *wrong, sep="\n")
    amiss = len(wrong) + len(lost) + differing
    print(json.dumps({**facts, "killed": len(found) > 1, "wrong": amiss}))
    return 0 if handed == vouchers and not amiss else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=100_000)
    parser.add_argument("--vouchers", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--mixed", action="store_true")
    parser.add_argument("--kill", action="store_true")
    given = parser.parse_args()
    sys.exit(main(given.persons, given.vouchers, given.workers, mixed=given.mixed or given.kill, kill=given.kill))
