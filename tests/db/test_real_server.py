"""A server that is not ours: two URLs, and an application role that cannot rewrite history."""

import psycopg
import pytest

from kaquan.db import migrate
from kaquan.db.embedded import Server, open_database
from kaquan.db.errors import DatabaseFault
from kaquan.settings import Settings
from support.database import empty_database


def test_urls_are_used_and_nothing_is_started(server: Server, tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("real") / "home"
    with empty_database(server) as owner_url:
        name = str(psycopg.conninfo.conninfo_to_dict(owner_url)["dbname"])
        app_url = psycopg.conninfo.make_conninfo(server.app_url, dbname=name)
        settings = Settings(home=home, database_url=app_url, owner_database_url=owner_url)
        with open_database(settings) as real:
            assert (real.app_url, real.owner_url) == (app_url, owner_url)
            assert migrate.migrate(real.owner_url, []) == []
            assert len(real.master_key) == 32
            with pytest.raises(DatabaseFault):
                _ = real.data_dir
        assert not (home / "pg").exists()
        with open_database(settings) as again:
            assert again.master_key == real.master_key


def test_master_key_of_the_settings_leaves_no_file(server: Server, tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("real") / "home"
    with open_database(Settings(home=home, database_url=server.app_url, master_key="ab" * 32)) as real:
        assert real.master_key == bytes.fromhex("ab" * 32)
        with pytest.raises(DatabaseFault, match="KAQUAN_OWNER_DATABASE_URL is not set"):
            _ = real.owner_url
    assert not home.exists()


def test_superuser_and_stranger_are_refused_as_application_role(server: Server) -> None:
    for url in (server.root_url, server.owner_url):
        with pytest.raises(DatabaseFault, match="must be kaquan_app or a member"):
            open_database(Settings(database_url=url, master_key="ab" * 32))


def test_role_without_its_search_path_is_refused(server: Server) -> None:
    url = psycopg.conninfo.make_conninfo(server.app_url, options="-c search_path=public")
    with pytest.raises(DatabaseFault, match="search_path: public"):
        open_database(Settings(database_url=url, master_key="ab" * 32))


def test_unreachable_server_is_said_so() -> None:
    with pytest.raises(DatabaseFault, match="cannot be reached"):
        open_database(
            Settings(database_url="postgresql://kaquan_app@/kaquan?host=/nonexistent", master_key="ab" * 32)
        )
