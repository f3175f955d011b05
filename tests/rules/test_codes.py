"""Codes: no look-alikes, a check character that tells mistyping, nothing kept that could be read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id, bucket_of
from kaquan.vouchers import codes

bodies = st.text(alphabet=codes.ALPHABET, min_size=11, max_size=19)


def test_no_letter_is_taken_for_another() -> None:
    assert not set("01OIL") & set(codes.ALPHABET)
    assert len(set(codes.ALPHABET)) == len(codes.ALPHABET) == 31


def test_codes_are_drawn_with_their_prefix_and_check_letter() -> None:
    drawn = {codes.draw("SPRNG") for _ in range(2_000)}
    assert len(drawn) == 2_000
    for code in drawn:
        assert len(code) == 17 and code.startswith("SPRNG") and codes.fits(code) and codes.normalise(code) == code


@given(bodies, st.data())
def test_one_wrong_letter_is_told(body: str, data: st.DataObject) -> None:
    code = body + codes.check_letter(body)
    place = data.draw(st.integers(0, len(code) - 1))
    wrong = data.draw(st.sampled_from([letter for letter in codes.ALPHABET if letter != code[place]]))
    assert codes.fits(code) and not codes.fits(code[:place] + wrong + code[place + 1 :])


@given(bodies, st.data())
def test_two_letters_that_changed_places_are_told(body: str, data: st.DataObject) -> None:
    code = body + codes.check_letter(body)
    place = data.draw(st.integers(0, len(body) - 2))
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert codes.fits(swapped) == (swapped == code)


@pytest.mark.parametrize(
    "typed", ["abcd-efgh jkmn", "ABCDEFGHJKMN", " ＡＢＣＤ—ＥＦＧＨ—ＪＫＭＮ\n", "a.b_cdefghjkmn"]
)
def test_a_code_is_read_however_it_is_typed(typed: str) -> None:
    assert codes.normalise(typed) == "ABCDEFGHJKMN"


@pytest.mark.parametrize("typed", ["", "ABCDEFG", "A" * 41, "消费券消费券消费券", "ABCD\x00EFGHJKM"])
def test_what_is_no_code_is_none(typed: str) -> None:
    assert codes.normalise(typed) is None


@given(st.text(max_size=200))
def test_whatever_is_typed_is_read_or_none(typed: str) -> None:
    read = codes.normalise(typed)
    assert read is None or (codes.LENGTH_MIN <= len(read) <= codes.LENGTH_MAX and codes.normalise(read) == read)


def test_a_digest_needs_the_key_and_gives_the_bucket() -> None:
    one, other = codes.digest(b"k" * 32, "ABCDEFGHJKMN"), codes.digest(b"l" * 32, "ABCDEFGHJKMN")
    assert one != other and len(one) == 16


def test_codes_are_brought_in_by_the_bucket_of_their_digests() -> None:
    digests = {codes.digest(b"k" * 32, codes.draw()): "2345" for _ in range(500)}
    batch = codes.batch_id(OPERATOR, "key", "p", "s")
    commands = codes.adding(batch, OPERATOR, "p", "s", digests)
    assert sorted(one for command in commands for one in command.digests) == sorted(digests)
    for command in commands:
        assert {bucket_of(one) for one in command.digests} == {bucket_of(command.subject)}
    assert len({Id(command.subject) for command in commands}) == len(commands)
