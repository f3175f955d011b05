"""Payments a second as the tables grow: the batch path of `bench/ledger.py` with 0.1, 1 and 10 million stored.

    python bench/growth.py [--stored 100000 1000000 10000000] [--payments 30000] [--rounds 3] [--cards 20000]

The history of each stage is laid by `bench/history.py`: half of the payments with a voucher, one in fifty refunded,
over the two months before. Then the measured payments go through the door, between rounds of pgbench's TPC-B, and
once more right after a checkpoint, when every page that is touched goes into the WAL whole. A stage prints what the
history takes on disk a payment, heap and indexes, and what a measured payment adds to the WAL.
"""

import argparse
import json
import statistics
import time
from datetime import timedelta
from itertools import pairwise
from typing import Any, NamedTuple

import psycopg

import history
from kaquan.kernel import clock
from ledger import SPARE, TPCB_SECONDS, WARM_BATCHES, Round, Town, app, build, run
from rig import Rig, rig

PAST = timedelta(days=60)
PER_TABLE = ("command", "payment", "posting", "order_claim", "voucher", "tally", "journal", "refund")


class Stage(NamedTuple):
    """What was measured with so many payments stored."""

    stored: int
    payments_per_s: float
    ratio: float
    p99_ms: float
    heap_bytes: float
    index_bytes: float
    wal_bytes: float
    wal_bytes_after_checkpoint: float
    after_checkpoint_per_s: float
    cache_hit: float
    laid_per_s: float


def main() -> None:
    """Lay, measure, prove; print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stored", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--payments", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cards", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--lanes", type=int, default=4)
    chosen = parser.parse_args()
    with rig() as bench:
        print(" ".join(f"{name}={value}" for name, value in bench.settings().items()))
        bench.tpcb_init()
        now = clock.system_now()
        history.set_clock(bench, now - PAST - timedelta(hours=1))
        runs = len(chosen.stored) * (chosen.rounds + 1)
        needed = (chosen.payments + chosen.lanes * WARM_BATCHES * chosen.batch) * runs
        town = build(bench, chosen.cards, needed // 2 // chosen.cards + SPARE)
        history.set_clock(bench, now - PAST)
        step = PAST / (chosen.stored[-1] // chosen.cards + 1)
        past = history.sample(bench, app(bench), town.cards, town.merchants, step)
        print(
            f"{'stored':>11} {'payments/s':>10} {'x TPC-B':>7} {'p99 ms':>6} {'heap B':>6} {'index B':>7}"
            f" {'WAL B':>6} {'after a checkpoint: WAL B, /s':>29} {'hits':>6}"
        )
        stages = [stage(bench, town, past, stored, chosen) for stored in chosen.stored]
        history.clear(bench)
        failed = history.failing(bench)
    slowest = min(one.payments_per_s for one in stages[1:] or stages)
    print("books:", "proved" if not failed else f"NOT PROVED: {failed}")
    figures: dict[str, Any] = {"stages": [one._asdict() for one in stages], "books_proved": not failed}
    print(json.dumps({**figures, "first_to_slowest": round(stages[0].payments_per_s / slowest, 2)}))
    if failed:
        raise SystemExit(1)


def stage(bench: Rig, town: Town, past: history.Past, stored: int, chosen: argparse.Namespace) -> Stage:
    """Lay history up to `stored` payments and measure."""
    began, before, laid = time.perf_counter(), sizes(bench), past.laid
    history.lay(bench, past, max(0, round(stored / past.payments) - 1 - past.copies))
    rate = (past.laid - laid) / (time.perf_counter() - began)
    after = sizes(bench)
    history.set_clock(bench, clock.system_now())
    _settle_down(bench)
    fresh, fresh_wal, _ = _measured(bench, town, chosen, stored + 1)
    rounds: list[tuple[Round, float, float]] = []
    base = [bench.tpcb(TPCB_SECONDS)]
    for number in range(chosen.rounds):
        rounds.append(_measured(bench, town, chosen, stored + 2 + number))
        base.append(bench.tpcb(TPCB_SECONDS))
    beside = [(one + other) / 2 for one, other in pairwise(base)]
    added = max(1, past.laid - laid)
    made = Stage(
        past.laid,
        statistics.median(one.payments_per_s for one, _, _ in rounds),
        statistics.median(one.payments_per_s / tpcb for (one, _, _), tpcb in zip(rounds, beside, strict=True)),
        statistics.median(one.batch_p99_ms for one, _, _ in rounds),
        (after[0] - before[0]) / added,
        (after[1] - before[1]) / added,
        statistics.median(wal for _, wal, _ in rounds),
        fresh_wal,
        fresh.payments_per_s,
        statistics.median(hits for _, _, hits in rounds),
        rate,
    )
    show(made)
    return made


def _settle_down(bench: Rig) -> None:
    """Statistics and visibility as autovacuum would leave them, nothing dirty: the first run pays for whole pages."""
    with psycopg.connect(bench.server.root_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def _measured(bench: Rig, town: Town, chosen: argparse.Namespace, seed: int) -> tuple[Round, float, float]:
    """A run, the bytes of WAL a payment of it, the share of its page reads that the buffers answered."""
    wal, hit, read = _counters(bench)
    done = run(bench, town, chosen.payments, chosen.lanes, chosen.batch, seed)
    wal_after, hit_after, read_after = _counters(bench)
    paid = chosen.payments + chosen.lanes * WARM_BATCHES * chosen.batch  # those that warm up count here too
    reads = hit_after - hit + read_after - read
    return done, (wal_after - wal) / paid, (hit_after - hit) / reads if reads else 1.0


def _counters(bench: Rig) -> tuple[int, int, int]:
    """Bytes of WAL so far, pages found in the buffers, pages read into them."""
    with psycopg.connect(bench.server.root_url) as connection:
        row = connection.execute(
            "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint, blks_hit, blks_read FROM pg_stat_database"
            " WHERE datname = current_database()"
        ).fetchone()
    if row is None:
        raise RuntimeError("the server keeps no figures of its database")
    return int(row[0]), int(row[1]), int(row[2])


def sizes(bench: Rig) -> tuple[int, int]:
    """Bytes of heap and of indexes of the tables that payments fill."""
    with psycopg.connect(bench.server.root_url) as connection:
        row = connection.execute(
            "SELECT sum(pg_table_size(t::regclass))::bigint, sum(pg_indexes_size(t::regclass))::bigint"
            " FROM unnest(%s::text[]) t",
            ([f"kaquan.{table}" for table in PER_TABLE],),
        ).fetchone()
    return (0, 0) if row is None else (int(row[0]), int(row[1]))


def show(one: Stage) -> None:
    """A row of the table."""
    print(
        f"{one.stored:>11,} {one.payments_per_s:>10,.0f} {one.ratio:>7.2f} {one.p99_ms:>6.0f} {one.heap_bytes:>6,.0f}"
        f" {one.index_bytes:>7,.0f} {one.wal_bytes:>6,.0f} {one.wal_bytes_after_checkpoint:>18,.0f}, "
        f"{one.after_checkpoint_per_s:>9,.0f} {one.cache_hit:>6.1%}",
        flush=True,
    )


if __name__ == "__main__":
    main()
