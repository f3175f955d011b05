"""Payments for half an hour at half of capacity, with all that happens beside: what grows, and what must not.

    python bench/soak.py [--minutes 30] [--rate 0] [--cards 20000] [--lanes 4] [--batch 500] [--days 150]

Each lane pays at a paced rate (`--rate` payments a second in all; 0: half of what a first run reaches), one payment
in ten with a voucher that was claimed a moment ago, one in a hundred refunded, cards topped up as they run low. The
installation's clock runs through `--days` days meanwhile and the timetable is carried out beside: vouchers and lots
expire, months are settled, reserves released, the books rolled up. Each minute prints the rate, the time of a batch,
how far lanes are behind their pace, the memory of the clients and of the server, and of the hot tables bytes, dead
rows, the share of HOT updates and how often autovacuum came. Then the books are proved, and the verdict says whether
memory stayed flat, tables kept their bytes a row, and the 99th percentile stayed where it was.
"""

import argparse
import json
import multiprocessing
import random
import statistics
import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

import history
from kaquan.commands.committer import lane_of
from kaquan.commands.model import Effect, Kind
from kaquan.jobs.run import run_due
from kaquan.kernel import clock
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.money import Money
from kaquan.main import Kaquan, collect_rarely
from kaquan.payments.model import Pay, Refund
from kaquan.sales.model import TopUp
from kaquan.vouchers.model import Claim
from ledger import SPARE, WARM_BATCHES, Town, app, build, run
from rig import Rig, rig

OPENED = datetime(2026, 3, 1, 4, tzinfo=UTC)
PROBE = 20_000  # payments that tell the capacity
MINUTE = 60.0
TIMETABLE_SECONDS = 5.0
CLOCK_SECONDS = 0.5
VOUCHER_EVERY = 10
REFUND_EVERY = 100
UNUSED_EVERY = 8  # of claimed vouchers: they expire
FACE = Money(100_000)
LOW = 2_000  # fen: a card below it is topped up
TOP_UPS_MAX = 50
AMOUNTS = (100, 300)
HOT = ("lot", "card", "voucher", "payment", "tally", "slice")

FLAT = 1.15  # memory and bytes a row at the end, to those of the second quarter
FLAT_SLACK_MB = 32.0
STABLE = 1.5  # p99 of the last third, to that of the first


class Minute(NamedTuple):
    """What one lane did in a minute."""

    number: int
    took: list[float]
    paid: int
    behind_s: float


class Row(NamedTuple):
    """A row of the table."""

    minute: int
    per_s: float
    p50_ms: float
    p99_ms: float
    behind_s: float
    client_mb: float
    server_mb: float
    shared_mb: float
    heap_mb: float
    index_mb: float
    dead_rows: int
    hot_share: float
    autovacuums: int
    row_bytes: dict[str, float]


