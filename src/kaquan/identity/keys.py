"""Tokens: `kq_live_<prefix>_<secret>`, made at the edge and shown once. Pure, but for the randomness of new ones.

The prefix is the key's public handle: it stays when the secret is rotated, and may stand in logs. The secret may not.
"""

import hmac
import os
import re
from base64 import b32encode
from typing import NamedTuple

from kaquan.identity.rules import secret_digest
from kaquan.privacy.subject_keys import MasterKey

HEAD = "kq_live_"
"""Every token begins so, and scanners of source code and logs find it by that."""

PREFIX_LENGTH = 12
SECRET_BYTES = 32  # 256 bits
_SECRET_LENGTH = 52
_HALF_LENGTH = _SECRET_LENGTH // 2
_TOKEN = re.compile(rf"{HEAD}([a-z2-7]{{{PREFIX_LENGTH}}})_([a-z2-7]{{{_SECRET_LENGTH}}})")


class Token(NamedTuple):
    """A fresh token, and what may be known of it."""

    text: str
    prefix: str
    digest: bytes

    def __repr__(self) -> str:
        """Without the secret, wherever it is printed."""
        return f"Token({HEAD}{self.prefix}_…)"


def new_token(prefix: str | None = None, first: str = "") -> Token:
    """A token with a fresh secret, of which `first` may be given; with the handle of the key that is rotated, else a
    fresh one."""
    handle = prefix or _letters(os.urandom(8))[:PREFIX_LENGTH]
    secret = first + _letters(os.urandom(SECRET_BYTES))[len(first) :]
    return Token(f"{HEAD}{handle}_{secret}", handle, secret_digest(secret))


def first_half(master: MasterKey, command_key: str) -> str:
    """The half of a secret that is told to who asked for a key which takes two persons: 130 bits, as the other half.

    Whoever has a whole token is its person. So neither the one who asks nor the one who approves ever sees it whole.
    """
    return _letters(hmac.digest(master.derive("first half of a key"), command_key.encode(), "sha256"))[:_HALF_LENGTH]


def parsed(token: str) -> tuple[str, str] | None:
    """(prefix, secret) of a text that has the form of a token, or None."""
    found = _TOKEN.fullmatch(token)
    return (found[1], found[2]) if found else None


def _letters(drawn: bytes) -> str:
    return b32encode(drawn).decode().rstrip("=").lower()
