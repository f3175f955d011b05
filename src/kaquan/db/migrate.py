"""The numbered migrations: applied in order, each in one transaction, each remembered with its hash."""

import hashlib
import re
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Literal

import psycopg
from psycopg import sql

from kaquan.db.errors import MigrationFault

FILE_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
LOCK = 0x6B617175616E
"""Advisory lock "kaquan": migrations of one database never run at the same time."""

LEDGER = """
CREATE TABLE IF NOT EXISTS kaquan.schema_migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of `db/migrations`."""

    number: int
    name: str
    sha256: str
    body: str


@dataclass(frozen=True, slots=True)
class MigrationState:
    """A migration and what the database knows of it. `missing`: applied, but its file is not here (older code)."""

    number: int
    name: str
    state: Literal["applied", "pending", "changed", "missing"]


def available(folder: Traversable | None = None) -> list[Migration]:
    """The migrations that this code brings, in order. Raises `MigrationFault` for a gap or a wrong name."""
    found = []
    for file in (folder or resources.files("kaquan.db") / "migrations").iterdir():
        if not file.name.endswith(".sql"):
            continue
        match = FILE_NAME.fullmatch(file.name)
        if match is None:
            raise MigrationFault(f"{file.name} is not named NNNN_name.sql.")
        body = file.read_text("utf-8")
        digest = hashlib.sha256(body.encode()).hexdigest()
        found.append(Migration(int(match[1]), match[2], digest, body))
    found.sort(key=lambda migration: migration.number)
    numbers = [migration.number for migration in found]
    if numbers != list(range(1, len(numbers) + 1)):
        raise MigrationFault(f"The migrations are numbered {numbers}; they must run from 1 without gap or double.")
    return found


def migrate(owner_url: str, migrations: list[Migration] | None = None) -> list[Migration]:
    """Apply what is pending, as the owner of the schema, and return it. Raises `MigrationFault` and changes nothing
    more when an applied file was changed, is unknown, or fails."""
    wanted = available() if migrations is None else migrations
    applied = []
    with psycopg.connect(owner_url, autocommit=True, application_name="kaquan migrate") as conn:
        conn.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        _prepare(conn)
        for state in _compare(conn, wanted):
            if state.state in ("changed", "missing"):
                raise MigrationFault(_refusal(state))
        known = _known(conn)
        for migration in wanted:
            if migration.number not in known:
                _apply(conn, migration)
                applied.append(migration)
    return applied


def status(owner_url: str, migrations: list[Migration] | None = None) -> list[MigrationState]:
    """Every migration with its state, changing nothing."""
    with psycopg.connect(owner_url, autocommit=True, application_name="kaquan migrate") as conn:
        return _compare(conn, available() if migrations is None else migrations)


def _prepare(conn: psycopg.Connection) -> None:
    """The schema, who may enter it and the database, and the table of what was applied."""
    if conn.execute("SELECT FROM pg_roles WHERE rolname = 'kaquan_app'").fetchone() is None:
        raise MigrationFault(
            "The role kaquan_app does not exist; docs/decisions/0002 has the statements for a real server."
        )
    with conn.transaction():
        if conn.execute("SELECT FROM pg_namespace WHERE nspname = 'kaquan'").fetchone() is None:
            conn.execute("CREATE SCHEMA kaquan")
        conn.execute("GRANT USAGE ON SCHEMA kaquan TO kaquan_app")
        conn.execute(LEDGER)
    close_database(conn)


def close_database(conn: psycopg.Connection) -> None:
    """Let only the application's role into the database, with no right to temporary tables, if it is ours to say."""
    owned = "SELECT FROM pg_database WHERE datname = current_database() AND datdba = current_user::regrole"
    if conn.execute(owned).fetchone() is not None:
        name = sql.Identifier(conn.info.dbname)
        conn.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
        conn.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO kaquan_app").format(name))


def _known(conn: psycopg.Connection) -> dict[int, tuple[str, str]]:
    if conn.execute("SELECT to_regclass('kaquan.schema_migration')").fetchone() == (None,):
        return {}
    rows = conn.execute("SELECT number, name, sha256 FROM kaquan.schema_migration ORDER BY number")
    return {number: (name, digest) for number, name, digest in rows}


def _compare(conn: psycopg.Connection, wanted: list[Migration]) -> list[MigrationState]:
    known = _known(conn)
    states = []
    for migration in wanted:
        if migration.number not in known:
            states.append(MigrationState(migration.number, migration.name, "pending"))
            continue
        name, digest = known.pop(migration.number)
        same = (name, digest) == (migration.name, migration.sha256)
        states.append(MigrationState(migration.number, migration.name, "applied" if same else "changed"))
    return states + [MigrationState(number, name, "missing") for number, (name, _) in known.items()]


def _apply(conn: psycopg.Connection, migration: Migration) -> None:
    try:
        with conn.transaction():
            # Late names and unqualified objects both belong to our schema, whatever the owner's own search path.
            conn.execute("SET LOCAL search_path = kaquan")
            conn.execute(migration.body.encode(), prepare=False)
            conn.execute(
                "INSERT INTO kaquan.schema_migration (number, name, sha256, applied_at)"
                " VALUES (%s, %s, %s, statement_timestamp())",
                [migration.number, migration.name, migration.sha256],
            )
    except psycopg.Error as error:
        where = f"{migration.number:04d}_{migration.name}.sql"
        raise MigrationFault(f"{where} failed and left no trace: {error}") from error


def _refusal(state: MigrationState) -> str:
    file = f"{state.number:04d}_{state.name}.sql"
    if state.state == "missing":
        return (
            f"{file} was applied to this database, but this code does not have it: the code is older than the data."
        )
    return (
        f"{file} was changed after it was applied to this database. "
        "Restore the file and write the change as a new migration."
    )
