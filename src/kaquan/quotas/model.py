"""Slices of pools and tallies of use, as loaded rows."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, ClassVar, NamedTuple

import msgspec

from kaquan.commands.model import Row
from kaquan.kernel.ids import BUCKET_COUNT, BUCKETS, Id, bucket_of
from kaquan.kernel.money import Money, allocate

SLICES = 8  # lanes that may take at once without meeting; a power of two, at most 32, so that shards nest
UNLIMITED = 2**53
"""What a pool holds of something that it does not limit: more than can ever be taken."""

IN_ALL = 0
"""The day of a quota that is not a day's."""

_POSITION = {label: position for position, label in enumerate(BUCKETS)}


def pool_id(kind: str, number: int) -> Id:
    """The pool of something that is counted by a number, such as a stock."""
    return Id(sha256(b"%b %d" % (kind.encode(), number)).digest()[:16])


def own_slice(bucket: int) -> int:
    """The slice that takers of this bucket draw on first. Buckets that lie together share one."""
    return _POSITION[bucket] * SLICES // BUCKET_COUNT


def slice_bucket(number: int) -> int:
    """The bucket in which a slice lies: that of its first takers."""
    return BUCKETS[number * BUCKET_COUNT // SLICES]


class SliceKey(NamedTuple):
    """What names a slice."""

    bucket: int
    pool: bytes
    day: int
    number: int


def slice_keys(pool: bytes, day: int = IN_ALL) -> list[SliceKey]:
    """The keys of all slices of a pool."""
    return [SliceKey(slice_bucket(number), pool, day, number) for number in range(SLICES)]


class Slice(Row):
    """A part of what is left in a pool: a number of things, and an amount in fen. `id` is the pool."""

    table: ClassVar[str] = "slice"
    bucket: int
    day: int
    number: int
    count_left: int
    fen_left: int

    def rank(self) -> bytes:
        """See `Row`."""
        return b"%b%b%b%b" % (
            self.bucket.to_bytes(2, "big"),
            self.id,
            self.day.to_bytes(4, "big"),
            self.number.to_bytes(2, "big"),
        )

    def become(self, values: Sequence[Any]) -> None:
        """count_left, fen_left."""
        self.count_left, self.fen_left = values

    def changed(self) -> tuple[Any, ...]:
        """See `Row`."""
        return (self.bucket, self.id, self.day, self.number, self.version, self.count_left, self.fen_left)


def new_slices(pool: bytes, count: int, amount: Money, day: int = IN_ALL) -> list[dict[str, Any]]:
    """The rows of a pool that is being opened, `count` things and `amount` split evenly."""
    counts, amounts = allocate(Money(count), [1] * SLICES), allocate(amount, [1] * SLICES)
    return [
        {
            "bucket": key.bucket,
            "pool": pool.hex(),
            "day": day,
            "number": key.number,
            "version": 1,
            "count_left": number,
            "fen_left": part,
        }
        for key, number, part in zip(slice_keys(pool, day), counts, amounts, strict=True)
    ]


class TallyKey(NamedTuple):
    """What is counted: a subject, the number of the rule that limits it, the day (`IN_ALL` for none)."""

    subject: bytes
    rule: int
    day: int


class Tally(Row):
    """How often a subject did what a rule limits. `id` is the subject; version 0 stands for a row not yet there."""

    table: ClassVar[str] = "tally"
    rule: int
    day: int
    count: int

    def rank(self) -> bytes:
        """See `Row`."""
        return b"%b%b%b%b" % (
            bucket_of(self.id).to_bytes(2, "big"),
            self.id,
            self.day.to_bytes(4, "big"),
            self.rule.to_bytes(4, "big"),
        )

    def become(self, values: Sequence[Any]) -> None:
        """count."""
        (self.count,) = values

    def changed(self) -> tuple[Any, ...]:
        """See `Row`."""
        return (bucket_of(self.id), self.id, self.rule, self.day, self.version, self.count)


class Quotas(msgspec.Struct):
    """Loaded slices by pool and day, and tallies by key. A tally that is not there counts nothing."""

    slices: dict[tuple[bytes, int], list[Slice]] = {}
    tallies: dict[tuple[bytes, int, int], Tally] = {}

    def pool(self, pool: bytes, day: int = IN_ALL) -> list[Slice]:
        """The slices of a pool; none when it was never opened."""
        return self.slices.get((pool, day), [])

    def tally(self, subject: bytes, rule: int, day: int = IN_ALL) -> Tally:
        """The tally of a subject under a rule."""
        found = self.tallies.get((subject, rule, day))
        if found is None:
            found = self.tallies[TallyKey(subject, rule, day)] = Tally(Id(subject), 0, rule, day, 0)
        return found


def left(slices: Iterable[Slice]) -> tuple[int, Money]:
    """What the slices hold together."""
    listed = list(slices)
    return sum(one.count_left for one in listed), Money(sum(one.fen_left for one in listed))


class Want(NamedTuple):
    """A command's wish to be one of the `most` that a rule lets a subject have in all (`IN_ALL`) or on a day."""

    subject: Id
    rule: int
    day: int
    most: int
    command: Id
    content: bytes

    @property
    def key(self) -> tuple[bytes, int, int]:
        """What is limited."""
        return (self.subject, self.rule, self.day)


class Held(NamedTuple):
    """A token that a command took, for what it asked."""

    slot: int
    command: bytes
    content: bytes
    at_us: int


class Lost(NamedTuple):
    """A want that got no token. `wait_seconds` 0: all are used. Else the `holders` of some may still be refused."""

    want: Want
    holders: frozenset[bytes]
    wait_seconds: int
