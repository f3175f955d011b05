"""The private PostgreSQL server of an installation, and the door to a real one.

    with open_database(settings) as server:
        connect(server.app_url)

Every process that uses the private server holds a shared lock on `<home>/users.lock`; the last one out stops it.
Whoever starts or stops holds `<home>/start.lock`. A process that is killed loses its locks with its life: its
server stays up, and the next process adopts it. See docs/decisions/0002.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import psycopg

from kaquan.db import binaries, cluster, place, postmaster, real
from kaquan.db.errors import DatabaseFault
from kaquan.db.locks import FileLock
from kaquan.settings import Settings

ATTEMPTS = 3
"""A server that was killed a moment ago may still look alive; dying three times in a row is another matter."""

NO_OVERRIDES: Mapping[str, str] = MappingProxyType({})


@dataclass(slots=True)
class Server:
    """A database that can be reached, as three roles. For a real server only what the settings name is known.

    `app_url` owns nothing and is what a serving process uses; `owner_url` is for migrations; `root_url` is the
    superuser of the private server. `master_key` is the 32-byte root of all encryption keys.
    """

    app: str | None = field(repr=False)
    owner: str | None = field(repr=False)
    root: str | None = field(repr=False)
    master_key: bytes = field(repr=False)
    data: Path | None = None
    _lease: "_Lease | None" = field(default=None, repr=False)

    @property
    def app_url(self) -> str:
        """URL of the application's role; raises `DatabaseFault` if the settings have none."""
        return _known(self.app, "KAQUAN_DATABASE_URL is not set.")

    @property
    def owner_url(self) -> str:
        """URL of the schema's owner; raises `DatabaseFault` if the settings have none."""
        return _known(self.owner, "KAQUAN_OWNER_DATABASE_URL is not set; migrations need it.")

    @property
    def root_url(self) -> str:
        """URL of the private server's superuser; raises `DatabaseFault` for a real server."""
        return _known(self.root, "Only the private server has a superuser that is known here.")

    @property
    def data_dir(self) -> Path:
        """Data folder of the private server; raises `DatabaseFault` for a real server."""
        if self.data is None:
            raise DatabaseFault("A real server's data folder is not known here.")
        return self.data

    def stop(self) -> None:
        """Leave the server; the last user of a private one stops it. A second call does nothing."""
        if self._lease is not None:
            lease, self._lease = self._lease, None
            lease.release()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@dataclass(slots=True)
class _Lease:
    """One process's share in the private server."""

    where: place.Place
    users: FileLock
    ephemeral: bool
    pid: int
    child: subprocess.Popen[bytes] | None

    def release(self) -> None:
        if os.getpid() != self.pid:  # a forked child: the lease stays with its parent
            self.users.release()
            return
        try:
            with _starting(self.where.home):
                if self.users.try_own():
                    postmaster.stop(self.where.data_dir)
                    if self.ephemeral:
                        _remove(self.where)
        finally:
            self.users.release()
            if self.child is not None:
                self.child.poll()


@contextlib.contextmanager
def _starting(home: Path) -> Iterator[None]:
    while True:
        place.prepare_home(home)
        lock = FileLock(home / "start.lock")
        try:
            lock.own()
            if lock.is_current():
                yield
                return
        finally:
            lock.release()


def open_server(
    settings: Settings, *, ephemeral: bool = False, overrides: Mapping[str, str] = NO_OVERRIDES
) -> Server:
    """Start the private server of `settings.home`, or join the one that runs; use the result as a context manager.

    `ephemeral`: the last one out also removes the data, the secrets and the home (tests). `overrides` are
    configuration parameters for this start; a server that already runs keeps its own. Raises `DatabaseFault`.
    """
    with _starting(settings.home):
        users = FileLock(settings.home / "users.lock")
        try:
            users.share()
            closed = place.closed_data(settings.home)
            if closed is not None:
                postmaster.stop(closed)
                place.set_aside(closed)
            where = place.locate(settings.home)
            socket_dir, child = _enter(where, settings, overrides)
        except BaseException:
            users.release()
            raise
    return Server(
        app=where.url(place.APP_ROLE, socket_dir),
        owner=where.url(place.OWNER_ROLE, socket_dir),
        root=where.url(place.ROOT_ROLE, socket_dir),
        master_key=_master_key(settings, where.secrets),
        data=where.data_dir,
        _lease=_Lease(where, users, ephemeral, os.getpid(), child),
    )


