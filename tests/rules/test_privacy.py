"""Personal data: what is read, what is hidden, what opens, what can be found, and what erasing leaves."""

import hashlib
import hmac
import pickle
import traceback
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from kaquan.kernel.refusal import Refusal
from kaquan.privacy import errors
from kaquan.privacy.model import Person, PersonField, SealedPerson, masked_id_number, masked_name, masked_phone
from kaquan.privacy.rules import (
    NAME_LENGTH_MAX,
    normalise_id_number,
    normalise_name,
    normalise_phone,
    person,
    resident_check_letter,
)
from kaquan.privacy.subject_keys import WRAPPED_BYTES, MasterKey, SubjectKey, new_subject_key, unwrap
from kaquan.privacy.vault import Vault, open_person

MASTER = MasterKey(bytes(range(32)))
OTHER_MASTER = MasterKey(bytes(range(1, 33)))
VAULT = Vault(MASTER)
SUBJECT = b"subject-00000001"
RESIDENT = "11010519491231002X"  # the example in GB 11643-1999
WHO = Person("张三", "13800001234", RESIDENT)

phones = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
printable = st.characters(exclude_categories=["C", "Z"])
names = st.text(printable, min_size=1, max_size=20).map(normalise_name).filter(lambda name: isinstance(name, str))


def hkdf(secret: bytes, info: bytes) -> bytes:
    """RFC 5869 for one block, from hashlib and hmac alone."""
    return hmac.digest(hmac.digest(bytes(32), secret, "sha256"), info + b"\x01", "sha256")


# --- reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "13800001234",
        "+8613800001234",
        "+86 138 0000 1234",
        "0086-138-0000-1234",
        "8613800001234",
        "(+86)138-0000-1234",
        "１３８００００１２３４",
        "＋８６ １３８ ００００ １２３４",
        "\u202d138\u2060 0000 1234\u202c",
        "  138.0000.1234 ",
    ],
)
def test_a_mobile_number_is_read_in_every_common_form(typed: str) -> None:
    assert normalise_phone(typed) == "13800001234"


@pytest.mark.parametrize(
    "typed",
    [
        "", "1380000123", "138000012345", "12800001234", "23800001234", "+85291234567", "+1 3800001234",
        "021-55551234", "+86+8613800001234", "1380000123a", "١٣٨٠٠٠٠١٢٣٤", "13800001234" + " " * 256, "\ud800",
    ],
)  # fmt: skip
def test_what_is_no_mobile_number_is_refused_without_telling_it(typed: str) -> None:
    refused = normalise_phone(typed)
    assert isinstance(refused, Refusal)
    assert refused.code is errors.PHONE_INVALID
    assert dict(refused.facts) == {}


@given(phones, st.sampled_from(["", "+86", "0086", "86"]), st.sampled_from(["", " ", "-"]))
def test_reading_a_phone_number_is_stable(phone: str, country: str, gap: str) -> None:
    typed = country + gap + gap.join((phone[:3], phone[3:7], phone[7:]))
    assert normalise_phone(typed) == phone
    assert normalise_phone(phone) == phone


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (RESIDENT, RESIDENT),
        ("11010519491231002x", RESIDENT),
        ("110105 19491231 002X", RESIDENT),
        ("１１０１０５１９４９１２３１００２Ｘ", RESIDENT),
        ("e12345678", "E12345678"),
        ("H1234567-8", "H12345678"),
    ],
)
def test_an_identity_number_is_read(typed: str, read: str) -> None:
    assert normalise_id_number(typed) == read


@pytest.mark.parametrize(
    "typed",
    [
        "", "1234", "PASSPORT", "110105194912310021", "11010519491331002X", "01010519491231002X", RESIDENT + "0",
        "E1234567_", RESIDENT + " " * 256, "身份证号码",
    ],
)  # fmt: skip
def test_a_wrong_identity_number_is_refused_without_telling_it(typed: str) -> None:
    refused = normalise_id_number(typed)
    assert isinstance(refused, Refusal)
    assert refused.code is errors.ID_NUMBER_INVALID
    assert dict(refused.facts) == {}


def test_the_check_letter_finds_every_single_wrong_digit() -> None:
    for place in range(17):
        for digit in set("0123456789") - {RESIDENT[place]}:
            wrong = RESIDENT[:place] + digit + RESIDENT[place + 1 :]
            assert resident_check_letter(wrong[:17]) != "X"
            assert isinstance(normalise_id_number(wrong), Refusal)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (" 张 三 ", "张 三"),
        ("阿卜杜拉·买买提", "阿卜杜拉·买买提"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("\U00020bb7田", "\U00020bb7田"),
        ("\U00031350", "\U00031350"),
        ("名" * NAME_LENGTH_MAX, "名" * NAME_LENGTH_MAX),
    ],
)
def test_a_name_is_read(typed: str, read: str) -> None:
    assert normalise_name(typed) == read


