"""Races for one voucher between sales, top-ups, and who takes it away: one wins, and the card has its money once."""

from collections import Counter
from collections.abc import Iterator

import pytest

from flows.test_voucher_sales import claimed, sale, top_up, town_of
from kaquan.commands.model import Kind
from kaquan.db.embedded import Server
from kaquan.kernel.caller import OPERATOR
from kaquan.vouchers.model import VoidVoucher
from support.database import fresh_database
from support.race import Answer, Field, Racer, racing
from support.race_books import untrue

RACERS = 4
ROUNDS = 20


@pytest.fixture(scope="module")
def ground(server: Server, template_name: str) -> Iterator[Field]:
    """A town with top-up vouchers, and four processes."""
    with fresh_database(server, template_name) as database, racing(database.app_url, RACERS) as racers:
        yield Field(town_of(database), racers, database.owner_url)


def codes(answers: list[Answer]) -> Counter[str]:
    """How many answers of each refusal; "" counts the effects."""
    return Counter(each.code for each in answers)


def test_sales_top_ups_and_a_complaint_race_for_one_voucher(ground: Field) -> None:
    town, paid = ground.town, 0
    for number in range(ROUNDS):
        wallet = town.holder(f"137{number:08d}")
        card, voucher = town.sell(wallet), claimed(town, wallet)
        void = VoidVoucher(key=town.key(), caller=OPERATOR, voucher=voucher, reason="race")
        racers = [
            Racer(Kind.SELL, sale(town, wallet, voucher)),
            Racer(Kind.TOP_UP, top_up(town, card, voucher)),
            Racer(Kind.TOP_UP, top_up(town, card, voucher)),
            Racer(Kind.VOID_VOUCHER, void),
        ]
        answers = ground.racers.round(town.now, racers)
        assert codes(answers) == {"": 1, "voucher_state": RACERS - 1}
        paid += not answers[-1].took_effect
    assert ground.rows("SELECT count(*), coalesce(sum(granted), 0)::int FROM lot WHERE kind = 2") == [
        (paid, paid * 5_000)
    ]
    assert ground.rows("SELECT count(*) FROM voucher WHERE state = 3") == [(paid,)]
    assert list(untrue(ground.url)) == []
