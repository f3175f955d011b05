"""A lane's executor in a process of its own, asked over a socket.

Threads of one process wait for each other at the interpreter: with lanes as processes the deciding has a core of its
own (docs/benchmarks.md). A process ends by itself when whoever started it is gone.
"""

import os
import pickle
import signal
import socket
import subprocess
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import cache
from multiprocessing.connection import Connection
from typing import Any

import msgspec
from opentelemetry import trace

from kaquan.commands.committer import Executor
from kaquan.commands.execute import Unavailable
from kaquan.commands.model import Effect, Kind, Outcome, Refused
from kaquan.commands.trouble import told
from kaquan.kernel.refusal import CATALOGUE, Fault, Refusal

ANSWER_SECONDS = 60.0  # for a batch with all its attempts; whose process hangs longer is killed
END_SECONDS = 20.0  # for a process to be gone that nobody asks any more

_EFFECT, _REFUSED, _FAULT = 0, 1, 2
_SPAN = tuple[int, int, int]


class LaneProcess:
    """The near end: starts the process, and is its `committer.Executor`. Used by one thread at a time.

    `command` starts a program that calls `work` with the descriptor that is added as its last argument. Commands of
    the types `packed` hold nothing but plain values: they travel in a fifth of the time.
    """

    def __init__(self, command: Sequence[str], packed: Collection[type] = ()) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            words = [*command, str(theirs.fileno())]
            self._process = subprocess.Popen(
                words, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, process_group=0
            )
        self._far = Connection(ours.detach())
        self._packed = frozenset(packed)

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def lives(self) -> bool:
        """Whether it can be asked."""
        return not self._far.closed and self._process.poll() is None

    def open(self, opening: Any) -> None:
        """Let it make its executor, anew if it has one. Raises `Unavailable`."""
        self._ask((None, None, opening, None))

    def execute(self, kind: Kind, commands: list[Any], *, dry_run: bool = False) -> list[Outcome | Fault]:
        """A batch, decided over there. Raises `Unavailable` also when the process died: then nothing is known."""
        if dry_run:
            raise ValueError("lanes try nothing")
        context = trace.get_current_span().get_span_context()
        span = (context.trace_id, context.span_id, int(context.trace_flags)) if context.is_valid else None
        return [_outcome(one) for one in self._ask((kind, *self._wrapped(commands), span))]

    def _wrapped(self, commands: list[Any]) -> tuple[type | None, Any]:
        kinds = {type(command) for command in commands}
        if len(kinds) == 1 and kinds <= self._packed:
            with suppress(
                UnicodeEncodeError, OverflowError
            ):  # the door refuses what holds that, and nothing beside it
                return kinds.pop(), msgspec.msgpack.encode(commands)
        return None, commands

    def _ask(self, question: tuple[Any, ...]) -> list[Any]:
        try:
            self._far.send_bytes(pickle.dumps(question, pickle.HIGHEST_PROTOCOL))
            if not self._far.poll(ANSWER_SECONDS):
                self._process.kill()
            answer = msgspec.msgpack.decode(self._far.recv_bytes())
        except BaseException as gone:  # an answer that was not read would be taken for that of the next question
            self._far.close()
            if not isinstance(gone, EOFError | OSError):
                raise
            raise Unavailable("the process of the lane is gone") from gone
        if isinstance(answer, str):
            raise Unavailable(answer)
        outcomes: list[Any] = answer
        return outcomes

    def end(self) -> None:
        """Let it finish and be gone."""
        self._far.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        self._process.kill()
        self._process.wait()


def work(descriptor: int, open_executor: Callable[[Any], Executor]) -> None:
    """The far end: carry out what is asked until nobody asks any more. `open_executor` is told what `open` was."""
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)  # who started us ends us, when all is answered
    executor: Executor | None = None
    with Connection(descriptor) as near:
        while True:
            try:
                asked = near.recv_bytes()
            except (EOFError, OSError):
                return
            try:
                kind, packed, given, span = pickle.loads(asked)  # noqa: S301 - from the process that started us
                if kind is None:
                    executor, answer = open_executor(given), []
                else:
                    answer = _carried_out(executor, kind, _decoder(packed).decode(given) if packed else given, span)
                told_back = msgspec.msgpack.encode(answer)
            except Exception as trouble:  # whatever it was, who asked must be told
                executor, told_back = None, msgspec.msgpack.encode(told(trouble))
            with suppress(OSError):
                near.send_bytes(told_back)


def _carried_out(executor: Executor | None, kind: Kind, commands: list[Any], span: _SPAN | None) -> list[Any]:
    if executor is None:
        raise Unavailable("the lane is not open")
    if span is None:
        return [_told(one) for one in executor.execute(kind, commands)]
    context = trace.SpanContext(span[0], span[1], is_remote=True, trace_flags=trace.TraceFlags(span[2]))
    with trace.use_span(trace.NonRecordingSpan(context)):
        return [_told(one) for one in executor.execute(kind, commands)]


@cache
def _decoder(kind: type) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(list[kind])  # type: ignore[valid-type]


def _told(outcome: Outcome | Fault) -> tuple[Any, ...]:
    if isinstance(outcome, Effect):
        return (_EFFECT, outcome.id, outcome.answer, outcome.replayed)
    if isinstance(outcome, Fault):
        return (_FAULT, str(outcome))
    return (_REFUSED, outcome.id, outcome.refusal.code.code, dict(outcome.refusal.facts), outcome.replayed)


def _outcome(given: list[Any]) -> Outcome | Fault:
    match given[0]:
        case 0:
            return Effect(given[1], given[2], given[3])
        case 1:
            return Refused(given[1], Refusal(CATALOGUE[given[2]], given[3]), given[4])
    return Fault(given[1])


def entry(open_executor: Callable[[Any], Executor], arguments: Sequence[str]) -> None:
    """The main function of such a process."""
    descriptor = int(arguments[-1])
    os.set_inheritable(descriptor, False)
    work(descriptor, open_executor)
