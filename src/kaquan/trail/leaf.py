"""Leaf commitments: what the tamper-evident trail says about an event without saying anything about it.

A commitment is `SHA-256(HMAC-SHA-256(key, event id) || body)`. Without the key it tells nothing, not even
whether two bodies are equal; with key and body anybody can check it. The part about money and the part about
a person are committed apart, under different keys: when the person's key is erased, their part can never be
opened again and the money part stays provable.

A body is RFC 8785 (canonical JSON) in a narrow subset, so that a clerk or a court can read it and every
language writes the same bytes.
"""

import hmac
from hashlib import sha256
from typing import Any, Final
from unicodedata import is_normalized

import msgspec

KEY_BYTES: Final = 32
COMMITMENT_BYTES: Final = 32
LEAF_BYTES: Final = 2 * COMMITMENT_BYTES
INTEGER_LIMIT: Final = 2**53  # RFC 7493 (I-JSON): beyond it a double no longer tells neighbours apart
DEPTH_MAX: Final = 8  # a body is a record, not a document; also bounds the recursion
BODY_BYTES_MAX: Final = 65_535  # the length of an entry in a C2SP bundle is a uint16

NO_PERSON: Final = bytes(COMMITMENT_BYTES)
"""The person part of an event that concerns nobody."""

# In this subset its order and its escapes are those of RFC 8785, and it is ten times faster than `json`: the
# test compares the two for every character of Unicode.
_encode = msgspec.json.Encoder(order="sorted").encode


class LeafError(ValueError):
    """A body outside the subset. Says where and why, never the value."""


def canonical(body: dict[str, Any]) -> bytes:
    """The bytes of `body`: RFC 8785 over ASCII keys, NFC strings, integers below 2^53, true, false and null.

    Floats, subclasses of the plain types and deeper or longer bodies than the limits raise `LeafError`.
    """
    if type(body) is not dict:
        raise LeafError(f"a body is a dict, not {type(body).__name__}")
    _check_dict(body, 1)
    try:
        encoded = _encode(body)
    except UnicodeEncodeError:
        raise LeafError("a string holds half a surrogate pair") from None
    if len(encoded) > BODY_BYTES_MAX:
        raise LeafError(f"the body is {len(encoded)} bytes long, at most {BODY_BYTES_MAX}")
    return encoded


def commit(key: bytes, event_id: bytes, body: bytes) -> bytes:
    """The 32-byte commitment to `body` of the event `event_id` under the 32-byte `key`."""
    if len(key) != KEY_BYTES:
        raise LeafError(f"a key is {KEY_BYTES} bytes, not {len(key)}")
    return sha256(hmac.digest(key, event_id, "sha256") + body).digest()


def leaf(
    money_key: bytes, subject_key: bytes | None, event_id: bytes, money_body: bytes, person_body: bytes
) -> bytes:
    """The 64 bytes of one event: its money commitment, then its person commitment.

    An event that concerns nobody has neither `subject_key` nor `person_body`; its second half is `NO_PERSON`.
    """
    money = commit(money_key, event_id, money_body)
    if subject_key is None:
        if person_body:
            raise LeafError("a person part needs the key of its subject")
        return money + NO_PERSON
    return money + commit(subject_key, event_id, person_body)


def opens(commitment: bytes, key: bytes, event_id: bytes, body: bytes) -> bool:
    """Whether `commitment` is to exactly this body of this event under this key."""
    return hmac.compare_digest(commitment, commit(key, event_id, body))


def _check_dict(body: dict[Any, Any], depth: int) -> None:
    for key, value in body.items():
        if type(key) is not str or not key.isascii():
            raise LeafError("a key is not ASCII text")
        kind = type(value)
        if kind is int:
            if not -INTEGER_LIMIT < value < INTEGER_LIMIT:
                raise LeafError(f"{key}: an integer of 2^53 or more")
        elif kind is str:
            if not value.isascii() and not is_normalized("NFC", value):
                raise LeafError(f"{key}: text that is not in NFC")
        else:
            _check(value, key, depth)


def _check(value: Any, key: str, depth: int) -> None:
    """A value that is neither a plain int nor a plain str of `_check_dict`, or sits in a list."""
    kind = type(value)
    if kind is dict or kind is list:
        if depth >= DEPTH_MAX:
            raise LeafError(f"{key}: deeper than {DEPTH_MAX}")
        if kind is dict:
            _check_dict(value, depth + 1)
        else:
            for each in value:
                _check(each, key, depth + 1)
    elif kind is int:
        if not -INTEGER_LIMIT < value < INTEGER_LIMIT:
            raise LeafError(f"{key}: an integer of 2^53 or more")
    elif kind is str:
        if not is_normalized("NFC", value):
            raise LeafError(f"{key}: text that is not in NFC")
    elif value is not None and kind is not bool:
        raise LeafError(f"{key}: {kind.__name__} is not allowed")
