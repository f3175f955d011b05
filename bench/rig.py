"""What every benchmark stands on: a durable server of its own, pgbench beside it, CPU read from the kernel."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

import psycopg

from kaquan.db import binaries, embedded
from kaquan.db.migrate import migrate
from kaquan.settings import Settings

TPCB_SCALE = 30
TPCB_CLIENTS = 8
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
NOTHING_MORE: Mapping[str, str] = MappingProxyType({})
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Rig:
    """A running server with our schema in it, and where pgbench is."""

    server: embedded.Server
    pgbench: Path
    installation: Settings

    def postgres_cpu_seconds(self) -> float:
        """CPU seconds of the postmaster and all its processes, living and gone."""
        pid = int((self.server.data_dir / "postmaster.pid").read_text().split()[0])
        total = sum(_cpu(pid, children=True))
        for child in _children(pid):
            total += sum(_cpu(child, children=False))
        return total / _TICK

    def processes(self) -> list[int]:
        """The postmaster and all its processes."""
        pid = int((self.server.data_dir / "postmaster.pid").read_text().split()[0])
        return [pid, *_children(pid)]

    def settings(self) -> dict[str, str]:
        """The server's durability settings, as it tells them."""
        with psycopg.connect(self.server.root_url) as connection:
            return {name: str(connection.execute(f"SHOW {name}").fetchall()[0][0]) for name in DURABLE}

    def tpcb_init(self) -> None:
        """Make pgbench's tables in a database of its own."""
        with psycopg.connect(self.server.root_url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE tpcb")
        self._pgbench("-i", "-q", "-s", str(TPCB_SCALE))

    def tpcb(self, seconds: int) -> float:
        """Transactions a second of pgbench's TPC-B-like script, prepared, 8 clients."""
        clients = str(TPCB_CLIENTS)
        printed = self._pgbench("-M", "prepared", "-c", clients, "-j", "1", "-T", str(seconds), "-n")
        found = re.search(r"tps = ([0-9.]+) \(without", printed)
        if found is None:
            raise RuntimeError(f"pgbench printed no rate:\n{printed}")
        return float(found.group(1))

    def _pgbench(self, *arguments: str) -> str:
        url = urlsplit(self.server.root_url)
        query = dict(part.split("=", 1) for part in url.query.split("&") if part)
        environment = {
            **os.environ,
            "PGHOST": unquote(query["host"]) if "host" in query else unquote(url.hostname or ""),
            "PGPORT": query.get("port", str(url.port or 5432)),
            "PGUSER": unquote(url.username or ""),
            "PGPASSWORD": unquote(url.password or ""),
        }
        done = subprocess.run(
            [str(self.pgbench), *arguments, "tpcb"], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout


@contextmanager
def rig(shared_buffers_mb: int = 2048, more: Mapping[str, str] = NOTHING_MORE) -> Iterator[Rig]:
    """A fresh durable server, migrated; gone afterwards, also when a time limit ends the bench.

    `more`: configuration parameters of this one.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    home = Path(tempfile.mkdtemp(prefix="kaquan-bench-"))
    settings = Settings(home=home, shared_buffers_mb=shared_buffers_mb)
    overrides = {"max_wal_size": "8GB", "checkpoint_timeout": "15min", **more}
    try:
        with embedded.open_server(settings, ephemeral=True, overrides=overrides) as server:
            migrate(server.owner_url)
            yield Rig(server, _find_pgbench(), settings)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _find_pgbench() -> Path:
    folder = binaries.find(None, None).folder
    if (folder / "pgbench").exists():
        return folder / "pgbench"
    found = shutil.which("pgbench")
    if found is None:
        raise RuntimeError("pgbench is missing: it ships with PostgreSQL's contrib programs")
    return Path(found)


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU seconds that living processes have used."""
    return sum(sum(_cpu(pid, children=False)) for pid in pids) / _TICK


def _cpu(pid: int, *, children: bool) -> tuple[int, ...]:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except FileNotFoundError:
        return (0,)
    own = (int(fields[11]), int(fields[12]))
    return (*own, int(fields[13]), int(fields[14])) if children else own


def _children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == pid:
                found.append(int(entry.name))
    return found
