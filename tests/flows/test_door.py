"""What the door promises whatever the rules say: one decision per id, nothing on stale facts, leaves for effects."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
import psycopg
import pytest

from kaquan.cards.model import Freeze
from kaquan.commands.model import Effect, Kind, Refused
from kaquan.db.pool import connect
from kaquan.holders.service import find_by_phone, identification, read_person, registration
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.main import Kaquan
from kaquan.payments.model import Authorize, Capture, Pay, Refund, Void
from kaquan.payments.service import reverse
from kaquan.privacy.model import Person
from kaquan.privacy.subject_keys import unwrap
from kaquan.rewards.model import GrantReward
from kaquan.trail.leaf import LEAF_BYTES, canonical, opens
from support.database import Database
from support.race_books import untrue
from support.town import Town, build

FACE = 50_000
PHONE, NAME, ID_NUMBER = "13912345678", "欧阳若兰", "11010519491231002X"


class Desk(NamedTuple):
    """A town at the moment when its one card of 500 yuan (475 principal, 25 bonus) can be spent."""

    town: Town
    card: Id
    database: Database

    def one(self, kind: Kind, command: Any) -> Any:
        """One command, whatever comes of it."""
        return self.town.app.one(kind, command)

    def pay(self, amount: int, key: str, kind: type[Pay] = Pay, **other: Any) -> Pay:
        """A payment or an authorization with the card."""
        return kind(
            key=key,
            caller=OPERATOR,
            card=other.get("card", self.card),
            merchant=self.town.merchants["mall-1"],
            store=None,
            amount=Money(amount),
            order_no=other.get("order_no", f"order-{key}"),
        )

    def identification(self, wallet: Id, key: str) -> Any:
        """Who holds a wallet, recorded afterwards."""
        app = self.town.app
        return identification(
            app.connection, app.master, OPERATOR, key, wallet=wallet, name=NAME, id_number=ID_NUMBER
        )

    def hold(self, amount: int) -> Id:
        """An authorization."""
        return self.town.ok(Kind.AUTHORIZE, self.pay(amount, self.town.key(), Authorize)).id

    def lots(self, card: Id | None = None) -> list[tuple[int, int]]:
        """(balance, held) of a card's lots, principal first."""
        wanted = (card or self.card).hex()
        return self.town.rows("SELECT balance, held FROM lot WHERE card = %s ORDER BY kind, id", wanted)

    def balance(self) -> int:
        """What the card holds."""
        return sum(balance for balance, _ in self.lots())

    def counts(self) -> list[int]:
        """How many decisions, effects, claims and payments there are."""
        tables = ("command", "journal", "order_claim", "payment")
        return [self.town.rows(f"SELECT count(*) FROM {table}")[0][0] for table in tables]

    def untrue(self) -> list[str]:
        """What is wrong with the books."""
        return list(untrue(self.database.owner_url))

    def meanwhile(self, kind: Kind, act: Callable[[Kaquan], Any]) -> None:
        """The next time a command of `kind` has loaded its facts, another process acts before it goes on."""
        self.town.meanwhile(self.database.app_url, kind, act)


@pytest.fixture
def desk(database: Database) -> Desk:
    """A fresh one."""
    town = build(database.app_url)
    card = town.sell(town.holder("13800138000"), FACE)
    town.tick(days=1)
    return Desk(town, card, database)


def code(outcome: Any) -> str:
    """Why it was refused."""
    assert isinstance(outcome, Refused), outcome
    return outcome.refusal.code.code


def test_a_retry_hears_the_first_answer_and_takes_nothing(desk: Desk) -> None:
    first = desk.one(Kind.PAY, desk.pay(10_000, "k"))
    before = desk.lots()
    again = desk.one(Kind.PAY, desk.pay(10_000, "k"))
    assert isinstance(again, Effect) and again.replayed
    assert (again.id, again.answer, desk.lots()) == (first.id, first.answer, before)


def test_a_refusal_stays_a_refusal_when_it_would_be_possible_now(desk: Desk) -> None:
    assert code(desk.one(Kind.PAY, desk.pay(FACE + 1, "k"))) == "balance_insufficient"
    desk.town.top_up(desk.card)
    desk.town.tick(days=1)
    again = desk.one(Kind.PAY, desk.pay(FACE + 1, "k"))
    assert code(again) == "balance_insufficient" and again.replayed
    assert desk.balance() == 2 * FACE


