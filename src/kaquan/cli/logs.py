"""The log of the command line: JSON lines in `<home>/log/kaquan.log`, so that stdout stays the answer's.

No line holds personal data or SQL: an error is logged as its type, its SQLSTATE and the frames it went through,
and with its message only when the message is ours.
"""

import atexit
import json
import os
import threading
import traceback
from collections import deque
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import structlog

from kaquan.kernel import clock
from kaquan.kernel.refusal import Fault

FILE = "kaquan.log"
REOPEN_SECONDS = 1.0
GATHER_SECONDS = 0.1
SEVERITIES = {"debug": 10, "info": 20, "warning": 30, "error": 40}

_LINES: list["_Lines"] = []
"""Where this process writes to."""

_NEVER = threading.Event()


def path_of(home: Path) -> Path:
    """Where the log of an installation is."""
    return home / "log" / FILE


def configure(home: Path, level: str) -> None:
    """Send all log lines of this process from `level` up to the installation's log."""
    lines = _Lines(path_of(home))
    structlog.configure(
        processors=[_rendered],
        wrapper_class=structlog.make_filtering_bound_logger(SEVERITIES[level]),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )


def error(problem: BaseException) -> None:
    """Log an error that nobody expected."""
    frames = [
        f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(problem.__traceback__)
    ]
    facts: dict[str, Any] = {"error": type(problem).__name__, "frames": frames}
    if isinstance(problem, psycopg.Error):
        facts["sqlstate"] = problem.sqlstate
    if isinstance(problem, Fault):
        facts["message"] = str(problem)
    if problem.__cause__ is not None:
        facts["cause"] = type(problem.__cause__).__name__
    structlog.get_logger().error("cli.error", **facts)


def gather() -> None:
    """From now on, write lines that are no warnings a moment later and together: for a process that writes many."""
    for lines in _LINES:
        lines.gather()


class _Lines:
    """Opens the file with the first line: most commands write none. A server keeps it open, and opens it anew every
    so often, so that it can be moved away."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._opened = 0.0
        self._gathered: deque[str] | None = None
        self._writing = threading.Lock()
        _LINES[:] = [self]

    def gather(self) -> None:
        """See `gather`."""
        if self._gathered is None:
            self._gathered = deque()
            threading.Thread(target=self._write_gathered, name="log", daemon=True).start()
            atexit.register(self._flush)

    def _write_gathered(self) -> None:
        while not _NEVER.wait(GATHER_SECONDS):
            self._flush()

    def _flush(self) -> None:
        with self._writing:
            lines = []
            while self._gathered:
                lines.append(self._gathered.popleft())
            if lines:
                self._write("\n".join(lines))

    def msg(self, message: str) -> None:
        """Append a line that can wait."""
        if self._gathered is None:
            self.urgent(message)
        else:
            self._gathered.append(message)

    def urgent(self, message: str) -> None:
        """Append a line that can't."""
        self._flush()
        with self._writing:
            self._write(message)

    def _write(self, message: str) -> None:
        """A log that cannot be written never breaks a payment. Under the lock: nobody closes the file meanwhile."""
        with suppress(OSError):
            os.write(self._open(), message.encode("utf-8", "replace") + b"\n")

    def _open(self) -> int:
        old = self._file
        if old is not None and clock.seconds() - self._opened <= REOPEN_SECONDS:
            return old
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._opened = clock.seconds()
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        if old is not None:
            os.close(old)
        return self._file

    debug = info = msg
    warning = error = critical = urgent


def _rendered(_: Any, level: str, event: MutableMapping[str, Any]) -> str:
    """A line as it is read: what happened, when, how bad; then its facts in the order in which they were told."""
    at = clock.system_now().isoformat(timespec="milliseconds")
    line = {"event": event.pop("event"), "at": at, "level": level, **event}
    try:
        return msgspec.json.encode(line, enc_hook=repr).decode()
    except UnicodeEncodeError:  # half a surrogate pair
        return json.dumps(line, default=repr)
