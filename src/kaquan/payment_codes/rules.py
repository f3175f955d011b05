"""Is this code one that the device shows now, which card pays for it, may a device be added? Pure."""

import hmac
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

import msgspec

from kaquan.cards.errors import CARD_UNKNOWN
from kaquan.cards.lots import spendable
from kaquan.cards.model import Card, Lot
from kaquan.commands.model import Entry, Plan
from kaquan.holders.errors import WALLET_UNKNOWN
from kaquan.kernel.ids import BUCKET_COUNT, BUCKETS, Id, bucket_of
from kaquan.kernel.refusal import Refusal
from kaquan.payment_codes import errors, offline
from kaquan.payment_codes.model import (
    DEVICES_MAX,
    LABEL_LENGTH_MAX,
    AddDevice,
    DeviceFacts,
    DeviceState,
    RemoveDevice,
    Shower,
    ShownCode,
    Use,
    told_handle,
)

LIFE_STEPS = 2  # sixty seconds from the beginning of a step
SKEW_STEPS = 1  # thirty seconds by which a phone's clock may be off, either way
MISSES_MAX = 5
"""Wrong codes of one device in a window; then none counts. A right one is guessed with a chance of 2 in a million."""
MISS_WINDOW_MINUTES = 15
_STEP_US = offline.STEP_SECONDS * 1_000_000

SERIALS = 10**offline.HANDLE_DIGITS // BUCKET_COUNT  # handles of one bucket
HANDLES_TRIED = 16  # from one digest; with half of all handles taken, all are so once in 65,000 times

_NEVER = 2**62

_SEPARATORS = str.maketrans("", "", " -\u00a0\u3000\t\r\n")


def read(typed: str) -> ShownCode | Refusal:
    """The code that was scanned or typed, spaces and hyphens allowed. What a check digit tells needs no look-up."""
    text = typed[: 4 * offline.LENGTH].translate(_SEPARATORS)
    formed = len(text) == offline.LENGTH and text.isascii() and text.isdigit() and text.startswith(offline.PREFIX)
    if not formed or offline.check_digit(text[:-1]) != text[-1]:
        facts: dict[str, int | str] = {"length": offline.LENGTH, "prefix": offline.PREFIX}
        return Refusal(errors.PAYMENT_CODE_MALFORMED, facts)
    start, end = len(offline.PREFIX), len(offline.PREFIX) + offline.HANDLE_DIGITS
    return ShownCode(int(text[start:end]), text[end:-1])


def invalid() -> Refusal:
    """The one answer for a code that is unknown, foreign, expired, used or locked: nobody learns which."""
    return Refusal(errors.PAYMENT_CODE_INVALID, {"wait_minutes": MISS_WINDOW_MINUTES})


def step_at(at_us: int) -> int:
    """The step of an instant."""
    return at_us // _STEP_US


def step_of(secret: bytes, digits: str, at_us: int) -> int | None:
    """The step whose code these digits are, among those that count at the instant; None for none.

    Of two equal ones (once in two million codes) it is the latest. Every step is tried, so that time tells nothing.
    """
    now = step_at(at_us)
    found = None
    for step in range(now - LIFE_STEPS - SKEW_STEPS + 1, now + SKEW_STEPS + 1):
        if hmac.compare_digest(offline.time_digits(secret, step), digits):
            found = step
    return found


def window_start(at_us: int) -> int:
    """The last step before the window in which wrong codes are counted."""
    return step_at(at_us) - MISS_WINDOW_MINUTES * 60 // offline.STEP_SECONDS


class Judged(NamedTuple):
    """Codes as they were judged: those that count now with their steps, and wrong ones to be noted."""

    uses: list[Use]
    misses: list[tuple[Id, str]]


def judge(shown: Iterable[tuple[Id, ShownCode, Shower]], at_us: int) -> Judged:
    """Which commands bring a code that counts now. Each wrong code counts against its device for who comes after."""
    misses: dict[Id, set[str]] = {}
    uses: list[Use] = []
    for command, code, shower in shown:
        missed = misses.setdefault(shower.device, set())
        if shower.misses + len(missed) >= MISSES_MAX:
            continue
        step = step_of(shower.secret, code.digits, at_us)
        if step is None:
            missed.add(code.digits)
        else:
            uses.append(Use(shower.device, step, command))
    return Judged(uses, [(device, digits) for device, wrong in misses.items() for digits in sorted(wrong)])