def test_a_key_used_for_another_content_is_refused_and_moves_nothing(desk: Desk) -> None:
    desk.town.ok(Kind.PAY, desk.pay(100, "k"))
    before = desk.lots()
    for other in (desk.pay(101, "k"), desk.pay(100, "k", order_no="another")):
        assert code(desk.one(Kind.PAY, other)) == "key_reused"
    assert code(desk.one(Kind.AUTHORIZE, desk.pay(100, "k", Authorize))) == "key_reused"
    assert desk.lots() == before


def test_a_batch_counts_what_its_earlier_commands_took(desk: Desk) -> None:
    outcomes = desk.town.app.execute(Kind.PAY, [desk.pay(20_000, f"k{i}") for i in range(3)])
    assert [type(outcome) for outcome in outcomes] == [Effect, Effect, Refused]
    assert outcomes[2].refusal.facts == {"available_fen": 10_000, "missing_fen": 10_000}
    assert desk.lots() == [(7_500, 0), (2_500, 0)]


def test_twins_in_one_batch_take_effect_once(desk: Desk) -> None:
    outcomes = desk.town.app.execute(Kind.PAY, [desk.pay(100, "k"), desk.pay(100, "k"), desk.pay(101, "k")])
    assert [outcome.replayed for outcome in outcomes] == [False, True, True]
    assert outcomes[0].answer == outcomes[1].answer and code(outcomes[2]) == "key_reused"
    assert desk.balance() == FACE - 100


def test_a_payment_decided_on_old_balances_is_decided_again(desk: Desk) -> None:
    desk.meanwhile(Kind.PAY, lambda other: other.one(Kind.PAY, desk.pay(30_000, "other")))
    assert code(desk.one(Kind.PAY, desk.pay(30_000, "mine"))) == "balance_insufficient"
    assert desk.balance() == FACE - 30_000
    assert desk.untrue() == []


def test_a_card_frozen_after_the_facts_were_loaded_does_not_pay(desk: Desk) -> None:
    freeze = Freeze(key="f", caller=OPERATOR, card=desk.card, reason="asked")
    desk.meanwhile(Kind.PAY, lambda other: other.one(Kind.FREEZE, freeze))
    assert code(desk.one(Kind.PAY, desk.pay(100, "mine"))) == "card_frozen"
    assert desk.balance() == FACE


def test_a_payment_reversed_before_it_is_written_never_takes_effect(desk: Desk) -> None:
    def undo(other: Kaquan) -> None:
        reversed_ = reverse(
            other.door, other.catalogue, OPERATOR, "undo", desk.town.merchants["mall-1"], "order-late"
        )
        assert isinstance(reversed_, Effect) and reversed_.facts["state"] == "nothing_taken"

    desk.meanwhile(Kind.PAY, undo)
    late = desk.one(Kind.PAY, desk.pay(100, "late"))
    assert code(late) == "order_reversed" and late.replayed
    assert code(desk.one(Kind.PAY, desk.pay(100, "later", order_no="order-late"))) == "order_reversed"
    assert desk.lots() == [(47_500, 0), (2_500, 0)] and desk.counts()[-1] == 0


def test_an_order_is_paid_by_one_payment(desk: Desk) -> None:
    other = desk.town.sell(desk.town.holder("13800138001"), FACE)
    desk.town.tick(days=1)
    desk.town.ok(Kind.PAY, desk.pay(100, "first", order_no="o"))
    assert code(desk.one(Kind.PAY, desk.pay(100, "second", order_no="o", card=other))) == "order_paid"
    assert desk.lots(other) == [(47_500, 0), (2_500, 0)]


def test_a_dry_run_tells_and_leaves_nothing(desk: Desk) -> None:
    before = desk.lots(), desk.counts()
    seen = desk.town.app.one(Kind.PAY, desk.pay(10_000, "k"), dry_run=True)
    assert isinstance(seen, Effect) and seen.facts["principal_fen"] == 10_000
    assert (desk.lots(), desk.counts()) == before
    assert desk.one(Kind.PAY, desk.pay(10_000, "k")).answer == seen.answer


def test_a_capture_ends_its_hold_and_nothing_can_be_done_twice(desk: Desk) -> None:
    payment = desk.hold(48_000)
    assert desk.lots() == [(47_500, 47_500), (2_500, 500)]
    assert code(desk.one(Kind.PAY, desk.pay(2_001, "p"))) == "balance_insufficient"
    desk.town.ok(Kind.CAPTURE, Capture(key="c", caller=OPERATOR, payment=payment, amount=Money(10_000)))
    assert desk.lots() == [(37_500, 0), (2_500, 0)]
    second = Capture(key="c2", caller=OPERATOR, payment=payment, amount=Money(10_000))
    assert code(desk.one(Kind.CAPTURE, second)) == "payment_state"
    assert code(desk.one(Kind.VOID, Void(key="v", caller=OPERATOR, payment=payment))) == "payment_state"
    assert desk.lots() == [(37_500, 0), (2_500, 0)]


