"""The log of the command line: JSON lines in `<home>/log/kaquan.log`, so that stdout stays the answer's.

No line holds personal data or SQL: an error is logged as its type, its SQLSTATE and the frames it went through,
and with its message only when the message is ours.
"""

import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import psycopg
import structlog

from kaquan.kernel import clock
from kaquan.kernel.refusal import Fault

FILE = "kaquan.log"
SEVERITIES = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def path_of(home: Path) -> Path:
    """Where the log of an installation is."""
    return home / "log" / FILE


def configure(home: Path, level: str) -> None:
    """Send all log lines of this process from `level` up to the installation's log."""
    structlog.configure(
        processors=[structlog.processors.add_log_level, _stamped, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(SEVERITIES[level]),
        logger_factory=lambda *_: _Lines(path_of(home)),
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


class _Lines:
    """Opens the file for each line: most commands write none, and then there is nothing to open."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def msg(self, message: str) -> None:
        """Append one line; a log that cannot be written never breaks a payment."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(message + "\n")
        except OSError:
            pass

    debug = info = warning = error = critical = msg


def _stamped(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["at"] = clock.system_now().isoformat(timespec="milliseconds")
    return event
