"""A person: hidden when printed, sealed when stored, masked when shown."""

from dataclasses import dataclass, field
from enum import StrEnum


class PersonField(StrEnum):
    """The fields that are sealed; the value stands in the associated data and must never change."""

    NAME = "name"
    PHONE = "phone"
    ID_NUMBER = "id_number"


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody is, in normalised form. Printing it shows nothing."""

    name: str = field(repr=False)
    phone: str | None = field(default=None, repr=False)
    id_number: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SealedPerson:
    """What is stored: ciphertexts that need the subject's key, and blind indexes that need the master key.

    Erasing a person means dropping the wrapped subject key *and* the two indexes: an index opens nothing, but who
    holds the master key could still ask whether a given number was here.
    """

    name: bytes = field(repr=False)
    phone: bytes | None = field(default=None, repr=False)
    id_number: bytes | None = field(default=None, repr=False)
    phone_index: bytes | None = field(default=None, repr=False)
    id_number_index: bytes | None = field(default=None, repr=False)


def masked_name(name: str) -> str:
    """`张*`: the first character; the star does not tell how long the rest is."""
    return f"{name[:1]}*"


def masked_phone(phone: str) -> str:
    """`138****1234`."""
    return f"{phone[:3]}****{phone[-4:]}"


def masked_id_number(number: str) -> str:
    """The first and the last character of an identity number; the stars do not tell its length."""
    return f"{number[:1]}****{number[-1:]}"