def test_a_hold_ends_by_the_commands_clock(desk: Desk) -> None:
    payment = desk.hold(100)
    until = microseconds(desk.town.now + timedelta(minutes=30))
    assert desk.town.rows("SELECT expires_at FROM payment WHERE id = %s", payment.hex()) == [(until,)]
    desk.town.tick(minutes=30)
    late = Capture(key="c", caller=OPERATOR, payment=payment)
    assert code(desk.one(Kind.CAPTURE, late)) == "hold_expired"


def test_a_refund_returns_to_the_lots_that_paid(desk: Desk) -> None:
    paid = desk.town.ok(Kind.PAY, desk.pay(48_000, "k"))
    assert desk.lots() == [(0, 0), (2_000, 0)]
    desk.town.ok(Kind.REFUND, Refund(key="r", caller=OPERATOR, payment=paid.id, reason="returned"))
    assert desk.lots() == [(47_500, 0), (2_500, 0)]
    again = Refund(key="r2", caller=OPERATOR, payment=paid.id, reason="returned")
    assert code(desk.one(Kind.REFUND, again)) == "payment_state"
    assert desk.untrue() == []


def test_a_rebate_is_earned_once_and_lost_with_the_payment(desk: Desk) -> None:
    paid = desk.town.ok(Kind.PAY, desk.pay(FACE, "k"))
    assert paid.facts["rebate_fen"] == 2_500
    assert desk.town.rows("SELECT amount, state FROM reward WHERE id = %s", paid.id.hex()) == [(2_500, 1)]
    desk.town.ok(Kind.REFUND, Refund(key="r", caller=OPERATOR, payment=paid.id, reason="returned"))
    desk.town.tick(days=8)
    grant = GrantReward(key="g", caller=OPERATOR, card=desk.card, payment=paid.id)
    assert code(desk.one(Kind.GRANT_REWARD, grant)) == "reward_not_waiting"
    assert desk.balance() == FACE


def test_every_effect_has_a_leaf_that_opens_to_its_answer(desk: Desk) -> None:
    outcomes = desk.town.app.execute(Kind.PAY, [desk.pay(100, f"k{i}") for i in range(3)])
    (commands, leaves), *more = desk.town.rows("SELECT commands, leaves FROM journal WHERE kind = %s", int(Kind.PAY))
    assert more == [] and [command.bytes for command in commands] == [outcome.id for outcome in outcomes]
    assert len(leaves) == 3 * LEAF_BYTES
    wallet, wrapped = desk.town.rows(
        "SELECT c.wallet, k.wrapped FROM card c JOIN subject_key k ON k.subject = c.wallet"
    )[0]
    person = b'{"card":"%b","wallet":"%b"}' % (desk.card.hex().encode(), wallet.hex.encode())
    for position, outcome in enumerate(outcomes):
        leaf = bytes(leaves[position * LEAF_BYTES : (position + 1) * LEAF_BYTES])
        assert opens(leaf[:32], desk.town.app.master.derive("money"), outcome.id, outcome.answer)
        assert opens(leaf[32:], unwrap(desk.town.app.master, bytes(wrapped)), outcome.id, person)


