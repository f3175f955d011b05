"""Races for rewards between four processes: no packet is opened, no referral paid, no month granted twice."""

from collections import Counter
from collections.abc import Iterator

import pytest

from kaquan.commands.model import Kind
from kaquan.db.embedded import Server
from kaquan.kernel.caller import OPERATOR, SYSTEM
from kaquan.kernel.ids import Id
from kaquan.rewards.packet_model import EndPackets, OpenPacket
from kaquan.rewards.plan_model import CancelPlan, GrantDrip
from kaquan.rewards.referral_model import EarnReferral, FollowReferral, PayReferral, UndoReferral
from support.database import fresh_database
from support.race import Answer, Field, Racer, racing
from support.rewards import (
    accept,
    assert_proved,
    drip_text,
    free,
    off_10,
    open_packets,
    packet_stock,
    packets_text,
    promised,
    referral_text,
    stranger,
    town_with,
)

RACERS = 4
ROUNDS = 12
PACKETS = 20


@pytest.fixture(scope="module")
def shared_field(server: Server, template_name: str) -> Iterator[Field]:
    """A field whose program gives something of everything."""
    stocks = off_10(count=1_000), packet_stock(count=1_000, budget_fen=500_000)
    parts = [*stocks, drip_text(from_face_fen=100_000), referral_text(invitee_stock="off-10"), packets_text()]
    with fresh_database(server, template_name) as database, racing(database.app_url, RACERS) as racers:
        town = town_with(database.app_url, *parts, stocks=("off-10", "packet"), city=1_500_000)
        yield Field(town, racers, database.owner_url)


@pytest.fixture
def field(shared_field: Field) -> Iterator[Field]:
    """The field; after each race everything must be proved."""
    yield shared_field
    assert_proved(shared_field.town)


def take(pool: Id, wallet: Id, number: int) -> Racer:
    """One holder opens one packet."""
    return Racer(Kind.OPEN_PACKET, OpenPacket(key=f"{pool.hex()}{number}", caller=OPERATOR, wallet=wallet, pool=pool))


def codes(answers: list[Answer]) -> Counter[str]:
    """How many answers of each refusal; "" counts the effects."""
    return Counter(each.code for each in answers)


