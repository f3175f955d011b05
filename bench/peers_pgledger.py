"""pgledger beside ours: its SQL in a database of its own on the same server, driven through its own functions."""

import multiprocessing
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import psycopg

from rig import Rig

FUND_SLICES = 32
CARD_MONEY = 10_000_000
LEGS = 3
AMOUNTS = (100, 900)
_TRIES = 20

_PAY = """
    SELECT count(*) FROM pgledger_create_transfers((
        SELECT array_agg((u.source, u.target, u.amount)::transfer_request ORDER BY u.ord)
        FROM unnest(%s::text[], %s::text[], %s::numeric[]) WITH ORDINALITY AS u (source, target, amount, ord)))
"""
_OPEN = (
    "SELECT (pgledger_create_account(%s || n, 'CNY', allow_negative_balance => %s)).id FROM generate_series(1, %s) n"
)


class PgLedger(NamedTuple):
    """pgledger with its accounts: cards that may not go below zero, merchants, two funds in slices."""

    url: str
    cards: Sequence[str]
    merchants: Sequence[str]
    funds: Sequence[str]

    @classmethod
    def installed(cls, bench: Rig, source: Path, cards: int, merchants: int) -> "PgLedger":
        """Run its SQL, open the accounts, put money on the cards."""
        with psycopg.connect(bench.server.root_url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE pgledger")
        url = urlunsplit(urlsplit(bench.server.root_url)._replace(path="/pgledger"))
        beside = sorted((source.parent / "vendor" / "scoville-pgsql-ulid").glob("*.sql"))
        with psycopg.connect(url, autocommit=True, options="-c search_path=public") as connection:
            for path in (*beside, source):
                connection.execute(path.read_text("utf-8").encode())
            issuer = cls._open(connection, "issuer", 1, below_zero=True)[0]
            made = cls(
                url,
                cls._open(connection, "card", cards, below_zero=False),
                cls._open(connection, "merchant", merchants, below_zero=True),
                cls._open(connection, "fund", 2 * FUND_SLICES, below_zero=True),
            )
            for card in made.cards:
                connection.execute(_PAY, ([issuer], [card], [CARD_MONEY]))
            connection.execute("VACUUM ANALYZE")
        return made

    @staticmethod
    def _open(connection: psycopg.Connection[Any], name: str, count: int, *, below_zero: bool) -> list[str]:
        return [str(row[0]) for row in connection.execute(_OPEN, (name, below_zero, count))]

    def paid_a_second(self, seconds: float, batch: int, clients: int, seed: int) -> float:
        """Payments a second of so many processes, each with `batch` payments to a call."""
        fork = multiprocessing.get_context("fork")
        ready, told = fork.Barrier(clients), fork.SimpleQueue()
        processes = [
            fork.Process(target=self._client, args=(seconds, batch, seed * 100 + number, ready, told), daemon=True)
            for number in range(clients)
        ]
        for process in processes:
            process.start()
        paid = sum(told.get() for _ in processes)
        for process in processes:
            process.join()
        return float(paid) / seconds

    def _client(self, seconds: float, batch: int, seed: int, ready: Any, told: Any) -> None:
        draw, paid = random.Random(seed), 0
        with psycopg.connect(self.url, autocommit=True, options="-c search_path=public") as connection:
            self._pay(connection, draw, batch)
            ready.wait()
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                paid += self._pay(connection, draw, batch)
        told.put(paid)

    def _pay(self, connection: psycopg.Connection[Any], draw: random.Random, batch: int) -> int:
        """One call: the legs of each payment are neighbours. A deadlock is tried again, as its users must."""
        sources, targets, amounts = [], [], []
        for _ in range(batch):
            merchant, slice_ = draw.choice(self.merchants), draw.randrange(FUND_SLICES)
            sources += [draw.choice(self.cards), self.funds[slice_], self.funds[FUND_SLICES + slice_]]
            targets += [merchant] * LEGS
            amounts += [draw.randint(*AMOUNTS), 30, 20]
        for _ in range(_TRIES):
            try:
                row = connection.execute(_PAY, (sources, targets, amounts), prepare=True).fetchone()
            except psycopg.errors.DeadlockDetected:
                continue
            return int(row[0]) // LEGS if row else 0
        raise RuntimeError(f"{_TRIES} deadlocks in a row")

    def wrong(self) -> list[str]:
        """What of its books does not add up."""
        with psycopg.connect(self.url, options="-c search_path=public") as connection:
            row = connection.execute(
                "SELECT (SELECT sum(balance) FROM pgledger_accounts), (SELECT sum(amount) FROM pgledger_entries)"
            ).fetchone()
        return [] if row == (0, 0) else [f"pgledger: balances and entries sum to {row}"]
