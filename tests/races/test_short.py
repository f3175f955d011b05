"""Short races between four processes, many rounds of each: exactly one of those who can't both be right wins."""

from collections import Counter
from datetime import date, datetime, timedelta
from time import sleep

import pytest

from kaquan.cards.model import Freeze, Replace, ReportLost
from kaquan.commands.model import Entry, Kind, Outcome, scoped_id
from kaquan.db.wire import raw_cursor
from kaquan.holders.service import identification, registration
from kaquan.kernel.calendar import Calendar, business_date, month_end, shanghai
from kaquan.kernel.caller import OPERATOR, SYSTEM
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.main import Kaquan
from kaquan.merchants.model import RegisterOrganisation
from kaquan.payments import orders
from kaquan.payments.model import Authorize, Capture, ExpireHold, Pay, Refund, Void
from kaquan.payments.service import reverse
from kaquan.privacy.model import Person
from kaquan.rewards.model import GrantReward
from kaquan.sales.model import TopUp
from kaquan.settlement import service as settlement
from kaquan.settlement.model import Preview, ReleaseReserve, Settle
from kaquan.settlement.service import ReleaseHandler, SettleHandler
from support.race import Answer, Field, Racer
from support.town import Town

RACERS = 4
ROUNDS = 25
CALENDAR = Calendar.load()

pytestmark = pytest.mark.usefixtures("field")


def effects(answers: list[Answer]) -> list[Answer]:
    """Those that took effect, each command once."""
    return list({each.id: each for each in answers if each.took_effect}.values())


def codes(answers: list[Answer]) -> Counter[str]:
    """How many answers of each refusal; "" counts the effects."""
    return Counter(each.code for each in answers)


def active_card(field: Field, face: int = 50_000) -> Id:
    """A card of a holder of its own whose value can be spent."""
    number = len(field.town.merchants) + field.town.counter
    card = field.town.sell(field.town.holder(f"139{number:08d}"), face)
    field.town.tick(days=1)
    return card


def pay(field: Field, card: Id, amount: int, order_no: str, key: str, kind: type[Pay] = Pay) -> Pay:
    """A payment or an authorization at mall-1."""
    return kind(
        key=key,
        caller=OPERATOR,
        card=card,
        merchant=field.town.merchants["mall-1"],
        store=None,
        amount=Money(amount),
        order_no=order_no,
    )


def authorized(field: Field, card: Id, amount: int) -> Id:
    """An authorization."""
    key = field.town.key()
    return field.town.ok(Kind.AUTHORIZE, pay(field, card, amount, f"o-{key}", key, Authorize)).id


def test_one_key_in_four_processes_takes_effect_once_and_all_hear_the_same(field: Field) -> None:
    card = active_card(field, 100_000)
    for number in range(ROUNDS):
        command = pay(field, card, 1_000, f"same-{number}", f"same-{number}")
        answers = field.racers.round(field.town.now, [Racer(Kind.PAY, command)] * RACERS)
        assert codes(answers) == {"": RACERS}
        assert len({each.body for each in answers}) == 1
        assert sum(not each.replayed for each in answers) == 1
    assert field.rows("SELECT sum(balance)::bigint FROM lot WHERE card = %s", card.hex()) == [
        (100_000 - ROUNDS * 1_000,)
    ]


def test_one_key_with_two_contents_takes_effect_once(field: Field) -> None:
    card = active_card(field, 100_000)
    for number in range(ROUNDS):
        commands = [pay(field, card, 100 + i % 2, f"two-{number}", f"two-{number}") for i in range(RACERS)]
        answers = field.racers.round(field.town.now, [Racer(Kind.PAY, command) for command in commands])
        assert codes(answers) == {"": 2, "key_reused": 2}
        assert len({each.body for each in answers if each.took_effect}) == 1


def test_the_last_money_is_spent_once(field: Field) -> None:
    for number in range(ROUNDS):
        card = active_card(field)
        commands = [pay(field, card, 20_000, f"last-{number}-{i}", f"last-{number}-{i}") for i in range(RACERS)]
        answers = field.racers.round(field.town.now, [Racer(Kind.PAY, command) for command in commands])
        assert codes(answers) == {"": 2, "balance_insufficient": 2}


