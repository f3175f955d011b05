"""Where one private server lies: its folders, its secrets, its socket, and the account that it runs as."""

import hashlib
import json
import os
import pwd
import secrets
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from kaquan.db.binaries import SYSTEM_ROOT, ServerUser, own_folder
from kaquan.db.errors import DatabaseFault

ROOT_ROLE, OWNER_ROLE, APP_ROLE = "kaquan_root", "kaquan_owner", "kaquan_app"
DATABASE = "kaquan"
PORT = 5432
"""Names the socket file only: the server does not listen on the network."""

SERVER_USERS = ("kaquan", "postgres", "nobody")
LONGEST_SOCKET_PATH = 100
"""The kernel's limit is 108 bytes on Linux and 104 elsewhere."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """The random passwords of the three roles and the 32-byte root of all encryption keys."""

    passwords: dict[str, str]
    master_key: bytes

    def __repr__(self) -> str:
        return "Secrets(...)"


@dataclass(frozen=True, slots=True)
class Place:
    """The paths and the account of one installation's server."""

    home: Path
    data_dir: Path
    user: ServerUser | None
    secrets: Secrets

    @property
    def log(self) -> Path:
        """The server's own log."""
        return self.home / "log" / "postgres.log"

    @property
    def uid(self) -> int:
        """Owner of the data and of the socket folder."""
        return os.geteuid() if self.user is None else self.user.uid

    def socket_dir(self) -> Path:
        """The folder for the socket: the same after every start, so that callers find a restarted server."""
        name = f"kq-{self.uid}-{_digest(self.data_dir)}"
        for parent in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108 - only for our own folder of mode 0700
            folder = parent / name
            fits = len(os.fsencode(socket_file(folder))) <= LONGEST_SOCKET_PATH
            if fits and (self.user is None or parent.stat().st_mode & 0o001):
                return folder
        raise DatabaseFault(f"The temporary folder {parent} cannot hold a socket for uid {self.uid}; set TMPDIR.")

    def url(self, role: str, socket_dir: Path, database: str = DATABASE) -> str:
        """Connection URL of `role`; it holds the password."""
        password = self.secrets.passwords[role]
        return f"postgresql://{role}:{password}@/{database}?host={quote(str(socket_dir), safe='')}&port={PORT}"


def socket_file(folder: Path) -> Path:
    """The file that clients connect to."""
    return folder / f".s.PGSQL.{PORT}"


def prepare_home(home: Path) -> None:
    """Make `home` with mode 0700; refuse one that another user owns or may write."""
    home.parent.mkdir(parents=True, exist_ok=True)
    try:
        home.mkdir(mode=0o700)
    except FileExistsError:
        found = home.stat()
        if found.st_uid != os.geteuid():
            raise DatabaseFault(
                f"{home} belongs to uid {found.st_uid}, this process runs as {os.geteuid()}: "
                "run as that user, or set KAQUAN_HOME."
            ) from None
        if found.st_mode & 0o022:
            raise DatabaseFault(f"Others may write {home} (mode {found.st_mode & 0o7777:o}): chmod 700 it.") from None
    (home / "log").mkdir(mode=0o700, exist_ok=True)


def locate(home: Path) -> Place:
    """The place of the server of `home`; makes the secrets on first use. Call it under the start lock."""
    data_dir, user = _data_dir(home), None
    if os.geteuid() == 0:
        _refuse_moved(home, data_dir)
        own_folder(SYSTEM_ROOT)
        own_folder(data_dir.parent)
        user = _server_user(data_dir)
    return Place(home, data_dir, user, read_secrets(home))


def closed_data(home: Path) -> Path | None:
    """Data whose passwords and key are gone with a removed home: nobody can open it any more."""
    data_dir = _data_dir(home)
    return data_dir if data_dir.exists() and not (home / "secrets").exists() else None


def set_aside(data_dir: Path) -> None:
    """Make room for new data; the old is not ours to delete."""
    number = 1
    while (lost := data_dir.with_name(f"{data_dir.name}.lost-{number}")).exists():
        number += 1
    data_dir.rename(lost)


def _data_dir(home: Path) -> Path:
    if os.geteuid() != 0:
        return home / "pg"
    # The server's account can never enter root's 0700 home. The choice does not look at modes: data that moves
    # when somebody changes a mode would look like lost data.
    return SYSTEM_ROOT / _digest(home) / "pg"


def _refuse_moved(home: Path, data_dir: Path) -> None:
    """A home that was moved must not quietly start with an empty database while its data lies elsewhere."""
    note = home / "data_dir"
    if not note.exists():
        _write_private(note, f"{data_dir}\n")
    known = Path(note.read_text("utf-8").strip())
    if known != data_dir and known.exists() and not data_dir.exists():
        raise DatabaseFault(
            f"{home} was moved or copied: its data lies in {known}. If it was moved, run: mv {known} {data_dir} "
            f"&& rm {note}. If it is a copy, remove {note} and {home / 'secrets'} to start anew."
        )


def _server_user(data_dir: Path) -> ServerUser:
    """Who owns the data stays its user, whatever accounts are added later; else the first that exists."""
    if data_dir.exists():
        owner = data_dir.stat()
        return ServerUser(_name(owner.st_uid), owner.st_uid, owner.st_gid)
    for name in SERVER_USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return ServerUser(name, entry.pw_uid, entry.pw_gid)
    raise DatabaseFault(
        f"PostgreSQL does not run as root, and none of the users {', '.join(SERVER_USERS)} exists: "
        "create one (useradd --system kaquan) or run as an ordinary user."
    )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:12]


def read_secrets(home: Path) -> Secrets:
    """The secrets in `home`, made and stored (mode 0600, all or nothing) if there are none."""
    path = home / "secrets"
    try:
        kept = json.loads(path.read_text("ascii"))
    except FileNotFoundError:
        kept = {role: secrets.token_urlsafe(24) for role in (ROOT_ROLE, OWNER_ROLE, APP_ROLE)}
        kept["master_key"] = secrets.token_hex(32)
        _write_private(path, json.dumps(kept, indent=1) + "\n")
    master_key = bytes.fromhex(kept.pop("master_key"))
    return Secrets(kept, master_key)


def _write_private(path: Path, text: str) -> None:
    handle, partial = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # mkstemp's mode is 0600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(partial).rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def prepare_socket_dir(folder: Path, place: Place) -> None:
    """Make the socket's folder (0700, the server's user), or check that the one there is exactly that."""
    try:
        folder.mkdir(mode=0o700)
        if place.user is not None:
            os.chown(folder, place.user.uid, place.user.gid)
    except FileExistsError:
        check_socket_dir(folder, place)


def check_socket_dir(folder: Path, place: Place) -> None:
    """Refuse a socket folder that somebody else could have put there to catch our passwords."""
    try:
        found = folder.lstat()
    except FileNotFoundError:
        raise DatabaseFault(f"The socket folder {folder} of a running server is gone; stop that server.") from None
    empty_leftover = found.st_uid == os.geteuid() == 0 and place.user is not None
    if empty_leftover and stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077:
        os.chown(folder, place.uid, -1)  # a start of ours died between making the folder and giving it away
        return
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != place.uid or found.st_mode & 0o077:
        raise DatabaseFault(
            f"{folder} is not a folder of uid {place.uid} with mode 700 (owner {found.st_uid}, "
            f"mode {found.st_mode & 0o7777:o}): somebody else made it. Remove it, or set TMPDIR."
        )
