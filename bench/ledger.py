"""Durable payments a second through the door, against pgbench's TPC-B in the same minute.

    python bench/ledger.py [--payments 30000] [--rounds 3] [--cards 20000] [--batch 500] [--lanes 4]
                           [--burn-order principal_first]

The program is `bench/policy.toml`. Every payment goes the whole way: id look-up, content hash, order registry,
terms, acceptance, lots of three kinds (with `--burn-order pro_rata` all three pay each time), payment row, postings,
rebate where earned, leaf commitments, journal. Every second one names a voucher that two funds pay 60/40, under a
limit of uses a person a day.
One in a hundred is refused and one in a hundred a retry of an earlier one; only payments that took effect for the
first time are counted in the rate, and `accepted` is their share of all commands but the retries.
"""

import argparse
import json
import multiprocessing
import random
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import psycopg

from kaquan.commands.committer import lane_of
from kaquan.commands.execute import BATCH_MAX
from kaquan.commands.model import Effect, Kind
from kaquan.db.pool import connect
from kaquan.funders.model import PayInFund, RegisterFund
from kaquan.holders.service import registration
from kaquan.kernel import clock
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.money import Money
from kaquan.ledger.chart import Source
from kaquan.ledger.proofs import proofs
from kaquan.main import Kaquan, collect_rarely
from kaquan.merchants.model import RegisterMerchant, RegisterOrganisation
from kaquan.payments.model import Pay
from kaquan.privacy.model import Person
from kaquan.privacy.rules import resident_check_letter
from kaquan.programs.catalogue import FundMode
from kaquan.programs.model import OpenProgram
from kaquan.programs.terms import BurnOrder
from kaquan.sales.model import Sell, TopUp
from kaquan.stocks.model import OpenStock
from kaquan.vouchers.model import Claim
from rig import Rig, rig

MERCHANTS = 200
SETUP_BATCH = 500
TPCB_SECONDS = 5
WARM_BATCHES = 5
RETRY_EVERY = 100
LOOKS_MAX = 1_000
FUND_FEN = Money(100_000_000_000)
SPARE = 2  # vouchers for each card beyond the mean, so that a random choice finds one
POLICY = Path(__file__).with_name("policy.toml")
REFUSED_EVERY = 100


@dataclass
class Town:
    """What the payments are made of. `vouchers` are what is left of each card's."""

    cards: list[Id]
    merchants: list[Id]
    vouchers: dict[Id, list[Id]]


@dataclass
class Round:
    """One measured run."""

    payments_per_s: float
    pg_us: float
    py_us: float
    accepted: float
    batch_p50_ms: float
    batch_p99_ms: float


def app(bench: Rig, lane: int = 0) -> Kaquan:
    """The wired application on a connection of its own."""
    return Kaquan(connect(bench.server.app_url), bench.server.master_key, lane)


def build(bench: Rig, cards: int, vouchers: int, burn_order: str = "principal_first") -> Town:
    """Issuer, merchants, funds, holders, their cards with a lot of each kind and `vouchers` each: all by commands."""
    kaquan = app(bench)
    for code, book in (("jingxi", True), ("jingxi-stores", False), ("city", False)):
        command = RegisterOrganisation(key=f"o-{code}", caller=OPERATOR, code=code, name=code, keeps_book=book)
        kaquan.one(Kind.REGISTER_ORGANISATION, command)
    merchants = [
        RegisterMerchant(
            key=f"m-{number}",
            caller=OPERATOR,
            code=f"m-{number}",
            name=f"m-{number}",
            organisation="jingxi-stores",
            account_bank="工商银行",
            account_no=f"62220{number:011d}",
        )
        for number in range(MERCHANTS)
    ]
    registered = kaquan.execute(Kind.REGISTER_MERCHANT, merchants)
    _open(kaquan, POLICY.read_text(encoding="utf-8").replace("principal_first", burn_order))
    sold: list[Id] = []
    given: dict[Id, list[Id]] = {}
    for start in range(0, cards, SETUP_BATCH):
        numbers = range(start, min(start + SETUP_BATCH, cards))
        for card, ids in _sell(kaquan, numbers, vouchers):
            sold.append(card)
            given[card] = ids
    return Town(sold, [Id(bytes.fromhex(effect.facts["id"])) for effect in registered], given)


