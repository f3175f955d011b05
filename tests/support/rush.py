"""A rush: many claimers on few vouchers, from several processes at once, while others void, expire and look.

Used by `tests/races/test_rush.py`, and at full size by `bench/rush.py`.
"""

import multiprocessing
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from time import sleep
from typing import Any, NamedTuple

import psycopg

from kaquan.commands.committer import lane_of
from kaquan.commands.execute import BATCH_MAX
from kaquan.commands.model import Effect, Kind, Refused
from kaquan.db.pool import connect
from kaquan.holders.service import registration
from kaquan.jobs.run import run_due
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.clock import seconds
from kaquan.kernel.ids import Id, bucket_of
from kaquan.main import Kaquan, collect_rarely
from kaquan.privacy.model import Person
from kaquan.vouchers.model import Claim, VoidVoucher
from support.town import MASTER_KEY, Town

RUSHED, PASSED = "rush", "passed"
"""The stock that everybody wants, and one whose vouchers expire meanwhile."""

TWO_WALLETS_EVERY = 10
"""Of so many persons one has two wallets, and tries with both."""

RETRY_EVERY = 20
VOIDED_EVERY = 50
FAULT = "fault"
WAIT_SECONDS = 120


class Told(NamedTuple):
    """What a worker was answered: when it began and ended and when it was told of its last voucher (a monotonic
    reading in seconds), effects by id, refusals by code, retries that differed."""

    began: float
    ended: float
    handed: float
    effects: set[bytes]
    codes: Counter[str]
    differing: int


def persons(town: Town, count: int) -> list[Id]:
    """The wallets of `count` persons; some have two."""
    commands = []
    for number in range(count):
        for phone in range(2 if number % TWO_WALLETS_EVERY == 0 else 1):
            person = Person("李四", f"13{phone}{number:08d}", f"E{number:08d}")
            commands.append(registration(town.app.master, OPERATOR, f"p{number}-{phone}", person))
    wallets = []
    for start in range(0, len(commands), BATCH_MAX):
        outcomes = town.app.execute(Kind.REGISTER_HOLDER, commands[start : start + BATCH_MAX])
        wallets += [outcome.id for outcome in outcomes if isinstance(outcome, Effect)]
    assert len(wallets) == len(commands)
    return wallets


def claim(wallet: Id, key: str, stock: str = RUSHED) -> Claim:
    """A claim of the rush."""
    return Claim(key=key, caller=OPERATOR, wallet=wallet, program="jingxika", stock=stock)


def rush(
    url: str,
    at: datetime,
    wallets: Sequence[Id],
    workers: int,
    *,
    folder: Path | None = None,
    killed_at: int = 0,
    lanes: bool = False,
    pause: float = 0,
) -> list[Told]:
    """Let all wallets claim from `workers` processes at once, with a timetable and a voider beside them.

    Any wallet claims in any process, unless each has a lane (`lanes`), as those of a server have. The timetable runs
    again after a `pause` in seconds.
    With `killed_at`, all claimers are killed (kill -9) once so many vouchers are there, and others ask for the same
    again, under the same keys. What they were told goes to files in `folder` as it comes: see `acknowledged`.
    """
    context = multiprocessing.get_context("spawn")
    over = context.Event()
    parts: list[list[Id]] = [[] for _ in range(workers)]
    for number, wallet in enumerate(wallets):
        parts[lane_of(bucket_of(wallet), workers) if lanes else number % workers].append(wallet)
    others = [context.Process(target=_expire, args=(url, at, over, pause))]
    others.append(context.Process(target=_void, args=(url, at, over)))
    for process in others:
        process.start()
    barrier = context.Barrier(workers)
    claimers = _claimers(barrier, url, at, parts, folder)
    if killed_at:
        _wait_for(url, killed_at)
        for process, _ in claimers:
            process.kill()
            process.join()
        barrier = context.Barrier(workers)
        claimers = _claimers(barrier, url, at, parts, folder)
    told = [pipe.recv() for _, pipe in claimers]
    over.set()
    ended = [*others, *(process for process, _ in claimers)]
    for process in ended:
        process.join(60)
    assert [process.exitcode for process in ended] == [0] * len(ended)
    return told


def acknowledged(folder: Path) -> set[bytes]:
    """Every voucher that anybody was told of, also by a process that was killed later."""
    lines = [line for path in folder.glob("told-*") for line in path.read_text("ascii").splitlines(keepends=True)]
    return {bytes.fromhex(line) for line in lines if line.endswith("\n")}


def _claimers(
    barrier: Any, url: str, at: datetime, parts: Sequence[list[Id]], folder: Path | None
) -> list[tuple[Any, Connection]]:
    """A process for each part, and where it answers."""
    context, claimers = multiprocessing.get_context("spawn"), []
    for number, part in enumerate(parts):
        ours, theirs = context.Pipe()
        path = folder / f"told-{number}" if folder else None
        process = context.Process(target=_claim, args=(url, at, part, barrier, theirs, path))
        process.start()
        theirs.close()
        claimers.append((process, ours))
    return claimers


def _wait_for(url: str, vouchers: int) -> None:
    """Until so many are there."""
    with connect(url) as connection:
        until = seconds() + WAIT_SECONDS
        while _one(connection, "SELECT count(*) FROM voucher") < vouchers:
            assert seconds() < until, f"no {vouchers} vouchers within {WAIT_SECONDS} seconds"
            sleep(0.02)


def _one(connection: psycopg.Connection[Any], question: str) -> int:
    row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return int(row[0])


