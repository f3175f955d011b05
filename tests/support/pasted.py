"""A page's commands, run as a newcomer pastes them into a shell."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kaquan.db.binaries import find
from kaquan.db.embedded import open_server
from kaquan.db.errors import BinariesMissing
from kaquan.settings import Settings
from support.cli import Cli
from support.database import TEST_SETTINGS
from support.processes import SOURCES
from support.require import require

BUFFERS_MB = 32


def blocks(page: str) -> list[str]:
    """The blocks of commands on a page, in their order."""
    found = re.findall(r"^```\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert found, "the page has no commands"
    return found


@contextmanager
def pasted(commands: str, folder: Path) -> Iterator[tuple[str, Cli]]:
    """What the commands printed, and the installation that they made below `folder`. All must succeed."""
    try:
        find(None, None, None)
    except BinariesMissing as fault:
        require("postgres", str(fault))
    home = folder / "home"
    done = subprocess.run(
        ["sh", "-eu", "-c", commands],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        cwd=folder,
        env={
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PYTHONPATH": str(SOURCES),
            "PYTHONUTF8": "1",
            "KAQUAN_HOME": str(home),
            "KAQUAN_SHARED_BUFFERS_MB": str(BUFFERS_MB),
        },
    )
    settings = Settings(home=home, shared_buffers_mb=BUFFERS_MB)
    with open_server(settings, ephemeral=True, overrides=TEST_SETTINGS):
        assert done.returncode == 0, done
        yield done.stdout, Cli(home)