def _open(kaquan: Kaquan, text: str) -> None:
    """The program, its funds and its stocks."""
    opened = [
        kaquan.one(Kind.OPEN_PROGRAM, OpenProgram(key="open", caller=OPERATOR, text=text, approved_by="second"))
    ]
    for code, source in (("city", Source.FISCAL), ("operator", Source.OPERATING)):
        party = "city" if source is Source.FISCAL else "jingxi"
        fund = RegisterFund(
            key=f"f-{code}",
            caller=OPERATOR,
            code=code,
            name=code,
            organisation=party,
            book="jingxi",
            mode=FundMode.PREPAID,
            source=source,
        )
        opened.append(kaquan.one(Kind.REGISTER_FUND, fund))
        paid_in = PayInFund(key=f"p-{code}", caller=OPERATOR, fund=code, amount=FUND_FEN, reference="bench")
        opened.append(kaquan.one(Kind.PAY_IN_FUND, paid_in))
    for stock in ("half", "start"):
        command = OpenStock(key=f"s-{stock}", caller=OPERATOR, program="policy", stock=stock)
        opened.append(kaquan.one(Kind.OPEN_STOCK, command))
    refused = [outcome for outcome in opened if not isinstance(outcome, Effect)]
    if refused:
        raise RuntimeError(f"the program could not be opened: {refused}")


def _sell(kaquan: Kaquan, numbers: range, vouchers: int) -> Iterator[tuple[Id, list[Id]]]:
    """Holders with a card of three lots each, and their vouchers."""
    holders = kaquan.execute(
        Kind.REGISTER_HOLDER,
        [registration(kaquan.master, OPERATOR, f"h-{number}", _person(number)) for number in numbers],
    )
    wallets = [holder.id for holder in holders]
    cards = _all(kaquan, Kind.SELL, [_sale(wallet) for wallet in wallets])
    starts = _all(kaquan, Kind.CLAIM, [_claim(wallet, "start", 0) for wallet in wallets])
    loads = [
        TopUp(key="t", caller=OPERATOR, card=card, face=Money(0), channel="sandbox", vouchers=(start,))
        for card, start in zip(cards, starts, strict=True)
    ]
    _all(kaquan, Kind.TOP_UP, loads)
    given: list[list[Id]] = [[] for _ in wallets]
    for number in range(vouchers):
        claimed = _all(kaquan, Kind.CLAIM, [_claim(wallet, "half", number) for wallet in wallets])
        for own, voucher in zip(given, claimed, strict=True):
            own.append(voucher)
    return zip(cards, given, strict=True)


def _all(kaquan: Kaquan, kind: Kind, commands: list[Any]) -> list[Id]:
    """What a batch made; every command of it must take effect."""
    outcomes = kaquan.execute(kind, commands)
    refused = [outcome for outcome in outcomes if not isinstance(outcome, Effect)]
    if refused:
        raise RuntimeError(f"{len(refused)} of {len(outcomes)} {kind.name} failed: {refused[0]}")
    return [outcome.id for outcome in outcomes]


def _sale(wallet: Id) -> Sell:
    return Sell(key="s", caller=OPERATOR, wallet=wallet, program="policy", face=Money(100_000), channel="sandbox")


def _claim(wallet: Id, stock: str, number: int) -> Claim:
    return Claim(key=f"{stock}-{number}", caller=OPERATOR, wallet=wallet, program="policy", stock=stock)


def _person(number: int) -> Person:
    body = f"110105{1960 + number % 40}0101{number % 1000:03d}"
    return Person("测试", f"139{number:08d}", body + resident_check_letter(body))