@pytest.mark.parametrize(
    "typed", ["", "  ", "张\x00三", "张\u200b三", "名" * (NAME_LENGTH_MAX + 1), "\ud800", " " * 300]
)
def test_a_name_that_cannot_be_is_refused(typed: str) -> None:
    refused = normalise_name(typed)
    assert isinstance(refused, Refusal)
    assert refused.code is errors.NAME_INVALID
    assert dict(refused.facts) == {"length_max": NAME_LENGTH_MAX}


def test_a_person_is_read_or_refused_by_its_first_wrong_field() -> None:
    assert person(" 张三", "+86 138 0000 1234", RESIDENT.lower()) == WHO
    assert person("张三") == Person("张三")
    assert person("张三", " ", "") == Person("张三")
    for typed, code in (
        (("", "1", "1"), errors.NAME_INVALID),
        (("张三", "1", "1"), errors.PHONE_INVALID),
        (("张三", "13800001234", "1"), errors.ID_NUMBER_INVALID),
    ):
        refused = person(*typed)
        assert isinstance(refused, Refusal)
        assert refused.code is code


# --- hiding --------------------------------------------------------------------------------------


def test_masks_show_what_a_clerk_needs_and_no_more() -> None:
    assert masked_phone("13800001234") == "138****1234"
    assert masked_name("张三") == masked_name("张三丰") == "张*"
    assert masked_id_number(RESIDENT) == "1****X"


def test_nothing_secret_is_printed() -> None:
    key, wrapped = new_subject_key(MASTER)
    sealed = VAULT.seal(key, SUBJECT, WHO)
    shown = "".join(f"{thing} {thing!r}" for thing in (WHO, sealed, MASTER, VAULT, [WHO], {"who": WHO}))
    for secret in ("张三", "13800001234", RESIDENT, str(MASTER.secret), str(sealed.name), str(sealed.phone_index)):
        assert secret not in shown
    assert wrapped.hex() not in shown


def test_a_failed_opening_tells_nothing() -> None:
    key, _ = new_subject_key(MASTER)
    sealed = VAULT.seal(key, SUBJECT, WHO)
    with pytest.raises(errors.SealBroken) as caught:
        open_person(key, b"another", sealed)
    told = "".join(traceback.format_exception(caught.value))
    assert "张三" not in told
    assert str(bytes(key)) not in told
    assert caught.value.__cause__ is None


# --- keys ----------------------------------------------------------------------------------------


def test_a_wrapped_key_opens_with_its_master_only() -> None:
    key, wrapped = new_subject_key(MASTER)
    assert len(key) == 32
    assert len(wrapped) == WRAPPED_BYTES == 61
    assert unwrap(MASTER, wrapped) == key
    assert unwrap(MasterKey(MASTER.secret), wrapped) == key
    with pytest.raises(errors.SealBroken):
        unwrap(OTHER_MASTER, wrapped)


def test_every_altered_byte_of_a_wrapped_key_is_noticed() -> None:
    _, wrapped = new_subject_key(MASTER)
    for place in range(len(wrapped)):
        altered = wrapped[:place] + bytes([wrapped[place] ^ 1]) + wrapped[place + 1 :]
        with pytest.raises(errors.SealBroken):
            unwrap(MASTER, altered)
    for cut in (b"", wrapped[:-1], wrapped + b"\0"):
        with pytest.raises(errors.SealBroken):
            unwrap(MASTER, cut)


def test_keys_and_wrappings_never_repeat() -> None:
    made = [new_subject_key(MASTER) for _ in range(50)]
    assert len({key for key, _ in made}) == len({wrapped for _, wrapped in made}) == 50


def test_a_digest_tells_people_apart_by_every_field_and_needs_the_master_key() -> None:
    others = [replace(WHO, name="李四"), replace(WHO, phone="13800001235"), replace(WHO, phone=None)]
    others += [replace(WHO, id_number=None), Person(WHO.name, WHO.id_number, WHO.phone)]
    digests = {VAULT.digest(one) for one in (WHO, *others)} | {Vault(OTHER_MASTER).digest(WHO)}
    assert len(digests) == 7 and VAULT.digest(replace(WHO)) == VAULT.digest(WHO)


def test_derived_keys_follow_rfc_5869_and_differ_by_purpose() -> None:
    assert MASTER.derive("money") == hkdf(MASTER.secret, b"kaquan/money/1")
    purposes = ["money", "wrap-subject-key", "blind-index-phone", "blind-index-id_number", "person-digest"]
    assert len({MASTER.derive(purpose) for purpose in purposes} | {MASTER.secret}) == 6