def test_one_order_of_four_cards_is_paid_once(field: Field) -> None:
    cards = [active_card(field, 100_000) for _ in range(RACERS)]
    for number in range(ROUNDS):
        commands = [pay(field, card, 100, f"one-{number}", f"one-{number}") for card in cards]
        answers = field.racers.round(field.town.now, [Racer(Kind.PAY, command) for command in commands])
        told = codes(answers)
        assert told[""] == 1 and set(told) <= {"", "order_paid", "order_in_flight"}, told


def claim(app: Kaquan, command: Pay) -> None:
    """What a process does before it is lost: it claims the order and never comes to decide."""
    identity = scoped_id(command.caller.organisation, command.subject, command.key)
    orders.claim(raw_cursor(app.connection), [Entry(command, identity, bytes(16))], app.door.at(), False)


def test_a_lost_claim_is_taken_over_once_and_its_late_claimant_changes_nothing(field: Field) -> None:
    cards = [active_card(field, 100_000) for _ in range(RACERS)]
    for number in range(ROUNDS):
        commands = [pay(field, card, 100, f"lost-{number}", f"lost-{number}") for card in cards]
        claim(field.town.app, commands[0])
        field.town.tick(seconds=orders.GRACE_SECONDS)
        answers = field.racers.round(field.town.now, [Racer(Kind.PAY, command) for command in commands])
        told = codes(answers)
        assert told[""] <= 1 and set(told) <= {"", "order_paid", "order_in_flight", "order_taken_over"}, told
        again = field.racers.round(field.town.now, [Racer(Kind.PAY, command) for command in commands])
        assert len(effects(answers + again)) == 1


def reversal(app: Kaquan, key: str, merchant: Id, order_no: str) -> Outcome:
    """Reverse by order number, as a till does."""
    return reverse(app.door, app.catalogue, OPERATOR, key, merchant, order_no)


@pytest.mark.parametrize("kind", [Kind.PAY, Kind.AUTHORIZE])
def test_a_reversal_and_the_original_leave_nothing_taken(field: Field, kind: Kind) -> None:
    card, merchant = active_card(field, 100_000), field.town.merchants["mall-1"]
    name = kind.name.lower()
    for number in range(ROUNDS):
        order_no = f"reverse-{name}-{number}"
        command = pay(field, card, 1_000, order_no, order_no, Pay if kind == Kind.PAY else Authorize)
        original = Racer(kind, command)
        undo = Racer(None, None, reversal, (f"undo-{order_no}", merchant, order_no))
        other = Racer(None, None, reversal, (f"undo-again-{order_no}", merchant, order_no))
        answers = field.racers.round(field.town.now, [original, undo, original, other])
        late = field.racers.round(field.town.now, [original, undo, original, other])
        assert {each.code for each in answers + late} <= {"", "order_reversed", "payment_state"}
        assert late[0].body == late[2].body and late[0].replayed
        assert field.rows("SELECT sum(balance)::bigint, sum(held)::bigint FROM lot WHERE card = %s", card.hex()) == [
            (100_000, 0)
        ]


def test_a_hold_is_captured_voided_or_expired_but_only_one_of_them(field: Field) -> None:
    card = active_card(field, 100_000)
    for number in range(ROUNDS):
        hold = authorized(field, card, 100)
        field.town.tick(minutes=30)
        key = f"end-{number}"
        past = field.town.now - timedelta(minutes=1)
        racers = [
            Racer(
                None, None, at_instant, (Kind.CAPTURE, Capture(key=f"{key}-a", caller=OPERATOR, payment=hold), past)
            ),
            Racer(
                None, None, at_instant, (Kind.CAPTURE, Capture(key=f"{key}-b", caller=OPERATOR, payment=hold), past)
            ),
            Racer(Kind.VOID, Void(key=f"{key}-c", caller=OPERATOR, payment=hold)),
            Racer(Kind.EXPIRE_HOLD, ExpireHold(key=f"{key}-d", caller=SYSTEM, payment=hold)),
        ]
        answers = field.racers.round(field.town.now, racers)
        assert codes(answers) == {"": 1, "payment_state": 3}


def at_instant(app: Kaquan, kind: Kind, command: object, at: datetime) -> Outcome:
    """One command, at another moment than the round's."""
    app.door._now = lambda: at
    return app.one(kind, command)


