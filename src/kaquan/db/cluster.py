"""Make a data folder and write its configuration and roles. Everything here may be run again."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from kaquan.db.binaries import Binaries, run_as
from kaquan.db.errors import DatabaseFault
from kaquan.db.place import APP_ROLE, DATABASE, OWNER_ROLE, ROOT_ROLE, Place

SCHEMA = "kaquan"
BUILTIN_LOCALE_SINCE = 17
MIB = 1024 * 1024

CONFIGURATION = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "password_encryption": "scram-sha-256",
    "max_wal_size": "4GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_checkpoints": "off",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "lc_messages": "C",
}
"""What differs from PostgreSQL's defaults, or must not drift from them. Parameters and
details (the key of a duplicate row) stay out of the log: they may hold personal data."""

ACCESS = """\
# Written by Kaquan at every start. Only the private socket, only with a password.
local all all scram-sha-256
local replication all scram-sha-256
"""

APP_GUARDS = {
    "search_path": SCHEMA,
    "statement_timeout": "30s",
    "lock_timeout": "3s",
    "idle_in_transaction_session_timeout": "30s",
}
"""No session of the application may hold anything for long."""

OWNER_GUARDS = {"search_path": SCHEMA}


def initialise(place: Place, binaries: Binaries) -> None:
    """Make the data folder if there is none: complete or not at all. Raises `DatabaseFault`."""
    if place.data_dir.exists():
        return
    partial = place.data_dir.with_name("pg.new")
    shutil.rmtree(partial, ignore_errors=True)
    _make_folder(partial, place)
    handle, password = tempfile.mkstemp(prefix="pw.", dir=partial.parent)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(place.secrets.passwords[ROOT_ROLE] + "\n")
        if place.user is not None:
            os.chown(password, place.user.uid, place.user.gid)
        locale = ["--locale=C"]
        if binaries.major >= BUILTIN_LOCALE_SINCE:
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        answer = subprocess.run(
            [
                binaries.program("initdb"),
                f"--pgdata={partial}",
                f"--username={ROOT_ROLE}",
                f"--pwfile={password}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--data-checksums",
                *locale,
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=server_environment(),
            start_new_session=True,
            **run_as(place.user),
        )
    finally:
        Path(password).unlink()
    if answer.returncode != 0:
        raise DatabaseFault(f"initdb could not make {partial}: {answer.stderr.strip()}")
    partial.rename(place.data_dir)


def configure(place: Place, socket_dir: Path, shared_buffers_mb: int) -> None:
    """Write the server's configuration and access rules; `local.conf` in the data folder is read after ours."""
    buffers = min(shared_buffers_mb, max(16, _memory_mb() // 4))
    chosen = {
        **CONFIGURATION,
        "unix_socket_directories": str(socket_dir),
        "shared_buffers": f"{buffers}MB",
    }
    lines = ["# Written by Kaquan at every start; put your own settings into local.conf beside it."]
    lines += [f"{name} = {_quoted(value)}" for name, value in chosen.items()]
    lines += ["include_if_exists = 'local.conf'"]
    _write(place, "postgresql.conf", "\n".join(lines) + "\n")
    _write(place, "pg_hba.conf", ACCESS)


def server_environment() -> dict[str, str]:
    """The environment of the server's programs: none of the caller's PG* variables, one language."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def ensure_roles(place: Place, socket_dir: Path) -> None:
    """Make the roles and the database that are missing, and set the guards of the sessions."""
    with psycopg.connect(place.url(ROOT_ROLE, socket_dir, "postgres"), autocommit=True) as conn:
        known = {row[0] for row in conn.execute("SELECT rolname FROM pg_roles")}
        for role, powers, guards in (
            (OWNER_ROLE, "LOGIN CREATEDB", OWNER_GUARDS),
            (APP_ROLE, "LOGIN", APP_GUARDS),
        ):
            if role not in known:
                _create_role(conn, role, powers, place.secrets.passwords[role])
            for name, value in guards.items():
                conn.execute(
                    sql.SQL("ALTER ROLE {} SET {} = {}").format(
                        sql.Identifier(role), sql.SQL(name), sql.Literal(value)
                    )
                )
        found = conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if found is None:
            conn.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER_ROLE}")


def _create_role(conn: psycopg.Connection, role: str, powers: str, password: str) -> None:
    # The password is hashed here, so that no statement, and no log of one, ever holds it.
    verifier = conn.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    statement = sql.SQL("CREATE ROLE {} {} PASSWORD {}")
    conn.execute(statement.format(sql.Identifier(role), sql.SQL(powers), sql.Literal(verifier)))


def _make_folder(path: Path, place: Place) -> None:
    path.mkdir(mode=0o700)
    if place.user is not None:
        os.chown(path, place.user.uid, place.user.gid)


def _write(place: Place, name: str, text: str) -> None:
    path = place.data_dir / name
    partial = path.with_suffix(".kaquan")
    partial.unlink(missing_ok=True)
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    if place.user is not None:
        os.chown(partial, place.user.uid, place.user.gid)
    partial.rename(path)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _memory_mb() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MIB


def options(overrides: Mapping[str, str]) -> list[str]:
    """Command line arguments that override the configuration for one run of the server."""
    return [argument for name, value in overrides.items() for argument in ("-c", f"{name}={value}")]
