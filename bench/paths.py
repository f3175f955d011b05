"""Top-ups, authorizations with their capture, and refunds a second through the door, against pgbench's TPC-B.

    python bench/paths.py [--paths top_up hold refund] [--operations 16000] [--rounds 3] [--cards 20000]
                          [--batch 500] [--lanes 4]

Measured like `bench/ledger.py`, on its town and program: a process for each lane, batches of 500, warm. Each path has
a server of its own.

top_up   An offer of 1,000 for 950 on a card that has value already: a lot of principal, one of bonus, the written
         contract.
hold     An authorization and its capture, counted as one. Every second names a voucher that two funds pay 60/40;
         every fourth capture takes less than was held.
refund   Of payments made before, each by three lots (`pro_rata`), every second with such a voucher. Every second
         refund gives everything back, the others half.

One in a hundred is refused and one in a hundred a retry of an earlier one; only what took effect for the first time
is counted, and `accepted` is its share of all but the retries.
"""

import argparse
import json
import multiprocessing
import random
import statistics
import time
from collections.abc import Callable, Iterable
from itertools import cycle
from typing import Any, NamedTuple

import psycopg

from kaquan.commands.committer import lane_of
from kaquan.commands.execute import BATCH_MAX
from kaquan.commands.model import Command, Effect, Kind, scoped_id
from kaquan.kernel import clock
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.money import Money
from kaquan.ledger.proofs import proofs
from kaquan.main import Kaquan, collect_rarely
from kaquan.payments.model import Authorize, Capture, Pay, Refund
from kaquan.sales.model import TopUp
from ledger import REFUSED_EVERY, RETRY_EVERY, TPCB_SECONDS, Round, Town, app, build
from rig import Rig, rig

WARM_BATCHES = 2
TOP_UPS_MAX = 3  # of a card, whose balance the program limits
CAPTURED_LESS_EVERY = 4
FACE = Money(100_000)
NO_OFFER = Money(123)
HEAD = "   path round   TPC-B/s    ours/s  ratio  PG us  Py us p50/p99 ms"
TOO_MUCH = Money(20_000_000)

Step = tuple[Kind, list[Any]]
"""A batch of commands of one kind."""


class Work(NamedTuple):
    """What a lane does before the clock runs, and then."""

    warm: list[Step]
    timed: list[Step]


class Path(NamedTuple):
    """A path that is measured: what is counted, the cards' burn order, what makes the steps of some batches.

    `before` makes what must be there first.
    """

    counted: Kind
    burn_order: str
    vouchers: bool
    steps: Callable[["Lane", int], list[Step]]
    before: Callable[["Lane", int], list[Step]] | None = None