def test_two_expiry_jobs_release_a_hold_once_and_tell_the_same(field: Field) -> None:
    card = active_card(field)
    for _ in range(ROUNDS):
        hold = authorized(field, card, 100)
        field.town.tick(minutes=30)
        command = ExpireHold(key=f"expire-{hold.hex()}", caller=SYSTEM, payment=hold)
        answers = field.racers.round(field.town.now, [Racer(Kind.EXPIRE_HOLD, command)] * RACERS)
        assert codes(answers) == {"": RACERS} and len({each.body for each in answers}) == 1
        assert sum(not each.replayed for each in answers) == 1


def test_a_payment_is_given_back_once(field: Field) -> None:
    card, merchant = active_card(field), field.town.merchants["mall-1"]
    for number in range(ROUNDS):
        key = f"back-{number}"
        paid = field.town.ok(Kind.PAY, pay(field, card, 40_000, key, key)).id
        refunds = [Refund(key=f"{key}-{i}", caller=OPERATOR, payment=paid, reason="returned") for i in range(3)]
        racers = [Racer(Kind.REFUND, refund) for refund in refunds]
        racers.append(Racer(None, None, reversal, (f"{key}-undo", merchant, key)))
        assert codes(field.racers.round(field.town.now, racers)) == {"": 1, "payment_state": 3}


