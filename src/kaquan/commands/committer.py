"""Group commit: concurrent callers share transactions.

Each lane is a thread with its own connection. A command goes to the lane of its bucket; a lane's next batch is
whatever queued while its last one was in flight, up to `BATCH_MAX`, without a timer. Lanes make it fast, never
correct: any number of processes may write at once.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from math import ceil
from typing import Any, NamedTuple, Protocol, TypeVar

import structlog
from opentelemetry import trace

from kaquan.commands.execute import BATCH_MAX, Unavailable
from kaquan.commands.model import Kind, Outcome
from kaquan.commands.trouble import told
from kaquan.kernel import clock
from kaquan.kernel.ids import BUCKET_COUNT, BUCKETS, bucket_of
from kaquan.kernel.refusal import Fault

QUEUE_MAX = 5_000  # per lane: about a second of work; beyond it a caller is better told to come back
PAUSE_SECONDS = 0.2
PAUSE_MAX_SECONDS = 5.0
"""Between attempts to open a lane that can't be opened: the first pause, which doubles, and the longest."""

LINKS_MAX = 50  # of a batch's commands that its span names: enough to find one's own among few, and to see many
_POSITION = {label: position for position, label in enumerate(BUCKETS)}

log = structlog.get_logger()

_TRACER = trace.get_tracer("kaquan.commands")


class Reply(Protocol):
    """Who is told what became of a command: a `Future` is one. It is told in the lane's thread."""

    def set_running_or_notify_cancel(self) -> bool:
        """The command is about to be carried out; false when nobody wants that any more."""

    def set_result(self, outcome: Outcome, /) -> None:
        """It was decided."""

    def set_exception(self, trouble: BaseException | None, /) -> None:
        """It was not: `Fault` (nothing happened) or `Unavailable` (nothing is known)."""


Telling = TypeVar("Telling", bound=Reply)


class Item(NamedTuple):
    """A command that waits, who is to be told, and the span of who submitted it."""

    kind: Kind
    command: Any
    reply: Reply
    span: trace.SpanContext


class Executor(Protocol):
    """What a lane works with: one connection's view of the installation."""

    def execute(self, kind: Kind, commands: list[Any], *, dry_run: bool = False) -> list[Outcome | Fault]:
        """A batch of commands of one kind."""


def lane_of(bucket: int, lanes: int) -> int:
    """The lane of a bucket: buckets that lie together share one, and with it the slices of their pools."""
    return _POSITION[bucket] * lanes // BUCKET_COUNT


class Full(Exception):
    """The lane's queue is full, or the lane can't be opened for now: retry with the same key after `wait_seconds`.
    Nothing happened."""

    def __init__(self, why: str, wait_seconds: int = 1) -> None:
        super().__init__(why)
        self.wait_seconds = wait_seconds


class Committer:
    """Lanes that execute whatever is submitted, and answer through futures.

    `open_lane(number)` makes one lane's executor, in that lane's thread; it is called again after the database
    was gone, and after a pause when that failed. Use as a context manager: leaving it finishes what is queued.
    """

    def __init__(self, open_lane: Callable[[int], Executor], lanes: int) -> None:
        self._lanes = [_Lane(number, open_lane) for number in range(lanes)]

    def __enter__(self) -> "Committer":
        for lane in self._lanes:
            lane.start()
        return self

    def __exit__(self, *_: object) -> None:
        for lane in self._lanes:
            lane.finish()
        for lane in self._lanes:
            lane.join()

    def waiting(self) -> int:
        """How many commands are queued, none of them under way."""
        return sum(len(lane) for lane in self._lanes)

    def room(self) -> int:
        """How many more commands find a place at most, if they fall on all lanes alike."""
        return len(self._lanes) * QUEUE_MAX - self.waiting()

    def submit(self, kind: Kind, command: Any) -> "Future[Outcome]":
        """Queue one command. Raises `Full` when its lane has too much to do.

        The future gives the outcome; it raises `Fault` for our own failure (nothing happened) and
        `Unavailable` when the database was gone (unknown: the same key tells). It can be cancelled while the
        command waits: then nothing happens. Once its batch is under way it can't.
        """
        future: Future[Outcome] = Future()
        self.tell(kind, command, future)
        return future

    def tell(self, kind: Kind, command: Any, reply: Reply) -> None:
        """As `submit`, with somebody else to be told than a future."""
        self._lanes[self._number(command)].put((Item(kind, command, reply, _span()),))

    def tell_all(self, kind: Kind, told: Iterable[tuple[Any, Telling]]) -> list[tuple[Telling, Full]]:
        """As `tell`, for many at once; gives back those whose lane takes nothing, and why."""
        span = _span()
        lanes: list[list[Item]] = [[] for _ in self._lanes]
        for command, reply in told:
            lanes[self._number(command)].append(Item(kind, command, reply, span))
        left: list[tuple[Any, Full]] = []
        for lane, items in zip(self._lanes, lanes, strict=True):
            try:
                lane.put(items)
            except Full as full:
                left += [(item.reply, full) for item in items]
        return left

    def _number(self, command: Any) -> int:
        return lane_of(bucket_of(command.subject), len(self._lanes))


