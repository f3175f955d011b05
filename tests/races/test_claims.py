"""Short races for what is limited: one person's token, one device, one day, one code, one place in a draw."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import pytest

from flows.test_claims import wallet
from flows.test_codes import coded, use
from flows.test_draws import enter, opened
from kaquan.commands.model import Entry, Kind, Outcome, scoped_id
from kaquan.db.embedded import Server
from kaquan.db.wire import raw_cursor
from kaquan.draws.model import EndDraw, EnterDraw, ListDraw
from kaquan.kernel.caller import OPERATOR, SYSTEM
from kaquan.kernel.ids import Id
from kaquan.main import Kaquan
from kaquan.quotas.slots import GRACE_SECONDS
from kaquan.vouchers.model import Claim, ExpireVoucher, ReserveVoucher, VoidVoucher
from support.database import fresh_database
from support.grants import stock_text
from support.race import Answer, Field, Racer, racing
from support.rush import untrue
from support.town import build

RACERS = 4
ROUNDS = 20
STOCKS = {
    "person": {"person_total": 1},
    "device": {"device_total": 1},
    "day": {"day_count": 2},
    "free": {"valid_days": 1},
    "code": {"hand_out": "code"},
    "draw": {"hand_out": "draw"},
}


@pytest.fixture(scope="module")
def ground(server: Server, template_name: str) -> Iterator[Field]:
    """One town and four processes for all races here; each brings its own wallets."""
    with fresh_database(server, template_name) as database, racing(database.app_url, RACERS) as racers:
        text = "".join(stock_text(code, count=1_000, **terms) for code, terms in STOCKS.items())
        town = build(database.app_url, more=text)
        town.fund("city", 100_000_000)
        for code in STOCKS:
            town.stock(code)
        yield Field(town, racers, database.owner_url)


def codes(answers: list[Answer]) -> Counter[str]:
    """How many answers of each refusal; "" counts the effects."""
    return Counter(each.code for each in answers)


def fresh(ground: Field, id_number: str | None = None) -> Id:
    """A wallet of its own."""
    ground.town.counter += 1
    return wallet(ground.town, ground.town.counter, id_number)


def claim(ground: Field, stock: str, to: Id, device: bytes | None = None) -> Racer:
    """One claim."""
    command = Claim(key=ground.town.key(), caller=OPERATOR, wallet=to, program="jingxika", stock=stock, device=device)
    return Racer(Kind.CLAIM, command)


def opened_here(ground: Field) -> Id:
    """A draw of the town's stock for draws."""
    return opened(ground.town, seats=1, stock="draw")


def entry(ground: Field, draw: Id) -> EnterDraw:
    """Somebody's entry."""
    return EnterDraw(key=ground.town.key(), caller=OPERATOR, draw=draw, wallet=fresh(ground))


def at_instant(app: Kaquan, kind: Kind, command: object, at: datetime) -> Outcome:
    """One command, at another moment than the round's."""
    app.door._now = lambda: at
    return app.one(kind, command)


def end_and_list(app: Kaquan, end: EndDraw, draw: Id) -> Outcome:
    """The end of entries and the commitment of the list, one right after the other."""
    app.one(Kind.END_DRAW, end)
    return app.one(Kind.LIST_DRAW, ListDraw(key=f"list {draw.hex()}", caller=OPERATOR, draw=draw))


def test_two_wallets_of_one_person_get_one_voucher(ground: Field) -> None:
    for number in range(ROUNDS):
        document = f"E{number:08d}"
        wallets = [fresh(ground, document), fresh(ground, document)]
        answers = ground.racers.round(ground.town.now, [claim(ground, "person", to) for to in wallets * 2])
        told = codes(answers)
        assert told[""] == 1 and set(told) <= {"", "claim_person_limit", "claim_in_flight"}, told
        late = ground.racers.round(ground.town.now, [claim(ground, "person", to) for to in wallets * 2])
        assert codes(late) == {"claim_person_limit": RACERS}


def test_one_device_in_four_processes_gets_one_voucher(ground: Field) -> None:
    for number in range(ROUNDS):
        racers = [claim(ground, "device", fresh(ground), b"device %d" % number) for _ in range(RACERS)]
        told = codes(ground.racers.round(ground.town.now, racers))
        assert told[""] == 1 and set(told) <= {"", "claim_device_limit", "claim_in_flight"}, told


