"""Leaf commitments: the bytes of a body, the formula, and what an erased key leaves provable."""

import hashlib
import hmac
import json
import unicodedata
from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from kaquan import main  # noqa: F401 - whatever answers is imported by it
from kaquan.commands.model import Answer
from kaquan.trail.leaf import (
    BODY_BYTES_MAX,
    DEPTH_MAX,
    INTEGER_LIMIT,
    LEAF_BYTES,
    NO_PERSON,
    LeafError,
    canonical,
    commit,
    leaf,
    opens,
)

MONEY_KEY = bytes(range(32))
SUBJECT_KEY = bytes(range(100, 132))
EVENT = bytes.fromhex("0197a1b2c3d47e8f8a9babbccddeeff0")
MONEY = {"amount_fen": 10000, "kind": "pay", "lots": [["principal", 8200], ["bonus", 1800]], "v": 1}
PERSON = {"card": "crd_01h455vb4pex5vsknk084sn02q", "holder": "hld_01h455vb4pex5vsknk084sn02q"}
MONEY_TEXT = b'{"amount_fen":10000,"kind":"pay","lots":[["principal",8200],["bonus",1800]],"v":1}'

keys = st.binary(min_size=32, max_size=32)
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"])).map(
    lambda text: unicodedata.normalize("NFC", text)
)
ascii_texts = st.text(alphabet=st.characters(max_codepoint=127), max_size=12)
atoms = st.none() | st.booleans() | st.integers(1 - INTEGER_LIMIT, INTEGER_LIMIT - 1) | texts
values = st.recursive(
    atoms,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ascii_texts, inner, max_size=4),
    max_leaves=8,
)
bodies = st.dictionaries(ascii_texts, values, max_size=6)


def by_hand(key: bytes, event: bytes, body: bytes) -> bytes:
    """The commitment from the standard library's own HMAC."""
    return hashlib.sha256(hmac.digest(key, event, "sha256") + body).digest()


def written_by_rfc_8785(value: Any) -> str:
    """RFC 8785 section 3.2 for this subset, written out: sorted by UTF-16 units, shortest escapes."""
    if isinstance(value, dict):
        ordered = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be"))
        return "{" + ",".join(f"{written_by_rfc_8785(k)}:{written_by_rfc_8785(v)}" for k, v in ordered) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written_by_rfc_8785, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    short = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
    return '"' + "".join(short.get(ord(c), c if ord(c) >= 32 else f"\\u{ord(c):04x}") for c in value) + '"'


def test_golden_bytes_and_commitments() -> None:
    assert canonical(MONEY) == MONEY_TEXT
    expected = by_hand(MONEY_KEY, EVENT, MONEY_TEXT)
    assert commit(MONEY_KEY, EVENT, MONEY_TEXT) == expected
    # Typed once: a change of the formula must not be able to change both sides of the line above.
    assert expected.hex() == "2558828c2e79eb3942ef5c4b1b53be94a013f3ab96735aade32d3b71a285814e"
    assert (
        commit(SUBJECT_KEY, EVENT, canonical(PERSON)).hex()
        == "81ba1d5bbc7eb79eaf12536be56ce73e4ff99dcfa6362719df5c1ab0c9f03423"
    )


@given(keys, st.binary(max_size=40), st.binary(max_size=300))
def test_commitment_is_the_formula(key: bytes, event: bytes, body: bytes) -> None:
    made = commit(key, event, body)
    assert made == by_hand(key, event, body)
    assert opens(made, key, event, body)


@given(keys, keys, st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=40))
def test_nothing_else_opens_a_commitment(
    key: bytes, other_key: bytes, event: bytes, other_event: bytes, body: bytes, other_body: bytes
) -> None:
    made = commit(key, event, body)
    assert opens(made, other_key, event, body) == (other_key == key)
    assert opens(made, key, other_event, body) == (other_event == event)
    assert opens(made, key, event, other_body) == (other_body == body)
    assert not opens(made[:-1], key, event, body)


def test_leaf_is_money_then_person() -> None:
    money, person = canonical(MONEY), canonical(PERSON)
    made = leaf(MONEY_KEY, SUBJECT_KEY, EVENT, money, person)
    assert len(made) == LEAF_BYTES
    assert made == by_hand(MONEY_KEY, EVENT, money) + by_hand(SUBJECT_KEY, EVENT, person)


