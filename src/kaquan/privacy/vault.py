"""The vault: a person sealed with their own key, and blind indexes to find them again.

Each field is sealed by itself with the subject and the field's name as associated data, so that a ciphertext
moved to another row or column does not open. A blind index is a keyed hash: equal numbers meet, and without the
master key nobody can try the ten thousand million numbers.
"""

import hmac
from typing import Final

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kaquan.privacy.model import Person, PersonField, SealedPerson
from kaquan.privacy.subject_keys import MasterKey, SubjectKey, seal, unseal

INDEX_BYTES: Final = 32


class Vault:
    """Seals, opens and indexes with one master key. Holds keys, so it has no readable form."""

    __slots__ = ("_digest_key", "_index_keys")

    def __init__(self, master: MasterKey) -> None:
        self._index_keys = {
            kind: master.derive(f"blind-index-{kind}") for kind in (PersonField.PHONE, PersonField.ID_NUMBER)
        }
        self._digest_key = master.derive("person-digest")

    def seal(self, key: SubjectKey, subject_id: bytes, person: Person) -> SealedPerson:
        """What to store about `person`, the subject `subject_id`, whose key is `key`."""
        cipher = AESGCM(key)

        def sealed(kind: PersonField, value: str) -> bytes:
            return seal(cipher, value.encode(), _context(subject_id, kind))

        phone, number = person.phone, person.id_number
        return SealedPerson(
            name=sealed(PersonField.NAME, person.name),
            phone=None if phone is None else sealed(PersonField.PHONE, phone),
            id_number=None if number is None else sealed(PersonField.ID_NUMBER, number),
            phone_index=None if phone is None else self.phone_index(phone),
            id_number_index=None if number is None else self.id_number_index(number),
        )

    def phone_index(self, phone: str) -> bytes:
        """The 32 bytes under which a normalised phone number is found (`rules.normalise_phone`)."""
        return self._index(PersonField.PHONE, phone)

    def id_number_index(self, number: str) -> bytes:
        """The 32 bytes under which a normalised identity number is found (`rules.normalise_id_number`)."""
        return self._index(PersonField.ID_NUMBER, number)

    def digest(self, person: Person) -> bytes:
        """32 bytes that tell whether two people are the same in every field, and nothing of who they are."""
        fields = msgspec.msgpack.encode((person.name, person.phone, person.id_number))
        return hmac.digest(self._digest_key, fields, "sha256")

    def _index(self, kind: PersonField, value: str) -> bytes:
        return hmac.digest(self._index_keys[kind], value.encode(), "sha256")


def open_person(key: SubjectKey, subject_id: bytes, sealed: SealedPerson) -> Person:
    """The person inside. Raises `SealBroken` when key, subject or bytes are not those of the sealing."""
    cipher = AESGCM(key)

    def opened(kind: PersonField, value: bytes) -> str:
        return unseal(cipher, value, _context(subject_id, kind)).decode()

    return Person(
        name=opened(PersonField.NAME, sealed.name),
        phone=None if sealed.phone is None else opened(PersonField.PHONE, sealed.phone),
        id_number=None if sealed.id_number is None else opened(PersonField.ID_NUMBER, sealed.id_number),
    )


def _context(subject_id: bytes, kind: PersonField) -> bytes:
    # The name of a field holds no zero byte, so two pairs never give the same bytes.
    return kind.value.encode() + b"\0" + subject_id