def _enter(
    where: place.Place, settings: Settings, overrides: Mapping[str, str]
) -> tuple[Path, subprocess.Popen[bytes] | None]:
    """Be let in by a server: by the one that runs, or, should it die under our hands, by a new one."""
    for attempt in range(1, ATTEMPTS + 1):
        socket_dir, child = _join_or_start(where, settings, overrides)
        try:
            cluster.ensure_roles(where, socket_dir)
        except psycopg.OperationalError as error:
            if attempt == ATTEMPTS or not postmaster.ends_soon(where.data_dir):
                raise DatabaseFault(f"The server of {where.data_dir} does not let us in: {error}") from error
        else:
            return socket_dir, child
    raise AssertionError("unreachable: the last attempt returns or raises")


def _join_or_start(
    where: place.Place, settings: Settings, overrides: Mapping[str, str]
) -> tuple[Path, subprocess.Popen[bytes] | None]:
    found = postmaster.wait_ready(where.data_dir)
    if found is not None:
        place.check_socket_dir(found.socket_dir, where)
        return found.socket_dir, None
    major = int((where.data_dir / "PG_VERSION").read_text("ascii")) if where.data_dir.exists() else None
    programs = binaries.find(settings.pg_bin, where.user, major)
    socket_dir = where.socket_dir()
    place.prepare_socket_dir(socket_dir, where)
    cluster.initialise(where, programs)
    cluster.configure(where, socket_dir, settings.shared_buffers_mb)
    return socket_dir, postmaster.start(where, programs, socket_dir, overrides)


def open_database(settings: Settings) -> Server:
    """The database of the settings: the real server when a URL is set, else the private one.

    `KAQUAN_DATABASE_URL` is the URL of the application's role: `kaquan_app`, or a role that is a member of it.
    `KAQUAN_OWNER_DATABASE_URL` is the owner's, for migrations. Raises `DatabaseFault` if the server is too old
    or the application's role could rewrite history.
    """
    if settings.database_url is None and settings.owner_database_url is None:
        return open_server(settings)
    app = settings.database_url.get_secret_value() if settings.database_url else None
    owner = settings.owner_database_url.get_secret_value() if settings.owner_database_url else None
    if app is not None:
        real.check_app_role(app)
    if settings.master_key is None:
        place.prepare_home(settings.home)
    return Server(app, owner, None, _master_key(settings, None))


def _master_key(settings: Settings, kept: place.Secrets | None) -> bytes:
    if settings.master_key is not None:
        return bytes.fromhex(settings.master_key.get_secret_value())
    return (kept or place.read_secrets(settings.home)).master_key


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of the private server without starting it."""

    running: bool
    in_use: bool
    pid: int | None
    data_dir: Path | None


def server_status(settings: Settings) -> Status:
    """Look at the private server, changing nothing."""
    if not (settings.home / "secrets").exists():
        return Status(False, False, None, None)
    with _starting(settings.home):
        where = place.locate(settings.home)
        found = postmaster.running(where.data_dir)
        in_use = _in_use(settings.home)
        return Status(found is not None, in_use, None if found is None else found.pid, where.data_dir)


def stop_server(settings: Settings, *, force: bool = False) -> Literal["stopped", "not_running", "in_use"]:
    """Stop a private server that nobody uses (one whose owner was killed); `force`: even one in use."""
    if not (settings.home / "secrets").exists():
        return "not_running"
    with _starting(settings.home):
        if not force and _in_use(settings.home):
            return "in_use"
        stopped = postmaster.stop(place.locate(settings.home).data_dir)
        return "stopped" if stopped else "not_running"


def remove_server(settings: Settings) -> None:
    """Stop the private server; delete its data, secrets and home. Raises `DatabaseFault` if it is in use."""
    if not settings.home.exists():
        return
    with _starting(settings.home):
        if _in_use(settings.home):
            raise DatabaseFault(f"The server of {settings.home} is in use by another process.")
        where = place.locate(settings.home)
        postmaster.stop(where.data_dir)
        _remove(where)


def _in_use(home: Path) -> bool:
    users = FileLock(home / "users.lock")
    try:
        return not users.try_own()
    finally:
        users.release()


def _remove(where: place.Place) -> None:
    """Delete what the launcher made, and nothing that somebody else put into the home."""
    if where.user is not None:
        shutil.rmtree(where.data_dir.parent, ignore_errors=True)
    shutil.rmtree(where.socket_dir(), ignore_errors=True)
    for folder in (*where.home.glob("pg*"), where.home / "log"):
        shutil.rmtree(folder, ignore_errors=True)
    for name in ("secrets", "data_dir", "users.lock", "start.lock"):
        (where.home / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        where.home.rmdir()


def _known(value: str | None, otherwise: str) -> str:
    if value is None:
        raise DatabaseFault(otherwise)
    return value
