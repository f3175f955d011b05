"""The roles, the guards and the template that every other test stands on."""

import psycopg
import pytest

from kaquan.db.embedded import Server
from kaquan.db.pool import connect, open_pool
from support.database import Database


def test_application_role_owns_nothing_and_is_guarded(database: Database) -> None:
    with connect(database.app_url) as conn:
        shown = conn.execute(
            "SELECT current_setting('search_path'), current_setting('statement_timeout'),"
            " current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout')"
        ).fetchone()
        assert shown == ("kaquan", "30s", "3s", "30s")
        owned = conn.execute("SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole").fetchone()
        assert owned == (0,)
        for forbidden in ("CREATE TABLE kaquan.mine ()", "CREATE TABLE public.mine ()", "CREATE TEMP TABLE mine ()"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(forbidden)


def test_owner_is_no_superuser(database: Database) -> None:
    with connect(database.owner_url) as conn:
        found = conn.execute("SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user").fetchone()
    assert found == (False, False)


def test_wrong_password_and_no_password_are_refused(server: Server) -> None:
    right = psycopg.conninfo.conninfo_to_dict(server.root_url)
    for password in ("wrong", None):
        with pytest.raises(psycopg.OperationalError):
            connect(psycopg.conninfo.make_conninfo(**{**right, "password": password}))
    with connect(server.root_url) as conn:
        methods = conn.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
        assert methods == [("scram-sha-256",)]
        assert conn.execute("SELECT current_setting('listen_addresses')").fetchone() == ("",)


def test_pages_have_checksums_and_text_is_utf8(server: Server) -> None:
    with connect(server.root_url) as conn:
        assert conn.execute("SELECT current_setting('data_checksums')").fetchone() == ("on",)
        assert conn.execute("SHOW server_encoding").fetchone() == ("UTF8",)


def test_two_fresh_databases_do_not_see_each_other(database: Database, server: Server, template_name: str) -> None:
    from support.database import fresh_database

    with fresh_database(server, template_name) as other:
        with connect(other.owner_url) as conn:
            conn.execute("CREATE TABLE kaquan.only_here ()")
        with connect(database.owner_url) as conn:
            assert conn.execute("SELECT to_regclass('kaquan.only_here')").fetchone() == (None,)
    with pytest.raises(psycopg.OperationalError):
        connect(other.app_url)


def test_pool_lends_guarded_connections_and_replaces_broken_ones(database: Database) -> None:
    with open_pool(database.app_url, size=1) as pool:
        with pool.connection() as conn:
            first = conn.info.backend_pid
            assert conn.autocommit
        with connect(database.root_url) as root:
            root.execute("SELECT pg_terminate_backend(%s)", [first])
        with pool.connection() as conn:
            assert conn.info.backend_pid != first
            assert conn.execute("SHOW lock_timeout").fetchone() == ("3s",)
