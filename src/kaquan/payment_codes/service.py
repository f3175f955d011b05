"""Payment codes for everybody else: whose a shown code is, claiming its one use, the cards behind it, devices."""

import hmac
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kaquan.cards.model import CardFacts
from kaquan.cards.service import load_cards
from kaquan.commands.handler import Handler
from kaquan.commands.model import Entry, Kind, Plan, Routed
from kaquan.holders.service import Sealer, load_wallets
from kaquan.kernel.caller import Caller
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import BUCKET_COUNT, Id
from kaquan.kernel.refusal import Refusal
from kaquan.payment_codes import rules, store
from kaquan.payment_codes.model import AddDevice, DeviceFacts, DeviceState, ShownCode, told_handle
from kaquan.payment_codes.offline import SECRET_BYTES
from kaquan.payment_codes.rules import MISSES_MAX, invalid, step_at, window_start
from kaquan.privacy.subject_keys import MasterKey, seal, unseal, unwrap

purses = store.purses

_SECRET, _LABEL = b"payment-code secret", b"payment-code label"
"""A wallet has several devices; that a secret is not moved from one to another is the database's part."""


class Payer(NamedTuple):
    """Whose wallet a code pays from, if the code counts: that is judged when the payment is."""

    wallet: Id
    code: ShownCode


def payer(connection: psycopg.Connection[Any], typed: str) -> Payer | Refusal:
    """Who pays by a code, for the command. A handle that nobody has gives a wallet that nobody has, so that its
    payment is refused in the same way, at the same place, as one with an expired code."""
    code = rules.read(typed)
    if isinstance(code, Refusal):
        return code
    wallet = store.wallet_of(connection, code.handle)
    return Payer(wallet or _nobody(code), code)


def _nobody(code: ShownCode) -> Id:
    digest = sha256(b"nobody has the handle %d" % code.handle).digest()
    return Id(digest[:15] + bytes([code.handle % BUCKET_COUNT]))


def claim(
    cursor: psycopg.Cursor[Any], master: MasterKey, entries: Sequence[Entry], at: datetime, *, dry_run: bool = False
) -> dict[bytes, Refusal]:
    """Claim the one use of each payment's code; a refusal for every payment that may not take effect by its code.

    A dry run claims nothing, but its wrong codes count: else it would be the way to guess.
    """
    if not entries:
        return {}
    at_us = microseconds(at)
    since = window_start(at_us)
    found = store.showers(cursor, entries, [entry.command.code for entry in entries], since)
    shown = []
    for entry in entries:
        shower, wrapped = found.get(entry.id, (None, b""))
        if shower is not None and shower.wallet == entry.command.wallet:
            opened = shower._replace(secret=_opened(master, wrapped, shower.secret, _SECRET))
            shown.append((entry.id, entry.command.code, opened))
    uses, misses = rules.judge(shown, at_us)
    good = set[bytes]()
    if uses:
        holders = store.used_by(cursor, uses) if dry_run else store.use(cursor, uses, at_us, MISSES_MAX, since)
        good = {use.command for use, holder in zip(uses, holders, strict=True) if holder == use.command}
    if misses:
        store.note_misses(cursor, misses, at_us, step_at(at_us))
    return {entry.id: invalid() for entry in entries if entry.id not in good}


def _opened(master: MasterKey, wrapped: bytes, sealed: bytes, context: bytes) -> bytes:
    return unseal(AESGCM(unwrap(master, wrapped)), sealed, context)


def adding(
    cursor: psycopg.Cursor[Any],
    master: MasterKey,
    caller: Caller,
    key: str,
    *,
    wallet: Id,
    label: str,
    card: Id | None = None,
) -> tuple[AddDevice, bytes] | Refusal:
    """The command that adds a device, and its secret, to be shown once if the command takes effect now.

    On a replay the secret is another than the one that was kept: nobody can show that one again. `cursor` is a raw
    one (`db.wire.raw_cursor`).
    """
    name = rules.label(label)
    if isinstance(name, Refusal):
        return name
    secret = os.urandom(SECRET_BYTES)
    subject_key = Sealer(master).subject_keys(cursor, [wallet]).get(wallet)
    cipher = AESGCM(subject_key) if subject_key else None
    command = AddDevice(
        key=key,
        caller=caller,
        wallet=wallet,
        card=card,
        secret=seal(cipher, secret, _SECRET) if cipher else None,
        label=seal(cipher, name.encode(), _LABEL) if cipher else None,
        label_digest=hmac.digest(master.derive("device-label"), name.encode(), "sha256"),
    )
    return command, secret


class DeviceView(NamedTuple):
    """A device for display."""

    id: Id
    handle: str
    label: str
    card: Id | None
    state: DeviceState
    at_us: int


def devices_of(connection: psycopg.Connection[Any], master: MasterKey, wallet: Id) -> list[DeviceView]:
    """The devices of a wallet; none of an erased holder's. Never log what this gives: a label may name a person."""
    return [
        DeviceView(
            Id(row.id.bytes),
            told_handle(row.handle),
            _opened(master, row.wrapped, row.label, _LABEL).decode(),
            Id(row.card.bytes) if row.card else None,
            DeviceState(row.state),
            row.at,
        )
        for row in store.of_wallet(connection, wallet)
    ]


class DeviceHandler(Handler):
    """Devices are added and removed."""

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> DeviceFacts:
        """Wallets, how many devices each has, cards that are named, handles that are taken; devices to be removed."""
        adding = {entry.id: entry.command for entry in entries if isinstance(entry.command, AddDevice)}
        wallets = [command.wallet for command in adding.values()]
        known = load_wallets(cursor, entries, wallets)
        named = [command.card for command in adding.values() if command.card is not None]
        handles = [handle for command in adding for handle in rules.handles_for(Id(command))]
        connection = cursor.connection
        return DeviceFacts(
            known.commands,
            known.wallets,
            store.active_of(connection, sorted(set(wallets))) if wallets else {},
            load_cards(cursor, entries, named, lock) if named else CardFacts({}, {}, {}),
            store.taken(connection, handles) if handles else set(),
            store.devices(cursor, sorted({entry.command.device for entry in entries if entry.id not in adding})),
        )

    def decide(self, entry: Entry, facts: DeviceFacts, at: datetime) -> Plan | Refusal:
        """See `payment_codes.rules`."""
        return rules.decide(entry, facts, microseconds(at))


def handlers() -> Mapping[Kind, Handler]:
    """The handler of each kind of command here."""
    return {kind: DeviceHandler(kind) for kind in (Kind.ADD_DEVICE, Kind.REMOVE_DEVICE)}
