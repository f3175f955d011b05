"""Invite codes: ten letters and digits that a holder reads out; they name her wallet without telling its id. Pure.

Nine of them write the low 44 bits of the wallet's id, its bucket among them, in an alphabet of 31 without 0, 1, I, L
and O; the tenth is a check: one wrong letter, or two that changed places, make no code. 38 bits beside the bucket are
drawn at random, so two wallets of one bucket meet once in 275,000 million pairs; of two, the older has the code.
"""

from kaquan.kernel.ids import BUCKET_COUNT, BUCKETS, Id

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
TAIL_HEX = 11
"""Hexadecimal digits of the id that a code writes: `right(id::text, 11)`, as `wallet_invite` indexes them."""

_LENGTH = 9
_BASE = len(ALPHABET)  # a prime, so that the weights 1 to 9 tell every swap of two letters
_VALUE = {letter: value for value, letter in enumerate(ALPHABET)}


def invite_code(wallet: Id) -> str:
    """The code of a wallet, as `ABCDE-FGHJK`."""
    left = int(wallet.hex()[-TAIL_HEX:], 16)
    digits = []
    for _ in range(_LENGTH):
        left, digit = divmod(left, _BASE)
        digits.append(digit)
    letters = "".join(ALPHABET[digit] for digit in (*digits, _check(digits)))
    return f"{letters[:5]}-{letters[5:]}"


def read_code(text: str) -> tuple[int, str] | None:
    """The bucket and the last digits of the wallet's id that a code names; None for what is no code."""
    letters = text.strip().upper().replace("-", "").replace(" ", "")
    if len(letters) != _LENGTH + 1 or any(letter not in _VALUE for letter in letters):
        return None
    *digits, check = (_VALUE[letter] for letter in letters)
    tail = sum(digit * _BASE**place for place, digit in enumerate(digits))
    if check != _check(digits) or tail >= 16**TAIL_HEX:
        return None
    return BUCKETS[tail % BUCKET_COUNT], f"{tail:0{TAIL_HEX}x}"


def _check(digits: list[int]) -> int:
    return sum(weight * digit for weight, digit in enumerate(digits, start=1)) % _BASE
