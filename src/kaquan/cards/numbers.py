"""Card numbers: what is printed on a card and typed by a cashier.

Nineteen digits, the most that ISO/IEC 7812 allows: `88`, two digits for the bucket's position, fourteen that follow
from the command that made the number, and a check digit (Luhn). Among a million cards of one bucket the chance of a
clash is one in two hundred, and the primary key refuses it. A number says nothing of its holder.
"""

from hashlib import sha256

from kaquan.kernel.ids import BUCKETS, Id, bucket_of

PREFIX = "88"
LENGTH = 19


def number_for(command: Id) -> str:
    """The number that a sale or replacement gives: the same on every retry."""
    drawn = int.from_bytes(sha256(command + b"card number").digest()[:8], "big") % 10**14
    body = f"{PREFIX}{BUCKETS.index(bucket_of(command)):02d}{drawn:014d}"
    return body + str(_check_digit(body))


def without_spaces(text: str) -> str:
    """A text as it is compared with numbers: people type them in groups."""
    return text.replace(" ", "")


def typed_number(text: str) -> str | None:
    """The card number that a person typed, without its spaces; None for what is no number of ours."""
    digits = without_spaces(text)
    formed = len(digits) == LENGTH and digits.isascii() and digits.isdigit() and digits.startswith(PREFIX)
    if not formed or int(digits[2:4]) >= len(BUCKETS) or _check_digit(digits[:-1]) != int(digits[-1]):
        return None
    return digits


def bucket_of_number(number: str) -> int:
    """The bucket in which a card number is looked up."""
    return BUCKETS[int(number[2:4])]


def _check_digit(body: str) -> int:
    total = 0
    for position, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return -total % 10
