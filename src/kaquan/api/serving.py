"""What a serving process holds: lanes that write, connections that look, the keys it knows."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from contextlib import contextmanager, suppress
from datetime import timedelta
from queue import Empty, LifoQueue
from threading import Event, Thread
from typing import Any

import psycopg
import structlog
from anyio import CapacityLimiter

from kaquan.api.errors import ANSWER_UNKNOWN, INTERNAL_FAULT, TOO_BUSY
from kaquan.api.guesses import Guesses
from kaquan.api.lane import APPLICATION_NAME, PACKED, LaneOpening, opened
from kaquan.api.memory import Memory
from kaquan.api.problems import Problem
from kaquan.api.replies import Answer, Hub
from kaquan.commands.committer import Committer, Executor, Full
from kaquan.commands.execute import Unavailable
from kaquan.commands.loading import installation
from kaquan.commands.model import Kind, Outcome
from kaquan.commands.remote import LaneProcess
from kaquan.commands.trouble import told
from kaquan.db.pool import connect
from kaquan.identity.model import Key
from kaquan.identity.service import RENEW_SECONDS, KeyRing
from kaquan.kernel import clock
from kaquan.kernel.calendar import Calendar
from kaquan.kernel.refusal import Fault, Refusal
from kaquan.main import Kaquan, reach_of
from kaquan.programs.catalogue import Catalogue
from kaquan.settings import Settings

log = structlog.get_logger()

LOOKERS_MAX = 12  # connections that look things up; a request that finds none waits, then is told to come back
HOT_LOOKERS_MAX = 6
"""Connections, and threads, of their own for those who pay and claim: nothing slow ever holds one."""

LOOK_WAIT_SECONDS = 5.0
ANSWER_SECONDS = 20.0  # a command that was not decided by then is answered with "unknown": the same id tells


class Serving:
    """Everything a request needs. Use as a context manager: leaving it finishes what was taken in.

    `address` gives the URL of the application's role, and is asked for every connection: a private server that died
    is started again by it. Shared by all threads of the process. With `lane_command` each lane decides in a process
    of its own that this starts (`commands.remote`), else in a thread.
    """

    def __init__(
        self,
        settings: Settings,
        address: Callable[[], str],
        master_key: bytes,
        lanes: int = 2,
        *,
        lane_command: Sequence[str] = (),
    ) -> None:
        self.settings = settings
        self._address = address
        self._master_key = master_key
        self._calendar = Calendar.load(settings.calendar_file)
        self._idle, self._hot = _places(LOOKERS_MAX), _places(HOT_LOOKERS_MAX)
        self.hot_threads = CapacityLimiter(HOT_LOOKERS_MAX)
        self._lane_command = lane_command
        self._processes: dict[int, LaneProcess] = {}
        self.committer = Committer(self._open_lane, lanes)
        self.keys = KeyRing()
        self.memory = Memory()
        self._hub: Hub | None = None
        self._stop = Event()
        self._renewing = Thread(target=self._renew, name="keys", daemon=True)
        self.guesses = Guesses()
        self.ahead = timedelta()  # of the system's clock; looked up whenever a key is

    def __enter__(self) -> "Serving":
        self.committer.__enter__()
        self._renewing.start()
        return self

    def __exit__(self, *trouble: object) -> None:
        self._stop.set()
        self._renewing.join()
        self.committer.__exit__(*trouble)
        for process in self._processes.values():
            process.end()
        with suppress(Problem, psycopg.Error), self.looking() as app:
            self.keys.flush(app.connection, now=True)
        for places in (self._idle, self._hot):
            with suppress(Empty):
                while True:
                    idle = places.get_nowait()
                    if idle is not None:
                        idle.connection.close()

    def _opening(self, lane: int = 0) -> LaneOpening:
        return LaneOpening(self._address(), self._master_key, lane, self.settings)

    def _open_lane(self, lane: int) -> Executor:
        """In the thread of the lane."""
        opening = self._opening(lane)
        if not self._lane_command:
            return opened(opening, self._calendar)
        process = self._processes.get(lane)
        if process is None or not process.lives():
            if process is not None:
                process.end()
            process = self._processes[lane] = LaneProcess(self._lane_command, PACKED)
        process.open(opening)
        return process

    def hub(self) -> Hub:
        """What brings answers into the loop that runs now: a server has one."""
        loop = asyncio.get_running_loop()
        if self._hub is None or self._hub.loop is not loop:
            self._hub = Hub(loop)
        return self._hub

    def connect(self) -> psycopg.Connection[Any]:
        """A connection of one's own. Raises `psycopg.OperationalError`, `DatabaseFault`."""
        return connect(self._address(), application_name=APPLICATION_NAME)

    def on(self, connection: psycopg.Connection[Any], lane: int = 0) -> Kaquan:
        """The application on a connection."""
        return Kaquan(connection, self._master_key, lane, self._calendar, reach_of(self.settings))

    @contextmanager
    def looking(self, *, hot: bool = False) -> Iterator[Kaquan]:
        """The application on a connection that nobody else uses meanwhile; `hot`: for a payment or a claim. Raises
        `Problem` when the database is gone or all connections are busy."""
        places = self._hot if hot else self._idle
        try:
            app = places.get(timeout=LOOK_WAIT_SECONDS)
        except Empty:
            raise Problem(TOO_BUSY) from None
        try:
            if app is None or app.connection.closed:
                app = opened(self._opening(), self._calendar)
            yield app
        except (psycopg.OperationalError, psycopg.InterfaceError, Unavailable) as gone:
            if app is not None:
                app.connection.close()
                app = None
            raise Problem(ANSWER_UNKNOWN) from gone
        finally:
            places.put(app)

    def key(self, token: str, *, hot: bool = False) -> Key:
        """The key that a token is. Raises `Problem` when it lets nobody in."""
        known = self.known_key(token)
        if known is not None:
            return known
        with self.looking(hot=hot) as app:
            at = app.door.at()
            self.ahead = at - clock.system_now()
            return _let_in(self.keys.admit(app.connection, token, at))

    def _renew(self) -> None:
        """Keys that callers go on using are looked up before they are forgotten."""
        while not self._stop.wait(RENEW_SECONDS / 5):
            if self.keys.fades():
                try:
                    with self.looking(hot=True) as app:
                        self._renew_on(app)
                except Exception as trouble:  # then they are looked up when somebody calls
                    log.warning("keys.not_renewed", error=told(trouble))

    def _renew_on(self, app: Kaquan) -> None:
        at = app.door.at()
        self.ahead = at - clock.system_now()
        self.keys.renew(app.connection, at)

    def known_key(self, token: str) -> Key | None:
        """The key that a token is, from memory alone; None when it must be looked up. Raises `Problem` as `key`."""
        known = self.keys.known(token, clock.system_now() + self.ahead)
        return None if known is None else _let_in(known)

    def submit(self, kind: Kind, command: Any) -> "Future[Outcome]":
        """Queue one command. Raises `Problem` when too much is waiting."""
        try:
            return self.committer.submit(kind, command)
        except Full as full:
            raise turned_away(full) from None

    def send(self, kind: Kind, command: Any) -> Outcome:
        """One command, decided. Raises `Problem` when nothing can be said of it."""
        return answered(self.submit(kind, command), ANSWER_SECONDS)


