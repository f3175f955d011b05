"""How a pool is split into packets: drawn from a seed, summing to the fen, none favoured by its place. Pure.

Splitting one packet after the other (the familiar "twice the mean of what is left") treats late ones differently.
Here what exceeds the smallest packets is laid out as one random composition, what then exceeds the largest is laid
out again over those with room, and all are shuffled: every place has the same chances. All randomness comes from
SHA-256 over the seed and a counter, so that whoever knows the seed can draw the same packets.
"""

from hashlib import sha256

from kaquan.kernel.money import Money

SEED_BYTES = 32
AMOUNT_BYTES = 4  # up to 42 million yuan, far above any packet
_WORD_BYTES = 8


class Stream:
    """Random numbers that follow from a seed: words of 64 bits from SHA-256 of the seed and a counter."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._counter = 0
        self._words: list[int] = []

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1, each as likely as the others: words that would favour some are dropped."""
        fair = 2**64 - 2**64 % limit
        while (word := self._word()) >= fair:
            pass
        return word % limit

    def _word(self) -> int:
        if not self._words:
            block = sha256(self._seed + self._counter.to_bytes(_WORD_BYTES, "big")).digest()
            self._counter += 1
            starts = range(len(block) - _WORD_BYTES, -1, -_WORD_BYTES)
            self._words = [int.from_bytes(block[at : at + _WORD_BYTES], "big") for at in starts]
        return self._words.pop()


def split(seed: bytes, total: Money, count: int, least: Money, most: Money) -> list[Money]:
    """`count` packets of `least` to `most` fen that sum to `total`, in the order in which they lie.

    It must be possible: count × least ≤ total ≤ count × most (`programs.promises` refuses others).
    """
    if not count * least <= total <= count * most:
        raise ValueError(f"{total} can't be split into {count} packets of {least} to {most}")
    stream, room = Stream(seed), most - least
    over = total - count * least
    mirrored = 2 * over > count * room  # nearer to the largest than to the smallest: lay out what is missing
    extra = _bounded(stream, count * room - over if mirrored else over, count, room)
    parts = [Money(most - part if mirrored else least + part) for part in extra]
    for last in range(count - 1, 0, -1):
        other = stream.below(last + 1)
        parts[last], parts[other] = parts[other], parts[last]
    return parts


def packed(parts: list[Money]) -> bytes:
    """Packets as they are committed to and kept: four bytes each, big end first."""
    return b"".join([part.to_bytes(AMOUNT_BYTES, "big") for part in parts])


def amount_at(parts: bytes, number: int) -> Money:
    """The packet of a number, counted from 1."""
    return Money(int.from_bytes(parts[(number - 1) * AMOUNT_BYTES : number * AMOUNT_BYTES], "big"))


def amounts(parts: bytes) -> list[Money]:
    """All packets in their order."""
    return [amount_at(parts, number) for number in range(1, len(parts) // AMOUNT_BYTES + 1)]


def commitment(seed: bytes, parts: bytes) -> bytes:
    """What is published beforehand: SHA-256 of the seed and all packets. Nobody can change either afterwards."""
    return sha256(seed + parts).digest()


def _bounded(stream: Stream, amount: int, count: int, room: int) -> list[int]:
    """`amount` laid out at random over `count` places that take up to `room` each."""
    parts = [0] * count
    while amount:
        places = [place for place in range(count) if parts[place] < room]
        for place, part in zip(places, _composition(stream, amount, len(places)), strict=True):
            parts[place] += part
        amount = 0
        for place in places:
            amount += max(0, parts[place] - room)
            parts[place] = min(parts[place], room)
    return parts


def _composition(stream: Stream, amount: int, count: int) -> list[int]:
    """`amount` laid out over `count` places, every way to do so as likely as any other.

    Of `amount` stars and `count` - 1 bars in a row, the rarer kind is drawn without replacement.
    """
    positions = amount + count - 1
    drawn: set[int] = set()
    rarer = min(amount, count - 1)
    while len(drawn) < rarer:
        drawn.add(stream.below(positions))
    if rarer == count - 1:
        bars = [*sorted(drawn), positions]
        return [bar - before - 1 for before, bar in zip([-1, *bars], bars, strict=False)]
    parts = [0] * count
    for already, star in enumerate(sorted(drawn)):
        parts[star - already] += 1
    return parts
