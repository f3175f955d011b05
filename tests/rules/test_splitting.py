"""How pools are split: every packet within its bounds, all of it the total, no place better than another."""

from hashlib import sha256

from hypothesis import assume, given
from hypothesis import strategies as st

from kaquan.kernel.money import Money
from kaquan.rewards.splitting import Stream, amount_at, amounts, commitment, packed, split

SEEDS = st.binary(min_size=32, max_size=32)


@given(SEEDS, st.integers(1, 200), st.integers(0, 500), st.integers(0, 500), st.data())
def test_packets_sum_to_the_total_and_keep_their_bounds(
    seed: bytes, count: int, least: int, room: int, data: st.DataObject
) -> None:
    total = data.draw(st.integers(count * least, count * (least + room)))
    parts = split(seed, Money(total), count, Money(least), Money(least + room))
    assert len(parts) == count and sum(parts) == total
    assert all(least <= part <= least + room for part in parts)
    assert amounts(packed(parts)) == parts
    assert [amount_at(packed(parts), number) for number in range(1, count + 1)] == parts


@given(SEEDS, SEEDS)
def test_a_seed_draws_the_same_again_and_another_another(one: bytes, other: bytes) -> None:
    assume(one != other)
    first, again, second = (split(seed, Money(10_000), 20, Money(1), Money(5_000)) for seed in (one, one, other))
    assert first == again and first != second


@given(SEEDS, st.integers(1, 50), st.integers(1, 50))
def test_there_is_one_way_to_split_at_either_bound(seed: bytes, count: int, each: int) -> None:
    assert split(seed, Money(count * each), count, Money(each), Money(each + 7)) == [each] * count
    assert split(seed, Money(count * each), count, Money(0), Money(each)) == [each] * count


def seeds(count: int) -> list[bytes]:
    return [sha256(b"seed %d" % number).digest() for number in range(count)]


def test_the_first_and_the_last_place_hold_the_same_on_average() -> None:
    """Twice the mean of what is left, the familiar way, would give the last of them a spread of its own."""
    drawn = [split(seed, Money(10_000), 10, Money(1), Money(5_000)) for seed in seeds(4_000)]
    for statistic in (lambda amount: amount, lambda amount: (amount - 1_000) ** 2 // 1_000):
        means = [sum(statistic(parts[place]) for parts in drawn) // len(drawn) for place in range(10)]
        assert max(means) - min(means) < sum(means) // len(means) // 5, means


def test_every_small_composition_comes_up_as_often_as_any_other() -> None:
    counts: dict[tuple[int, ...], int] = {}
    for seed in seeds(6_000):
        parts = tuple(split(seed, Money(3), 3, Money(0), Money(3)))
        counts[parts] = counts.get(parts, 0) + 1
    assert len(counts) == 10
    assert all(480 < count < 720 for count in counts.values()), counts


def test_numbers_below_a_limit_are_fair_and_never_reach_it() -> None:
    stream = Stream(bytes(32))
    drawn = [stream.below(3) for _ in range(9_000)]
    assert set(drawn) == {0, 1, 2} and all(2_800 < drawn.count(number) < 3_200 for number in range(3))
    assert Stream(bytes(32)).below(1) == 0


def test_a_commitment_is_to_the_seed_and_to_every_packet_in_its_place() -> None:
    parts = [Money(1), Money(2)]
    told = commitment(bytes(32), packed(parts))
    assert told != commitment(bytes(31) + b"\1", packed(parts))
    assert told != commitment(bytes(32), packed(parts[::-1]))
