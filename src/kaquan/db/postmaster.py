"""The server process: whether it runs, starting it, stopping it, and clearing what a killed one left.

A file `postmaster.pid` proves nothing: its process may be dead and the number given to another. A server runs
when a process lives whose working folder *is* the data folder (PostgreSQL changes into it at its start).
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kaquan.db.binaries import Binaries, run_as
from kaquan.db.cluster import options, server_environment
from kaquan.db.errors import DatabaseFault
from kaquan.db.place import Place, socket_file

POLL_SECONDS = 0.02
START_SECONDS = 900
"""Long: recovery after a crash replays up to 4 GB of log, and a process that still works on it is left alone."""

STOP_SECONDS = 60
VANISH_SECONDS = 1.0
LOG_CAP_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Running:
    """A live server as its own lock file describes it."""

    pid: int
    socket_dir: Path
    state: str


def running(data_dir: Path) -> Running | None:
    """The live server of `data_dir`, or `None`."""
    try:
        lines = (data_dir / "postmaster.pid").read_text("utf-8").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return None
    # pid, data folder, start time, port, socket folder, address, shared memory, state; short while being written
    if len(lines) < 5 or not lines[0].isdigit() or not _lives_in(int(lines[0]), data_dir):
        return None
    return Running(int(lines[0]), Path(lines[4]), lines[7].strip() if len(lines) > 7 else "starting")


def start(
    place: Place, binaries: Binaries, socket_dir: Path, overrides: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start the server in its own session and wait until it is ready. Raises `DatabaseFault` with its last words."""
    clear_leftovers(place, socket_dir)
    _rotate(place.log)
    with place.log.open("ab") as log:
        process: subprocess.Popen[bytes] = subprocess.Popen(
            [binaries.program("postgres"), "-D", str(place.data_dir), *options(overrides)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=server_environment(),
            start_new_session=True,
            **run_as(place.user),
        )
    deadline = time.monotonic() + START_SECONDS
    while (found := running(place.data_dir)) is None or found.state != "ready":
        if process.poll() is not None:
            raise DatabaseFault(f"PostgreSQL did not start (exit {process.returncode}). {_last_words(place.log)}")
        if time.monotonic() > deadline:
            process.send_signal(signal.SIGINT)
            raise DatabaseFault(f"PostgreSQL was not ready after {START_SECONDS} s. {_last_words(place.log)}")
        time.sleep(POLL_SECONDS)
    return process


def wait_ready(data_dir: Path) -> Running | None:
    """Wait while a live server starts or stops; the server once it is ready, `None` once it is gone."""
    deadline = time.monotonic() + START_SECONDS
    while (found := running(data_dir)) is not None and found.state != "ready":
        if time.monotonic() > deadline:
            raise DatabaseFault(f"The server {found.pid} has been '{found.state}' for {START_SECONDS} s.")
        time.sleep(POLL_SECONDS)
    return found


def ends_soon(data_dir: Path) -> bool:
    """Whether the server is gone, or goes while we look: a killed process takes a moment to vanish."""
    deadline = time.monotonic() + VANISH_SECONDS
    while running(data_dir) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def stop(data_dir: Path) -> bool:
    """Stop the server: at once for its clients, with a checkpoint for its data. False if none was running."""
    found = running(data_dir)
    if found is None:
        return False
    for sent, patience in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, STOP_SECONDS)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(found.pid, sent)
        deadline = time.monotonic() + patience
        while _lives_in(found.pid, data_dir):
            if time.monotonic() > deadline:
                break
            time.sleep(POLL_SECONDS)
        else:
            return True
    raise DatabaseFault(f"The server {found.pid} of {data_dir} does not stop.")


def clear_leftovers(place: Place, socket_dir: Path) -> None:
    """After a kill -9 of the server: end its children, and remove lock files whose number may belong to another.

    Call it under the start lock and only when no server runs.
    """
    _end_children(place.data_dir)
    (place.data_dir / "postmaster.pid").unlink(missing_ok=True)
    socket = socket_file(socket_dir)
    socket.with_name(f"{socket.name}.lock").unlink(missing_ok=True)
    socket.unlink(missing_ok=True)


def _end_children(data_dir: Path) -> None:
    """A child that outlives its server still holds the shared memory, and a new server would refuse to start."""
    for sent, patience in ((signal.SIGQUIT, 2.0), (signal.SIGKILL, 10.0)):
        deadline = time.monotonic() + patience
        for pid in _inhabitants(data_dir):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sent)
        while any(True for _ in _inhabitants(data_dir)):
            if time.monotonic() > deadline:
                break
            time.sleep(POLL_SECONDS)
        else:
            return
    raise DatabaseFault(f"Processes of a killed server still live in {data_dir}: {list(_inhabitants(data_dir))}.")


def _inhabitants(data_dir: Path) -> Iterator[int]:
    for entry in Path("/proc").glob("[0-9]*"):
        if _lives_in(int(entry.name), data_dir):
            yield int(entry.name)


def _lives_in(pid: int, data_dir: Path) -> bool:
    """Whether `pid` is a live PostgreSQL process of `data_dir`; a dead one that awaits its parent has no folder."""
    if not Path("/proc/self").exists():  # not Linux
        answer = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return str(data_dir) in answer.stdout
    try:
        return Path(f"/proc/{pid}/cwd").samefile(data_dir) and Path(f"/proc/{pid}/exe").readlink().name.startswith(
            "postgres"
        )
    except OSError:
        return False


def _rotate(log: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > LOG_CAP_BYTES:
            log.replace(log.with_suffix(".log.1"))


def _last_words(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").splitlines()[-5:]
    return f"Its log {log} ends: " + " | ".join(lines)