def main() -> None:
    """Pay for so many minutes, print a row a minute, prove, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--cards", type=int, default=20_000)
    parser.add_argument("--lanes", type=int, default=4)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--days", type=int, default=150)
    chosen = parser.parse_args()
    with rig() as bench:
        print(" ".join(f"{name}={value}" for name, value in bench.settings().items()))
        history.set_clock(bench, OPENED)
        probed = PROBE + chosen.lanes * WARM_BATCHES * chosen.batch
        town = build(bench, chosen.cards, probed // 2 // chosen.cards + SPARE)
        with psycopg.connect(bench.server.root_url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        if not chosen.rate:
            chosen.rate = run(bench, town, PROBE, chosen.lanes, chosen.batch, 0).payments_per_s / 2
        print(f"paced at {chosen.rate:,.0f} payments/s")
        rows = soak(bench, town, chosen)
        failed = history.failing(bench)
    said = verdict(rows)
    print("books:", "proved" if not failed else f"NOT PROVED: {failed}")
    print(*(f"{what}: {'yes' if good else 'NO'} ({why})" for what, (good, why) in said.items()), sep="\n")
    figures = {
        "minutes": [row._asdict() for row in rows],
        "verdict": {what: good for what, (good, _) in said.items()},
    }
    print(json.dumps({"rate": round(chosen.rate), **figures, "books_proved": not failed}))
    if failed or not all(good for good, _ in said.values()):
        raise SystemExit(1)


def soak(bench: Rig, town: Town, chosen: argparse.Namespace) -> list[Row]:
    """The lanes, the timetable and the clock as processes of their own; a row for each minute."""
    shares: list[list[Id]] = [[] for _ in range(chosen.lanes)]
    for card in town.cards:
        shares[lane_of(bucket_of(card), chosen.lanes)].append(card)
    fork = multiprocessing.get_context("fork")
    told, over = fork.SimpleQueue(), fork.Barrier(chosen.lanes + 1)
    start = time.monotonic() + 1
    end = start + chosen.minutes * MINUTE
    lanes = [
        fork.Process(target=_lane, args=(bench, town, share, (lane, start, end), chosen, (told, over)), daemon=True)
        for lane, share in enumerate(shares)
    ]
    beside = fork.Process(target=_beside, args=(bench, (start, end), timedelta(days=chosen.days)), daemon=True)
    for process in (*lanes, beside):
        process.start()
    clients = [process.pid or 0 for process in (*lanes, beside)]
    rows = _watch(bench, clients, told, chosen)
    over.wait()
    for process in (*lanes, beside):
        process.join()
    return rows


def _watch(bench: Rig, clients: Sequence[int], told: Any, chosen: argparse.Namespace) -> list[Row]:
    """A row as soon as every lane has told of its minute."""
    print(
        f"{'min':>3} {'pay/s':>7} {'p50/p99 ms':>10} {'behind s':>8} {'client MB':>9} {'server MB':>9} {'shared':>6}"
        f" {'heap MB':>8} {'index MB':>8} {'dead rows':>9} {'HOT':>5} {'vacuums':>7}"
    )
    rows: list[Row] = []
    counted = _tables(bench)
    for number in range(1, chosen.minutes + 1):
        minutes = [_of(told, number) for _ in range(chosen.lanes)]
        before, counted = counted, _tables(bench)
        rows.append(_row(bench, clients, minutes, before, counted))
        _show(rows[-1])
    return rows


def _of(told: Any, number: int) -> Minute:
    """The next lane's minute. Lanes tell them in order; one that is a minute ahead of another does not happen at a
    pace that all can keep, and would show in `behind`."""
    minute: Minute = told.get()
    if minute.number != number:
        print(f"    a lane is {minute.number - number:+} minutes off")
    return minute


def _row(
    bench: Rig, clients: Sequence[int], minutes: Sequence[Minute], before: dict[str, Any], now: dict[str, Any]
) -> Row:
    took = sorted(seconds for minute in minutes for seconds in minute.took) or [0.0]
    updates = sum(now[table].updates - before[table].updates for table in HOT)
    hot = sum(now[table].hot - before[table].hot for table in HOT)
    backends = bench.processes()
    return Row(
        minutes[0].number,
        sum(minute.paid for minute in minutes) / MINUTE,
        took[len(took) // 2] * 1000,
        took[min(len(took) - 1, int(len(took) * 0.99))] * 1000,
        max(minute.behind_s for minute in minutes),
        sum(_memory_mb(pid, "Pss") for pid in clients),
        sum(_memory_mb(pid, "Pss_Anon") for pid in backends),
        sum(_memory_mb(pid, "Pss_Shmem") for pid in backends),
        sum(one.heap for one in now.values()) / 1e6,
        sum(one.index for one in now.values()) / 1e6,
        sum(one.dead for one in now.values()),
        hot / updates if updates else 1.0,
        sum(one.vacuums for one in now.values()),
        {table: (one.heap + one.index) / max(1, one.live) for table, one in now.items()},
    )


class Table(NamedTuple):
    """What the server counts of a table."""

    heap: int
    index: int
    live: int
    dead: int
    updates: int
    hot: int
    vacuums: int


def _tables(bench: Rig) -> dict[str, Table]:
    with psycopg.connect(bench.server.root_url) as connection:
        rows = connection.execute(
            "SELECT relname, pg_table_size(relid), pg_indexes_size(relid), n_live_tup, n_dead_tup, n_tup_upd,"
            " n_tup_hot_upd, autovacuum_count FROM pg_stat_user_tables WHERE schemaname = 'kaquan'"
            " AND relname = ANY (%s)",
            (list(HOT),),
        ).fetchall()
    return {row[0]: Table(*row[1:]) for row in rows}


def _memory_mb(pid: int, field: str) -> float:
    """A field of a process's memory map; shared pages count by the share of the process."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith(f"{field}:")) / 1024


