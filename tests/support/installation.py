"""An installation as an operator has it: our own server with fsync on, in a home of its own."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import randbelow
from typing import NamedTuple

from kaquan.db import embedded
from kaquan.settings import Settings


class Home(NamedTuple):
    """Where it lies, and the seed of what is done to it (KAQUAN_TEST_SEED repeats one)."""

    settings: Settings
    folder: Path
    seed: int


@contextmanager
def fresh_home(name: str) -> Iterator[Home]:
    """A home that is removed afterwards, with its server."""
    with tempfile.TemporaryDirectory(prefix=f"kaquan-{name}-") as folder:
        settings = Settings(home=Path(folder) / "home", shared_buffers_mb=32)
        seed = int(os.environ.get("KAQUAN_TEST_SEED") or randbelow(2**32))
        print(f"seed {seed}", file=sys.stderr)
        try:
            yield Home(settings, Path(folder), seed)
        finally:
            embedded.remove_server(settings)