def test_a_pool_is_opened_to_the_last_packet_and_none_twice(field: Field) -> None:
    wallets = [field.town.holder(f"137{number:08d}", identified=False) for number in range(RACERS)]
    for _ in range(3):
        pool = open_packets(field.town).id
        told: Counter[str] = Counter()
        for number in range(PACKETS // RACERS + 2):
            racers = [take(pool, one, number) for one in wallets]
            told += codes(field.racers.round(field.town.now, racers))
        assert told[""] == PACKETS and set(told) == {"", "packets_gone"}, told
        rows = field.rows(
            "SELECT count(DISTINCT number), sum(amount)::bigint FROM packet WHERE pool = %s", pool.hex()
        )
        assert rows == [(PACKETS, 10_000)]
        field.town.tick(hours=72)
        field.town.ok(Kind.END_PACKETS, EndPackets(key=field.town.key(), caller=SYSTEM, pool=pool))


def test_a_pool_that_ends_while_it_is_opened_gives_back_just_the_rest(field: Field) -> None:
    wallets = [field.town.holder(f"136{number:08d}", identified=False) for number in range(RACERS - 1)]
    for _ in range(3):
        pool = open_packets(field.town).id
        before = free(field.town) + promised(field.town)
        for number in range(2):
            takers = [take(pool, one, number) for one in wallets]
            ends = Racer(Kind.END_PACKETS, EndPackets(key=f"early-{number}", caller=SYSTEM, pool=pool))
            assert codes(field.racers.round(field.town.now, [*takers, ends])) == {"": 3, "packets_not_over": 1}
        field.town.tick(hours=72)
        ends = [
            Racer(Kind.END_PACKETS, EndPackets(key=f"end-{number}", caller=SYSTEM, pool=pool))
            for number in range(RACERS)
        ]
        assert codes(field.racers.round(field.town.now, ends)) == {"": 1, "packets_over": RACERS - 1}
        assert free(field.town) + promised(field.town) == before


def referred(field: Field, number: int) -> tuple[Id, Id]:
    """A referral whose first purchase has stayed, and its inviter."""
    town = field.town
    inviter, invitee = town.holder(f"135{number:08d}", identified=False), stranger(town, number)
    referral = accept(town, invitee, inviter).id
    follow = FollowReferral(key=town.key(), caller=SYSTEM, inviter=inviter, referral=referral)
    town.ok(Kind.FOLLOW_REFERRAL, follow)
    town.sell(invitee)
    town.ok(Kind.EARN_REFERRAL, EarnReferral(key=town.key(), caller=SYSTEM, referral=referral))
    town.tick(days=8)
    return referral, inviter


def test_a_referral_is_paid_once_on_either_side(field: Field) -> None:
    for number in range(ROUNDS):
        referral, inviter = referred(field, number)
        pays = [
            Racer(Kind.PAY_REFERRAL, PayReferral(key=f"pay-{n}", caller=SYSTEM, referral=referral))
            for n in range(RACERS)
        ]
        assert codes(field.racers.round(field.town.now, pays)) == {"": 1, "referral_state": RACERS - 1}
        follows = [
            Racer(
                Kind.FOLLOW_REFERRAL,
                FollowReferral(key=f"follow-{number}-{n}", caller=SYSTEM, inviter=inviter, referral=referral),
            )
            for n in range(RACERS)
        ]
        assert codes(field.racers.round(field.town.now, follows)) == {"": 1, "referral_followed": RACERS - 1}
        both = field.rows("SELECT count(*) FROM voucher WHERE wallet = %s", inviter.hex())
        assert both == [(1,)]


def test_a_referral_that_is_paid_and_undone_at_once_ends_with_nothing_paid(field: Field) -> None:
    for number in range(ROUNDS):
        referral, inviter = referred(field, 1_000 + number)
        racers = [
            *(
                Racer(Kind.PAY_REFERRAL, PayReferral(key=f"p-{n}", caller=SYSTEM, referral=referral))
                for n in range(2)
            ),
            Racer(
                Kind.UNDO_REFERRAL, UndoReferral(key="undo", caller=OPERATOR, referral=referral, reason="withdrawn")
            ),
            Racer(
                Kind.FOLLOW_REFERRAL,
                FollowReferral(key=f"f-{number}", caller=SYSTEM, inviter=inviter, referral=referral),
            ),
        ]
        told = field.racers.round(field.town.now, racers)
        assert told[2].took_effect, "whoever comes first, it can be undone"
        last = FollowReferral(key=f"l-{number}", caller=SYSTEM, inviter=inviter, referral=referral)
        field.town.app.one(Kind.FOLLOW_REFERRAL, last)
        live = (
            "SELECT count(*) FROM voucher v WHERE v.state = 1 AND v.origin IN (SELECT id FROM referral WHERE id = %s)"
        )
        assert field.rows(live, referral.hex()) == [(0,)]
        assert field.rows("SELECT count(*) FROM voucher WHERE wallet = %s AND state = 1", inviter.hex()) == [(0,)]


def test_a_month_is_granted_once_or_the_plan_is_cancelled(field: Field) -> None:
    wallet = field.town.holder("13300000001", identified=True)
    for _ in range(ROUNDS):
        field.town.sell(wallet, 100_000)
        plan = Id(field.rows("SELECT id FROM plan ORDER BY at DESC, id LIMIT 1")[0][0].bytes)
        field.town.tick(days=32)
        racers = [
            *(Racer(Kind.GRANT_DRIP, GrantDrip(key=f"g-{n}", caller=SYSTEM, plan=plan, month=1)) for n in range(3)),
            Racer(Kind.CANCEL_PLAN, CancelPlan(key="c", caller=OPERATOR, plan=plan, reason="closed")),
        ]
        told = field.racers.round(field.town.now, racers)
        assert told[3].took_effect and sum(one.took_effect for one in told[:3]) <= 1
        granted = field.rows("SELECT count(*) FROM voucher WHERE origin = %s", plan.hex())[0][0]
        assert field.rows("SELECT given, state FROM plan WHERE id = %s", plan.hex()) == [(granted, 3)]
