"""`kaquan` in child processes, without a terminal, on a home of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kaquan.db.binaries import find
from kaquan.db.embedded import open_server
from kaquan.db.errors import BinariesMissing
from kaquan.db.pool import connect
from kaquan.kernel.clock import microseconds, system_now
from kaquan.programs import preset_files
from kaquan.settings import Settings
from support.database import TEST_SETTINGS
from support.require import require

SOURCES = Path(__file__).resolve().parents[2] / "src"
BOXES = "│┃╭╮╰╯─━"
PHONE = "13912345678"
"""The phone number of the holder in the shop."""


@dataclass(frozen=True)
class Run:
    """What one command did."""

    code: int
    out: str
    err: str

    @property
    def facts(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


@dataclass
class Cli:
    """`kaquan` on one home, without a terminal."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str, stdin: str = "", **environment: str) -> Run:
        """Run a command; whatever comes, it shows no traceback, no SQL, no colours and no boxes."""
        done = subprocess.run(
            [sys.executable, "-m", "kaquan", *words],
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            cwd=self.home.parent,
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "PYTHONPATH": str(SOURCES),
                "PYTHONUTF8": "1",
                "KAQUAN_HOME": str(self.home),
                **self.environment,
                **environment,
            },
        )
        said = done.stdout + done.stderr
        assert not any(sign in said for sign in ("Traceback", "SELECT", "\x1b", *BOXES)), said
        assert done.returncode in (0, 1, 2, 3), said
        return Run(done.returncode, done.stdout, done.stderr)

    def ok(self, *words: str, stdin: str = "") -> dict[str, Any]:
        """A command that must take effect; its JSON."""
        done = self.run(*words, "--json", stdin=stdin)
        assert done.code == 0, done
        assert done.err == ""
        return done.facts

    def no(self, *words: str) -> dict[str, Any]:
        """A command that must be refused; its JSON."""
        done = self.run(*words, "--json")
        assert done.code == 1, done
        assert done.facts["outcome"] == "refused"
        return done.facts


@dataclass
class Shop(Cli):
    """An installation with an issuer, a merchant, a program whose cards can be spent at once, and a holder."""

    url: str = ""
    master_key: bytes = b""
    first: Run = Run(0, "", "")

    def set_clock(self, at: datetime) -> None:
        """Move the installation clock, as the simulator does."""
        offset = microseconds(at) - microseconds(system_now())
        with connect(self.url) as connection:
            connection.execute("UPDATE installation SET clock_offset_us = %s", [offset])

    def card(self, phone: str = PHONE, face: str = "500") -> str:
        """A card that was just sold: its number."""
        number: str = self.ok("card", "sell", "--program", "jingxika", "--face", face, "--phone", phone)["number"]
        return number

    def balance(self, card: str) -> int:
        """What a card can spend, in fen."""
        available: int = self.ok("card", "show", card)["available_fen"]
        return available


def program_file(folder: Path, *changes: tuple[str, str], more: str = "") -> str:
    """The preset with lines changed, and `more` at its end."""
    text = preset_files.text("jingxika")
    for before, after in (("activation_days = 1", "activation_days = 0"), *changes):
        assert before in text
        text = text.replace(before, after)
    path = folder / f"program-{len(changes)}.toml"
    path.write_text(text + more, encoding="utf-8")
    return str(path)


@contextmanager
def opened_shop(folder: Path, name: str, id_number: str, more: str = "") -> Iterator[Shop]:
    """A shop in `folder` on a server that runs as long as this, with a holder of that name; `more` of its program."""
    try:
        find(None, None, None)
    except BinariesMissing as fault:
        require("postgres", str(fault))
    shop = Shop(folder / "home", {"KAQUAN_SHARED_BUFFERS_MB": "32"})
    shop.first = shop.run("init")
    assert shop.first.code == 0, shop.first
    settings = Settings(home=shop.home, shared_buffers_mb=32)
    with open_server(settings, ephemeral=True, overrides=TEST_SETTINGS) as server:
        shop.url, shop.master_key = server.app_url, server.master_key
        shop.set_clock(datetime(2025, 5, 20, 4, tzinfo=UTC))
        shop.ok("organisation", "register", "jingxi", "--name", "京喜集团", "--book")
        shop.ok("organisation", "register", "jingxi-stores", "--name", "京喜门店")
        bank = ("--bank", "工商银行", "--account-no", "6222020200112230")
        shop.ok("merchant", "register", "mall-1", "--name", "一号店", "--group", "jingxi-stores", *bank)
        shop.ok("store", "register", "mall-1-east", "--name", "东门", "--merchant", "mall-1")
        shop.ok("program", "open", program_file(folder, more=more), "--approved-by", "second")
        person = ("--name", name, "--phone", "-", "--id-number", "-")
        shop.ok("holder", "register", *person, stdin=f"{PHONE}\n{id_number}\n")
        yield shop
