"""Ids: made by the application, ordered by time, carrying the bucket of the wallet they belong to.

Inside they are 16 bytes in the layout of UUID version 7; the low six bits of the last byte are the position
of the bucket in `BUCKETS`. Outside they are `<prefix>_<26 characters>` in Crockford's base 32.
"""

import os
from hashlib import sha256
from typing import NewType

Id = NewType("Id", bytes)
"""Sixteen bytes, time-ordered."""

# One label per shard at 64 shards, chosen by PostgreSQL's own hash of smallint; `tests/db/test_buckets.py`
# recomputes the list on the server. Order is the order of the hash ranges.
BUCKETS = (
    60, 8, 82, 1, 31, 88, 79, 24, 10, 92, 48, 109, 5, 112, 50, 166, 4, 7, 17, 172, 16, 96, 170, 85, 36, 89, 19, 0,
    37, 45, 101, 3, 113, 52, 62, 99, 136, 168, 46, 28, 6, 66, 70, 21, 83, 39, 43, 13, 2, 351, 27, 95, 58, 149, 41,
    179, 9, 80, 59, 22, 12, 11, 44, 18,
)  # fmt: skip
BUCKET_COUNT = len(BUCKETS)
_BUCKET_MASK = BUCKET_COUNT - 1
_POSITION = {label: position for position, label in enumerate(BUCKETS)}

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_DIGITS = {ord(letter): digit for letter, digit in zip(_ALPHABET, "0123456789abcdefghijklmnopqrstuv", strict=True)}
_DIGITS |= {ord(letter): "!" for letter in "ilou"}  # no letters of ours; Python's base 32 has them
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_TEXT_LENGTH = 26
_SHIFTS = range(120, -1, -10)


PREFIXES = {
    "api_key": "key",
    "approval": "apr",
    "batch": "cbt",
    "card": "crd",
    "closing": "cls",
    "device": "dev",
    "dispute": "dsp",
    "draw": "drw",
    "endpoint": "whe",
    "entry": "ent",
    "invitation": "inv",
    "job": "job",
    "lot": "lot",
    "merchant": "mer",
    "payment": "pay",
    "payout": "pyo",
    "payout_exception": "exc",
    "payout_file": "pof",
    "plan": "pln",
    "pool": "pol",
    "referral": "ref",
    "refund": "trf",
    "settlement": "stl",
    "statement": "stm",
    "store": "sto",
    "voucher": "vch",
    "wallet": "wal",
}
"""How a public id begins, by the name of what it names."""


class IdError(ValueError):
    """A text that is not an id of the wanted kind."""


def new_id(at_ms: int, bucket: int) -> Id:
    """A fresh id born at `at_ms` (milliseconds since 1970) in the bucket with this label."""
    random = bytearray(os.urandom(10))
    random[0] = 0x70 | (random[0] & 0x0F)
    random[2] = 0x80 | (random[2] & 0x3F)
    random[9] = (random[9] & ~_BUCKET_MASK & 0xFF) | _POSITION[bucket]
    return Id(at_ms.to_bytes(6, "big") + bytes(random))


def derived_id(origin: Id, salt: bytes) -> Id:
    """An id that follows from `origin` and `salt` alone: a job that runs twice makes the same one."""
    digest = sha256(origin + salt).digest()
    body = bytearray(origin[:6] + digest[:10])
    body[6] = 0x70 | (body[6] & 0x0F)
    body[8] = 0x80 | (body[8] & 0x3F)
    body[15] = (body[15] & ~_BUCKET_MASK & 0xFF) | (origin[15] & _BUCKET_MASK)
    return Id(bytes(body))


def draw_bucket() -> int:
    """A bucket label for a wallet that is being born."""
    return BUCKETS[os.urandom(1)[0] & _BUCKET_MASK]


def bucket_of(identity: bytes) -> int:
    """The bucket label that an id carries."""
    return BUCKETS[identity[15] & _BUCKET_MASK]


def public(prefix: str, identity: bytes) -> str:
    """`crd_…`: how an id is shown outside."""
    value = int.from_bytes(identity, "big")
    return f"{prefix}_{''.join([_PAIRS[value >> shift & 1023] for shift in _SHIFTS])}"


def parse(prefix: str, text: str) -> Id:
    """The inside of a public id. Raises `IdError` when the text is not one with this prefix."""
    head, _, tail = text.strip().lower().partition("_")
    if head != prefix or len(tail) != _TEXT_LENGTH:
        raise IdError(f"not an id of the form {prefix}_…: {text!r}")
    digits = tail.translate(_DIGITS)
    value = int(digits, 32) if digits.isascii() and digits.isalnum() else 1 << 128
    if value >> 128:
        raise IdError(f"not an id of the form {prefix}_…: {text!r}")
    return Id(value.to_bytes(16, "big"))


def number(prefix: str, text: str) -> int:
    """The number inside a reference id such as `mer_12`. Raises `IdError`."""
    head, _, tail = text.strip().lower().partition("_")
    if head != prefix or not tail.isascii() or not tail.isdigit() or len(tail) > 9:
        raise IdError(f"not an id of the form {prefix}_<number>: {text!r}")
    return int(tail)
