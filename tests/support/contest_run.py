"""Who takes part in a contest: two servers, each a committer with two lanes; the command line; the timetable.

Every process writes what it was answered to a file of its own. The timetable also moves the installation's clock,
twenty minutes at a time, so that holds lapse, midnights pass, vouchers expire and pools end under the others; between
its turns it proves the books in one snapshot while everybody writes.
"""

import json
import pickle
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, BinaryIO, NamedTuple

from kaquan.commands.committer import Committer
from kaquan.commands.execute import Unavailable
from kaquan.commands.model import Kind, Outcome, scoped_id
from kaquan.jobs.run import run_due
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id, public
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Fault
from kaquan.ledger.service import proofs
from kaquan.main import Kaquan
from kaquan.payments.model import Pay, Refund
from kaquan.rewards.packet_model import OpenPacket, OpenPackets
from kaquan.stocks.model import PauseStock, ResumeStock
from kaquan.vouchers.model import Claim
from support.cli import Cli
from support.contest import BRIEF, BRIEF_POOLS, LUCKY, PROGRAM, SERVERS, TWIN, WIDE, Flood, Sent, World, pool_id
from support.crowd import run_at_once
from support.race import Answer, answer
from support.town import MASTER_KEY

LANES = 2
WINDOW = 150
"""Commands that a server has under way."""

JUMP_US = 20 * 60 * 1_000_000
CLI_LEAST = 6
WATCHED_EVERY = 6

SERVER, TIMETABLE, COMMAND_LINE = "server", "timetable", "command-line"


class Told(NamedTuple):
    """What a process was answered."""

    kind: Kind
    retry: bool
    answer: Answer


class Line(NamedTuple):
    """A command as it is typed. `kind` and `id` are None for the timetable's own work."""

    words: Sequence[str]
    kind: Kind | None
    id: Id | None


def run(world: World, folder: Path) -> None:
    """Let everybody in; return when the servers have sent everything. Raises what a process raised."""
    servers = {f"{SERVER}-{number}": (serve, number) for number in range(SERVERS)}
    run_at_once(world, folder, servers, {TIMETABLE: timetable, COMMAND_LINE: command_line})


def serve(world: World, number: int, out: Path) -> None:
    """A server: its part of the flood through a committer, `WINDOW` commands at a time."""

    def record(file: BinaryIO) -> None:
        waiting: deque[tuple[Sent, Future[Outcome]]] = deque()
        with Committer(world.app, LANES) as committer:
            for turn in Flood(world).rounds():
                for sent in turn[number]:
                    waiting.append((sent, committer.submit(sent.kind, sent.command)))
                    if len(waiting) >= WINDOW:
                        _record_next(waiting, file)
            while waiting:
                _record_next(waiting, file)

    _recorded(out, record)


def _record_next(waiting: "deque[tuple[Sent, Future[Outcome]]]", file: BinaryIO) -> None:
    sent, future = waiting.popleft()
    try:
        outcome: Outcome | Fault = future.result()
    except Fault as fault:
        outcome = fault
    except Unavailable as gone:
        outcome = Fault(str(gone))
    pickle.dump(Told(sent.kind, sent.retry, answer(outcome)), file)


class _Recording(Kaquan):
    """Writes down what everything that it executes was answered."""

    file: BinaryIO

    def execute(self, kind: Kind, commands: Sequence[Any], *, dry_run: bool = False) -> list[Any]:
        outcomes = super().execute(kind, commands, dry_run=dry_run)
        for outcome in outcomes:
            pickle.dump(Told(kind, False, answer(outcome)), self.file)
        return outcomes


