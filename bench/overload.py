"""Twice the load that a server can carry: payments that still take effect, how long they take, memory.

    python bench/overload.py [--seconds 10] [--cards 20000] [--lanes 3]

`kaquan serve` on the durable database of bench/ledger.py, with real keys, as in bench/over_http.py. The best is
measured with callers who wait for their answers; then requests leave at twice that rate whatever comes back: one
payment a request on 1,900 connections, and 1,000 a request on 32. One that finds no free connection is not sent.
The server must keep 90 % of its best, tell the others to come back (503 or 429 with Retry-After), and not grow.
"""

import argparse
import json
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psycopg

from kaquan.ledger.proofs import proofs
from ledger import SPARE, app, build
from load import Load, apart, closed, open_loop
from over_http import WARM, Served, Shop, accepted, payments, served
from rig import Rig, rig

BEST = 20_000  # payments of the closed run
SINGLE_CALLERS, BATCH_CALLERS, BATCH = 1_900, 32, 1_000
LOOK_SECONDS = 0.5


@dataclass
class Seen:
    """One run: payments a second that took effect, p99 of answers that were no 503, and what the others were told."""

    per_s: float
    p99_ms: float
    told: dict[str, int]
    unsent: int
    rss_mb: tuple[int, int]


def run(server: Served, shop: Shop, single: bool, count: int, rate: float | None) -> Seen:
    """`count` payments: at `rate` a second, or as fast as callers who wait get answers."""
    name = f"{'s' if single else 'b'}{rate or 0:.0f}"
    warm = [shop.request(one) for one in payments(shop.town, WARM, f"warm-{name}", 0)]
    made = payments(shop.town, count, name, 0 if single else BATCH)
    if single:
        requests = [shop.request(one) for one in made]
    else:
        requests = [shop.batch(made[start : start + BATCH]) for start in range(0, len(made), BATCH)]
    apart(closed, server.address, warm, 500, False)
    memory = Memory(server)
    with memory:
        if rate is None:
            load = apart(closed, server.address, requests, 500 if single else 8, not single)
        else:
            callers = SINGLE_CALLERS if single else BATCH_CALLERS
            load = apart(open_loop, server.address, requests, callers, rate if single else rate / BATCH, not single)
    took = sorted(load.took)
    told = dict(load.statuses)
    if not single:
        told |= {f"item {code}": count for code, count in codes(load).items()}
    p99 = took[min(len(took) - 1, int(len(took) * 0.99))] * 1000
    return Seen(accepted(load, single) / load.wall, p99, told, load.unsent, (memory.first, memory.most))


def codes(load: Load) -> dict[str, int]:
    """Problems within answers to batches."""
    found: dict[str, int] = {}
    for body in load.bodies:
        for item in msgspec.json.decode(body).get("items", []):
            if item["outcome"] == "problem":
                found[item["problem"]["code"]] = found.get(item["problem"]["code"], 0) + 1
    return found


class Memory:
    """Resident megabytes of the server and its lanes, looked at while it works."""

    def __init__(self, server: Served) -> None:
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.first = self.most = self._now()

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self.most = max(self.most, self._now())

    def _now(self) -> int:
        pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self._server.pids()]
        return sum(pages) * 4096 // 2**20


def main() -> None:
    """Measure, print the table, prove the books."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--cards", type=int, default=20_000)
    parser.add_argument("--lanes", type=int, default=3)
    chosen = parser.parse_args()
    with rig() as bench:
        print(" ".join(f"{name}={value}" for name, value in bench.settings().items()))
        most = 2 * (2 * 20_000 * chosen.seconds + BEST + 2 * WARM) + 2 * chosen.cards
        town = build(bench, chosen.cards, most // 2 // chosen.cards + SPARE)
        shop = Shop(bench, town)
        with psycopg.connect(bench.server.root_url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        figures = measure(bench, shop, chosen)
        failed = [proof.name for proof in proofs(app(bench).connection) if not proof.ok]
        print("books:", "proved" if not failed else f"NOT PROVED: {failed}")
        print(json.dumps({**figures, "books_proved": not failed}))
    if failed:
        raise SystemExit(1)


def measure(bench: Rig, shop: Shop, chosen: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Both ways of sending, first at ease, then at twice the best."""
    figures: dict[str, dict[str, float]] = {}
    with served(bench, chosen.lanes) as server:
        first = [shop.request(one) for one in payments(shop.town, 2 * chosen.cards, "first", 0)]
        apart(closed, server.address, first, 100, False)
        print(f"{'way':>6} {'best/s':>7} {'p99 ms':>7} {'at 2x/s':>8} {'of best':>7} {'p99 ms':>7} MB answers")
        for single in (True, False):
            best = run(server, shop, single, BEST, None)
            time.sleep(1)
            over = run(server, shop, single, int(2 * best.per_s * chosen.seconds), 2 * best.per_s)
            way = "single" if single else "batch"
            print(
                f"{way:>6} {best.per_s:>7,.0f} {best.p99_ms:>7.0f} {over.per_s:>8,.0f} "
                f"{over.per_s / best.per_s:>7.2f} {over.p99_ms:>7.0f} "
                f"{over.rss_mb[0]}-{over.rss_mb[1]} {over.told}, not sent {over.unsent}"
            )
            figures[way] = {
                "best_per_s": round(best.per_s),
                "of_best": round(over.per_s / best.per_s, 3),
                "p99_ms": round(over.p99_ms),
                "mb_first": over.rss_mb[0],
                "mb_most": over.rss_mb[1],
            }
    return figures


if __name__ == "__main__":
    main()