def run(bench: Rig, town: Town, payments: int, lanes: int, batch: int, seed: int) -> Round:
    """`payments` payments over `lanes` processes, each on the cards of its own lane."""
    shares: list[list[Id]] = [[] for _ in range(lanes)]
    for card in town.cards:
        shares[lane_of(bucket_of(card), lanes)].append(card)
    draw = random.Random(seed)
    fork = multiprocessing.get_context("fork")  # commands are made before, and inherited
    ready, told = fork.Barrier(lanes + 1), fork.SimpleQueue()
    processes = []
    for lane in range(lanes):
        warm = _batches(draw, town, shares[lane], batch, WARM_BATCHES, f"w{seed}-{lane}")
        work = _batches(draw, town, shares[lane], batch, payments // lanes // batch, f"r{seed}-{lane}")
        processes.append(fork.Process(target=_lane, args=(bench, lane, warm, work, ready, told), daemon=True))
        processes[-1].start()
    ready.wait()
    pg, begun = bench.postgres_cpu_seconds(), time.perf_counter()
    figures = [told.get() for _ in processes]
    wall = time.perf_counter() - begun
    pg_used = bench.postgres_cpu_seconds() - pg
    ready.wait()
    for process in processes:
        process.join()
    took = sorted(seconds for lane in figures for seconds in lane[0])
    paid = sum(lane[1] for lane in figures)
    fresh = sum(lane[3] for lane in figures)
    return Round(
        paid / wall,
        pg_used / paid * 1e6,
        sum(lane[2] for lane in figures) / paid * 1e6,
        paid / fresh,
        took[len(took) // 2] * 1000,
        took[min(len(took) - 1, int(len(took) * 0.99))] * 1000,
    )


def _lane(bench: Rig, lane: int, warm: list[list[Pay]], work: list[list[Pay]], ready: Any, told: Any) -> None:
    """One process: its connection, statements and reference data are warm before the clock runs."""
    try:
        kaquan = app(bench, lane)
        _pay(kaquan, warm)
        collect_rarely()
    except BaseException:
        ready.abort()
        raise
    ready.wait()
    cpu = time.process_time()
    took, accepted = _pay(kaquan, work)
    cpu = time.process_time() - cpu
    told.put((took, accepted, cpu, len({command.key for commands in work for command in commands})))
    ready.wait()  # the server's CPU is read while its backends still live


def _batches(
    draw: random.Random, town: Town, cards: list[Id], batch: int, batches: int, name: str
) -> list[list[Pay]]:
    """Commands as a front end would hand them over, keys in the form of UUID version 7."""
    milliseconds = clock.microseconds(clock.system_now()) // 1000
    made: list[list[Pay]] = []
    for number in range(batches):
        commands: list[Pay] = []
        head = f"{milliseconds + number:012x}"
        for place in range(batch):
            if place % RETRY_EVERY == RETRY_EVERY // 2:
                commands.append(commands[place - 7])
                continue
            card, named = _payer(draw, town, cards, with_voucher=place % 2 == 0)
            commands.append(
                Pay(
                    key=f"{head[:8]}-{head[8:]}-7{place:03x}-8000-{draw.getrandbits(48):012x}",
                    caller=OPERATOR,
                    card=card,
                    vouchers=named,
                    merchant=draw.choice(town.merchants),
                    store=None,
                    amount=Money(20_000_000 if place % REFUSED_EVERY == 25 else draw.randint(100, 900)),
                    order_no=f"{name}-{number}-{place}",
                )
            )
        made.append(commands)
    return made


def payments_of(draw: random.Random, town: Town, cards: list[Id], count: int, name: str) -> list[Pay]:
    """So many payments on these cards, one after the other."""
    return [one for batch in _batches(draw, town, cards, BATCH_MAX, -(-count // BATCH_MAX), name) for one in batch]


def _payer(draw: random.Random, town: Town, cards: list[Id], *, with_voucher: bool) -> tuple[Id, tuple[Id, ...]]:
    """A card, and one of its vouchers that no payment has named yet."""
    card = draw.choice(cards)
    if not with_voucher:
        return card, ()
    for _ in range(LOOKS_MAX):
        if town.vouchers[card]:
            return card, (town.vouchers[card].pop(),)
        card = draw.choice(cards)
    raise RuntimeError("the vouchers are used up: give each card more of them")


def _pay(kaquan: Kaquan, batches: list[list[Pay]]) -> tuple[list[float], int]:
    """Seconds of each batch, and how many payments took effect; retries of earlier ones are not counted again."""
    took: list[float] = []
    accepted = 0
    for commands in batches:
        begun = time.perf_counter()
        outcomes = kaquan.execute(Kind.PAY, commands)
        took.append(time.perf_counter() - begun)
        accepted += sum(isinstance(outcome, Effect) and not outcome.replayed for outcome in outcomes)
    return took, accepted


def main() -> None:
    """Measure, print the table, prove the books."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--payments", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cards", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=BATCH_MAX)
    parser.add_argument("--lanes", type=int, default=4)
    parser.add_argument("--burn-order", choices=get_args(BurnOrder), default="principal_first")
    chosen = parser.parse_args()
    with rig() as bench:
        print(" ".join(f"{name}={value}" for name, value in bench.settings().items()))
        bench.tpcb_init()
        needed = (chosen.payments + chosen.lanes * WARM_BATCHES * chosen.batch) * chosen.rounds
        town = build(bench, chosen.cards, needed // 2 // chosen.cards + SPARE, chosen.burn_order)
        with psycopg.connect(bench.server.root_url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        figures = measure(bench, town, chosen)
        books = app(bench).connection
        failed = [proof.name for proof in proofs(books) if not proof.ok]
        rows = books.execute("SELECT count(*) FROM posting").fetchone()
        print("books:", "proved" if not failed else f"NOT PROVED: {failed}")
        print(json.dumps({**figures, "rows_added": rows[0] if rows else 0, "books_proved": not failed}))
    if failed:
        raise SystemExit(1)


def measure(bench: Rig, town: Town, chosen: argparse.Namespace) -> dict[str, float]:
    """Rounds of ours between rounds of TPC-B; each ratio is to the mean of the two beside it."""
    rounds: list[Round] = []
    base = [bench.tpcb(TPCB_SECONDS)]
    ratios: list[float] = []
    print(f"{'round':>5} {'TPC-B/s':>9} {'payments/s':>11} {'ratio':>6} {'PG us':>6} {'Py us':>6} p50/p99 ms")
    for number in range(1, chosen.rounds + 1):
        now = run(bench, town, chosen.payments, chosen.lanes, chosen.batch, number)
        base.append(bench.tpcb(TPCB_SECONDS))
        beside = (base[-2] + base[-1]) / 2
        rounds.append(now)
        ratios.append(now.payments_per_s / beside)
        print(
            f"{number:>5} {beside:>9,.0f} {now.payments_per_s:>11,.0f} {ratios[-1]:>6.2f} "
            f"{now.pg_us:>6.0f} {now.py_us:>6.0f} {now.batch_p50_ms:.0f}/{now.batch_p99_ms:.0f}"
        )
    return {
        "ratio_to_tpcb": round(statistics.median(ratios), 2),
        "payments_per_s": round(statistics.median(r.payments_per_s for r in rounds)),
        "tpcb_per_s": round(statistics.median(base)),
        "pg_us_per_payment": round(statistics.median(r.pg_us for r in rounds), 1),
        "py_us_per_payment": round(statistics.median(r.py_us for r in rounds), 1),
        "accepted": round(min(r.accepted for r in rounds), 4),
        "batch_p99_ms": round(statistics.median(r.batch_p99_ms for r in rounds), 1),
    }


if __name__ == "__main__":
    main()