def turned_away(full: Full) -> Problem:
    """What a caller is told whose lane takes nothing: nothing happened, and when to come again."""
    return Problem(TOO_BUSY, retry_seconds=full.wait_seconds)


def _places(count: int) -> "LifoQueue[Kaquan | None]":
    """Room for so many connections, none of them open yet."""
    places: LifoQueue[Kaquan | None] = LifoQueue()
    for _ in range(count):
        places.put(None)
    return places


def _let_in(admitted: Key | Refusal) -> Key:
    if isinstance(admitted, Refusal):
        raise Problem.of(admitted)
    return admitted


def answered(future: "Future[Outcome]", seconds: float | None = 0) -> Outcome:
    """What became of a command. Raises `Problem` when nothing can be said of it, or not in time."""
    try:
        return future.result(seconds)
    except Late:
        future.cancel()
        raise Problem(ANSWER_UNKNOWN) from None
    except (Unavailable, Fault) as trouble:
        return judged(trouble)


def judged(answer: Answer | None) -> Outcome:
    """What a lane said of a command; None: nothing in time. Raises `Problem` when nothing can be said of it."""
    if answer is None:
        raise Problem(ANSWER_UNKNOWN)
    if isinstance(answer, Unavailable):
        raise Problem(ANSWER_UNKNOWN) from answer
    if isinstance(answer, Fault):
        raise Problem(INTERNAL_FAULT) from answer
    if isinstance(answer, BaseException):
        raise answer
    return answer


def up_to_date(app: Kaquan) -> Catalogue:
    """Programs, merchants and stores as they are now."""
    app.catalogue.refresh(app.connection, installation(app.connection)[1])
    return app.catalogue
