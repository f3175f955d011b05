"""Random packets (拼手气红包): a pool that was split beforehand, and who opened which packet of it."""

from collections.abc import Sequence
from enum import IntEnum
from hashlib import sha256
from typing import Any, ClassVar

import msgspec

from kaquan.commands.model import Command, Routed, SlowRow
from kaquan.kernel.ids import Id
from kaquan.vouchers.model import SpendingFacts


class PoolState(IntEnum):
    """Stored."""

    OPEN = 1
    ENDED = 2


class PacketPool(SlowRow):
    """A loaded pool of packets. Where its packets lie is `Packets`, what is left of them its slices.

    `left_count` and `left_fen` tell what nobody had taken when it ended; `revealed`, its seed and packets then, is
    written and never loaded: it may be megabytes.
    """

    table: ClassVar[str] = "packet_pool"
    program: int
    stock: int
    terms: int
    code: str
    state: int
    count: int
    total: int
    ends_us: int
    left_count: int = 0
    left_fen: int = 0
    revealed: bytes = b""

    def become(self, values: Sequence[Any]) -> None:
        """state, left_count, left_fen, revealed."""
        self.state, self.left_count, self.left_fen, self.revealed = values

    def columns(self) -> dict[str, Any]:
        """See `SlowRow`."""
        return {
            "left_count": self.left_count,
            "left_fen": self.left_fen,
            "revealed": "\\x" + self.revealed.hex(),
            "state": int(self.state),
        }


class Packets(msgspec.Struct, frozen=True):
    """A pool's seed and its packets in their order, as `rewards.splitting.packed` writes them."""

    seed: bytes
    parts: bytes


def code_subject(program: str, code: str) -> Id:
    """What the openings of a pool's code are addressed to: they share a bucket, so that one is open at a time."""
    return Id(sha256(b"packets %b %b" % (program.encode(), code.encode())).digest()[:16])


class OpenPackets(Command, frozen=True, kw_only=True):
    """Open a pool of packets by the terms that its code names. `seed`: 32 random bytes, anew for each attempt."""

    program: str
    code: str
    seed: bytes

    @property
    def subject(self) -> Id:
        """The pool's code."""
        return code_subject(self.program, self.code)

    def content(self) -> bytes:
        """What is the same on every retry."""
        return msgspec.msgpack.encode((self.program, self.code, self.caller))


class OpenPacket(Command, frozen=True, kw_only=True):
    """Open the next packet of a pool into a wallet. The packet and its voucher take the command's id."""

    wallet: Id
    pool: Id

    @property
    def subject(self) -> Id:
        """The wallet."""
        return self.wallet


class EndPackets(Command, frozen=True, kw_only=True):
    """End a pool whose time is up: what nobody took goes back, the seed and all packets are revealed."""

    pool: Id

    @property
    def subject(self) -> Id:
        """The pool."""
        return self.pool


class PacketFacts(SpendingFacts):
    """What is decided about packets: pools with their packets, which codes have an open pool, who got no token."""

    pools: dict[bytes, PacketPool] = msgspec.field(default_factory=dict)
    packets: dict[bytes, Packets] = msgspec.field(default_factory=dict)
    open_codes: set[tuple[int, str]] = msgspec.field(default_factory=set)
    routed: Routed = msgspec.field(default_factory=dict)
