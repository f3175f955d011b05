"""How personal data is read from what people type or paste. Pure."""

import re
from collections.abc import Callable
from datetime import date
from typing import Final
from unicodedata import category, normalize

from kaquan.kernel.refusal import Refusal
from kaquan.privacy.errors import ID_NUMBER_INVALID, NAME_INVALID, PHONE_INVALID
from kaquan.privacy.model import Person

NAME_LENGTH_MAX: Final = 60  # the longest names on resident cards (with interpuncts) stay under 30
_TYPED_MAX: Final = 256  # nothing anybody types for these fields is longer; bounds the work on hostile text

# Private-use and not yet assigned characters are let through: rare characters of real names live there.
_NEVER_IN_NAMES = frozenset({"Cc", "Cf", "Cs"})
# The invisible ones come along when a number is pasted from a phone's contacts.
_SEPARATORS = re.compile("[\\s().\u00b7\u2010-\u2015\u2212\\-\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_COUNTRY = re.compile(r"^(?:\+86|0086|86(?=1[0-9]{10}$))")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_RESIDENT = re.compile(r"[1-9][0-9]{16}[0-9X]")
_OTHER_DOCUMENT = re.compile(r"(?=.*[0-9])[0-9A-Z]{5,17}")
_RESIDENT_LENGTH: Final = 18
_CHECK_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999
_CHECK_LETTERS: Final = "10X98765432"


def person(name: str, phone: str | None = None, id_number: str | None = None) -> Person | Refusal:
    """A `Person` from what was typed, or the first refusal among its fields. Empty text counts as not given."""
    read_name = normalise_name(name)
    if isinstance(read_name, Refusal):
        return read_name
    read_phone = _optional(normalise_phone, phone)
    if isinstance(read_phone, Refusal):
        return read_phone
    read_id = _optional(normalise_id_number, id_number)
    if isinstance(read_id, Refusal):
        return read_id
    return Person(read_name, read_phone, read_id)


def normalise_name(typed: str) -> str | Refusal:
    """The name in NFC with single spaces, or `name_invalid`."""
    clean = " ".join(normalize("NFC", typed[:_TYPED_MAX]).split())
    shown = not any(category(letter) in _NEVER_IN_NAMES for letter in clean)
    if clean and shown and len(typed) <= _TYPED_MAX and len(clean) <= NAME_LENGTH_MAX:
        return clean
    return Refusal(NAME_INVALID, {"length_max": NAME_LENGTH_MAX})


def normalise_phone(typed: str) -> str | Refusal:
    """The 11 digits of a mobile number of mainland China, without +86, or `phone_invalid`."""
    digits = _COUNTRY.sub("", _SEPARATORS.sub("", normalize("NFKC", typed[:_TYPED_MAX])))
    if len(typed) <= _TYPED_MAX and _MOBILE.fullmatch(digits):
        return digits
    return Refusal(PHONE_INVALID)


def normalise_id_number(typed: str) -> str | Refusal:
    """The number of an identity document in capitals without separators, or `id_number_invalid`.

    Eighteen characters are a resident identity card (GB 11643: birth date and check digit are verified); shorter
    ones are taken as passports and permits, whose issuers publish no check.
    """
    number = _SEPARATORS.sub("", normalize("NFKC", typed[:_TYPED_MAX])).upper()
    if len(number) == _RESIDENT_LENGTH:
        valid = _RESIDENT.fullmatch(number) is not None and _resident_checks(number)
    else:
        valid = _OTHER_DOCUMENT.fullmatch(number) is not None
    return number if valid and len(typed) <= _TYPED_MAX else Refusal(ID_NUMBER_INVALID)


def resident_check_letter(first_17: str) -> str:
    """The check letter (GB 11643) that follows the first 17 digits of a resident identity number."""
    total = sum(int(digit) * weight for digit, weight in zip(first_17, _CHECK_WEIGHTS, strict=True))
    return _CHECK_LETTERS[total % len(_CHECK_LETTERS)]


def _resident_checks(number: str) -> bool:
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return resident_check_letter(number[:17]) == number[17]


def _optional(read: Callable[[str], str | Refusal], typed: str | None) -> str | Refusal | None:
    return read(typed) if typed and not typed.isspace() else None
