"""Invite codes name a wallet by letters that nobody mistakes."""

from hypothesis import given
from hypothesis import strategies as st

from kaquan.kernel.ids import BUCKETS, Id, bucket_of
from kaquan.rewards.invite_codes import ALPHABET, invite_code, read_code

WALLETS = st.binary(min_size=16, max_size=16).map(Id)


@given(WALLETS)
def test_a_code_tells_the_bucket_and_the_end_of_the_id(wallet: Id) -> None:
    code = invite_code(wallet)
    assert read_code(code) == (bucket_of(wallet), wallet.hex()[-11:])
    assert read_code(code.lower().replace("-", " ")) == read_code(code)
    assert set(code) <= {*ALPHABET, "-"} and not set("01ILO") & set(code)


@given(WALLETS, st.integers(0, 9), st.sampled_from(ALPHABET))
def test_one_wrong_letter_makes_no_code(wallet: Id, place: int, letter: str) -> None:
    letters = list(invite_code(wallet).replace("-", ""))
    if letters[place] != letter:
        letters[place] = letter
        assert read_code("".join(letters)) is None


@given(WALLETS, st.integers(0, 7))
def test_two_letters_that_changed_places_make_no_code(wallet: Id, place: int) -> None:
    letters = list(invite_code(wallet).replace("-", ""))
    if letters[place] != letters[place + 1]:
        letters[place], letters[place + 1] = letters[place + 1], letters[place]
        assert read_code("".join(letters)) is None


def test_what_is_no_code_names_nobody() -> None:
    for text in ("", "ABCDE", "ABCDE-FGHJ0", "ABCDE-FGHJKM", "邀请码"):
        assert read_code(text) is None
    assert read_code(invite_code(Id(bytes(16)))) == (BUCKETS[0], "0" * 11)
