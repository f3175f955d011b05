"""The timetable beside a serving process: what is due is carried out once a minute."""

import threading
from collections.abc import Callable

import structlog

from kaquan.commands.trouble import told
from kaquan.jobs.run import run_due
from kaquan.main import Kaquan

PERIOD_SECONDS = 60.0
END_SECONDS = 30.0  # a run that lasts longer is left: each of its batches is whole, and the next run goes on

log = structlog.get_logger()


class Minutely:
    """Runs what is due in a thread of its own. Use as a context manager: leaving it ends the run under way.

    `open_app` makes the thread's own view of the installation, anew after the database was gone. Several processes
    may do this on one database: nothing happens twice.
    """

    def __init__(self, open_app: Callable[[], Kaquan]) -> None:
        self._open = open_app
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="timetable", daemon=True)

    def __enter__(self) -> "Minutely":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(END_SECONDS)

    def _run(self) -> None:
        app: Kaquan | None = None
        while not self._end.is_set():
            try:
                app = app or self._open()
                done = run_due(app)
                if done:
                    log.info("jobs.done", **{kind.name.lower(): count for kind, count in done.items()})
            except Exception as trouble:  # whatever it was, the next minute tries again
                log.warning("jobs.failed", error=told(trouble))
                if app is not None:
                    app.connection.close()
                app = None
            self._end.wait(PERIOD_SECONDS)
        if app is not None:
            app.connection.close()