def _show(row: Row) -> None:
    print(
        f"{row.minute:>3} {row.per_s:>7,.0f} {row.p50_ms:>5.0f}/{row.p99_ms:<4.0f} {row.behind_s:>8.2f} "
        f"{row.client_mb:>9,.0f} {row.server_mb:>9,.0f} {row.shared_mb:>6,.0f} {row.heap_mb:>8,.0f} "
        f"{row.index_mb:>8,.0f} {row.dead_rows:>9,} {row.hot_share:>5.0%} {row.autovacuums:>7}",
        flush=True,
    )


def verdict(rows: Sequence[Row]) -> dict[str, tuple[bool, str]]:
    """What must not have grown, with the figures that say so. The first quarter warms up."""
    second = rows[len(rows) // 4 : max(1, len(rows) // 2)] or rows[:1]
    last = rows[-max(1, len(rows) // 4) :]
    said: dict[str, tuple[bool, str]] = {}
    for what, of in (("client_memory_flat", "client_mb"), ("server_memory_flat", "server_mb")):
        then = statistics.median(getattr(row, of) for row in second)
        now = statistics.median(getattr(row, of) for row in last)
        said[what] = (now <= then * FLAT + FLAT_SLACK_MB, f"{then:,.0f} → {now:,.0f} MB")
    for table in HOT:
        then, now = (statistics.median(row.row_bytes[table] for row in part) for part in (second, last))
        said[f"{table}_bytes_a_row_bounded"] = (now <= then * FLAT, f"{then:,.0f} → {now:,.0f}")
    third = max(1, len(rows) // 3)
    then, now = (statistics.median(row.p99_ms for row in part) for part in (rows[:third], rows[-third:]))
    said["p99_stable"] = (now <= then * STABLE, f"{then:,.0f} → {now:,.0f} ms")
    behind = max(row.behind_s for row in last)
    said["pace_kept"] = (behind <= MINUTE / 10, f"at most {behind:.1f} s behind")
    return said


def _beside(bench: Rig, times: tuple[float, float], days: timedelta) -> None:
    """The clock moves on, the timetable is carried out."""
    kaquan, (start, end) = app(bench), times
    opened, due = kaquan.door.at(), start
    while (now := time.monotonic()) < end:
        history.set_clock(bench, opened + days * (max(0.0, now - start) / (end - start)))
        if now >= due:
            run_due(kaquan)
            due = time.monotonic() + TIMETABLE_SECONDS
        time.sleep(CLOCK_SECONDS)


class _Till:
    """What one lane pays with: its cards, what is on each at least, vouchers in hand."""

    def __init__(self, kaquan: Kaquan, town: Town, cards: Sequence[Id], lane: int, batch: int) -> None:
        self.kaquan, self.cards, self.lane, self.batch = kaquan, cards, lane, batch
        self.merchants = town.merchants
        self.draw = random.Random(lane)
        self.wallets = history.wallets_of(kaquan, cards)
        self.money = {card: self.draw.randint(LOW, FACE) for card in cards}
        self.hand: deque[tuple[Id, Id]] = deque()
        self.low: deque[Id] = deque()
        self.number = 0

    def before(self) -> None:
        """Claims and top-ups, so that the next batch can be paid."""
        self.number += 1
        cards = self.draw.choices(self.cards, k=self.batch // VOUCHER_EVERY)
        claims = [
            Claim(key=self._key(), caller=OPERATOR, wallet=self.wallets[card], program="policy", stock="half")
            for card in cards
        ]
        claimed = self.kaquan.execute(Kind.CLAIM, claims)
        given = [(card, one.id) for card, one in zip(cards, claimed, strict=True) if isinstance(one, Effect)]
        self.hand.extend(one for place, one in enumerate(given) if place % UNUSED_EVERY)
        loads = [self.low.popleft() for _ in range(min(len(self.low), TOP_UPS_MAX))]
        commands = [
            TopUp(key=self._key(), caller=OPERATOR, card=card, face=FACE, channel="sandbox") for card in loads
        ]
        if commands:
            done = self.kaquan.execute(Kind.TOP_UP, commands)
            for card, one in zip(loads, done, strict=True):
                self.money[card] += FACE if isinstance(one, Effect) else 0

    def pays(self) -> list[Pay]:
        """The next batch."""
        return [self._pay(place) for place in range(self.batch)]

    def _pay(self, place: int) -> Pay:
        amount = self.draw.randint(*AMOUNTS)
        vouchers: tuple[Id, ...] = ()
        card = self.draw.choice(self.cards)
        if place % VOUCHER_EVERY == 0 and self.hand:
            card, voucher = self.hand.popleft()
            vouchers = (voucher,)
        self.money[card] -= amount
        if -amount <= self.money[card] - LOW < 0:
            self.low.append(card)  # once, as it falls below
        return Pay(
            key=self._key(),
            caller=OPERATOR,
            card=card,
            vouchers=vouchers,
            merchant=self.draw.choice(self.merchants),
            store=None,
            amount=Money(amount),
            order_no=f"s-{self.lane}-{self.number}-{place}",
        )

    def after(self, paid: Sequence[Any]) -> None:
        """Refunds of a few."""
        effects = islice((one.id for one in paid if isinstance(one, Effect)), 1, None, REFUND_EVERY)
        refunds = [Refund(key=self._key(), caller=OPERATOR, payment=one, reason="soak") for one in effects]
        if refunds:
            self.kaquan.execute(Kind.REFUND, refunds)

    def _key(self) -> str:
        return history.key_at(clock.microseconds(clock.system_now()) // 1000, self.draw)


def _lane(
    bench: Rig, town: Town, cards: Sequence[Id], span: tuple[int, float, float], chosen: argparse.Namespace, ends: Any
) -> None:
    """Batches at the lane's pace; tells of each minute when it is over, and stays until its memory was read."""
    (lane, start, end), (told, over) = span, ends
    till = _Till(app(bench, lane), town, cards, lane, chosen.batch)
    collect_rarely()
    pace = chosen.batch * chosen.lanes / chosen.rate
    minute, due = 1, start + pace * lane / chosen.lanes
    took: list[float] = []
    paid = 0
    while due < end:
        if due >= start + minute * MINUTE:
            told.put(Minute(minute, took, paid, max(0.0, time.monotonic() - due)))
            minute, took, paid = minute + 1, [], 0
        till.before()
        commands = till.pays()
        time.sleep(max(0.0, due - time.monotonic()))
        begun = time.monotonic()
        outcomes = till.kaquan.execute(Kind.PAY, commands)
        took.append(time.monotonic() - begun)
        paid += sum(isinstance(outcome, Effect) for outcome in outcomes)
        till.after(outcomes)
        due += pace
    told.put(Minute(minute, took, paid, max(0.0, time.monotonic() - due)))
    over.wait()


if __name__ == "__main__":
    main()
