"""Keys: one random key per subject, wrapped with the installation's master key.

Everything personal about a subject, and the person part of every leaf, hangs on these 32 bytes. To erase a
subject is to drop the wrapped key everywhere it is kept; what it sealed is then noise.
"""

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NewType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kaquan.privacy.errors import SealBroken

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12  # random; a subject key seals a handful of fields, the wrapping key far below 2^32 keys
_TAG_BYTES: Final = 16
_VERSION: Final = b"\x01"
_WRAPPING: Final = b"kaquan subject key"
WRAPPED_BYTES: Final = len(_VERSION) + _NONCE_BYTES + KEY_BYTES + _TAG_BYTES

SubjectKey = NewType("SubjectKey", bytes)
"""The 32 bytes of one subject. Never stored, logged or sent; only its wrapped form is."""


@dataclass(frozen=True)
class MasterKey:
    """The installation's root key. Nothing is sealed with it: each purpose has a key derived from it."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ValueError(f"the master key has {KEY_BYTES} bytes, not {len(self.secret)}")

    def derive(self, purpose: str) -> bytes:
        """The 32-byte key for one purpose (HKDF-SHA-256). The same purpose gives the same key, for ever."""
        hkdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"kaquan/{purpose}/1".encode())
        return hkdf.derive(self.secret)

    @cached_property
    def wrapping(self) -> AESGCM:
        """The cipher that wraps subject keys."""
        return AESGCM(self.derive("wrap-subject-key"))


def new_subject_key(master: MasterKey) -> tuple[SubjectKey, bytes]:
    """A fresh random key and its wrapped form for storing."""
    key = SubjectKey(os.urandom(KEY_BYTES))
    return key, _VERSION + seal(master.wrapping, key, _WRAPPING)


def unwrap(master: MasterKey, wrapped: bytes) -> SubjectKey:
    """The key inside `wrapped`. Raises `SealBroken` when it was not wrapped by this master key."""
    if len(wrapped) != WRAPPED_BYTES or wrapped[:1] != _VERSION:
        raise SealBroken("not a wrapped subject key")
    return SubjectKey(unseal(master.wrapping, wrapped[1:], _WRAPPING))


def seal(cipher: AESGCM, plain: bytes, context: bytes) -> bytes:
    """`plain` under AES-256-GCM as nonce, ciphertext and tag; it opens only with the same `context`."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, context)


def unseal(cipher: AESGCM, sealed: bytes, context: bytes) -> bytes:
    """The inverse of `seal`. Raises `SealBroken`."""
    if len(sealed) < _NONCE_BYTES + _TAG_BYTES:
        raise SealBroken("sealed bytes are cut short")
    try:
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)
    except InvalidTag:
        raise SealBroken("sealed bytes do not open with this key here") from None