def test_an_erased_subject_key_leaves_the_money_part_provable() -> None:
    money, person = canonical(MONEY), canonical(PERSON)
    made = leaf(MONEY_KEY, SUBJECT_KEY, EVENT, money, person)
    # The 32 bytes of SUBJECT_KEY are gone: who holds everything else proves the money and not the person.
    assert opens(made[:32], MONEY_KEY, EVENT, money)
    for key_left in (MONEY_KEY, bytes(32)):
        assert not opens(made[32:], key_left, EVENT, person)
    assert hashlib.sha256(person).digest() != made[32:]
    # And the same person's next event shows no likeness.
    assert leaf(MONEY_KEY, SUBJECT_KEY, EVENT[:-1] + b"\1", money, person)[32:] != made[32:]


def test_an_event_that_concerns_nobody_has_an_empty_person_part() -> None:
    money = canonical(MONEY)
    made = leaf(MONEY_KEY, None, EVENT, money, b"")
    assert made == commit(MONEY_KEY, EVENT, money) + NO_PERSON
    with pytest.raises(LeafError, match="key of its subject"):
        leaf(MONEY_KEY, None, EVENT, money, canonical(PERSON))


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_key_has_32_bytes(length: int) -> None:
    with pytest.raises(LeafError, match="32 bytes"):
        commit(bytes(length), EVENT, b"{}")


@given(bodies)
def test_canonical_is_rfc_8785_and_reads_back(body: dict[str, Any]) -> None:
    written = canonical(body)
    assert written.decode() == written_by_rfc_8785(body)
    assert json.loads(written) == body


@given(st.dictionaries(ascii_texts, atoms, min_size=2, max_size=8), st.randoms())
def test_order_of_keys_does_not_matter(body: dict[str, Any], random: Any) -> None:
    items = list(body.items())
    random.shuffle(items)
    assert canonical(dict(items)) == canonical(body)


def test_every_character_is_written_as_the_standard_encoder_writes_it() -> None:
    standard = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
    for low in range(0, 0x110000, 0x100):
        each = [chr(point) for point in range(low, low + 0x100) if not 0xD800 <= point < 0xE000]
        body = {"t": [text for text in each if unicodedata.is_normalized("NFC", text)]}
        assert canonical(body) == standard(body).encode()


@pytest.mark.parametrize("kind", sorted(Answer.__subclasses__(), key=lambda kind: kind.__name__))
def test_answers_are_written_as_they_stand(kind: type[Answer]) -> None:
    """Their fields stand in the order of canonical JSON."""
    values = {str: "é\n\x1f", int: 7}
    given = {one.name: values.get(one.type, [{"b": 1}]) for one in structs.fields(kind)}
    assert kind(**given).written() == canonical(given)


def test_all_answers_are_known_here() -> None:
    assert {kind.__name__ for kind in Answer.__subclasses__()} >= {"PayAnswer", "CaptureAnswer", "RefundAnswer"}


def nested(depth: int) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for _ in range(depth - 1):
        body = {"in": body}
    return body


class Colour(StrEnum):
    RED = "red"


class Number(IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    "body",
    [
        {"a": 1.0},
        {"a": [0, {"b": float("nan")}]},
        {"a": INTEGER_LIMIT},
        {"a": -INTEGER_LIMIT},
        {"a": [INTEGER_LIMIT]},
        {"价": 1},
        {"a": {"é": 1}},
        {1: "a"},
        {"a": "e\u0301"},
        {"a": ["e\u0301"]},
        {"a": "\ud800"},
        {"a": b"bytes"},
        {"a": (1, 2)},
        {"a": {1, 2}},
        {"a": Colour.RED},
        {"a": Number.ONE},
        {Colour.RED: 1},
        {"a": object()},
        {"a": "x" * BODY_BYTES_MAX},
        nested(DEPTH_MAX + 1),
        ["a"],
        "a",
    ],
)
def test_what_is_outside_the_subset_is_refused(body: Any) -> None:
    with pytest.raises(LeafError):
        canonical(body)


def test_the_limits_themselves_are_allowed() -> None:
    canonical({"a": INTEGER_LIMIT - 1, "b": 1 - INTEGER_LIMIT, "c": [INTEGER_LIMIT - 1]})
    canonical(nested(DEPTH_MAX))
    assert len(canonical({"a": "x" * (BODY_BYTES_MAX - 8)})) == BODY_BYTES_MAX
    assert (
        canonical({"a": "张", "b": [None, True, False, {}, []]}) == '{"a":"张","b":[null,true,false,{},[]]}'.encode()
    )


def test_a_refusal_names_the_place_and_never_the_value() -> None:
    with pytest.raises(LeafError) as caught:
        canonical({"name": "Zoe\u0308 Secret"})
    assert "name" in str(caught.value)
    assert "Secret" not in str(caught.value)
    with pytest.raises(LeafError) as caught:
        canonical({"name": "Secret\ud800"})
    assert caught.value.__cause__ is None
    assert "Secret" not in str(caught.value)
