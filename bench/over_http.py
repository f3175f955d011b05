"""Payments over HTTP with real keys, against pgbench's TPC-B in the same minute.

    python bench/over_http.py [--payments 30000] [--rounds 3] [--cards 20000] [--lanes 3] [--callers 500]
                              [--batch 1000] [--batch-callers 8] [--only single|cold|batch]

`kaquan serve` runs on the durable database of bench/ledger.py, with its program, cards and payments: every second
one names a voucher, one in a hundred is refused, one in a hundred a retry. 200 merchants' servers pay, each with
an API key, by the card number that was shown. `single`: one payment a request, 500 keep-alive connections. `cold`:
the same by card numbers that the server never met, each once and none again. `batch`: 1,000 a request, 8 connections.
The load generator is a process of its own on the same cores; its CPU is told.
"""

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psycopg

from kaquan.commands.model import Effect, Kind
from kaquan.identity.keys import new_token
from kaquan.identity.model import IssueKey
from kaquan.kernel.caller import OPERATOR, Role
from kaquan.kernel.ids import Id, public
from kaquan.ledger.proofs import proofs
from kaquan.payments.model import Pay
from ledger import SPARE, TPCB_SECONDS, Town, app, build, payments_of
from load import Load, apart, closed
from rig import Rig, cpu_seconds, rig

WAYS = ("single", "cold", "batch")
WARM = 3_000  # payments before each run: a server at work knows keys and cards


@dataclass
class Run:
    """One measured run. `srv_us` is CPU of `kaquan serve` with its lanes, `load_us` of the load generator."""

    payments_per_s: float
    pg_us: float
    srv_us: float
    load_us: float
    accepted: float
    p50_ms: float
    p99_ms: float


class Shop:
    """What requests are made of: the number of each card, the key of each merchant; cards that no payment named."""

    def __init__(self, bench: Rig, town: Town, fresh: Sequence[Id] = ()) -> None:
        self.town = town
        self._fresh = list(fresh)
        kaquan = app(bench)
        rows = kaquan.connection.execute("SELECT id, number FROM kaquan.card").fetchall()
        self.numbers = {Id(identity.bytes): number for identity, number in rows}
        self.tokens: dict[Id, str] = {}
        for number, merchant in enumerate(town.merchants):
            token = new_token()
            command = IssueKey(
                key=f"key-{number}", caller=OPERATOR, name=f"shop-{number}", role=Role.MERCHANT, days=30,
                organisation="jingxi-stores", merchant=f"m-{number}", wallet=None, scopes=("payments:write",),
                prefix=token.prefix, digest=token.digest,
            )  # fmt: skip
            if not isinstance(kaquan.one(Kind.ISSUE_KEY, command), Effect):
                raise RuntimeError("a key was not issued")
            self.tokens[merchant] = token.text

    def by_fresh_cards(self, pays: list[Pay]) -> list[Pay]:
        """The same payments, but for retries, each by a card that no payment named yet."""
        made = []
        for one in {one.key: one for one in pays}.values():
            card = self._fresh.pop()
            own = (self.town.vouchers[card].pop(),) if one.vouchers else ()
            made.append(msgspec.structs.replace(one, card=card, vouchers=own))
        return made

    def body(self, pay: Pay) -> dict[str, object]:
        """What a till's server sends."""
        assert pay.card is not None
        told: dict[str, object] = {
            "merchant": public("mer", pay.merchant),
            "amount_fen": pay.amount,
            "order_no": pay.order_no,
            "card": self.numbers[pay.card],
        }
        return told | {"vouchers": [public("vch", one) for one in pay.vouchers]} if pay.vouchers else told

    def request(self, pay: Pay) -> bytes:
        """A payment by itself."""
        return self._post("/v1/payments", pay.merchant, self.body(pay), f"idempotency-key: {pay.key}\r\n")

    def batch(self, pays: list[Pay]) -> bytes:
        """Many of one merchant."""
        items = [{**self.body(one), "idempotency_key": one.key} for one in pays]
        return self._post("/v1/payments:batch", pays[0].merchant, {"payments": items}, "")

    def _post(self, path: str, merchant: Id, body: object, more: str) -> bytes:
        content = msgspec.json.encode(body)
        head = (
            f"POST {path} HTTP/1.1\r\nhost: pay.example\r\nauthorization: Bearer {self.tokens[merchant]}\r\n"
            f"content-type: application/json\r\n{more}content-length: {len(content)}\r\n\r\n"
        )
        return head.encode() + content


