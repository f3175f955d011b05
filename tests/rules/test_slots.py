"""Slots of limits: who holds one, who may take one over, and how pools are drawn on."""

from hypothesis import given
from hypothesis import strategies as st

from kaquan.commands.model import Decision
from kaquan.kernel.ids import BUCKETS, Id
from kaquan.kernel.money import Money
from kaquan.quotas.model import Held, Slice, Want, left, own_slice, slice_bucket
from kaquan.quotas.rules import take
from kaquan.quotas.slots import GRACE_SECONDS, standing

NOW = 1_000_000_000_000
COMMANDS = [bytes([number]) * 16 for number in range(8)]
CONTENTS = [b"a" * 16, b"b" * 16]
ME = Want(Id(b"s" * 16), 9, 0, 3, Id(COMMANDS[0]), CONTENTS[0])

held = st.builds(
    Held,
    slot=st.integers(1, 9),
    command=st.sampled_from(COMMANDS),
    content=st.sampled_from(CONTENTS),
    at_us=st.integers(0, 90).map(lambda waited: NOW - waited * 1_000_000),
)
decided = st.dictionaries(
    st.sampled_from(COMMANDS), st.builds(Decision, took_effect=st.booleans(), content=st.sampled_from(CONTENTS))
)


@given(st.lists(held, max_size=6), decided)
def test_every_token_stands_in_one_way(tokens: list[Held], known: dict[bytes, Decision]) -> None:
    seen = standing(ME, tokens, known, NOW)
    for token in set(tokens):
        decision = known.get(token.command)
        kept = decision is not None and decision.took_effect and decision.content == token.content
        assert (token in seen.free) == (decision is not None and not kept)
        assert (token in seen.late or token in seen.waiting) == (decision is None)
        if token in seen.late:
            assert NOW - token.at_us >= GRACE_SECONDS * 1_000_000 and token.command != ME.command
    assert seen.own == any((one.command, one.content) == (ME.command, ME.content) for one in tokens)


@given(st.lists(held, min_size=1, max_size=6), decided)
def test_what_took_effect_is_never_taken_over(tokens: list[Held], known: dict[bytes, Decision]) -> None:
    seen = standing(ME, tokens, known, NOW)
    for token in (*seen.free, *seen.late):
        decision = known.get(token.command)
        assert decision is None or not decision.took_effect or decision.content != token.content


@given(st.lists(held, min_size=1, max_size=6), decided)
def test_full_is_said_for_good_only_when_all_are_used(tokens: list[Held], known: dict[bytes, Decision]) -> None:
    lost = standing(ME, tokens, known, NOW).lost(ME, NOW)
    used = all(
        (decision := known.get(one.command)) is not None and decision.took_effect and decision.content == one.content
        for one in tokens
    )
    assert (lost.wait_seconds == 0) == used
    assert 0 <= lost.wait_seconds <= GRACE_SECONDS
    assert lost.holders == {one.command for one in standing(ME, tokens, known, NOW).waiting}


def slices(holding: list[tuple[int, int]]) -> list[Slice]:
    """A pool whose slices hold these numbers and amounts."""
    return [
        Slice(Id(b"p" * 16), 1, slice_bucket(number), 0, number, count, fen)
        for number, (count, fen) in enumerate(holding)
    ]


pools = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5_000)), min_size=8, max_size=8).map(slices)


@given(pools, st.sampled_from(BUCKETS), st.integers(0, 60), st.integers(0, 6_000))
def test_a_pool_gives_exactly_what_is_asked_or_nothing(
    pool: list[Slice], bucket: int, count: int, amount: int
) -> None:
    before = left(pool)
    taken = take(pool, bucket, count, Money(amount))
    if taken is None:
        assert before[0] < count or before[1] < amount, "sold out is said only when all slices together hold less"
        return
    for one, values in taken:
        assert min(values) >= 0
        one.become(values)
    assert left(pool) == (before[0] - count, before[1] - amount)


@given(pools, st.sampled_from(BUCKETS))
def test_a_taker_draws_on_its_own_slice_first(pool: list[Slice], bucket: int) -> None:
    mine = pool[own_slice(bucket)]
    taken = take(pool, bucket, 1, Money(100))
    if mine.count_left and mine.fen_left >= 100:
        assert taken is not None and [one for one, _ in taken] == [mine]


@given(pools, st.sampled_from(BUCKETS))
def test_an_empty_slice_draws_on_the_fullest(pool: list[Slice], bucket: int) -> None:
    own = own_slice(bucket)
    pool[own].become((0, 0))
    taken = take(pool, bucket, 1, Money(1))
    if taken is None:
        return
    fullest = max(one.fen_left for one in pool)
    assert {one.fen_left for one, values in taken if values[1] < one.fen_left} == {fullest}
