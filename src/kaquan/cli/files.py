"""Files that a command writes: for their owner only, because they hold what the books or the bank know."""

import os
from pathlib import Path

from kaquan.cli.endings import Misuse

_OWNER_ONLY = 0o600


def private_file(path: Path) -> int:
    """A descriptor to write a file anew; a new one only its owner can read. Raises `Misuse` that says why not."""
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
    except OSError as problem:
        message = (f"无法写入 {path}（{problem.strerror}）。", f"{path} can't be written ({problem.strerror}).")
        raise Misuse(*message) from None