def test_a_wrapped_key_opens_with_the_formula_alone() -> None:
    key, wrapped = new_subject_key(MASTER)
    cipher = AESGCM(hkdf(MASTER.secret, b"kaquan/wrap-subject-key/1"))
    assert cipher.decrypt(wrapped[1:13], wrapped[13:], b"kaquan subject key") == key


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_master_key_has_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        MasterKey(bytes(length))


# --- sealing -------------------------------------------------------------------------------------


@given(names, st.none() | phones, st.none() | st.just(RESIDENT), st.binary(min_size=1, max_size=16))
def test_a_person_comes_back_from_the_seal(name: str, phone: str | None, number: str | None, subject: bytes) -> None:
    who = Person(name, phone, number)
    key, _ = new_subject_key(MASTER)
    sealed = VAULT.seal(key, subject, who)
    assert open_person(key, subject, sealed) == who
    assert (sealed.phone is None, sealed.phone_index is None) == (phone is None, phone is None)
    assert (sealed.id_number is None, sealed.id_number_index is None) == (number is None, number is None)


def test_sealed_bytes_open_with_the_formula_alone() -> None:
    key, _ = new_subject_key(MASTER)
    sealed = VAULT.seal(key, SUBJECT, WHO)
    assert sealed.phone is not None
    assert AESGCM(key).decrypt(sealed.phone[:12], sealed.phone[12:], b"phone\0" + SUBJECT) == b"13800001234"
    # The names of the fields stand in what is stored for years.
    assert [kind.value for kind in PersonField] == ["name", "phone", "id_number"]


def test_nothing_readable_is_stored() -> None:
    key, wrapped = new_subject_key(MASTER)
    sealed = VAULT.seal(key, SUBJECT, WHO)
    stored = wrapped + pickle.dumps(sealed)
    for secret in ("张三".encode(), b"13800001234", b"0001234", RESIDENT.encode(), bytes(key), MASTER.secret):
        assert secret not in stored
    plain_hash = hashlib.sha256(b"13800001234").digest()
    assert sealed.phone_index != plain_hash
    again = VAULT.seal(key, SUBJECT, WHO)
    assert again.name != sealed.name
    assert again.phone != sealed.phone


def test_a_ciphertext_moved_to_another_place_does_not_open() -> None:
    key, _ = new_subject_key(MASTER)
    sealed = VAULT.seal(key, SUBJECT, WHO)
    assert sealed.phone is not None
    moved: list[tuple[SubjectKey, bytes, SealedPerson]] = [
        (new_subject_key(MASTER)[0], SUBJECT, sealed),
        (key, SUBJECT + b"1", sealed),
        (key, SUBJECT, replace(sealed, name=sealed.phone)),
        (key, SUBJECT, replace(sealed, phone=sealed.id_number)),
        (key, SUBJECT, replace(sealed, phone=sealed.phone[:-1])),
        (key, SUBJECT, replace(sealed, phone=b"")),
    ]
    for other_key, subject, other in moved:
        with pytest.raises(errors.SealBroken):
            open_person(other_key, subject, other)


# --- finding and erasing -------------------------------------------------------------------------


@given(phones, phones)
def test_equal_numbers_meet_in_the_index_and_others_do_not(one: str, other: str) -> None:
    assert (VAULT.phone_index(one) == VAULT.phone_index(other)) == (one == other)
    assert VAULT.phone_index(one) != VAULT.id_number_index(one)
    assert VAULT.phone_index(one) != Vault(OTHER_MASTER).phone_index(one)


def test_the_index_is_the_formula_and_outlives_a_restart() -> None:
    sealed = VAULT.seal(new_subject_key(MASTER)[0], SUBJECT, WHO)
    index_key = hkdf(MASTER.secret, b"kaquan/blind-index-phone/1")
    assert sealed.phone_index == hmac.digest(index_key, b"13800001234", "sha256")
    assert sealed.phone_index == Vault(MasterKey(MASTER.secret)).phone_index("13800001234")
    assert sealed.id_number_index == VAULT.id_number_index(RESIDENT)


def test_without_the_subject_key_the_master_key_opens_nothing() -> None:
    key, _ = new_subject_key(MASTER)
    sealed = VAULT.seal(key, SUBJECT, WHO)
    # Erased: the wrapped key is gone. Everything the installation still holds is tried.
    left = [MASTER.secret, MASTER.derive("wrap-subject-key"), MASTER.derive("blind-index-phone"), bytes(32)]
    for candidate in left:
        with pytest.raises(errors.SealBroken):
            open_person(SubjectKey(candidate), SUBJECT, sealed)
