"""People who do not exist: names, phone numbers and identity numbers that pass every check and belong to nobody."""

from dataclasses import replace
from datetime import date
from hashlib import sha256
from random import Random

from kaquan.kernel.ids import Id, bucket_of
from kaquan.privacy.model import Person
from kaquan.privacy.rules import resident_check_letter
from kaquan.privacy.vault import Vault
from kaquan.quotas.model import SLICES, own_slice

SEEDS_APART = 10
"""Seeds that differ by less than this give different phone numbers."""

HOLDERS_MAX = 20_000

NUMBERS_EACH = 500
"""Phone numbers that a person chooses among."""

_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰涛明超秀霞平刚桂英华玉萍红建文辉力莉燕婷宇浩欣怡子轩梓涵"
_MACHINES = "140"  # numbers that begin with it are given to machines only, never to a person
_NO_REGION = "99"  # no place in the country has a code that begins so


def person(seed: int, number: int, born: date, rng: Random) -> Person:
    """The `number`-th person of a town, born on a day. The same seed gives the same person."""
    name = rng.choice(_SURNAMES) + "".join(rng.choices(_GIVEN, k=rng.choice((1, 2, 2))))
    phone = phone_number(seed, number, 0)
    first_17 = f"{_NO_REGION}{number // 1000:02d}00{born:%Y%m%d}{number % 1000:03d}"
    return Person(name, phone, first_17 + resident_check_letter(first_17))


def phone_number(seed: int, number: int, choice: int) -> str:
    """One of the numbers that the `number`-th person may have, from 0 to `NUMBERS_EACH` - 1."""
    return f"{_MACHINES}{seed % SEEDS_APART}{number + choice * HOLDERS_MAX:07d}"


def settled(who: Person, seed: int, number: int, vault: Vault) -> Person:
    """The person with a number whose wallet lies in the slices of quotas that the seed says.

    Where a wallet lies follows from the phone number and the installation's key, and which packet it is handed from
    where it lies: so the same seed hands out the same packets on any installation.
    """
    wanted = sha256(b"%d:%d" % (seed, number)).digest()[0] % SLICES
    for choice in range(NUMBERS_EACH):
        phone = phone_number(seed, number, choice)
        if own_slice(bucket_of(Id(vault.phone_index(phone)[:16]))) == wanted:
            return replace(who, phone=phone)
    return who
