"""Migrations: in order, once, all or nothing, and never changed afterwards."""

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from kaquan.db import migrate
from kaquan.db.embedded import Server
from kaquan.db.errors import MigrationFault
from kaquan.db.migrate import Migration
from support.database import empty_database


@pytest.fixture
def owner_url(server: Server) -> Iterator[str]:
    """A database without any schema of ours."""
    with empty_database(server) as url:
        yield url


def migration(number: int, body: str) -> Migration:
    return Migration(number, f"step_{number}", hashlib.sha256(body.encode()).hexdigest(), body)


FIRST = migration(1, "CREATE TABLE first (id integer PRIMARY KEY); GRANT SELECT ON first TO kaquan_app")
SECOND = migration(2, "INSERT INTO first VALUES (1)")


def states(owner_url: str, *wanted: Migration) -> list[str]:
    return [state.state for state in migrate.status(owner_url, list(wanted))]


def test_pending_migrations_are_applied_once_in_order(owner_url: str) -> None:
    assert states(owner_url, FIRST, SECOND) == ["pending", "pending"]
    assert migrate.migrate(owner_url, [FIRST]) == [FIRST]
    assert states(owner_url, FIRST, SECOND) == ["applied", "pending"]
    assert migrate.migrate(owner_url, [FIRST, SECOND]) == [SECOND]
    assert migrate.migrate(owner_url, [FIRST, SECOND]) == []
    with psycopg.connect(owner_url) as conn:
        assert conn.execute("SELECT * FROM kaquan.first").fetchall() == [(1,)]


def test_failed_migration_leaves_no_trace(owner_url: str) -> None:
    broken = migration(2, "INSERT INTO first VALUES (1); CREATE TABLE second (); SELECT 1 / 0")
    with pytest.raises(MigrationFault, match=r"0002_step_2\.sql failed and left no trace: division by zero"):
        migrate.migrate(owner_url, [FIRST, broken])
    assert states(owner_url, FIRST, broken) == ["applied", "pending"]
    with psycopg.connect(owner_url) as conn:
        assert conn.execute("SELECT * FROM kaquan.first").fetchall() == []
        assert conn.execute("SELECT to_regclass('kaquan.second')").fetchone() == (None,)


def test_changed_file_is_refused_and_nothing_moves(owner_url: str) -> None:
    migrate.migrate(owner_url, [FIRST])
    changed = migration(1, FIRST.body + " -- changed")
    assert states(owner_url, changed, SECOND) == ["changed", "pending"]
    with pytest.raises(MigrationFault, match=r"0001_step_1\.sql was changed after it was applied"):
        migrate.migrate(owner_url, [changed, SECOND])
    assert states(owner_url, FIRST, SECOND) == ["applied", "pending"]


def test_older_code_is_refused_on_newer_data(owner_url: str) -> None:
    migrate.migrate(owner_url, [FIRST, SECOND])
    assert states(owner_url, FIRST) == ["applied", "missing"]
    with pytest.raises(MigrationFault, match="the code is older than the data"):
        migrate.migrate(owner_url, [FIRST])


def test_migrating_twice_at_the_same_moment_applies_once(owner_url: str) -> None:
    applied: list[Migration] = []
    threads = [
        threading.Thread(target=lambda: applied.extend(migrate.migrate(owner_url, [FIRST, SECOND]))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert applied == [FIRST, SECOND]


def test_application_role_cannot_touch_the_history_of_migrations(server: Server, owner_url: str) -> None:
    migrate.migrate(owner_url, [FIRST])
    app = psycopg.conninfo.make_conninfo(
        server.app_url, dbname=psycopg.conninfo.conninfo_to_dict(owner_url)["dbname"]
    )
    with psycopg.connect(app) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("DELETE FROM kaquan.schema_migration")


def test_gap_double_and_wrong_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "0001_one.sql").write_text("SELECT 1")
    assert [found.name for found in migrate.available(tmp_path)] == ["one"]
    (tmp_path / "0003_three.sql").write_text("SELECT 3")
    with pytest.raises(MigrationFault, match="without gap or double"):
        migrate.available(tmp_path)
    (tmp_path / "0003_three.sql").rename(tmp_path / "0001_three.sql")
    with pytest.raises(MigrationFault, match="without gap or double"):
        migrate.available(tmp_path)
    (tmp_path / "0001_three.sql").rename(tmp_path / "2_three.sql")
    with pytest.raises(MigrationFault, match="not named"):
        migrate.available(tmp_path)