def _span() -> trace.SpanContext:
    return trace.get_current_span().get_span_context()


class _Lane(threading.Thread):
    def __init__(self, number: int, open_lane: Callable[[int], Executor]) -> None:
        super().__init__(name=f"lane-{number}", daemon=True)
        self._number = number
        self._open = open_lane
        self._executor: Executor | None = None
        self._pause_seconds = PAUSE_SECONDS  # before the next attempt, when one fails
        self._closed_until = clock.seconds()
        self._queue: deque[Item] = deque()
        self._ready = threading.Condition()
        self._finishing = False

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, items: Sequence[Item]) -> None:
        with self._ready:
            if self._finishing:
                raise Full("the committer is closing")
            if wait := self._wait_seconds():
                raise Full(f"lane {self._number} is closed", wait)
            if len(self._queue) + len(items) > QUEUE_MAX:
                raise Full(f"lane {self._number} has {len(self._queue)} commands waiting")
            self._queue.extend(items)
            self._ready.notify()

    def finish(self) -> None:
        with self._ready:
            self._finishing = True
            self._ready.notify()

    def run(self) -> None:
        with suppress(Exception):  # it is tried again with the first batch after a pause
            self._opened()
        while batch := self._next():
            by_kind: dict[Kind, list[Item]] = {}
            for item in batch:
                by_kind.setdefault(item.kind, []).append(item)
            for kind, items in by_kind.items():
                self._execute(kind, items)

    def _opened(self) -> Executor:
        """The lane, open. Raises what `open_lane` does, and `Unavailable` when that was a moment ago."""
        if self._executor is not None:
            return self._executor
        if self._wait_seconds():
            raise Unavailable("the lane can't be opened for now")
        try:
            self._executor = self._open(self._number)
        except Exception as trouble:
            pause, self._pause_seconds = self._pause_seconds, min(2 * self._pause_seconds, PAUSE_MAX_SECONDS)
            self._closed_until = clock.seconds() + pause
            log.warning("lane.closed", lane=self._number, pause_ms=round(pause * 1_000), error=told(trouble))
            raise
        self._pause_seconds = PAUSE_SECONDS
        return self._executor

    def _wait_seconds(self) -> int:
        """How long nothing is tried; 0 when something may be."""
        return max(0, ceil(self._closed_until - clock.seconds()))

    def _next(self) -> list[Item]:
        """What queued meanwhile; empty when the lane is done."""
        with self._ready:
            while not self._queue and not self._finishing:
                self._ready.wait()
            return [self._queue.popleft() for _ in range(min(len(self._queue), BATCH_MAX))]

    def _execute(self, kind: Kind, waiting: list[Item]) -> None:
        items = [item for item in waiting if item.reply.set_running_or_notify_cancel()]
        if not items:
            return
        links = [trace.Link(item.span) for item in items[:LINKS_MAX] if item.span.is_valid]
        about = {"kaquan.lane": self._number, "kaquan.commands": len(items)}
        try:
            with _TRACER.start_as_current_span(f"batch {kind.name}", links=links, attributes=about):
                outcomes = self._opened().execute(kind, [item.command for item in items])
        except Exception as trouble:  # every waiting caller must be told, whatever it was
            self._executor = None
            log.warning("lane.lost", lane=self._number, waiting=len(items), error=told(trouble))
            answer = trouble if isinstance(trouble, Unavailable) else Unavailable(told(trouble))
            for item in items:
                item.reply.set_exception(answer)
            return
        for item, outcome in zip(items, outcomes, strict=True):
            if isinstance(outcome, Fault):
                item.reply.set_exception(outcome)
            else:
                item.reply.set_result(outcome)
