"""Holders for everybody else: register, identify, find by phone, wallets, the keys of the trail."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kaquan.commands.handler import Handler
from kaquan.commands.model import Entry, Plan, Routed
from kaquan.db.wire import raw_cursor
from kaquan.holders import rules, store
from kaquan.holders.model import HolderFacts, IdentifyHolder, RegisterHolder, WalletFacts
from kaquan.kernel.caller import Caller
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal
from kaquan.privacy.model import Person, SealedPerson
from kaquan.privacy.subject_keys import MasterKey, SubjectKey, new_subject_key, seal, unseal, unwrap
from kaquan.privacy.vault import Vault, open_person

load_wallets = store.load_wallets

PERSON_BYTES = 16  # of the blind index: an id's length, and no two of a thousand million people meet by chance
KEY_CACHE_MAX = 200_000  # about 40 MB; below it every wallet of a batch costs a look-up


class HolderHandler(Handler):
    """Registration of holders and of anonymous wallets."""

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> HolderFacts:
        """Phone numbers that are taken."""
        return store.load_facts(cursor, entries)

    def decide(self, entry: Entry, facts: HolderFacts, at: datetime) -> Plan | Refusal:
        """See `holders.rules`."""
        return rules.decide(entry, facts, microseconds(at))


class IdentifyHandler(Handler):
    """Identification of holders who were registered without it."""

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> WalletFacts:
        """Wallets. Their versions tell what changed meanwhile: only one of two can identify, whoever locks."""
        return load_wallets(cursor, entries, [entry.command.wallet for entry in entries])

    def decide(self, entry: Entry, facts: WalletFacts, at: datetime) -> Plan | Refusal:
        """See `holders.rules`."""
        return rules.decide_identify(entry, facts)


class Sealer:
    """The keys that leaves are sealed with: the installation's for money, the subject's for persons."""

    def __init__(self, master: MasterKey) -> None:
        self.money_key = master.derive("money")
        self._master = master
        self._known: dict[Id, bytes] = {}

    def subject_keys(self, cursor: psycopg.Cursor[Any], subjects: Sequence[Id]) -> Mapping[Id, bytes]:
        """The keys of these subjects, from memory or from the database. An erased subject is missing."""
        missing = {subject for subject in subjects if subject not in self._known}
        if not missing:
            return self._known
        for subject, wrapped in store.subject_keys(cursor, sorted(missing)).items():
            self._known[subject] = unwrap(self._master, wrapped)
        if len(self._known) <= KEY_CACHE_MAX:
            return self._known
        keys = {subject: self._known[subject] for subject in subjects if subject in self._known}
        self._known = keys.copy()  # starting over is rare, and simpler than telling old keys from young ones
        return keys


def registration(master: MasterKey, caller: Caller, key: str, person: Person | None) -> RegisterHolder:
    """The command that opens a wallet for `person`, sealed; an anonymous wallet for None."""
    subject_key, wrapped = new_subject_key(master)
    if person is None:
        return RegisterHolder(key=key, caller=caller, identified=False, wrapped_key=wrapped, subject_key=subject_key)
    vault = Vault(master)
    sealed = vault.seal(subject_key, _CONTEXT, person)
    return RegisterHolder(
        key=key,
        caller=caller,
        identified=person.id_number is not None,
        wrapped_key=wrapped,
        subject_key=subject_key,
        name=sealed.name,
        phone=sealed.phone,
        id_number=sealed.id_number,
        phone_index=sealed.phone_index,
        person_index=_person_index(sealed),
        digest=vault.digest(person),
    )


def identification(
    connection: psycopg.Connection[Any],
    master: MasterKey,
    caller: Caller,
    key: str,
    *,
    wallet: Id,
    name: str,
    id_number: str,
) -> IdentifyHolder:
    """The command that records who holds `wallet`, sealed with its key. Both texts must be normalised."""
    person, vault = Person(name, None, id_number), Vault(master)
    wrapped = store.subject_keys(raw_cursor(connection), [wallet]).get(wallet)
    sealed = None if wrapped is None else vault.seal(unwrap(master, wrapped), _CONTEXT, person)
    return IdentifyHolder(
        key=key,
        caller=caller,
        wallet=wallet,
        digest=vault.digest(person),
        name=sealed.name if sealed else None,
        id_number=sealed.id_number if sealed else None,
        person_index=_person_index(sealed) if sealed else None,
    )


def find_by_phone(connection: psycopg.Connection[Any], master: MasterKey, phone: str) -> Id | None:
    """The wallet registered with a phone number, found by blind index. `phone` must be normalised."""
    return store.wallet_by_phone(connection, Vault(master).phone_index(phone))


def read_person(connection: psycopg.Connection[Any], master: MasterKey, wallet: Id) -> Person | None:
    """Who holds a wallet. None for an anonymous or erased one. Never log what this gives."""
    row = store.person(connection, wallet)
    if row is None:
        return None
    name, phone, id_number, wrapped = row
    return open_person(SubjectKey(unwrap(master, wrapped)), _CONTEXT, SealedPerson(name, phone, id_number))


def sealed_for(
    connection: psycopg.Connection[Any], master: MasterKey, wallet: Id, about: bytes, plain: bytes
) -> bytes | None:
    """Personal data about a wallet's holder, sealed with her own key: erasing her erases it. None without a key.

    `about` names what it is, and must be told again to open it.
    """
    wrapped = store.subject_keys(raw_cursor(connection), [wallet]).get(wallet)
    return None if wrapped is None else seal(AESGCM(unwrap(master, wrapped)), plain, about + b"\0" + wallet)


def opened_for(
    connection: psycopg.Connection[Any], master: MasterKey, wallet: Id, about: bytes, sealed: bytes
) -> bytes | None:
    """What `sealed_for` sealed; None when the holder's key is gone. Never log what this gives."""
    wrapped = store.subject_keys(raw_cursor(connection), [wallet]).get(wallet)
    return None if wrapped is None else unseal(AESGCM(unwrap(master, wrapped)), sealed, about + b"\0" + wallet)


def _person_index(sealed: SealedPerson) -> bytes | None:
    return sealed.id_number_index[:PERSON_BYTES] if sealed.id_number_index else None


# The subject key is one person's own, so the field's name is all the context a sealed value needs.
_CONTEXT = b"holder"
