"""The way in that README.md tells, as a newcomer pastes it."""

import os
import re
import subprocess
import sys
from pathlib import Path

from kaquan.db.binaries import find
from kaquan.db.embedded import open_server
from kaquan.db.errors import BinariesMissing
from kaquan.settings import Settings
from support.cli import Cli
from support.database import TEST_SETTINGS
from support.require import require

README = Path(__file__).resolve().parents[2] / "README.md"
BUFFERS_MB = 32


def _way_in() -> str:
    """The first block of the section "Use it"."""
    section = README.read_text("utf-8").partition("\n## Use it\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert blocks, "README.md has no commands under 'Use it'"
    return str(blocks[0])


def test_the_way_in_ends_in_a_paid_order(tmp_path: Path) -> None:
    try:
        find(None, None, None)
    except BinariesMissing as fault:
        require("postgres", str(fault))
    home = tmp_path / "home"
    done = subprocess.run(
        ["sh", "-eu", "-c", _way_in()],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        cwd=tmp_path,
        env={
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PYTHONUTF8": "1",
            "KAQUAN_HOME": str(home),
            "KAQUAN_SHARED_BUFFERS_MB": str(BUFFERS_MB),
        },
    )
    settings = Settings(home=home, shared_buffers_mb=BUFFERS_MB)
    with open_server(settings, ephemeral=True, overrides=TEST_SETTINGS):
        assert done.returncode == 0, done
        assert "Paid 128.50 yuan." in done.stdout and "proofs hold" in done.stdout
        paid = Cli(home).ok("payment", "show", "--merchant", "mall-1", "--order", "0001")
        assert (paid["state"], paid["amount_fen"]) == ("captured", 12_850)


def test_the_way_in_is_the_same_in_both_languages() -> None:
    chinese = README.with_name("README.zh.md").read_text("utf-8")
    commands = re.findall(r"^(?:kaquan|sed|printf|CARD=)[^#\n]*?(?= --name|  |$)", _way_in(), re.MULTILINE)
    assert len(commands) >= 10
    assert [command for command in commands if command not in chinese] == []
