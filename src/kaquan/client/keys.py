"""Idempotency keys: UUIDs of version 7, so that the server's index on them grows at one end."""

import os
import time
from uuid import UUID

KEY_LENGTH_MAX = 64


def new_key() -> str:
    """A fresh key, for one wish and all its retries."""
    drawn = bytearray(os.urandom(10))
    drawn[0] = 0x70 | (drawn[0] & 0x0F)
    drawn[2] = 0x80 | (drawn[2] & 0x3F)
    return str(UUID(bytes=(time.time_ns() // 1_000_000).to_bytes(6, "big") + bytes(drawn)))


def checked(key: str) -> str:
    """A caller's own key. Raises `ValueError` for one that no server takes."""
    if not 1 <= len(key) <= KEY_LENGTH_MAX or not key.isascii() or not key.isprintable() or key != key.strip():
        raise ValueError(f"an idempotency key has 1 to {KEY_LENGTH_MAX} printable ASCII characters, none outside")
    return key
