"""Ids: scoped to who asks and what is asked about, in the bucket of their subject, readable outside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaquan.commands.model import scoped_id
from kaquan.kernel.ids import (
    BUCKET_COUNT,
    BUCKETS,
    Id,
    IdError,
    bucket_of,
    derived_id,
    new_id,
    number,
    parse,
    public,
)

ids = st.binary(min_size=16, max_size=16).map(Id)
keys = st.text(min_size=1, max_size=64)
UUID7 = "01890a5d-ac96-774b-bcce-b302099a8057"


@given(st.integers(0, 2**48 - 1), st.sampled_from(BUCKETS))
def test_a_new_id_tells_its_time_and_its_bucket(at_ms: int, bucket: int) -> None:
    identity = new_id(at_ms, bucket)
    assert (int.from_bytes(identity[:6], "big"), bucket_of(identity)) == (at_ms, bucket)
    assert identity[6] >> 4 == 7 and identity[8] >> 6 == 2, "the layout of UUID version 7"


@given(ids, keys, st.integers(0, 9))
def test_an_effect_stands_in_the_bucket_of_what_it_concerns(subject: Id, key: str, organisation: int) -> None:
    identity = scoped_id(organisation, subject, key)
    assert bucket_of(identity) == bucket_of(subject)
    assert bucket_of(derived_id(identity, b"principal")) == bucket_of(subject)
    assert scoped_id(organisation, subject, key) == identity, "the same on every retry"


@given(ids, ids, keys)
def test_one_key_is_another_id_for_another_organisation_or_subject(subject: Id, other: Id, key: str) -> None:
    assert scoped_id(1, subject, key) != scoped_id(2, subject, key)
    assert subject == other or scoped_id(1, subject, key) != scoped_id(1, other, key)
    assert scoped_id(1, subject, key) != scoped_id(1, subject, f"{key}-")


def test_a_key_that_is_a_uuid_of_version_7_keeps_its_time() -> None:
    subject = new_id(0, BUCKETS[3])
    assert scoped_id(1, subject, UUID7)[:6].hex() == "01890a5dac96"
    assert scoped_id(1, subject, UUID7.replace("-7", "-4"))[:6].hex() != "01890a5dac96"


@given(ids)
def test_a_public_id_is_read_back(identity: Id) -> None:
    shown = public("pay", identity)
    assert len(shown) == 30 and shown == shown.lower()
    assert parse("pay", f" {shown.upper()} ") == identity
    with pytest.raises(IdError):
        parse("crd", shown)


@pytest.mark.parametrize("text", ["", "pay_", "pay_" + "z" * 26, "pay_" + "u" * 26, "pay_" + "0" * 25])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(IdError):
        parse("pay", text)


def test_numbers_of_reference_data() -> None:
    assert number("org", "org_12") == 12
    for text in ("org_", "org_-1", "org_1x", "mer_1", "org_1234567890"):
        with pytest.raises(IdError):
            number("org", text)


def test_there_are_as_many_labels_as_six_bits_can_tell() -> None:
    assert BUCKET_COUNT == 64 == len(set(BUCKETS))
