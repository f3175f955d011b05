"""People who do not exist: names, phone numbers and identity numbers that pass every check and belong to nobody."""

from datetime import date
from random import Random

from kaquan.privacy.model import Person
from kaquan.privacy.rules import resident_check_letter

SEEDS_APART = 1_000
"""Seeds that differ by less than this give different phone numbers."""

HOLDERS_MAX = 10_000

_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰涛明超秀霞平刚桂英华玉萍红建文辉力莉燕婷宇浩欣怡子轩梓涵"
_MACHINES = "140"  # numbers that begin with it are given to machines only, never to a person
_NO_REGION = "990000"  # no place in the country has this code


def person(seed: int, number: int, born: date, rng: Random) -> Person:
    """The `number`-th person of a town, born on a day. The same seed gives the same person."""
    name = rng.choice(_SURNAMES) + "".join(rng.choices(_GIVEN, k=rng.choice((1, 2, 2))))
    phone = f"{_MACHINES}{seed % SEEDS_APART:03d}{number:05d}"
    first_17 = f"{_NO_REGION}{born:%Y%m%d}{number % 1000:03d}"
    return Person(name, phone, first_17 + resident_check_letter(first_17))
