"""Processes that race: each has its own interpreter, its own connection, and starts every round with the others."""

import multiprocessing
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any, NamedTuple

import msgspec

from kaquan.commands.model import Effect, Kind, Outcome, Refused
from kaquan.db.pool import connect
from kaquan.kernel.refusal import Fault
from kaquan.main import Kaquan
from support.town import MASTER_KEY, Town

ROUND_SECONDS = 60

EFFECT, REFUSED, NOT_DECIDED, FAULT = range(4)


class Answer(NamedTuple):
    """An outcome as another process told it. `body` is what the database keeps of the decision."""

    id: bytes
    what: int
    body: bytes
    replayed: bool

    @property
    def code(self) -> str:
        """Why not: the refusal's code, or "" for an effect."""
        return "" if self.what == EFFECT else str(msgspec.json.decode(self.body)["code"])

    @property
    def took_effect(self) -> bool:
        """Whether something happened, now or earlier."""
        return self.what == EFFECT


def answer(outcome: Outcome | Fault) -> Answer:
    """What travels between processes: refusals name their code, which is declared in each of them."""
    if isinstance(outcome, Effect):
        return Answer(outcome.id, EFFECT, outcome.answer, outcome.replayed)
    if isinstance(outcome, Refused):
        refusal = outcome.refusal
        body = msgspec.json.encode({"code": refusal.code.code, "facts": dict(refusal.facts)})
        return Answer(outcome.id, REFUSED if refusal.code.burns else NOT_DECIDED, body, outcome.replayed)
    text = f"{outcome!r} {outcome.__cause__!r}"
    return Answer(b"", FAULT, msgspec.json.encode({"code": "fault", "text": text}), False)


class Racer(NamedTuple):
    """What one process does in one round: one command of `kind`, or `step` with these arguments."""

    kind: Kind | None
    command: Any
    step: Callable[..., Outcome] | None = None
    arguments: Sequence[Any] = ()


class Racers:
    """`count` processes that wait for their rounds."""

    def __init__(self, url: str, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._barrier = context.Barrier(count)
        self._pipes: list[Connection] = []
        self._processes = []
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_race, args=(url, theirs, self._barrier), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)

    def round(self, at: datetime, racers: Sequence[Racer]) -> list[Answer]:
        """Let all start at the same moment; their answers in order. Raises what a process raised."""
        for pipe, racer in zip(self._pipes, racers, strict=True):
            pipe.send((at, racer))
        told = []
        for pipe in self._pipes:
            assert pipe.poll(ROUND_SECONDS), "a process did not answer in time"
            told.append(pipe.recv())
        failed = [each for each in told if isinstance(each, str)]
        assert not failed, "\n".join(failed)
        return told

    def leave(self) -> None:
        """End the processes."""
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(10)
            if process.is_alive():
                process.kill()


@contextmanager
def racing(url: str, count: int) -> Iterator[Racers]:
    """Processes for the rounds of one test."""
    racers = Racers(url, count)
    try:
        yield racers
    finally:
        racers.leave()


class Field(NamedTuple):
    """Where short races are run: a town, its racers, the owner's URL."""

    town: Town
    racers: Racers
    url: str

    def rows(self, question: str, *values: object) -> list[Any]:
        """What the database says."""
        return self.town.app.connection.execute(question.encode(), values).fetchall()


def _race(url: str, pipe: Connection, barrier: Barrier) -> None:
    app = Kaquan(connect(url), MASTER_KEY)
    while True:
        try:
            at, racer = pipe.recv()
        except EOFError:
            return
        app.door._now = lambda at=at: at
        try:
            barrier.wait(ROUND_SECONDS)
            if racer.step is not None:
                told = answer(racer.step(app, *racer.arguments))
            else:
                told = answer(app.execute(racer.kind, [racer.command])[0])
        except Exception:
            pipe.send(traceback.format_exc())
            continue
        pipe.send(told)
