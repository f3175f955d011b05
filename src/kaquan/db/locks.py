"""File locks between processes; a killed process loses its locks with its life."""

import fcntl
import os
from pathlib import Path


class FileLock:
    """An advisory lock on a file, held by this process until it is released or dies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def share(self) -> None:
        """Hold it together with others; waits for one that holds it alone."""
        fcntl.flock(self.handle, fcntl.LOCK_SH)

    def own(self) -> None:
        """Hold it alone; waits for all others."""
        fcntl.flock(self.handle, fcntl.LOCK_EX)

    def try_own(self) -> bool:
        """Hold it alone if nobody else holds it; false, at once, if somebody does."""
        try:
            fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def is_current(self) -> bool:
        """Whether the locked file is still the one at its path: a removed folder takes its lock files along."""
        try:
            return os.path.samestat(os.fstat(self.handle), self.path.stat())
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Let go by closing; in a forked child this leaves the parent's lock alone."""
        os.close(self.handle)