def test_a_rebate_is_granted_or_cancelled_once(field: Field) -> None:
    for number in range(ROUNDS // 2):
        card = active_card(field, 100_000)
        key = f"rebate-{number}"
        paid = field.town.ok(Kind.PAY, pay(field, card, 60_000, key, key)).id
        field.town.tick(days=8)
        grants = [
            GrantReward(key=f"{key}-grant-{i}", caller=SYSTEM, card=card, payment=paid) for i in range(RACERS - 1)
        ]
        refund = Refund(key=f"{key}-refund", caller=OPERATOR, payment=paid, reason="returned", late=True)
        racers = [*(Racer(Kind.GRANT_REWARD, grant) for grant in grants), Racer(Kind.REFUND, refund)]
        answers = field.racers.round(field.town.now, racers)
        assert codes(answers)["reward_not_waiting"] in (2, 3) and answers[3].took_effect
        assert field.rows("SELECT sum(balance)::bigint FROM lot WHERE card = %s", card.hex()) == [(100_000,)]


def test_top_ups_never_pass_the_limit_together(field: Field) -> None:
    for number in range(ROUNDS // 3):
        card = active_card(field, 100_000)
        for _ in range(3):
            field.town.top_up(card, 100_000)
        commands = [
            TopUp(key=f"full-{number}-{i}", caller=OPERATOR, card=card, face=Money(100_000), channel="sandbox")
            for i in range(RACERS)
        ]
        answers = field.racers.round(field.town.now, [Racer(Kind.TOP_UP, command) for command in commands])
        assert codes(answers)[""] == 1
        assert field.rows("SELECT sum(balance)::bigint FROM lot WHERE card = %s", card.hex()) == [(500_000,)]


def test_a_frozen_card_pays_nothing_after_it_was_frozen(field: Field) -> None:
    for number in range(ROUNDS):
        card = active_card(field)
        key = f"freeze-{number}"
        racers = [Racer(Kind.PAY, pay(field, card, 100, f"{key}-{i}", f"{key}-{i}")) for i in range(2)]
        racers += [
            Racer(Kind.FREEZE, Freeze(key=f"{key}-{i}", caller=OPERATOR, card=card, reason="r")) for i in (2, 3)
        ]
        answers = field.racers.round(field.town.now, racers)
        assert codes(answers[2:]) == {"": 1, "card_already_frozen": 1}
        assert set(codes(answers[:2])) <= {"", "card_frozen"}


def test_a_lost_card_is_replaced_once(field: Field) -> None:
    for number in range(ROUNDS):
        card = active_card(field)
        field.town.ok(Kind.REPORT_LOST, ReportLost(key=field.town.key(), caller=OPERATOR, card=card))
        commands = [Replace(key=f"new-{number}-{i}", caller=OPERATOR, card=card) for i in range(RACERS)]
        answers = field.racers.round(field.town.now, [Racer(Kind.REPLACE, command) for command in commands])
        assert codes(answers) == {"": 1, "card_not_lost": 3}
        assert field.rows(
            "SELECT count(*), bool_or(n.number = c.number) FROM card_number n JOIN card c ON c.id = n.card "
            "WHERE c.id = %s",
            card.hex(),
        ) == [(2, True)]


def test_a_phone_number_has_one_wallet(field: Field) -> None:
    master = field.town.app.master
    for number in range(ROUNDS):
        person = Person("李四", f"137{number:08d}", None)
        commands = [registration(master, OPERATOR, f"phone-{number}-{i}", person) for i in range(RACERS)]
        racers = [Racer(Kind.REGISTER_HOLDER, command) for command in commands]
        assert codes(field.racers.round(field.town.now, racers)) == {"": 1, "holder_exists": 3}


def test_a_holder_is_identified_once(field: Field) -> None:
    app = field.town.app
    for number in range(ROUNDS):
        wallet = field.town.holder(f"136{number:08d}", identified=False)
        racers = [
            Racer(
                Kind.IDENTIFY_HOLDER,
                identification(
                    app.connection,
                    app.master,
                    OPERATOR,
                    f"id-{number}-{i}",
                    wallet=wallet,
                    name="李四",
                    id_number="11010519491231002X",
                ),
            )
            for i in range(RACERS)
        ]
        assert codes(field.racers.round(field.town.now, racers)) == {"": 1, "holder_identified": 3}


def test_organisations_registered_at_once_get_numbers_of_their_own(field: Field) -> None:
    for number in range(ROUNDS):
        racers = [
            Racer(
                Kind.REGISTER_ORGANISATION,
                RegisterOrganisation(
                    key=f"org-{number}-{i}", caller=OPERATOR, code=f"org-{number}-{i}", name="o", keeps_book=True
                ),
            )
            for i in range(RACERS)
        ]
        assert codes(field.racers.round(field.town.now, racers)) == {"": RACERS}


def settle(app: Kaquan, command: Settle) -> Outcome:
    """One settlement."""
    return app.door.one(SettleHandler(app.catalogue, CALENDAR), command)


def release(app: Kaquan, command: ReleaseReserve) -> Outcome:
    """One release."""
    return app.door.one(ReleaseHandler(app.catalogue), command)


def previewed(town: Town, program: int, period_end: date) -> Preview:
    """A month with what was paid in it: the cut waits for every transaction of the server that still runs."""
    for _ in range(100):
        merchants = [town.merchants["mall-1"]]
        seen = settlement.preview(town.app.connection, town.app.catalogue, CALENDAR, program, period_end, merchants)
        assert isinstance(seen, Preview) and len(seen.rows) == 1
        if seen.totals.gross:
            return seen
        sleep(0.1)
    raise AssertionError("the horizon did not move for ten seconds")


def test_a_month_is_settled_once_and_its_reserve_released_once(field: Field) -> None:
    town = field.town
    card = active_card(field, 100_000)
    merchant, program = town.merchants["mall-1"], town.app.catalogue.programs["jingxika"]
    period_end = month_end(business_date(town.now))
    for number in range(6):
        town.ok(Kind.PAY, pay(field, card, 10_000, f"month-{number}", f"month-{number}"))
        town.now = shanghai(period_end) + timedelta(days=5, hours=9)
        seen = previewed(town, program, period_end)
        keys = ["job", "job", "clerk-a", "clerk-b"]
        commands = [
            Settle(
                key=f"{key}-{number}",
                caller=SYSTEM,
                program=program,
                merchant=merchant,
                period_end=period_end,
                terms=seen.terms,
                cut=seen.cut,
            )
            for key in keys
        ]
        answers = field.racers.round(town.now, [Racer(None, None, settle, (command,)) for command in commands])
        assert len(effects(answers)) == 1 and set(codes(answers)) == {"", "period_settled"}
        assert answers[0].body == answers[1].body
        reserve = effects(answers)[0].id
        releases = [ReleaseReserve(key=f"{key}-{number}", caller=SYSTEM, settlement=Id(reserve)) for key in keys]
        later = town.now + timedelta(days=100)
        answers = field.racers.round(later, [Racer(None, None, release, (command,)) for command in releases])
        assert len(effects(answers)) == 1 and set(codes(answers)) == {"", "reserve_released"}
        assert answers[0].body == answers[1].body
        period_end = month_end(period_end + timedelta(days=1))
