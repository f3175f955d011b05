"""Devices that show payment codes, and a code that was shown."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, ClassVar, NamedTuple

import msgspec

from kaquan.cards.model import CardFacts
from kaquan.commands.model import Command, Plan, SlowRow
from kaquan.holders.model import Wallet
from kaquan.kernel.ids import BUCKET_COUNT, BUCKETS, Id
from kaquan.payment_codes.offline import HANDLE_DIGITS

DEVICES_MAX = 10  # of one wallet at a time: phones, watches, and handles that an app holds to be less linkable
LABEL_LENGTH_MAX = 40  # what a list on a phone shows in one line


class DeviceState(IntEnum):
    """Whether a device's codes count. Stored."""

    ACTIVE = 1
    REMOVED = 2


class AddDevice(Command, frozen=True, kw_only=True):
    """Let a device show codes that pay from `wallet`, by `card` first if one is named.

    Secret and label are sealed with the wallet's own key before they become a command, None when it has none (an
    unknown wallet, or an erased holder). `label_digest` is a keyed digest of the label.
    """

    wallet: Id
    card: Id | None
    secret: bytes | None
    label: bytes | None
    label_digest: bytes

    @property
    def subject(self) -> Id:
        """The wallet."""
        return self.wallet

    def content(self) -> bytes:
        """What is the same on every retry; secrets and ciphertexts are drawn anew each time."""
        return msgspec.msgpack.encode((self.wallet, self.card, self.label_digest, self.caller))


class RemoveDevice(Command, frozen=True, kw_only=True):
    """From now on the codes of a device count no more; its secret is forgotten."""

    device: Id

    @property
    def subject(self) -> Id:
        """The device."""
        return self.device


class Device(SlowRow):
    """A loaded device."""

    table: ClassVar[str] = "device"
    wallet: Id
    state: int

    def become(self, values: Sequence[Any]) -> None:
        """state."""
        (self.state,) = values

    def columns(self) -> dict[str, Any]:
        """See `SlowRow`. A removed device keeps no secret."""
        return {"state": self.state, "secret": None}


class DeviceFacts(msgspec.Struct):
    """What adding and removing is decided on: wallets with the number of their devices, cards, handles taken."""

    commands: dict[bytes, tuple[bytes, int, bytes]]
    wallets: dict[bytes, Wallet]
    active: dict[bytes, int]
    cards: CardFacts
    handles: set[int]
    devices: dict[bytes, Device]

    def absorb(self, plan: Plan) -> None:
        """A device that this batch added counts, and its handle is taken."""
        for wallet, handle in plan.born:
            self.active[wallet] = self.active.get(wallet, 0) + 1
            self.handles.add(handle)


class ShownCode(msgspec.Struct, frozen=True):
    """A code that was shown, its prefix and check digit taken off."""

    handle: int
    digits: str


class Shower(NamedTuple):
    """The device behind a shown code, as far as it takes to judge the code. `misses`: wrong codes in this window."""

    device: Id
    wallet: bytes
    secret: bytes
    misses: int


class Use(NamedTuple):
    """A command's wish to use the code of one step of a device."""

    device: Id
    step: int
    command: Id


class Purse(NamedTuple):
    """Cards that may pay for a code; `preferred` is the one that the device names, zeros for none."""

    cards: list[Id]
    preferred: bytes


EMPTY = Purse([], bytes(16))


def bucket_of_handle(handle: int) -> int:
    """The bucket in which the device of a handle lies."""
    return BUCKETS[handle % BUCKET_COUNT]


def told_handle(handle: int) -> str:
    """A handle as a device is told it."""
    return f"{handle:0{HANDLE_DIGITS}d}"