class Served:
    """`kaquan serve` at work."""

    def __init__(self, process: subprocess.Popen[str], address: tuple[str, int]) -> None:
        self.process = process
        self.address = address

    def pids(self) -> list[int]:
        """The server and its lanes."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        threads = Path(f"/proc/{self.process.pid}/task").iterdir()
        every = {int(pid) for thread in threads for pid in (thread / "children").read_text().split()}
        return [self.process.pid, *sorted(every | set(map(int, children)))]

    def cpu(self) -> float:
        """CPU seconds of all of them."""
        return cpu_seconds(self.pids())


@contextmanager
def served(bench: Rig, lanes: int) -> Iterator[Served]:
    """A server process of its own, with the timetable and the errands of every server."""
    command = [sys.executable, "-m", "kaquan", "serve", "--port", "0", "--lanes", str(lanes), "--json"]
    environment = {**os.environ, "KAQUAN_HOME": str(bench.installation.home)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        told = json.loads(process.stdout.readline())
        host, port = str(told["address"]).removeprefix("http://").rsplit(":", 1)
        yield Served(process, (host, int(port)))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def run(bench: Rig, server: Served, made: list[Pay], shop: Shop, chosen: argparse.Namespace, single: bool) -> Run:
    """All payments, one a request or many."""
    if single:
        requests = [shop.request(one) for one in made]
        callers = chosen.callers
    else:
        requests = [shop.batch(made[start : start + chosen.batch]) for start in range(0, len(made), chosen.batch)]
        callers = chosen.batch_callers
    warm = [shop.request(one) for one in payments(shop.town, WARM, f"warm-{made[0].order_no}", 0)]
    apart(closed, server.address, warm, chosen.callers, False)  # keys that nobody used for five seconds are forgotten
    pg, cpu = bench.postgres_cpu_seconds(), server.cpu()
    load = apart(closed, server.address, requests, callers, not single)
    pg, cpu = bench.postgres_cpu_seconds() - pg, server.cpu() - cpu
    paid, took = accepted(load, single), sorted(load.took)
    if not paid:
        raise RuntimeError(f"nothing was paid: {load.statuses} {load.bodies[:1]}")
    return Run(
        paid / load.wall,
        pg / paid * 1e6,
        cpu / paid * 1e6,
        load.cpu / paid * 1e6,
        paid / len({one.key for one in made}),
        took[len(took) // 2] * 1000,
        took[min(len(took) - 1, int(len(took) * 0.99))] * 1000,
    )


def accepted(load: Load, single: bool) -> int:
    """Payments that took effect for the first time."""
    if single:
        return load.statuses["200"]
    items = [item for body in load.bodies for item in msgspec.json.decode(body).get("items", [])]
    return sum(item["outcome"] == "effect" and not item["replayed"] for item in items)


def payments(town: Town, count: int, name: str, batch: int) -> list[Pay]:
    """Payments; with `batch`, each so many at one merchant."""
    draw = random.Random(name)
    made = payments_of(draw, town, town.cards, count, name)
    if not batch:
        return made
    merchants = [draw.choice(town.merchants) for _ in range(0, len(made), batch)]
    return [msgspec.structs.replace(one, merchant=merchants[place // batch]) for place, one in enumerate(made)]


def main() -> None:
    """Measure, print the tables, prove the books."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--payments", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cards", type=int, default=20_000)
    parser.add_argument("--lanes", type=int, default=3)
    parser.add_argument("--callers", type=int, default=500)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--batch-callers", type=int, default=8)
    parser.add_argument("--only", choices=WAYS, action="append")
    chosen = parser.parse_args()
    ways = chosen.only or WAYS
    with rig() as bench:
        print(" ".join(f"{name}={value}" for name, value in bench.settings().items()))
        bench.tpcb_init()
        needed = (chosen.payments + WARM) * chosen.rounds * len(ways) + 2 * chosen.cards
        met_once = chosen.payments * chosen.rounds if "cold" in ways else 0
        whole = build(bench, chosen.cards + met_once, needed // 2 // chosen.cards + SPARE)
        town = Town(whole.cards[: chosen.cards], whole.merchants, whole.vouchers)
        shop = Shop(bench, town, whole.cards[chosen.cards :])
        with psycopg.connect(bench.server.root_url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        with served(bench, chosen.lanes) as server:
            warm = [shop.request(one) for one in payments(town, 2 * chosen.cards, "warm", 0)]
            apart(closed, server.address, warm, 100, False)
            figures = {way: measure(bench, server, shop, chosen, way) for way in ways}
        failed = [proof.name for proof in proofs(app(bench).connection) if not proof.ok]
        print("books:", "proved" if not failed else f"NOT PROVED: {failed}")
        print(json.dumps({**figures, "books_proved": not failed}))
    if failed:
        raise SystemExit(1)


def measure(bench: Rig, server: Served, shop: Shop, chosen: argparse.Namespace, way: str) -> dict[str, float]:
    """Rounds of ours between rounds of TPC-B; each ratio is to the mean of the two beside it."""
    rounds: list[Run] = []
    ratios: list[float] = []
    base = [bench.tpcb(TPCB_SECONDS)]
    print("   way  TPC-B/s  payments/s  ratio  PG us srv us load us p50/p99 ms")
    for number in range(chosen.rounds):
        made = payments(shop.town, chosen.payments, f"{way}{number}", chosen.batch if way == "batch" else 0)
        made = shop.by_fresh_cards(made) if way == "cold" else made
        now = run(bench, server, made, shop, chosen, way != "batch")
        base.append(bench.tpcb(TPCB_SECONDS))
        beside = (base[-2] + base[-1]) / 2
        rounds.append(now)
        ratios.append(now.payments_per_s / beside)
        print(
            f"{way:>6} {beside:>8,.0f} {now.payments_per_s:>11,.0f} {ratios[-1]:>6.2f} "
            f"{now.pg_us:>6.0f} {now.srv_us:>6.0f} {now.load_us:>7.0f} {now.p50_ms:.0f}/{now.p99_ms:.0f}"
        )
    middle = {name: statistics.median(getattr(one, name) for one in rounds) for name in vars(rounds[0])}
    return {"ratio_to_tpcb": round(statistics.median(ratios), 2), **{name: round(x, 4) for name, x in middle.items()}}


if __name__ == "__main__":
    main()
