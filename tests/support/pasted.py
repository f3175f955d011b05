"""A page's commands, run as a newcomer pastes them into a shell."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    commands = [text for kind, text in found if not kind]
    assert commands, "the page has no commands"
    return commands


def shown(page: str) -> list[str]:
    """The blocks (json, text) that show what comes of the commands, in their order; `…` stands for anything."""
    return re.findall(r"^```(?:json|text)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def missing(page: str, printed: str) -> list[str]:
    """What a page shows and the commands did not print, in that order."""
    at, absent = 0, []
    for block in shown(page):
        for said in re.split(r"\n(?! )", block.rstrip("\n")):
            words = [re.escape(part) for part in said.replace("\n ", "").split("…")]
            found = re.compile(".*?".join(words)).search(printed, at)
            at = found.end() if found else at
            absent += [] if found else [said]
    return absent


@contextmanager
def pasted(commands: str, folder: Path, **environment: str) -> Iterator[tuple[str, Cli]]:
    """What the commands printed, and the installation that they made below `folder`. All must succeed.

    What they leave running is ended.
    """
    try:
        find(None, None, None)
    except BinariesMissing as fault:
        require("postgres", str(fault))
    home = folder / "home"
    process = subprocess.Popen(
        ["sh", "-eu", "-c", commands],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        cwd=folder,
        start_new_session=True,
        env={
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PYTHONPATH": str(SOURCES),
            "PYTHONUTF8": "1",
            "KAQUAN_HOME": str(home),
            "KAQUAN_SHARED_BUFFERS_MB": str(BUFFERS_MB),
            **environment,
        },
    )
    try:
        printed, said = process.communicate()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
    settings = Settings(home=home, shared_buffers_mb=BUFFERS_MB)
    with open_server(settings, ephemeral=True, overrides=TEST_SETTINGS):
        assert process.returncode == 0, printed + said
        yield printed, Cli(home)
