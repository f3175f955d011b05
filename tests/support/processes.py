"""Child processes that use the private server, as ourselves or as an ordinary user when we are root."""

import importlib.metadata
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kaquan.db.binaries import ServerUser, run_as
from support.require import require

SOURCES = Path(__file__).resolve().parents[2] / "src"
SCRIPT = Path(__file__).with_name("server_process.py")
START_SECONDS = 60


@dataclass(slots=True)
class Child:
    """A process that holds the server open."""

    process: subprocess.Popen[str]
    facts: dict[str, Any]

    def leave(self) -> None:
        """End its input, so that it leaves the server in order."""
        self.process.communicate(timeout=START_SECONDS)
        assert self.process.returncode == 0

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()


@contextmanager
def child(home: Path, python: "Python | None" = None) -> Iterator[Child]:
    """A child that uses the server of `home`."""
    with started(home, python) as process:
        yield Child(process, facts_of(process))


@contextmanager
def started(home: Path, python: "Python | None" = None) -> Iterator[subprocess.Popen[str]]:
    """A child that is on its way to the server; killed at the end if it still lives."""
    chosen = python or Python(sys.executable, [str(SOURCES)], SCRIPT, None)
    process = subprocess.Popen(
        [chosen.executable, str(chosen.script), str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
        env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(chosen.path), "PYTHONDONTWRITEBYTECODE": "1"},
        **run_as(chosen.user),
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def facts_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What the child says once it is in."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the child ended before it reached the server"
    facts = json.loads(line)
    assert isinstance(facts, dict)
    return facts


def kill_server(pid: int, *, children_too: bool) -> None:
    """kill -9 the server process, and all its children at the same moment if asked."""
    victims = [pid]
    if children_too:
        victims += [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    for victim in victims:
        os.kill(victim, signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Python:
    """An interpreter with our code that `user` can run."""

    executable: str
    path: list[str]
    script: Path
    user: ServerUser | None


@contextmanager
def ordinary_python() -> Iterator[Python]:
    """A Python of an ordinary user: our own, or, when we are root, one for a user without rights.

    What that user cannot reach (a checkout below a 0700 home) is copied to a folder where it can.
    """
    if os.geteuid() != 0:
        yield Python(sys.executable, [str(SOURCES)], SCRIPT, None)
        return
    user = _user()
    installed = sysconfig.get_path("purelib")
    for executable in _interpreters():
        direct = Python(executable, [str(SOURCES), installed], SCRIPT, user)
        if _runs(direct):
            yield direct
            return
    with tempfile.TemporaryDirectory(prefix="kaquan-copy-", dir="/tmp") as name:
        packages, script = _copy(Path(name))
        for executable in _interpreters():
            copied = Python(executable, [str(packages)], script, user)
            if _runs(copied):
                yield copied
                return
    require("ordinary_user", f"user {user.name} can run none of {', '.join(_interpreters())}")


def _interpreters() -> list[str]:
    """This one, and the system's of the same release: ours may lie below root's own home."""
    release = f"python{sys.version_info.major}.{sys.version_info.minor}"
    system = shutil.which(release, path="/usr/local/bin:/usr/bin")
    return [sys.executable] if system is None else [sys.executable, system]


def _user() -> ServerUser:
    for name in ("nobody", "postgres"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerUser(name, entry.pw_uid, entry.pw_gid)
    require("ordinary_user", "no user nobody or postgres on this machine")


def _runs(python: Python) -> bool:
    try:
        answer = subprocess.run(
            [python.executable, "-c", f"import kaquan.db.embedded; open({str(python.script)!r})"],
            capture_output=True,
            check=False,
            cwd="/",
            env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(python.path), "PYTHONDONTWRITEBYTECODE": "1"},
            **run_as(python.user),
        )
    except OSError:
        return False
    return answer.returncode == 0


def _copy(folder: Path) -> tuple[Path, Path]:
    """Copy our sources, all that they need, and the child's script; the folder of packages and the script."""
    packages = folder / "packages"
    shutil.copytree(SOURCES, packages)
    for distribution in _closure("kaquan"):
        for file in distribution.files or ():
            if file.parts[0] == ".." or file.suffix == ".pyc":
                continue
            target = packages / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(file.locate()), target)
    script = Path(shutil.copy(SCRIPT, folder / SCRIPT.name))
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)
    return packages, script


def _closure(name: str) -> Iterator[importlib.metadata.Distribution]:
    """Every installed distribution that `name` needs, without itself."""
    known, queue = {name}, [name]
    while queue:
        for requirement in _requirements(queue.pop()):
            match = re.match(r"[A-Za-z0-9._-]+", requirement)
            if match is None or match[0] in known:
                continue
            known.add(match[0])
            queue.append(match[0])
            try:
                yield importlib.metadata.distribution(match[0])
            except importlib.metadata.PackageNotFoundError:
                continue


def _requirements(name: str) -> list[str]:
    if name == "kaquan":
        project = tomllib.loads((SOURCES.parent / "pyproject.toml").read_text("utf-8"))["project"]
        return [str(requirement) for requirement in project["dependencies"]]
    try:
        return importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return []
