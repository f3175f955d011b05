"""Ours beside ledgers that others made, in the same minutes on the same machine: payments of three legs.

    python bench/peers.py [--pgledger PATH/pgledger.sql] [--payments 20000] [--rounds 3] [--seconds 8]

Ours is the batch path of `bench/ledger.py`, with all its rules. The others only move money: from a card and two funds
to a merchant, all three or none; cards and merchants as many as ours, each fund in slices as ours. None of them has
our answer to a retry, an order number, or a limit.

- pgledger: give the path of its SQL (https://github.com/pgr0ss/pgledger; its ULID functions are looked for beside it,
  in vendor/scoville-pgsql-ulid). A payment is one call of pgledger_create_transfers, once alone in its transaction
  over 8 connections, once 100 to a call over 4.
- TigerBeetle: `pip install tigerbeetle`, and name the server's binary of the same version by KAQUAN_TIGERBEETLE. It
  is started on a fresh file on loopback; 2 clients send linked transfers, as many as a message takes.

What is not given is skipped, and said so.
"""

import argparse
import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

import history
from ledger import MERCHANTS, SPARE, TPCB_SECONDS, WARM_BATCHES, Town, build, run
from peers_pgledger import PgLedger
from peers_tigerbeetle import TigerBeetle
from rig import Rig, rig

Contender = Callable[[int], float]
"""Payments a second in a round."""


def main() -> None:
    """Rounds of everybody between rounds of TPC-B; print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pgledger", type=Path)
    parser.add_argument("--payments", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--cards", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--lanes", type=int, default=4)
    chosen = parser.parse_args()
    with rig() as bench, TigerBeetle.found(chosen.cards, MERCHANTS) as tigerbeetle:
        print(" ".join(f"{name}={value}" for name, value in bench.settings().items()))
        bench.tpcb_init()
        needed = (chosen.payments + chosen.lanes * WARM_BATCHES * chosen.batch) * chosen.rounds
        town = build(bench, chosen.cards, needed // 2 // chosen.cards + SPARE)
        pgledger = PgLedger.installed(bench, chosen.pgledger, chosen.cards, MERCHANTS) if chosen.pgledger else None
        with psycopg.connect(bench.server.root_url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        figures = measure(bench, contenders(bench, town, pgledger, tigerbeetle, chosen), chosen.rounds)
        wrong = history.failing(bench)
        for peer in (pgledger, tigerbeetle):
            wrong += peer.wrong() if peer is not None else []
    for given, what, how in (
        (pgledger, "pgledger", "give --pgledger PATH, its SQL from https://github.com/pgr0ss/pgledger"),
        (tigerbeetle, "TigerBeetle", TigerBeetle.HOW),
    ):
        if given is None:
            print(f"{what}: skipped; {how}")
    print("books of all:", "right" if not wrong else f"WRONG: {wrong}")
    print(json.dumps({**figures, "books_right": not wrong}))
    if wrong:
        raise SystemExit(1)


def contenders(
    bench: Rig, town: Town, pgledger: PgLedger | None, tigerbeetle: TigerBeetle | None, chosen: argparse.Namespace
) -> dict[str, Contender]:
    """Everybody who is here, by name."""
    here: dict[str, Contender] = {
        "ours, the whole policy": lambda number: (
            run(bench, town, chosen.payments, chosen.lanes, chosen.batch, number).payments_per_s
        )
    }
    if pgledger is not None:
        here["pgledger, one a call"] = lambda number: pgledger.paid_a_second(chosen.seconds, 1, 8, number)
        here["pgledger, 100 a call"] = lambda number: pgledger.paid_a_second(chosen.seconds, 100, 4, number)
    if tigerbeetle is not None:
        here["TigerBeetle, linked"] = lambda number: tigerbeetle.paid_a_second(chosen.seconds)
    return here


def measure(bench: Rig, here: dict[str, Contender], rounds: int) -> dict[str, Any]:
    """Payments a second of each, and the ratio to the mean of the TPC-B before and after the round."""
    rates: dict[str, list[float]] = {name: [] for name in here}
    ratios: dict[str, list[float]] = {name: [] for name in here}
    base = [bench.tpcb(TPCB_SECONDS)]
    for number in range(1, rounds + 1):
        now = {name: contender(number) for name, contender in here.items()}
        base.append(bench.tpcb(TPCB_SECONDS))
        for name, rate in now.items():
            rates[name].append(rate)
            ratios[name].append(rate / ((base[-2] + base[-1]) / 2))
    print(f"{'three-leg payments/s':<24} {'median':>8} {'x TPC-B':>8}  all rounds")
    print(f"{'TPC-B itself':<24} {statistics.median(base):>8,.0f} {1:>8.2f}  {_all(base)}")
    for name, measured in rates.items():
        middle, ratio = statistics.median(measured), statistics.median(ratios[name])
        print(f"{name:<24} {middle:>8,.0f} {ratio:>8.2f}  {_all(measured)}")
    return {
        "payments_per_s": {name: round(statistics.median(measured)) for name, measured in rates.items()},
        "ratio_to_tpcb": {name: round(statistics.median(measured), 2) for name, measured in ratios.items()},
        "tpcb_per_s": round(statistics.median(base)),
    }


def _all(rates: list[float]) -> str:
    return ", ".join(f"{rate:,.0f}" for rate in rates)


if __name__ == "__main__":
    main()
