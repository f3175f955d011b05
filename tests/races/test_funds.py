"""Races for a funder's money: stocks opened against the same fen, sweeps beside claims, pay-outs beside openings."""

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from flows.test_claims import wallet
from kaquan.commands.model import Effect, Kind, Outcome
from kaquan.db.embedded import Server
from kaquan.funders.model import PayInFund, PayOutFund, SweepFund, fund_id
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Fault
from kaquan.ledger import service as ledger
from kaquan.main import Kaquan
from kaquan.stocks.model import OpenStock, PauseStock
from kaquan.vouchers.model import Claim, VoidVoucher
from support.database import fresh_database
from support.grants import stock_text
from support.race import Answer, Field, Racer, racing
from support.town import Town, build

RACERS = 8
OPENINGS = 12
SMALL = 10_000
"""Fen in the fund that everybody claims from: ten vouchers at a time."""

TURNS = 40
BATCH = 10

EVERY = [f"whole-{number}" for number in range(OPENINGS)]


@pytest.fixture(scope="module")
def ground(server: Server, template_name: str) -> Iterator[Field]:
    """One town and eight processes."""
    with fresh_database(server, template_name) as database, racing(database.app_url, RACERS) as racers:
        whole = "".join(stock_text(code, ("whole", 10_000), count=10) for code in EVERY)
        small = stock_text("small", ("small", 10_000), count=100_000, shared_budget=True)
        town = build(database.app_url, more=whole + small)
        town.fund("whole")
        town.fund("small", SMALL)
        town.stock("small")
        yield Field(town, racers, database.owner_url)


def codes(answers: list[Answer]) -> Counter[str]:
    """How many answers of each refusal; "" counts the effects."""
    return Counter(each.code for each in answers)


def unproved(town: Town) -> dict[str, object]:
    """Proofs that do not hold, with their facts."""
    return {proof.name: dict(proof.facts) for proof in ledger.proofs(town.app.connection) if not proof.ok}


def opening(key: str, stock: str) -> Racer:
    return Racer(Kind.OPEN_STOCK, OpenStock(key=key, caller=OPERATOR, program="jingxika", stock=stock))


def test_money_for_one_stock_opens_one(ground: Field) -> None:
    town = ground.town
    waiting = list(EVERY)
    for turn in range(OPENINGS):
        town.pay_in("whole", 10_000)
        racers = [opening(f"open-{turn}-{number}", waiting[number % len(waiting)]) for number in range(RACERS)]
        answers = ground.racers.round(town.now, racers)
        found = codes(answers)
        assert found[""] == 1 and set(found) <= {"", "stock_not_covered", "stock_exists"}, found
        opened = town.rows("SELECT code FROM stock WHERE code LIKE 'whole-%%'")
        waiting = [code for code in EVERY if (code,) not in opened]
        assert len(waiting) == OPENINGS - turn - 1
    assert unproved(town) == {}


def test_what_is_kept_for_a_stock_that_opens_is_not_paid_out(ground: Field) -> None:
    town = ground.town
    for turn in range(OPENINGS):
        code = f"free-{turn}"
        ground.town.pay_in("whole", 1_000)
        racers = [
            Racer(
                Kind.PAY_OUT_FUND,
                PayOutFund(key=f"{code}-{number}", caller=OPERATOR, fund="whole", amount=Money(600), reference="r"),
            )
            for number in range(RACERS - 1)
        ]
        add = PayInFund(key=f"{code}-in", caller=OPERATOR, fund="whole", amount=Money(1), reference="r")
        answers = ground.racers.round(town.now, [*racers, Racer(Kind.PAY_IN_FUND, add)])
        assert codes(answers)["fund_not_free"] == RACERS - 2, codes(answers)
        town.ok(
            Kind.PAY_OUT_FUND,
            PayOutFund(key=f"{code}-rest", caller=OPERATOR, fund="whole", amount=Money(401), reference="r"),
        )
    assert unproved(town) == {}


def crowd(app: Kaquan, number: int, wallets: list[Id]) -> Outcome | Fault:
    """Claim, void and sweep by turns, again and again; the last answer, or a fault if there was one."""
    drawn, held, last = random.Random(number), [], None
    for turn in range(TURNS):
        claims = [
            Claim(
                key=f"c-{number}-{turn}-{i}",
                caller=OPERATOR,
                wallet=drawn.choice(wallets),
                program="jingxika",
                stock="small",
            )
            for i in range(BATCH)
        ]
        outcomes = app.execute(Kind.CLAIM, claims)
        held += [one.id for one in outcomes if isinstance(one, Effect)]
        given = [held.pop() for _ in range(min(len(held), drawn.randrange(4)))]
        voids = [
            VoidVoucher(key=f"v-{number}-{one.hex()}", caller=OPERATOR, voucher=one, reason="r") for one in given
        ]
        outcomes += app.execute(Kind.VOID_VOUCHER, voids) if voids else []
        sweep = SweepFund(key=f"s-{number}-{turn}", caller=OPERATOR, fund="small")
        outcomes += app.execute(Kind.SWEEP_FUND, [sweep])
        faults = [one for one in outcomes if isinstance(one, Fault)]
        if faults:
            return faults[0]
        last = outcomes[-1]
    assert last is not None
    return last


def test_a_small_budget_is_never_promised_twice_while_it_is_swept(ground: Field) -> None:
    town = ground.town
    wallets = [wallet(town, 7_000_000 + number) for number in range(RACERS * 2)]
    racers = [Racer(None, None, crowd, (number, wallets)) for number in range(RACERS)]
    answers = ground.racers.round(town.now, racers)
    assert "fault" not in codes(answers), answers
    town.app.one(Kind.SWEEP_FUND, SweepFund(key="last", caller=OPERATOR, fund="small"))
    (live,) = town.rows(
        "SELECT count(*) FROM voucher v JOIN stock s ON s.id = v.stock WHERE s.code = 'small' AND v.state = 1"
    )[0]
    (left,) = town.rows("SELECT sum(fen_left)::int FROM slice WHERE pool = %s", fund_id("small").hex())[0]
    (handed,) = town.rows("SELECT count(*) FROM voucher v JOIN stock s ON s.id = v.stock WHERE s.code = 'small'")[0]
    assert live * 1_000 + left == SMALL, "every fen is promised once or free"
    assert handed > SMALL // 1_000, "what came back was promised again"
    assert unproved(town) == {}


def test_a_stock_is_paused_once(ground: Field) -> None:
    town = ground.town
    racers = [
        Racer(
            Kind.PAUSE_STOCK,
            PauseStock(key=f"pause-{number}", caller=OPERATOR, program="jingxika", stock="small", reason="r"),
        )
        for number in range(RACERS)
    ]
    assert codes(ground.racers.round(town.now, racers)) == {"": 1, "stock_state": RACERS - 1}