def _claim(url: str, at: datetime, wallets: list[Id], barrier: Any, answers: Connection, path: Path | None) -> None:
    app = _app(url, at)
    app.execute(Kind.CLAIM, [claim(wallets[0], "warm")], dry_run=True)
    commands = [claim(wallet, f"c{wallet.hex()}") for wallet in wallets]
    effects: set[bytes] = set()
    codes: Counter[str] = Counter()
    differing = 0
    collect_rarely()
    barrier.wait(60)
    began = handed = seconds()
    with (path or Path(os.devnull)).open("a", encoding="ascii") as file:
        for start in range(0, len(commands), BATCH_MAX):
            batch = commands[start : start + BATCH_MAX]
            outcomes = app.execute(Kind.CLAIM, batch)
            codes.update(_code(outcome) for outcome in outcomes)
            got = [outcome.id for outcome in outcomes if isinstance(outcome, Effect)]
            effects.update(got)
            handed = seconds() if got else handed
            file.writelines(f"{one.hex()}\n" for one in got)
            file.flush()
            again = app.execute(Kind.CLAIM, batch[::RETRY_EVERY])
            differing += sum(
                _code(first) != _code(second)
                for first, second in zip(outcomes[::RETRY_EVERY], again, strict=True)
                if not isinstance(first, Refused) or first.refusal.code.burns
            )
    answers.send(Told(began, seconds(), handed, effects, codes, differing))


def _expire(url: str, at: datetime, over: Event, pause: float) -> None:
    app = _app(url, at)
    while not over.wait(pause):
        run_due(app)


def _void(url: str, at: datetime, over: Event) -> None:
    """An operator takes vouchers back as soon as somebody has them."""
    app, seen = _app(url, at), set()
    while not over.wait(0.05):
        for (identity,) in app.connection.execute(
            "SELECT v.id FROM voucher v JOIN stock s ON s.id = v.stock WHERE s.code = %s AND v.state = 1 LIMIT 500",
            [RUSHED],
        ).fetchall()[::VOIDED_EVERY]:
            command = VoidVoucher(key="void", caller=OPERATOR, voucher=Id(identity.bytes), reason="test")
            if identity not in seen and isinstance(app.one(Kind.VOID_VOUCHER, command), Effect):
                seen.add(identity)


def _app(url: str, at: datetime) -> Kaquan:
    app = Kaquan(connect(url), MASTER_KEY)
    app.door._now = lambda: at
    return app


def _code(outcome: Any) -> str:
    if isinstance(outcome, Effect):
        return ""
    return outcome.refusal.code.code if isinstance(outcome, Refused) else FAULT


OF_LIMITS = {
    "a person with more vouchers of a stock than one": """
        SELECT coalesce(w.person, w.id), v.stock, count(*) FROM voucher v
        JOIN wallet w ON w.bucket = v.bucket AND w.id = v.wallet GROUP BY 1, 2 HAVING count(*) > 1
    """,
    "a voucher whose person holds no token for it": """
        SELECT v.id FROM voucher v JOIN wallet w ON w.bucket = v.bucket AND w.id = v.wallet
        WHERE NOT EXISTS (SELECT FROM token t WHERE t.subject = coalesce(w.person, w.id) AND t.command = v.id)
    """,
}
"""What must never be when every stock limits a person to one voucher."""

QUESTIONS = {
    "a pool that does not say what is left of its stock": """
        SELECT s.code, s.id, sum(l.count_left), count(*) FROM slice l, stock s
        WHERE l.day = 0 AND l.pool = encode(substring(sha256(convert_to('stock ' || s.id, 'UTF8')) FROM 1 FOR 16),
                                            'hex')::uuid
        GROUP BY 1, 2
        HAVING sum(l.count_left) + (SELECT count(*) FROM voucher v WHERE v.stock = s.id)
            <> (SELECT max(e.count) FROM stock_event e WHERE e.stock = s.id)
    """,
    "a voucher whose claim did not take effect, or a claim without one": """
        SELECT c.id FROM command c FULL JOIN voucher v ON v.bucket = c.bucket AND v.id = c.id
        WHERE (c.kind = 60 AND c.outcome = 0 AND v.id IS NULL) OR (v.id IS NOT NULL AND c.outcome IS DISTINCT FROM 0)
    """,
    "money promised that is not that of the vouchers that count": """
        SELECT promised, faces FROM
            (SELECT sum(CASE WHEN credit = 31 THEN amount ELSE -amount END) AS promised FROM posting
             WHERE 31 IN (credit, debit)) p,
            (SELECT sum(face) AS faces FROM voucher WHERE state IN (1, 2)) v
        WHERE coalesce(promised, 0) <> coalesce(faces, 0)
    """,
    "a fund that may promise more than its books say is free": """
        SELECT f.code FROM fund f
        WHERE (SELECT sum(fen_left) FROM slice l WHERE l.pool = f.id)
            > (SELECT sum(CASE WHEN p.credit = 30 AND p.credit_owner = f.id THEN amount ELSE 0 END)
                    - sum(CASE WHEN p.debit = 30 AND p.debit_owner = f.id THEN amount ELSE 0 END) FROM posting p)
    """,
}


def untrue(url: str, *, limited: bool = True) -> Iterator[str]:
    """What is not as it must be after a rush, asked of the rows themselves."""
    questions = {**QUESTIONS, **OF_LIMITS} if limited else QUESTIONS
    with psycopg.connect(url) as connection:
        connection.execute("SET search_path = kaquan")
        for what, question in questions.items():
            if wrong := connection.execute(question.encode()).fetchmany(5):
                yield f"{what}: {wrong}"