def test_personal_data_is_in_no_row_in_the_clear(desk: Desk) -> None:
    master = desk.town.app.master
    wallet = desk.town.ok(
        Kind.REGISTER_HOLDER, registration(master, OPERATOR, "h", Person(NAME, PHONE, ID_NUMBER))
    ).id
    card = desk.town.sell(wallet)
    desk.town.tick(days=1)
    desk.town.ok(Kind.PAY, desk.pay(100, "p", card=card))
    later = desk.town.ok(Kind.REGISTER_HOLDER, registration(master, OPERATOR, "a", None)).id
    desk.town.ok(Kind.IDENTIFY_HOLDER, desk.identification(later, "i"))
    assert read_person(desk.town.app.connection, master, later) == Person(NAME, None, ID_NUMBER)
    assert find_by_phone(desk.town.app.connection, master, PHONE) == wallet
    assert read_person(desk.town.app.connection, master, wallet) == Person(NAME, PHONE, ID_NUMBER)
    words = [form for word in (PHONE, NAME, ID_NUMBER) for form in (word, word.encode().hex())]
    with psycopg.connect(desk.database.owner_url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'kaquan'").fetchall()
        for (table,) in tables:
            rows = connection.execute(f"SELECT t::text FROM kaquan.{table} t".encode()).fetchall()
            assert [word for word in words for (row,) in rows if word in row] == [], table


def test_another_name_under_the_same_key_is_refused(desk: Desk) -> None:
    master, people = desk.town.app.master, [Person(NAME, PHONE), Person(NAME, PHONE), Person("李四", PHONE)]
    commands = [registration(master, OPERATOR, "k", person) for person in people]
    first, again, other = (desk.one(Kind.REGISTER_HOLDER, command) for command in commands)
    assert again.replayed and again.id == first.id and code(other) == "key_reused"
    assert read_person(desk.town.app.connection, master, first.id) == people[0]


def test_who_is_identified_afterwards_keeps_the_phone_number(desk: Desk) -> None:
    wallet = desk.town.holder("13900139000", identified=False)
    twice = [desk.identification(wallet, key) for key in ("i", "i", "j")]
    assert twice[0].name != twice[1].name
    first, again, other = desk.town.app.execute(Kind.IDENTIFY_HOLDER, twice)
    assert isinstance(first, Effect) and again.replayed and other.refusal.code.code == "holder_identified"
    person = read_person(desk.town.app.connection, desk.town.app.master, wallet)
    assert person == Person(NAME, "13900139000", ID_NUMBER)
    assert desk.town.rows("SELECT identified, version FROM wallet WHERE id = %s", wallet.hex()) == [(True, 2)]


@pytest.mark.parametrize("kind", [Kind.SELL, Kind.TOP_UP, Kind.IDENTIFY_HOLDER])
def test_a_wallet_that_changed_meanwhile_is_read_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    handler = desk.town.app.handlers[kind]
    versions: list[int] = []
    decide = handler.decide

    def meanwhile(entry: Any, facts: Any, at: Any) -> Any:
        versions.append(next(iter(facts.wallets.values())).version)
        if len(versions) == 1:
            with psycopg.connect(desk.database.owner_url) as connection:
                connection.execute("UPDATE kaquan.wallet SET version = version + 1")
        return decide(entry, facts, at)

    wallet = desk.town.holder("13900139000", identified=kind is not Kind.IDENTIFY_HOLDER)
    monkeypatch.setattr(handler, "decide", meanwhile)
    if kind is Kind.SELL:
        desk.town.sell(wallet)
    elif kind is Kind.TOP_UP:
        desk.town.top_up(desk.card)
    else:
        desk.town.ok(kind, desk.identification(wallet, "i"))
    assert versions == [1, 2]


@pytest.mark.parametrize("table", ["command", "posting", "journal"])
@pytest.mark.parametrize("change", ["UPDATE {} SET bucket = bucket", "DELETE FROM {}", "TRUNCATE {}"])
def test_history_cannot_be_rewritten(desk: Desk, table: str, change: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        desk.town.app.connection.execute(change.format(table).encode())


@pytest.mark.parametrize("change", ["balance = -1", "held = -1", "held = balance + 1"])
def test_the_database_keeps_the_floors_of_a_lot(desk: Desk, change: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        desk.town.app.connection.execute(f"UPDATE lot SET {change}".encode())
    assert desk.lots() == [(47_500, 0), (2_500, 0)]


def test_a_true_retry_is_not_spoilt_by_a_false_one_in_its_batch(desk: Desk) -> None:
    true, false = desk.pay(1_000, "k"), desk.pay(2_000, "k")
    first = desk.one(Kind.PAY, true)
    refused, again = desk.town.app.execute(Kind.PAY, [false, true])
    assert refused.refusal.code.code == "key_reused"
    assert again.replayed and again.answer == first.answer


def test_every_answer_is_canonical_json(desk: Desk) -> None:
    """An answer is the money part of its leaf: whoever opens the leaf must find the same bytes."""
    held = desk.hold(1_000)
    desk.one(Kind.CAPTURE, Capture(key="c", caller=OPERATOR, payment=held, amount=Money(400)))
    desk.one(Kind.REFUND, Refund(key="r", caller=OPERATOR, payment=held, reason="退货"))
    desk.one(Kind.VOID, Void(key="v", caller=OPERATOR, payment=desk.hold(1_000)))
    desk.one(Kind.PAY, desk.pay(100, "p", order_no="订单 1"))
    desk.one(Kind.FREEZE, Freeze(key="f", caller=OPERATOR, card=desk.card, reason="挂失前"))
    with connect(desk.database.app_url) as connection:
        answers = [row[0] for row in connection.execute("SELECT answer FROM command WHERE outcome = 0")]
    assert len(answers) > 12
    assert [canonical(msgspec.json.decode(answer)) for answer in answers] == answers
