"""Real databases for tests: one server for every test run on this machine, one fresh database for each test.

The server's home is the same for every run, so that a run adopts what a killed one left; the last run out removes it.
A migrated template is made once per content of the migrations.
"""

import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from kaquan.db import embedded, migrate
from kaquan.settings import Settings

TEMPLATE_LOCK = 0x74656D706C617465

TEST_SETTINGS = {"fsync": "off", "full_page_writes": "off", "max_connections": "200"}
"""Tests kill processes, never the machine: what reaches the kernel is not lost."""


@dataclass(frozen=True, slots=True)
class Database:
    """A fresh, migrated database."""

    name: str
    app_url: str
    owner_url: str
    root_url: str


def server_settings() -> Settings:
    """Settings of the server that test runs of this checkout share."""
    checkout = hashlib.sha256(str(Path(__file__).resolve()).encode()).hexdigest()[:12]
    home = Path(tempfile.gettempdir()) / f"kaquan-tests-{os.geteuid()}-{checkout}"
    return Settings(home=home, shared_buffers_mb=128)


@contextmanager
def shared_server() -> Iterator[embedded.Server]:
    """The shared server, removed by the last test run that uses it."""
    with embedded.open_server(server_settings(), ephemeral=True, overrides=TEST_SETTINGS) as server:
        yield server


def template(server: embedded.Server) -> str:
    """Name of the migrated template database; made under a lock by whoever needs it first."""
    migrations = migrate.available()
    digest = hashlib.sha256("".join(m.sha256 for m in migrations).encode()).hexdigest()[:12]
    name, partial = f"template_{digest}", f"template_{digest}_{secrets.token_hex(4)}"
    with psycopg.connect(server.owner_url, autocommit=True) as conn:
        conn.execute("SELECT pg_advisory_lock(%s)", [TEMPLATE_LOCK])
        if conn.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(partial)))
            try:
                migrate.migrate(url_of(server.owner_url, partial), migrations)
            except BaseException:
                _drop(conn, partial)
                raise
            conn.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(partial), sql.Identifier(name))
            )
    return name


@contextmanager
def empty_database(server: embedded.Server) -> Iterator[str]:
    """URL of the owner for a database without our schema; dropped afterwards."""
    name = f"test_{secrets.token_hex(8)}"
    with psycopg.connect(server.owner_url, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield url_of(server.owner_url, name)
    finally:
        with psycopg.connect(server.root_url, autocommit=True) as conn:
            _drop(conn, name)


@contextmanager
def fresh_database(server: embedded.Server, template_name: str) -> Iterator[Database]:
    """A copy of the template, dropped afterwards whoever is still connected."""
    name = f"test_{secrets.token_hex(8)}"
    with psycopg.connect(server.owner_url, autocommit=True) as conn:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        conn.execute(statement.format(sql.Identifier(name), sql.Identifier(template_name)))
    database = Database(
        name, url_of(server.app_url, name), url_of(server.owner_url, name), url_of(server.root_url, name)
    )
    try:
        # Rights on the database itself are not copied from a template.
        with psycopg.connect(database.owner_url, autocommit=True) as conn:
            migrate.close_database(conn)
        yield database
    finally:
        with psycopg.connect(server.root_url, autocommit=True) as conn:
            _drop(conn, name)


def url_of(url: str, database: str) -> str:
    """The same server and role, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def _drop(conn: psycopg.Connection, name: str) -> None:
    conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
