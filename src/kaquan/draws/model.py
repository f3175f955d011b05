"""Draws as commands, as loaded facts, and the arithmetic that anybody can repeat."""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from hashlib import sha256

import msgspec

from kaquan.commands.model import Command, Plan
from kaquan.kernel.ids import Id, bucket_of
from kaquan.vouchers.model import ClaimFacts, Obtaining

SEED_BYTES = 32
SEATS_MAX = 1_000_000  # with the list in memory: 16 MB, and a second to order it


class DrawState(IntEnum):
    """The life of a draw. Stored."""

    OPEN = 1
    ENDED = 2
    LISTED = 3
    REVEALED = 4


class OpenDraw(Command, frozen=True, kw_only=True):
    """Draw `seats` vouchers of a stock among those who enter from `opens_us` until `closes_us`.

    `commitment` is the SHA-256 of the seed, `sealed_seed` the seed under the installation's key.
    """

    program: str
    stock: str
    seats: int
    opens_us: int
    closes_us: int
    commitment: bytes
    sealed_seed: bytes

    @property
    def subject(self) -> Id:
        """The draws of the stock: they lie together, and have numbers."""
        named = f"draws of {self.program}/{self.stock}".encode("utf-8", "surrogatepass")
        return Id(sha256(named).digest()[:16])

    def content(self) -> bytes:
        """What is the same on every retry; the seed is drawn anew each time."""
        asked = (self.program, self.stock, self.seats, self.opens_us, self.closes_us, self.caller)
        return msgspec.msgpack.encode(asked)


class DrawCommand(Command, frozen=True, kw_only=True):
    """A command on a draw."""

    draw: Id

    @property
    def subject(self) -> Id:
        """The draw."""
        return self.draw


class EnterDraw(DrawCommand, frozen=True, kw_only=True):
    """Take part. The entry's id is the command's; it lies with the draw."""

    wallet: Id


class EndDraw(DrawCommand, frozen=True, kw_only=True):
    """Take no more entries: the time is over."""


class ListDraw(DrawCommand, frozen=True, kw_only=True):
    """Commit the list of entries, before anybody can know the seed from us."""


class RevealDraw(DrawCommand, frozen=True, kw_only=True):
    """Publish the seed, and with it the place of every entry."""

    seed: bytes


class Award(Obtaining, frozen=True, kw_only=True):
    """Give the wallet of a winning entry its voucher."""

    program: str
    stock: str
    draw: Id
    entry: Id


class Draw(msgspec.Struct, frozen=True):
    """A loaded draw. `seed` and `list_digest` are empty until they are published."""

    id: Id
    version: int
    stock: int
    number: int
    state: int
    seats: int
    opens_us: int
    closes_us: int
    commitment: bytes
    seed: bytes = b""
    list_digest: bytes = b""
    entries: int = 0

    def seen(self) -> dict[str, object]:
        """The row for `draw_check`: what was decided holds for this version only."""
        return {"bucket": bucket_of(self.id), "id": self.id.hex(), "version": self.version}


class DrawFacts(ClaimFacts):
    """What commands on draws are decided on.

    `lists`: all entries of draws that ended; `winners`: of revealed ones the winning entries, with their wallets;
    `of_stock`: of a stock the number of its draws and the seats in them.
    """

    draws: dict[bytes, Draw] = msgspec.field(default_factory=dict)
    lists: dict[bytes, Sequence[bytes]] = msgspec.field(default_factory=dict)
    winners: dict[bytes, Mapping[bytes, bytes]] = msgspec.field(default_factory=dict)
    of_stock: dict[int, tuple[int, int]] = msgspec.field(default_factory=dict)

    def absorb(self, plan: Plan) -> None:
        """Draws are as a plan leaves them from now on, and whoever entered has her place."""
        super().absorb(plan)
        for born in plan.born:
            if isinstance(born, Draw):
                if born.id not in self.draws and born.state == DrawState.OPEN:
                    count, seats = self.of_stock.get(born.stock, (0, 0))
                    self.of_stock[born.stock] = (count + 1, seats + born.seats)
                self.draws[born.id] = born
            elif isinstance(born, bytes):
                self.issued.add(born)


def commitment(seed: bytes) -> bytes:
    """What is published before anybody enters."""
    return sha256(seed).digest()


def list_digest(entries: Sequence[bytes]) -> bytes:
    """What is published of the list before the seed: SHA-256 of all ids in their order, sixteen bytes each."""
    return sha256(b"".join(sorted(entries))).digest()


def drawn(seed: bytes, entries: Sequence[bytes]) -> list[bytes]:
    """The entries in the order of their lots: by SHA-256 of the seed and the entry's id. The first seats win."""
    return sorted(entries, key=lambda entry: sha256(seed + entry).digest())