def timetable(world: World, stop: Path, out: Path) -> None:
    """What is due, again and again, while the clock moves; what the books say meanwhile goes to a second file."""

    def record(file: BinaryIO) -> None:
        plain = world.app()
        app = _Recording(plain.connection, MASTER_KEY)
        app.file = file
        with out.with_suffix(".watched").open("w") as watched:
            for turn in count():
                if stop.exists() and turn:
                    return
                app.connection.execute("UPDATE installation SET clock_offset_us = clock_offset_us + %s", [JUMP_US])
                run_due(app)
                if turn % WATCHED_EVERY == 0:
                    for proof in proofs(app.connection):
                        print(json.dumps({"proof": proof.name, "ok": proof.ok, **proof.facts}), file=watched)

    _recorded(out, record)


def command_line(world: World, stop: Path, out: Path) -> None:
    """`kaquan` typed by somebody, one process for each command."""

    def record(file: BinaryIO) -> None:
        cli = terminal(world, out.parent)
        for number, line in enumerate(lines(world)):
            if stop.exists() and number >= CLI_LEAST:
                return
            pickle.dump((line, cli.run(*line.words)), file)

    _recorded(out, record)


def terminal(world: World, folder: Path) -> Cli:
    """Where commands are typed: on the contest's database."""
    environment = {"KAQUAN_DATABASE_URL": world.url, "KAQUAN_MASTER_KEY": MASTER_KEY.hex()}
    return Cli(folder / "home", environment)


def lines(world: World) -> Iterator[Line]:
    """What is typed, for ever."""
    pick = Random(world.seed + 1)
    for number in count():
        key = f"cli-{number}"
        shopper, card = pick.choice(world.shoppers)
        told: dict[str, Any] = {"key": key, "caller": OPERATOR}
        pool, stock = pool_id(LUCKY), pick.choice([WIDE, TWIN])
        wallet, program = ("--wallet", public("wal", shopper)), ("--program", PROGRAM)
        claim = Claim(wallet=shopper, program=PROGRAM, stock=stock, **told)
        yield _line(Kind.CLAIM, claim, "voucher", "claim", *program, "--stock", stock, *wallet)
        told_pool = {**told, "key": f"{BRIEF}-{1 + number % (BRIEF_POOLS - 1)}"}
        opening = OpenPackets(program=PROGRAM, code=BRIEF, seed=b"", **told_pool)
        yield _line(Kind.OPEN_PACKETS, opening, "packets", "open", *program, "--code", BRIEF)
        take = OpenPacket(wallet=shopper, pool=pool, **told)
        yield _line(Kind.OPEN_PACKET, take, "packets", "take", public("pol", pool), *wallet)
        order: dict[str, Any] = {"card": card, "merchant": world.merchants[0], "store": None, "order_no": key}
        words = (public("crd", card), "--amount", "100", "--merchant", "mall-1", "--order", key)
        pay = Pay(amount=Money(10_000), **order, **told)
        yield _line(Kind.PAY, pay, "pay", *words)
        paid = scoped_id(OPERATOR.organisation, card, key)
        refund = Refund(payment=paid, amount=Money(3_300), reason="returned", **told)
        words = (public("pay", paid), "--amount", "33", "--reason", "returned")
        yield _line(Kind.REFUND, refund, "refund", *words)
        yield Line(("jobs", "run", "--json"), None, None)
        step: dict[str, Any] = {"program": PROGRAM, "stock": TWIN, "reason": "checked", **told}
        words = (PROGRAM, TWIN, "--reason", "checked")
        yield _line(Kind.PAUSE_STOCK, PauseStock(**step), "stock", "pause", *words)
        yield _line(Kind.RESUME_STOCK, ResumeStock(**step), "stock", "resume", *words)


def _line(kind: Kind, command: Any, *words: str) -> Line:
    identity = scoped_id(command.caller.organisation, command.subject, command.key)
    return Line((*words, "--key", command.key, "--json"), kind, identity)


def _recorded(out: Path, record: Callable[[BinaryIO], None]) -> None:
    try:
        with out.open("wb") as file:
            record(file)
    except BaseException:
        out.with_suffix(".failed").write_text(traceback.format_exc())
        raise