class Lane:
    """Draws a lane's commands: its cards in turn, keys in the form of UUID version 7."""

    def __init__(self, town: Town, cards: list[Id], batch: int, seed: int) -> None:
        self._town = town
        self._draw = random.Random(seed)
        shuffled = self._draw.sample(cards, len(cards))
        self._cards = cycle(shuffled)
        self._batch = batch
        self._number = 0
        self._milliseconds = clock.microseconds(clock.system_now()) // 1000
        self.paid: list[tuple[Id, Money]] = []

    def batches(self, count: int, make: Callable[[str, int], Command | None]) -> list[list[Any]]:
        """`count` batches of what `make` gives for a key and a place; a retry now and then. Less when it ends."""
        made = []
        for _ in range(count):
            self._number += 1
            head = f"{self._milliseconds + self._number:012x}"
            commands: list[Any] = []
            for place in range(self._batch):
                if place % RETRY_EVERY == RETRY_EVERY // 2:
                    commands.append(commands[place - 7])
                    continue
                tail = f"7{place:03x}-8000-{self._draw.getrandbits(48):012x}"
                commands.append(make(f"{head[:8]}-{head[8:]}-{tail}", place))
            made.append(commands)
        return made

    def top_ups(self, count: int) -> list[Step]:
        """Offers on cards."""

        def make(key: str, place: int) -> TopUp:
            face = NO_OFFER if refused(place) else FACE
            return TopUp(key=key, caller=OPERATOR, card=next(self._cards), face=face, channel="sandbox")

        return [(Kind.TOP_UP, commands) for commands in self.batches(count, make)]

    def holds(self, count: int) -> list[Step]:
        """Batches of authorizations, each followed by a batch of their captures."""
        steps: list[Step] = []
        for held in self.batches(count, lambda key, place: self._order(Authorize, key, place)):
            captures = [_capture(one, place) for place, one in enumerate(held)]
            steps += [(Kind.AUTHORIZE, held), (Kind.CAPTURE, captures)]
        return steps

    def payments(self, count: int) -> list[Step]:
        """Payments to be refunded."""
        batches = self.batches(count, lambda key, place: self._order(Pay, key, -1 if refused(place) else place))
        for commands in batches:
            self.paid += [(_effect_of(one), one.amount) for one in dict.fromkeys(commands)]
        return [(Kind.PAY, commands) for commands in batches]

    def refunds(self, count: int) -> list[Step]:
        """Refunds of payments that were made."""

        def make(key: str, place: int) -> Refund:
            payment, amount = self.paid.pop()
            back = None if place % 4 < 2 else Money(amount // 2)
            back = TOO_MUCH if refused(place) else back
            return Refund(key=key, caller=OPERATOR, payment=payment, reason="bench", amount=back)

        return [(Kind.REFUND, commands) for commands in self.batches(count, make)]

    def _order(self, kind: type[Pay], key: str, place: int) -> Pay:
        """An order, every second one with a voucher of the card that no other has named."""
        card = next(self._cards)
        own = self._town.vouchers[card]
        return kind(
            key=key,
            caller=OPERATOR,
            card=card,
            vouchers=(own.pop(),) if place % 2 == 0 and own else (),
            merchant=self._draw.choice(self._town.merchants),
            store=None,
            amount=TOO_MUCH if refused(place) else Money(self._draw.randint(100, 900)),
            order_no=key,
        )


def refused(place: int) -> bool:
    """Whether the command at this place of a batch is to be refused."""
    return place % REFUSED_EVERY == REFUSED_EVERY // 4


def _effect_of(command: Command) -> Id:
    return scoped_id(command.caller.organisation, command.subject, command.key)


def _capture(held: Pay, place: int) -> Capture:
    less = Money(held.amount * 3 // 4) if place % CAPTURED_LESS_EVERY == 0 else None
    return Capture(key=held.key, caller=OPERATOR, payment=_effect_of(held), amount=less)


PATHS = {
    "top_up": Path(Kind.TOP_UP, "principal_first", False, Lane.top_ups),
    "hold": Path(Kind.CAPTURE, "principal_first", True, Lane.holds),
    "refund": Path(Kind.REFUND, "pro_rata", True, Lane.refunds, Lane.payments),
}


def race(bench: Rig, works: Iterable[Work], counted: Kind) -> Round:
    """All lanes at once, each a process; what is counted took effect for the first time."""
    listed = list(works)
    fork = multiprocessing.get_context("fork")  # commands are made before, and inherited
    ready, told = fork.Barrier(len(listed) + 1), fork.SimpleQueue()
    processes = [
        fork.Process(target=_lane, args=(bench, lane, work, counted, ready, told), daemon=True)
        for lane, work in enumerate(listed)
    ]
    for process in processes:
        process.start()
    ready.wait()
    pg, begun = bench.postgres_cpu_seconds(), time.perf_counter()
    figures = [told.get() for _ in processes]
    wall = time.perf_counter() - begun
    pg_used = bench.postgres_cpu_seconds() - pg
    ready.wait()
    for process in processes:
        process.join()
    took = sorted(seconds for lane in figures for seconds in lane[0])
    done, cpu = sum(lane[1] for lane in figures), sum(lane[2] for lane in figures)
    fresh = sum(
        len({one.key for one in commands}) for work in listed for kind, commands in work.timed if kind is counted
    )
    middle, last = took[len(took) // 2] * 1000, took[min(len(took) - 1, int(len(took) * 0.99))] * 1000
    return Round(done / wall, pg_used / done * 1e6, cpu / done * 1e6, done / fresh, middle, last)


def _lane(bench: Rig, lane: int, work: Work, counted: Kind, ready: Any, told: Any) -> None:
    """One process: its connection, statements and reference data are warm before the clock runs."""
    try:
        kaquan = app(bench, lane)
        _carry_out(kaquan, work.warm, counted)
        collect_rarely()
    except BaseException:
        ready.abort()
        raise
    ready.wait()
    cpu = time.process_time()
    took, done = _carry_out(kaquan, work.timed, counted)
    told.put((took, done, time.process_time() - cpu))
    ready.wait()  # the server's CPU is read while its backends still live


def _carry_out(kaquan: Kaquan, steps: list[Step], counted: Kind) -> tuple[list[float], int]:
    """Seconds of each batch, and how many of the counted kind took effect now."""
    took, done = [], 0
    for kind, commands in steps:
        begun = time.perf_counter()
        outcomes = kaquan.execute(kind, commands)
        took.append(time.perf_counter() - begun)
        if kind is counted:
            done += sum(isinstance(outcome, Effect) and not outcome.replayed for outcome in outcomes)
    return took, done


def works(town: Town, path: Path, chosen: argparse.Namespace, seed: int) -> list[Work]:
    """What each lane does in a round, on the cards of its own."""
    shares: list[list[Id]] = [[] for _ in range(chosen.lanes)]
    for card in town.cards:
        shares[lane_of(bucket_of(card), chosen.lanes)].append(card)
    count = chosen.operations // chosen.lanes // chosen.batch
    made = []
    for number, cards in enumerate(shares):
        lane = Lane(town, cards, chosen.batch, seed * chosen.lanes + number)
        before = path.before(lane, count + WARM_BATCHES) if path.before else []
        made.append(Work([*before, *path.steps(lane, WARM_BATCHES)], path.steps(lane, count)))
    return made


def measure(bench: Rig, name: str, chosen: argparse.Namespace) -> dict[str, float | bool]:
    """Rounds of a path between rounds of TPC-B; each ratio is to the mean of the two beside it."""
    path = PATHS[name]
    needed = (chosen.operations + chosen.lanes * WARM_BATCHES * chosen.batch) * chosen.rounds
    town = build(bench, chosen.cards, needed // 2 // chosen.cards + 1 if path.vouchers else 0, path.burn_order)
    with psycopg.connect(bench.server.root_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    rounds: list[Round] = []
    base, ratios = [bench.tpcb(TPCB_SECONDS)], []
    for number in range(1, chosen.rounds + 1):
        now = race(bench, works(town, path, chosen, number), path.counted)
        base.append(bench.tpcb(TPCB_SECONDS))
        beside = (base[-2] + base[-1]) / 2
        rounds.append(now)
        ratios.append(now.payments_per_s / beside)
        print(
            f"{name:>7} {number:>5} {beside:>9,.0f} {now.payments_per_s:>9,.0f} {ratios[-1]:>6.2f} "
            f"{now.pg_us:>6.0f} {now.py_us:>6.0f} {now.batch_p50_ms:.0f}/{now.batch_p99_ms:.0f}",
            flush=True,
        )
    failed = [proof.name for proof in proofs(app(bench).connection) if not proof.ok]
    print(f"{name:>7} books:", "proved" if not failed else f"NOT PROVED: {failed}")
    return {
        "ratio_to_tpcb": round(statistics.median(ratios), 2),
        "per_s": round(statistics.median(one.payments_per_s for one in rounds)),
        "tpcb_per_s": round(statistics.median(base)),
        "pg_us": round(statistics.median(one.pg_us for one in rounds), 1),
        "py_us": round(statistics.median(one.py_us for one in rounds), 1),
        "accepted": round(min(one.accepted for one in rounds), 4),
        "batch_p99_ms": round(statistics.median(one.batch_p99_ms for one in rounds), 1),
        "books_proved": not failed,
    }


def main() -> None:
    """Measure each path, print the table, prove the books."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paths", nargs="+", choices=PATHS, default=list(PATHS))
    parser.add_argument("--operations", type=int, default=16_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cards", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=BATCH_MAX)
    parser.add_argument("--lanes", type=int, default=4)
    chosen = parser.parse_args()
    found = {}
    for name in chosen.paths:
        with rig() as bench:
            print(" ".join(f"{setting}={value}" for setting, value in bench.settings().items()))
            print(HEAD)
            bench.tpcb_init()
            found[name] = measure(bench, name, chosen)
    print(json.dumps(found))
    if not all(one["books_proved"] for one in found.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
