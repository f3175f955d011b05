"""The launcher, with real servers and real kill -9."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from kaquan.db import binaries, embedded, place, postmaster
from kaquan.db.errors import DatabaseFault
from kaquan.settings import Settings
from support.processes import child, facts_of, kill_server, ordinary_python, started

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to hand the server to another user")
FAST = {"fsync": "off"}


@pytest.fixture
def home() -> Iterator[Path]:
    """A home below a folder that nobody else may enter."""
    with tempfile.TemporaryDirectory(prefix="kaquan-launcher-") as name:
        path = Path(name) / "home"
        yield path
        embedded.remove_server(settings_of(path))


def settings_of(home: Path) -> Settings:
    return Settings(home=home, shared_buffers_mb=32)


def open_server(home: Path) -> embedded.Server:
    return embedded.open_server(settings_of(home), overrides=FAST)


def modes(*paths: Path) -> dict[Path, int]:
    """Mode of every folder on the way to each path."""
    folders = {folder for path in paths for folder in (path, *path.parents) if folder.is_dir()}
    return {folder: stat.S_IMODE(folder.stat().st_mode) for folder in folders}


def pid_of(server: embedded.Server) -> int:
    found = postmaster.running(server.data_dir)
    assert found is not None
    return found.pid


def remember(server: embedded.Server) -> None:
    """Commit one row."""
    with psycopg.connect(server.owner_url) as conn:
        conn.execute("CREATE SCHEMA IF NOT EXISTS kaquan")
        conn.execute("CREATE TABLE kaquan.kept AS SELECT 42 AS answer")


def recalled(server: embedded.Server) -> object:
    with psycopg.connect(server.owner_url) as conn:
        return conn.execute("SELECT answer FROM kaquan.kept").fetchall()


def test_starts_below_a_closed_folder_and_changes_no_mode(home: Path) -> None:
    programs = Path(binaries.find(None, None).folder)
    before = modes(home.parent, programs, Path(tempfile.gettempdir()), Path("/var/lib"))
    with open_server(home) as server:
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        assert stat.S_IMODE((home / "secrets").stat().st_mode) == 0o600
        assert len(server.master_key) == 32
        pid = pid_of(server)
        assert os.getsid(pid) != os.getsid(0), "Ctrl-C in our terminal must not reach the server"
        assert "ready to accept connections" in (home / "log" / "postgres.log").read_text()
        if os.geteuid() == 0:
            assert Path(f"/proc/{pid}").stat().st_uid != 0
            assert server.data_dir.is_relative_to(binaries.SYSTEM_ROOT)
        else:
            assert server.data_dir == home / "pg"
    assert postmaster.running(server.data_dir) is None
    assert modes(*before) == before


def test_data_and_passwords_outlive_a_stop(home: Path) -> None:
    with open_server(home) as server:
        remember(server)
        first = server.app_url, server.master_key
    with open_server(home) as server:
        assert recalled(server) == [(42,)]
        assert (server.app_url, server.master_key) == first


def test_server_of_a_killed_owner_is_adopted(home: Path) -> None:
    with child(home) as owner:
        pid = owner.facts["pid"]
        owner.kill()
    with open_server(home) as server:
        assert pid_of(server) == pid
        remember(server)
    assert postmaster.running(server.data_dir) is None


@pytest.mark.parametrize("children_too", [True, False], ids=["whole_server", "postmaster_only"])
def test_killed_server_starts_again_by_itself(home: Path, children_too: bool) -> None:
    with open_server(home) as first:
        remember(first)
        killed = pid_of(first)
        kill_server(killed, children_too=children_too)
        with open_server(home) as second:
            assert pid_of(second) != killed
            assert second.app_url == first.app_url, "those who still use the first find the second"
            assert recalled(first) == [(42,)]


def test_lock_files_that_name_another_live_process_do_not_block(home: Path) -> None:
    with open_server(home) as server:
        remember(server)
        socket_dir = Path(psycopg.conninfo.conninfo_to_dict(server.app_url)["host"])
        left = {
            path: path.read_text()
            for path in (server.data_dir / "postmaster.pid", place.socket_file(socket_dir))
            if path.is_file()
        }
        lock = place.socket_file(socket_dir).with_suffix(".5432.lock")
        left[lock] = lock.read_text()
        pid = pid_of(server)
    for path, text in left.items():
        path.write_text(text.replace(str(pid), str(os.getppid()), 1))
        os.chown(path, *_owner(server.data_dir))
    assert postmaster.running(server.data_dir) is None
    with open_server(home) as again:
        assert recalled(again) == [(42,)]


def _owner(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_uid, found.st_gid


def test_two_processes_share_one_server_and_the_last_one_out_stops_it(home: Path) -> None:
    with open_server(home) as server:
        pid = pid_of(server)
        with child(home) as other:
            assert other.facts["pid"] == pid
            assert embedded.stop_server(settings_of(home)) == "in_use"
            server.stop()
            assert postmaster.running(server.data_dir) is not None
            other.leave()
    assert postmaster.running(server.data_dir) is None
    assert not home.exists(), "the child was ephemeral and the last one out"


def test_processes_that_start_at_the_same_moment_get_the_same_server(home: Path) -> None:
    with ExitStack() as stack:
        processes = [stack.enter_context(started(home)) for _ in range(3)]
        assert len({facts_of(process)["pid"] for process in processes}) == 1


def test_stop_command_ends_an_orphan(home: Path) -> None:
    assert embedded.stop_server(settings_of(home)) == "not_running"
    with child(home) as owner:
        owner.kill()
    status = embedded.server_status(settings_of(home))
    assert (status.running, status.in_use) == (True, False)
    assert embedded.stop_server(settings_of(home)) == "stopped"
    assert not embedded.server_status(settings_of(home)).running


def test_a_forked_child_does_not_take_the_server_away(home: Path) -> None:
    with open_server(home) as server:
        pid = os.fork()
        if pid == 0:
            server.stop()
            os._exit(0)
        os.waitpid(pid, 0)
        assert postmaster.running(server.data_dir) is not None
        assert embedded.stop_server(settings_of(home)) == "in_use"


def test_ordinary_user_starts_adopts_and_stops() -> None:
    with ordinary_python() as python, tempfile.TemporaryDirectory(prefix="kaquan-ordinary-", dir="/tmp") as name:
        if python.user is not None:
            os.chown(name, python.user.uid, python.user.gid)
        home = Path(name) / "home"
        with child(home, python) as owner:
            first = owner.facts
            assert first["uid"] != 0
            assert first["data_dir"] == str(home / "pg")
            owner.kill()
        with child(home, python) as second:
            assert second.facts["pid"] == first["pid"]
            kill_server(first["pid"], children_too=True)
        with child(home, python) as third:
            assert third.facts["pid"] != first["pid"]
            third.leave()
        assert not home.exists()


def test_socket_folder_of_somebody_else_is_refused(home: Path) -> None:
    with open_server(home) as server:
        folder = Path(psycopg.conninfo.conninfo_to_dict(server.app_url)["host"])
    shutil.rmtree(folder)
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    with pytest.raises(DatabaseFault, match="somebody else made it"):
        open_server(home)
    folder.rmdir()
    open_server(home).stop()


def test_home_that_others_may_write_is_refused(home: Path) -> None:
    home.mkdir()
    home.chmod(0o777)
    with pytest.raises(DatabaseFault, match="Others may write"):
        open_server(home)
    assert list(home.iterdir()) == []
    home.chmod(0o700)


def test_data_without_its_secrets_is_set_aside_and_kept(home: Path) -> None:
    with open_server(home) as server:
        remember(server)
        orphan = pid_of(server)
        (home / "secrets").unlink()
        successor = open_server(home)
    with successor as server:
        assert pid_of(server) != orphan
        with psycopg.connect(server.owner_url) as conn:
            assert conn.execute("SELECT to_regclass('kaquan.kept')").fetchone() == (None,)
        lost = server.data_dir.parent / "pg.lost-1"
        assert (lost / "PG_VERSION").exists()
        assert not (lost / "postmaster.pid").exists(), "it was stopped in order"


@needs_root
def test_moved_home_of_root_is_refused_with_the_way_out(home: Path) -> None:
    with open_server(home) as server:
        remember(server)
    moved = home.rename(home.with_name("moved"))
    with pytest.raises(DatabaseFault, match=rf"its data lies in {server.data_dir}. If it was moved, run: mv "):
        open_server(moved)
    moved.rename(home)
    with open_server(home) as server:
        assert recalled(server) == [(42,)]


@needs_root
def test_binaries_below_a_closed_folder_are_copied_once(monkeypatch: pytest.MonkeyPatch) -> None:
    user = place._server_user(Path("/nonexistent"))
    source = binaries._packaged()
    assert source is not None
    with (
        tempfile.TemporaryDirectory(prefix="kaquan-closed-", dir="/tmp") as closed,
        tempfile.TemporaryDirectory(prefix="kaquan-open-", dir="/tmp") as reachable,
    ):
        Path(reachable).chmod(0o755)
        package = source.parent.parent
        shutil.copytree(package, Path(closed) / package.name)
        shutil.copytree(package.with_name(f"{package.name}.libs"), Path(closed) / f"{package.name}.libs")
        monkeypatch.setattr(binaries, "_packaged", lambda: Path(closed) / package.name / "pginstall" / "bin")
        monkeypatch.setattr(binaries, "SYSTEM_ROOT", Path(reachable) / "kaquan")
        first = binaries.find(None, user)
        made = first.folder.stat().st_ctime_ns
        assert first.folder.is_relative_to(reachable)
        assert binaries.find(None, user) == first
        assert first.folder.stat().st_ctime_ns == made
        assert [path.name for path in (Path(reachable) / "kaquan").iterdir()] == [first.folder.parents[2].name]
        assert stat.S_IMODE(Path(closed).stat().st_mode) == 0o700


def test_distribution_server_works_too(home: Path) -> None:
    older = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    if not older:
        from support.require import require

        require("distribution_postgres", "no server below /usr/lib/postgresql")
    settings = Settings(home=home, pg_bin=older[0], shared_buffers_mb=32)
    with embedded.open_server(settings, overrides=FAST) as server, psycopg.connect(server.app_url) as conn:
        assert conn.info.server_version // 10_000 == int(older[0].parent.name)
    # The release that wrote the data decides, whatever else is installed.
    with pytest.raises(DatabaseFault, match=f"PostgreSQL {older[0].parent.name}, which wrote the data"):
        embedded.open_server(Settings(home=home, pg_bin=binaries._packaged()))
