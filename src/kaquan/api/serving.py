"""What a serving process holds: lanes that write, connections that look, the keys it knows."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from contextlib import contextmanager, suppress
from datetime import timedelta
from queue import Empty, LifoQueue
from typing import Any

import psycopg
from anyio import CapacityLimiter

from kaquan.api.errors import ANSWER_UNKNOWN, INTERNAL_FAULT, TOO_BUSY
from kaquan.api.guesses import Guesses
from kaquan.api.problems import Problem
from kaquan.commands.committer import Committer, Full
from kaquan.commands.execute import Unavailable
from kaquan.commands.loading import installation
from kaquan.commands.model import Kind, Outcome
from kaquan.db.pool import connect
from kaquan.identity.model import Key
from kaquan.identity.service import KeyRing
from kaquan.kernel import clock
from kaquan.kernel.calendar import Calendar
from kaquan.kernel.refusal import Fault, Refusal
from kaquan.main import Kaquan, reach_of
from kaquan.programs.catalogue import Catalogue
from kaquan.settings import Settings

LOOKERS_MAX = 12  # connections that look things up; a request that finds none waits, then is told to come back
HOT_LOOKERS_MAX = 6
"""Connections, and threads, of their own for those who pay and claim: nothing slow ever holds one."""

LOOK_WAIT_SECONDS = 5.0
ANSWER_SECONDS = 20.0  # a command that was not decided by then is answered with "unknown": the same id tells
_STATEMENT_LIMIT = b"SET statement_timeout = '15s'"


class Serving:
    """Everything a request needs. Use as a context manager: leaving it finishes what was taken in.

    `address` gives the URL of the application's role, and is asked for every connection: a private server that died
    is started again by it. Shared by all threads of the process.
    """

    def __init__(self, settings: Settings, address: Callable[[], str], master_key: bytes, lanes: int = 2) -> None:
        self.settings = settings
        self._address = address
        self._master_key = master_key
        self._calendar = Calendar.load(settings.calendar_file)
        self._idle, self._hot = _places(LOOKERS_MAX), _places(HOT_LOOKERS_MAX)
        self.hot_threads = CapacityLimiter(HOT_LOOKERS_MAX)
        self.committer = Committer(self._open, lanes)
        self.keys = KeyRing()
        self.guesses = Guesses()
        self.ahead = timedelta()  # of the system's clock; looked up whenever a key is

    def __enter__(self) -> "Serving":
        self.committer.__enter__()
        return self

    def __exit__(self, *trouble: object) -> None:
        self.committer.__exit__(*trouble)
        with suppress(Problem, psycopg.Error), self.looking() as app:
            self.keys.flush(app.connection, now=True)
        for places in (self._idle, self._hot):
            with suppress(Empty):
                while True:
                    idle = places.get_nowait()
                    if idle is not None:
                        idle.connection.close()

    def _open(self, lane: int = 0) -> Kaquan:
        connection = self.connect()
        connection.execute(_STATEMENT_LIMIT)
        return self.on(connection, lane)

    def connect(self) -> psycopg.Connection[Any]:
        """A connection of one's own. Raises `psycopg.OperationalError`, `DatabaseFault`."""
        return connect(self._address(), application_name="kaquan serve")

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
                app = self._open()
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

    def known_key(self, token: str) -> Key | None:
        """The key that a token is, from memory alone; None when it must be looked up. Raises `Problem` as `key`."""
        known = self.keys.known(token, clock.system_now() + self.ahead)
        return None if known is None else _let_in(known)

    def submit(self, kind: Kind, command: Any) -> "Future[Outcome]":
        """Queue one command. Raises `Problem` when too much is waiting."""
        try:
            return self.committer.submit(kind, command)
        except Full:
            raise Problem(TOO_BUSY) from None

    def send(self, kind: Kind, command: Any) -> Outcome:
        """One command, decided. Raises `Problem` when nothing can be said of it."""
        return answered(self.submit(kind, command), ANSWER_SECONDS)


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
    except Unavailable as gone:
        raise Problem(ANSWER_UNKNOWN) from gone
    except Fault as fault:
        raise Problem(INTERNAL_FAULT) from fault


def up_to_date(app: Kaquan) -> Catalogue:
    """Programs, merchants and stores as they are now."""
    app.catalogue.refresh(app.connection, installation(app.connection)[1])
    return app.catalogue
