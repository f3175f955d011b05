"""Races about payouts between three processes: a result counts once, a file is made once, nothing is paid twice."""

from collections.abc import Iterator
from typing import Any

import pytest

from kaquan.commands.model import Kind, Outcome
from kaquan.db.embedded import Server
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id
from kaquan.main import Kaquan
from kaquan.payouts import service
from kaquan.payouts.model import OpenFile, ReissuePayout, Said, Verdict
from kaquan.payouts.reading import Told
from support.database import fresh_database
from support.payouts import Desk
from support.race import Answer, Racer, Racers, racing

RACERS = 3
ROUNDS = 4


@pytest.fixture(scope="module")
def field(server: Server, template_name: str) -> Iterator[tuple[Desk, Racers]]:
    """A desk whose May is settled, and three processes."""
    with fresh_database(server, template_name) as database, racing(database.app_url, RACERS) as racers:
        desk = Desk(database)
        desk.settle()
        yield desk, racers
        desk.proved()


def says(payout: Id, said: Said, attempt: int, reference: str) -> Racer:
    """One process brings a line of the bank."""
    told = Told(payout, attempt, said, None, service.instruction(payout, attempt), reference, "")
    return Racer(Kind.RECORD_PAYOUT_RESULT, service.result_command(told, OPERATOR))


def make(app: Kaquan, command: OpenFile) -> Outcome:
    """One process makes a file."""
    return service.make_file(app.door, app.handlers, command)


def attempt_of(desk: Desk, payout: Id) -> int:
    return desk.state(payout)[1]


def fail(desk: Desk, payout: Id) -> int:
    """Send it, let it fail; which attempt that was."""
    desk.made()
    attempt = attempt_of(desk, payout)
    desk.told(desk.said(payout, "失败", attempt, f"F-{attempt}"))
    return attempt


def news(told: list[Answer]) -> list[Answer]:
    return [one for one in told if one.took_effect and not one.replayed]


def test_the_same_result_in_three_files_at_once_counts_once(field: tuple[Desk, Racers]) -> None:
    desk, racers = field
    payout = desk.payouts()
    for _ in range(ROUNDS):
        desk.made()
        attempt = attempt_of(desk, payout)
        for said, state in ((Said.CONFIRMED, "confirmed"), (Said.RETURNED, "returned")):
            line = says(payout, said, attempt, f"{state}-{attempt}")
            told = racers.round(desk.town.now, [line] * RACERS)
            assert all(one.took_effect for one in told) and len(news(told)) == 1
            assert len({one.body for one in told}) == 1
            assert desk.state(payout) == (state, attempt, 0)
        desk.reissue(payout)
    desk.proved()


def test_a_late_confirmation_and_a_reissue_never_pay_twice(field: tuple[Desk, Racers]) -> None:
    desk, racers = field
    payout = desk.payouts()
    for _ in range(ROUNDS):
        attempt = fail(desk, payout)
        again = ReissuePayout(key=desk.town.key(), caller=OPERATOR, payout=payout, reason="race")
        late = [says(payout, Said.CONFIRMED, attempt, f"late-{attempt}-{number}") for number in range(2)]
        told = racers.round(desk.town.now, [Racer(Kind.REISSUE_PAYOUT, again), *late])
        assert told[0].code in ("", "payout_questioned")
        assert desk.state(payout)[2] == 2, "each late line asks"
        assert desk.make().refusal.code.code == "payout_nothing_due"
        for found in service.exceptions(desk.app.connection):
            desk.explain(found.id.hex, Verdict.DISMISSED)
        if told[0].code:
            desk.reissue(payout)
    desk.proved()


def test_three_files_at_once_hold_a_payout_once(field: tuple[Desk, Racers]) -> None:
    desk, racers = field
    payout = desk.payouts()
    for _ in range(ROUNDS):
        files = [Racer(None, None, make, (desk.opening(),)) for _ in range(RACERS)]
        racers.round(desk.town.now, files)
        attempt = attempt_of(desk, payout)
        sent = "SELECT count(*) FROM payout_step WHERE payout = %s AND state = 2 AND attempt = %s"
        assert desk.town.rows(sent, payout.hex(), attempt) == [(1,)]
        same: list[Any] = [Racer(None, None, make, (desk.opening(key=f"same-{attempt}"),))] * RACERS
        assert {one.code for one in racers.round(desk.town.now, same)} == {"payout_nothing_due"}
        desk.told(desk.said(payout, "失败", attempt, f"F-{attempt}"))
        desk.reissue(payout)
        told = racers.round(desk.town.now, same)
        assert all(one.took_effect for one in told) and len({one.body for one in told}) == 1
        desk.told(desk.said(payout, "失败", attempt + 1, f"F-{attempt + 1}"))
        desk.reissue(payout)
    desk.proved()
