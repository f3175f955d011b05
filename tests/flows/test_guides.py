"""The guides, as a newcomer pastes them: every command of a page in its order."""

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

GUIDES = Path(__file__).resolve().parents[2] / "docs" / "guides"
BUFFERS_MB = 32


def commands(page: str) -> str:
    """Everything that a guide tells to run."""
    blocks = re.findall(r"^```\n(.*?)^```$", (GUIDES / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert blocks, f"{page} has no commands"
    return "\n".join(blocks)


def test_the_guide_to_vouchers_ends_in_a_refunded_order(tmp_path: Path) -> None:
    try:
        find(None, None, None)
    except BinariesMissing as fault:
        require("postgres", str(fault))
    home = tmp_path / "home"
    done = subprocess.run(
        ["sh", "-eu", "-c", commands("vouchers.md")],
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
        assert "Topped up by 50.00 yuan." in done.stdout and "proofs hold" in done.stdout
        cli = Cli(home)
        refunded = cli.ok("payment", "show", "--merchant", "mall-1", "--order", "0001")
        assert (refunded["state"], refunded["discount_fen"], refunded["refunded_fen"]) == ("refunded", 1_000, 12_850)
        funds = {row["code"]: row for row in cli.ok("funder", "list")["funds"]}
        assert (funds["city"]["free_fen"], funds["city"]["used_fen"]) == (1_100_000 - 10_000 - 600, 10_000)
        assert (funds["mall"]["free_fen"], funds["mall"]["promised_fen"]) == (400_000 - 400, 400)


def test_the_guide_to_vouchers_tells_the_same_commands_in_both_languages() -> None:
    assert commands("vouchers.zh.md").replace("KAQUAN_LANG=zh", "KAQUAN_LANG=en") == commands("vouchers.md")