def test_one_day_is_opened_once_and_hands_out_its_number(ground: Field) -> None:
    for _ in range(ROUNDS):
        ground.town.tick(days=1)
        told = codes(
            ground.racers.round(ground.town.now, [claim(ground, "day", fresh(ground)) for _ in range(RACERS)])
        )
        assert told == {"": 2, "stock_day_sold_out": 2}
    assert ground.rows("SELECT count(*), sum(count_left)::int FROM slice WHERE day > 0") == [(8 * ROUNDS, 0)]


def test_a_lost_token_is_taken_over_once_and_its_late_claimant_changes_nothing(ground: Field) -> None:
    for number in range(ROUNDS):
        document = f"L{number:08d}"
        wallets = [fresh(ground, document) for _ in range(RACERS)]
        racers = [claim(ground, "person", to) for to in wallets]
        lost = racers[0].command
        entry = Entry(lost, scoped_id(OPERATOR.organisation, lost.wallet, lost.key), bytes(15) + b"?")
        app = ground.town.app
        app.handlers[Kind.CLAIM].route(raw_cursor(app.connection), [entry], app.door.at(), False)
        ground.town.tick(seconds=GRACE_SECONDS)
        first = ground.racers.round(ground.town.now, racers)
        again = ground.racers.round(ground.town.now, racers)
        persons = "SELECT count(*) FROM voucher v JOIN wallet w ON w.id = v.wallet WHERE w.id = ANY (%s::uuid[])"
        assert ground.rows(persons, [to.hex() for to in wallets]) == [(1,)], (codes(first), codes(again))


def test_a_voucher_ends_once(ground: Field) -> None:
    merchant = ground.town.merchants["mall-1"]
    for number in range(ROUNDS):
        voucher = ground.town.ok(Kind.CLAIM, claim(ground, "free", fresh(ground)).command).id
        ground.town.tick(days=2)
        key = f"end-{number}"
        late = {"caller": OPERATOR, "voucher": voucher}
        racers = [
            Racer(Kind.EXPIRE_VOUCHER, ExpireVoucher(key=key, caller=SYSTEM, voucher=voucher)),
            Racer(Kind.EXPIRE_VOUCHER, ExpireVoucher(key=key, caller=SYSTEM, voucher=voucher)),
            Racer(Kind.VOID_VOUCHER, VoidVoucher(key=key, **late, reason="race")),
            Racer(Kind.RESERVE_VOUCHER, ReserveVoucher(key=key, **late, merchant=merchant, order_no=key, minutes=5)),
        ]
        answers = ground.racers.round(ground.town.now, racers)
        ended = {each.id for each in answers[:3] if each.took_effect}
        assert len(ended) == 1 and not answers[3].took_effect, codes(answers)


def test_one_code_in_four_processes_gives_one_voucher(server: Server, template_name: str) -> None:
    texts = [f"CODE{number:08d}" for number in range(ROUNDS)]
    with fresh_database(server, template_name) as database, racing(database.app_url, RACERS) as racers:
        town = coded(database, *texts)
        wallets = [wallet(town, number) for number in range(RACERS)]
        for text in texts:
            answers = racers.round(town.now, [Racer(Kind.CLAIM_BY_CODE, use(town, to, text)) for to in wallets])
            assert codes(answers) == {"": 1, "code_not_valid": 3}
        assert town.rows("SELECT count(*), count(DISTINCT origin) FROM voucher") == [(ROUNDS, ROUNDS)]


def test_who_was_told_of_her_entry_stands_in_the_list(ground: Field) -> None:
    """Entries race with the end of a draw and with the commitment of its list."""
    town = ground.town
    for number in range(ROUNDS):
        draw = opened_here(ground)
        before = [outcome.id for outcome in enter(town, draw, fresh(ground))]
        in_time = town.now
        town.tick(hours=1)
        racers = [
            Racer(None, None, at_instant, (Kind.ENTER_DRAW, entry(ground, draw), in_time)) for _ in range(RACERS - 1)
        ]
        end = EndDraw(key=f"end {number}", caller=OPERATOR, draw=draw)
        answers = ground.racers.round(town.now, [*racers, Racer(None, None, end_and_list, (end, draw))])
        told = {*before, *(each.id for each in answers[:-1] if each.took_effect)}
        assert set(codes(answers[:-1])) <= {"", "draw_over"}
        assert answers[-1].took_effect
        listed = ground.rows("SELECT entries FROM draw WHERE id = %s", draw.hex())
        rows = ground.rows("SELECT id FROM draw_entry WHERE draw = %s", draw.hex())
        assert listed == [(len(rows),)] and told == {row[0].bytes for row in rows}


def test_everything_is_true_at_the_end(ground: Field) -> None:
    assert list(untrue(ground.url, limited=False)) == []
