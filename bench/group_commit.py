"""Group commit: many callers at once, each of whom waits for the answer to its payment, against TPC-B beside it.

    python bench/group_commit.py [--callers 500 2000] [--payments 30000] [--rounds 3] [--cards 20000] [--lanes 3]
                                 [--threads]

The program, the cards and the payments are those of bench/ledger.py: one in a hundred is refused, one in a hundred a
retry. The callers are in one process with the committer; each lane decides in a process of its own, as in
`kaquan serve` (`--threads`: in this one). A caller sends its next payment when the last is answered.
"""

import argparse
import json
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from kaquan.api.lane import PACKED, LaneOpening, opened
from kaquan.cli.lane import COMMAND
from kaquan.commands.committer import Committer, Executor
from kaquan.commands.model import Effect, Kind
from kaquan.commands.remote import LaneProcess
from kaquan.ledger.proofs import proofs
from kaquan.main import collect_rarely
from kaquan.payments.model import Pay
from ledger import SPARE, TPCB_SECONDS, Town, app, build, payments_of
from rig import Rig, cpu_seconds, rig

WARM = 4_000
RUN_SECONDS = 120  # far beyond what any run takes


@dataclass
class Run:
    """One measured run."""

    payments_per_s: float
    pg_us: float
    py_us: float
    accepted: float
    p50_ms: float
    p99_ms: float


class Lanes:
    """A committer over the rig's database, and the processes that decide for it."""

    def __init__(self, bench: Rig, lanes: int, threads: bool) -> None:
        self._bench = bench
        self.processes = [] if threads else [LaneProcess(COMMAND, PACKED) for _ in range(lanes)]
        self.committer = Committer(self._open, lanes)

    def _open(self, lane: int) -> Executor:
        bench = self._bench
        opening = LaneOpening(bench.server.app_url, bench.server.master_key, lane, bench.installation)
        if not self.processes:
            return opened(opening)
        self.processes[lane].open(opening)
        return self.processes[lane]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Until the block ends."""
        with ExitStack() as ending:
            for process in self.processes:
                ending.callback(process.end)
            with self.committer:
                yield

    def cpu(self) -> float:
        """CPU seconds of this process and of those that decide."""
        return time.process_time() + cpu_seconds(one.pid for one in self.processes)


class Crowd:
    """Callers who draw on one list of payments until it is empty."""

    def __init__(self, committer: Committer, payments: list[Pay]) -> None:
        self._committer = committer
        self._payments = iter(payments)
        self._next = threading.Lock()
        self._left = len(payments)
        self.took: list[float] = []
        self.accepted = 0
        self.done = threading.Event()

    def run(self, callers: int) -> float:
        """Seconds until the last answer."""
        begun = time.perf_counter()
        for _ in range(callers):
            self._send()
        if not self.done.wait(RUN_SECONDS):
            raise RuntimeError("some callers were never answered")
        return time.perf_counter() - begun

    def _send(self) -> None:
        with self._next:
            payment = next(self._payments, None)
        if payment is not None:
            sent = time.perf_counter()
            self._committer.submit(Kind.PAY, payment).add_done_callback(self._told(sent))

    def _told(self, sent: float) -> Callable[[Any], None]:
        def told(answer: Any) -> None:
            outcome = answer.result()
            took = time.perf_counter() - sent
            with self._next:
                self.took.append(took)
                self.accepted += isinstance(outcome, Effect) and not outcome.replayed
                self._left -= 1
                last = self._left == 0
            if last:
                self.done.set()
            self._send()

        return told


def run(bench: Rig, lanes: Lanes, payments: list[Pay], callers: int) -> Run:
    """All payments by so many callers."""
    crowd = Crowd(lanes.committer, payments)
    pg, cpu = bench.postgres_cpu_seconds(), lanes.cpu()
    wall = crowd.run(callers)
    pg, cpu = bench.postgres_cpu_seconds() - pg, lanes.cpu() - cpu
    paid, took = crowd.accepted, sorted(crowd.took)
    return Run(
        paid / wall,
        pg / paid * 1e6,
        cpu / paid * 1e6,
        paid / len({payment.key for payment in payments}),
        took[len(took) // 2] * 1000,
        took[int(len(took) * 0.99)] * 1000,
    )


def main() -> None:
    """Measure, print the table, prove the books."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--callers", type=int, nargs="+", default=[500, 2_000])
    parser.add_argument("--payments", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cards", type=int, default=20_000)
    parser.add_argument("--lanes", type=int, default=3)
    parser.add_argument("--threads", action="store_true")
    chosen = parser.parse_args()
    with rig() as bench:
        print(" ".join(f"{name}={value}" for name, value in bench.settings().items()))
        bench.tpcb_init()
        needed = chosen.payments * chosen.rounds * len(chosen.callers) + WARM
        town = build(bench, chosen.cards, needed // 2 // chosen.cards + SPARE)
        with psycopg.connect(bench.server.root_url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        lanes = Lanes(bench, chosen.lanes, chosen.threads)
        with lanes.running():
            Crowd(lanes.committer, payments_of(random.Random(0), town, town.cards, WARM, "warm")).run(500)
            figures = {callers: measure(bench, town, lanes, callers, chosen) for callers in chosen.callers}
        failed = [proof.name for proof in proofs(app(bench).connection) if not proof.ok]
        print("books:", "proved" if not failed else f"NOT PROVED: {failed}")
        print(json.dumps({"callers": figures, "books_proved": not failed}))
    if failed:
        raise SystemExit(1)


def measure(bench: Rig, town: Town, lanes: Lanes, callers: int, chosen: argparse.Namespace) -> dict[str, float]:
    """Rounds of ours between rounds of TPC-B; each ratio is to the mean of the two beside it."""
    rounds: list[Run] = []
    ratios: list[float] = []
    base = [bench.tpcb(TPCB_SECONDS)]
    print(f"{'callers':>7} {'TPC-B/s':>9} {'payments/s':>11} {'ratio':>6} {'PG us':>6} {'Py us':>6} p50/p99 ms")
    for number in range(chosen.rounds):
        made = payments_of(random.Random(number), town, town.cards, chosen.payments, f"{callers}-{number}")
        collect_rarely()
        now = run(bench, lanes, made, callers)
        base.append(bench.tpcb(TPCB_SECONDS))
        rounds.append(now)
        ratios.append(now.payments_per_s / ((base[-2] + base[-1]) / 2))
        print(
            f"{callers:>7} {(base[-2] + base[-1]) / 2:>9,.0f} {now.payments_per_s:>11,.0f} {ratios[-1]:>6.2f} "
            f"{now.pg_us:>6.0f} {now.py_us:>6.0f} {now.p50_ms:.0f}/{now.p99_ms:.0f}"
        )
    middle = {name: statistics.median(getattr(one, name) for one in rounds) for name in vars(rounds[0])}
    return {"ratio_to_tpcb": round(statistics.median(ratios), 2), **{name: round(x, 4) for name, x in middle.items()}}


if __name__ == "__main__":
    main()
