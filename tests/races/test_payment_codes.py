"""Short races for payment codes: many tills with one code, one id with many codes, guesses from all sides."""

from collections import Counter
from collections.abc import Iterator

import pytest

from flows.test_payment_codes import Phone, paying, shown, with_device
from kaquan.commands.model import Kind
from kaquan.db.embedded import Server
from kaquan.kernel.ids import Id
from kaquan.payment_codes.rules import MISSES_MAX
from support.database import fresh_database
from support.race import Answer, Field, Racer, racing
from support.rush import untrue
from support.town import build

RACERS = 4
ROUNDS = 20


@pytest.fixture(scope="module")
def ground(server: Server, template_name: str) -> Iterator[Field]:
    """One town with a card of 500 and four processes for all races here."""
    with fresh_database(server, template_name) as database, racing(database.app_url, RACERS) as racers:
        town = build(database.app_url)
        town.sell(town.holder())
        town.tick(days=1)
        yield Field(town, racers, database.owner_url)


@pytest.fixture
def phone(ground: Field) -> Phone:
    """A device of its own for each race."""
    wallet = Id(ground.rows("SELECT id FROM wallet")[0][0].bytes)
    return with_device(ground.town, wallet)


def codes(answers: list[Answer]) -> Counter[str]:
    """How many answers of each refusal; "" counts the effects."""
    return Counter(each.code for each in answers)


def test_many_tills_with_one_code_and_exactly_one_is_paid(ground: Field, phone: Phone) -> None:
    town = ground.town
    before = ground.rows("SELECT count(*) FROM payment")[0][0]
    for _ in range(ROUNDS):
        town.tick(minutes=2)
        code = shown(town, phone)
        racers = [Racer(Kind.PAY, paying(town, code)) for _ in range(RACERS)]
        assert codes(ground.racers.round(town.now, racers)) == {"": 1, "payment_code_invalid": RACERS - 1}
        again = ground.racers.round(town.now, racers)
        assert codes(again) == {"": 1, "payment_code_invalid": RACERS - 1}
        assert [each.replayed for each in again if each.took_effect] == [True]
    assert ground.rows("SELECT count(*) FROM payment") == [(before + ROUNDS,)]


def test_one_id_with_the_same_or_other_codes_hears_one_answer(ground: Field, phone: Phone) -> None:
    town = ground.town
    for number in range(ROUNDS):
        town.tick(minutes=2)
        shows = [shown(town, phone), shown(town, phone), shown(town, phone, 30), shown(town, phone, -30)]
        racers = [Racer(Kind.PAY, paying(town, code, key=f"one-{number}")) for code in shows]
        answers = ground.racers.round(town.now, racers)
        assert codes(answers) == {"": RACERS}
        assert len({(each.id, each.body) for each in answers}) == 1
        assert sum(not each.replayed for each in answers) == 1


def test_guesses_from_all_sides_lock_a_device(ground: Field, phone: Phone) -> None:
    town = ground.town
    town.tick(minutes=2)
    guesses = iter(range(300, 30_000, 300))
    for _ in range(MISSES_MAX):
        racers = [Racer(Kind.PAY, paying(town, shown(town, phone, -next(guesses)))) for _ in range(RACERS)]
        assert codes(ground.racers.round(town.now, racers)) == {"payment_code_invalid": RACERS}
    noted = ground.rows("SELECT count(*) FROM code_miss")[0][0]
    assert MISSES_MAX <= noted < MISSES_MAX + RACERS, "those that were judged at one moment may each be the last"
    right = [Racer(Kind.PAY, paying(town, shown(town, phone))) for _ in range(RACERS)]
    assert codes(ground.racers.round(town.now, right)) == {"payment_code_invalid": RACERS}


def test_everything_is_true_at_the_end(ground: Field) -> None:
    assert list(untrue(ground.url, limited=False)) == []