def in_order(
    cards: Iterable[Card], lots_of: Callable[[Id], Sequence[Lot]], preferred: bytes, at_us: int
) -> list[Card]:
    """The cards that may pay for a code, in the order in which they are tried.

    The one that the device names, then those that hold something to spend, of these first the one of which a part
    expires soonest, then the oldest.
    """

    def rank(card: Card) -> tuple[bool, bool, int, bytes]:
        lots = spendable(lots_of(card.id), at_us)
        expires = min((lot.expires_us for lot in lots if lot.expires_us), default=_NEVER)
        return card.id != preferred, not lots, expires, card.id

    return sorted(cards, key=rank)


def label(typed: str) -> str | Refusal:
    """The label of a device as it is kept."""
    text = typed.strip()
    if 1 <= len(text) <= LABEL_LENGTH_MAX and text.isprintable():
        return text
    return Refusal(errors.DEVICE_LABEL_INVALID, {"length_max": LABEL_LENGTH_MAX})


def handles_for(command: Id) -> list[int]:
    """The handles that a new device may get, the first first: the same on every retry, all in the wallet's bucket."""
    position = BUCKETS.index(bucket_of(command))
    digests = (sha256(command + b"handle %d" % number).digest() for number in range(HANDLES_TRIED))
    return [int.from_bytes(digest[:8], "big") % SERIALS * BUCKET_COUNT + position for digest in digests]


def decide(entry: Entry, facts: DeviceFacts, at_us: int) -> Plan | Refusal:
    """Add or remove a device."""
    if isinstance(entry.command, RemoveDevice):
        return _remove(entry.command, facts)
    return _add(entry, facts, at_us)


def _add(entry: Entry, facts: DeviceFacts, at_us: int) -> Plan | Refusal:
    command: AddDevice = entry.command
    wallet = facts.wallets.get(command.wallet)
    if wallet is None or not wallet.active or command.secret is None or command.label is None:
        return Refusal(WALLET_UNKNOWN)
    if command.card is not None:
        card = facts.cards.cards.get(command.card)
        if card is None or card.wallet != wallet.id:
            return Refusal(CARD_UNKNOWN)
    if facts.active.get(wallet.id, 0) >= DEVICES_MAX:
        return Refusal(errors.DEVICES_TOO_MANY, {"most": DEVICES_MAX})
    handle = next((one for one in handles_for(entry.id) if one not in facts.handles), None)
    if handle is None:
        return Refusal(errors.DEVICE_HANDLES_TAKEN)
    row = {
        "at": at_us,
        "missed_from": 0,
        "id": entry.id.hex(),
        "wallet": wallet.id.hex(),
        "card": command.card.hex() if command.card else None,
        "handle": handle,
        "version": 1,
        "bucket": bucket_of(entry.id),
        "state": DeviceState.ACTIVE,
        "missed": 0,
        "secret": "\\x" + command.secret.hex(),
        "label": "\\x" + command.label.hex(),
    }
    return Plan(
        answer=_answer(entry.id, "active", handle=told_handle(handle)),
        event="device.added.v1",
        subject=wallet.id,
        person=b'{"wallet":"%b"}' % wallet.id.hex().encode(),
        # The wallet's version moves, so that two who add at once can't both be the last of ten.
        cold=(("device", row), ("wallet_change", {**wallet.seen(), "identified": wallet.identified})),
        born=((wallet.id, handle),),
    )


def _remove(command: RemoveDevice, facts: DeviceFacts) -> Plan | Refusal:
    device = facts.devices.get(command.device)
    if device is None:
        return Refusal(errors.DEVICE_UNKNOWN)
    if device.state != DeviceState.ACTIVE:
        return Refusal(errors.DEVICE_REMOVED)
    return Plan(
        answer=_answer(device.id, "removed"),
        event="device.removed.v1",
        subject=device.wallet,
        person=b'{"wallet":"%b"}' % device.wallet.hex().encode(),
        changes=((device, (DeviceState.REMOVED,)),),
    )


def _answer(device: Id, state: str, **more: str) -> bytes:
    return msgspec.json.encode({"device": device.hex(), "state": state, **more}, order="sorted")
