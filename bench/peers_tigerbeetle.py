"""TigerBeetle beside ours: its server on a fresh file on loopback, its own Python client."""

import importlib
import importlib.util
import multiprocessing
import os
import random
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

BINARY = "KAQUAN_TIGERBEETLE"
MESSAGE_MAX = 8_189  # events in one message
LEGS = 3
CLIENTS = 2
FUND_SLICES = 32
CARD_MONEY = 10_000_000
AMOUNTS = (100, 900)
LEDGER, CODE = 1, 1
CACHE = "1GiB"
START_SECONDS = 60.0


class TigerBeetle:
    """A running replica with its accounts: cards that can't spend more than they have, merchants, funds in slices."""

    HOW: ClassVar[str] = f"pip install tigerbeetle, and name the server's binary by {BINARY}"

    def __init__(self, address: str, cards: int, merchants: int) -> None:
        self.address = address
        issuer, *ids = range(1, 2 + cards + merchants + 2 * FUND_SLICES)
        self.cards, rest = ids[:cards], ids[cards:]
        self.merchants, self.funds = rest[:merchants], rest[merchants:]
        self.issuer = issuer

    @classmethod
    @contextmanager
    def found(cls, cards: int, merchants: int) -> Iterator["TigerBeetle | None"]:
        """A replica of the binary that the environment names, gone afterwards; None without it or the client."""
        binary = os.environ.get(BINARY)
        if not binary or importlib.util.find_spec("tigerbeetle") is None:
            yield None
            return
        with tempfile.TemporaryDirectory(prefix="kaquan-tigerbeetle-") as folder:
            file = str(Path(folder) / "0_0.tigerbeetle")
            form = [binary, "format", "--cluster=0", "--replica=0", "--replica-count=1", file]
            subprocess.run(form, check=True, capture_output=True)
            port = _free_port()
            start = [binary, "start", f"--addresses=127.0.0.1:{port}", f"--cache-grid={CACHE}", file]
            with subprocess.Popen(start, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
                try:
                    _listening(port, server)
                    made = cls(f"127.0.0.1:{port}", cards, merchants)
                    made.open()
                    yield made
                finally:
                    server.terminate()

    def open(self) -> None:
        """Open the accounts and put money on the cards."""
        tb = _client_library()
        limited = tb.AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS
        accounts = [
            tb.Account(id=one, ledger=LEDGER, code=CODE, flags=limited if one in range(*_span(self.cards)) else 0)
            for one in (self.issuer, *self.cards, *self.merchants, *self.funds)
        ]
        loads = [
            tb.Transfer(
                id=tb.id(),
                debit_account_id=self.issuer,
                credit_account_id=card,
                amount=CARD_MONEY,
                ledger=LEDGER,
                code=CODE,
            )
            for card in self.cards
        ]
        with tb.ClientSync(cluster_id=0, replica_addresses=self.address) as client:
            for ask, events in ((client.create_accounts, accounts), (client.create_transfers, loads)):
                for start in range(0, len(events), MESSAGE_MAX):
                    refused = [one for one in ask(events[start : start + MESSAGE_MAX]) if not _created(one)]
                    if refused:
                        raise RuntimeError(f"TigerBeetle refused {len(refused)}: {refused[0]}")

    def payments(self, draw: random.Random, count: int) -> list[Any]:
        """The transfers of so many payments: three that are linked, so that all take effect or none."""
        tb = _client_library()
        linked, last = tb.TransferFlags.LINKED, tb.TransferFlags.NONE
        events = []
        for _ in range(count):
            merchant, slice_ = draw.choice(self.merchants), draw.randrange(FUND_SLICES)
            legs = (
                (draw.choice(self.cards), draw.randint(*AMOUNTS), linked),
                (self.funds[slice_], 30, linked),
                (self.funds[FUND_SLICES + slice_], 20, last),
            )
            events += [
                tb.Transfer(
                    id=tb.id(),
                    debit_account_id=payer,
                    credit_account_id=merchant,
                    amount=amount,
                    ledger=LEDGER,
                    code=CODE,
                    flags=flags,
                )
                for payer, amount, flags in legs
            ]
        return events

    def paid_a_second(self, seconds: float) -> float:
        """Payments a second of a few clients, each with a full message in flight."""
        fork = multiprocessing.get_context("fork")
        told: Any = fork.SimpleQueue()
        clients = [fork.Process(target=self._client, args=(seconds, told), daemon=True) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        figures = [told.get() for _ in clients]
        for client in clients:
            client.join()
        return sum(paid / took for paid, took in figures)

    def _client(self, seconds: float, told: Any) -> None:
        tb, draw, paid = _client_library(), random.Random(os.getpid()), 0
        with tb.ClientSync(cluster_id=0, replica_addresses=self.address) as client:
            began = time.monotonic()
            while time.monotonic() - began < seconds:
                results = client.create_transfers(self.payments(draw, MESSAGE_MAX // LEGS))
                paid += sum(map(_created, results[::LEGS]))
            told.put((paid, time.monotonic() - began))

    def wrong(self) -> list[str]:
        """What of its books does not add up."""
        tb = _client_library()
        ids = [self.issuer, *self.cards, *self.merchants, *self.funds]
        with tb.ClientSync(cluster_id=0, replica_addresses=self.address) as client:
            found = [
                one
                for start in range(0, len(ids), MESSAGE_MAX)
                for one in client.lookup_accounts(ids[start : start + MESSAGE_MAX])
            ]
        debits, credits = (sum(getattr(one, side) for one in found) for side in ("debits_posted", "credits_posted"))
        return [] if debits == credits else [f"TigerBeetle: {debits} debited, {credits} credited"]


def _client_library() -> Any:
    return importlib.import_module("tigerbeetle")


def _created(result: Any) -> bool:
    return bool(result.status.name == "CREATED")


def _span(ids: Sequence[int]) -> tuple[int, int]:
    return ids[0], ids[-1] + 1


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listening(port: int, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"the TigerBeetle server does not listen; it ended with {server.poll()}")
