"""What callers should never send: text and numbers that nothing can keep, what belongs to somebody else."""

from typing import Any

import psycopg
import pytest
import structlog.testing

from kaquan.cards.model import Freeze
from kaquan.commands.execute import Unavailable
from kaquan.commands.model import Effect, Kind, Refused
from kaquan.holders.service import registration
from kaquan.kernel.caller import OPERATOR, Caller, Role
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.merchants.model import RegisterMerchant
from kaquan.payments.model import Authorize, Capture, Pay, Refund, Reverse, Void
from kaquan.payments.service import reverse
from support.database import Database
from support.town import Town, build

FACE = 50_000
HALF = "\ud800"
"""Half a surrogate pair: what Python makes of bytes that are no UTF-8, and what no database takes."""

UNREADABLE = {
    "half a surrogate pair in the order": {"order_no": HALF},
    "half a surrogate pair in the key": {"key": HALF},
    "a key with spaces in the place of a time": {"key": "0123  67-89ab-7aaa-aaaa-aaaaaaaaaaaa", "amount": Money(0)},
    "more than 64 bits": {"amount": Money(2**70)},
    "less than 64 bits": {"amount": Money(-(2**70))},
}


@pytest.fixture
def town(database: Database) -> Town:
    return build(database.app_url)


@pytest.fixture
def card(town: Town) -> Id:
    sold = town.sell(town.holder(), FACE)
    town.tick(days=1)
    return sold


def payment(town: Town, card: Id, **other: Any) -> Pay:
    fields: dict[str, Any] = {
        "key": town.key(),
        "caller": OPERATOR,
        "card": card,
        "merchant": town.merchants["mall-1"],
        "store": None,
        "amount": Money(100),
        "order_no": f"o-{town.counter}",
    }
    kind = other.pop("kind", Pay)
    made: Pay = kind(**{**fields, **other})
    return made


def code(outcome: Any) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.refusal.code.code


def held(town: Town) -> list[tuple[Any, ...]]:
    """Everything that money or an order could have moved."""
    return town.rows(
        "SELECT (SELECT sum(balance) FROM lot), (SELECT sum(held) FROM lot), (SELECT count(*) FROM payment), "
        "(SELECT count(*) FROM posting), (SELECT count(*) FROM command), (SELECT count(*) FROM order_claim)"
    )


def undo(town: Town, key: str, order: str, caller: Caller = OPERATOR, merchant: Id | None = None) -> Any:
    return reverse(town.app.door, town.app.catalogue, caller, key, merchant or town.merchants["mall-1"], order)


@pytest.mark.parametrize("wrong", UNREADABLE)
def test_what_cannot_be_kept_is_refused_and_its_neighbours_do_not_suffer(town: Town, card: Id, wrong: str) -> None:
    batch = [payment(town, card), payment(town, card, **UNREADABLE[wrong]), payment(town, card)]
    outcomes = town.app.execute(Kind.PAY, batch)
    assert [type(outcome) for outcome in outcomes] == [Effect, Refused, Effect]
    assert outcomes[1].refusal.code.status == 400 and not outcomes[1].refusal.code.burns
    assert town.rows("SELECT sum(balance)::bigint FROM lot") == [(FACE - 200,)]


def test_an_anonymous_wallet_under_a_key_that_cannot_be_kept_is_refused(town: Town) -> None:
    outcome = town.app.one(Kind.REGISTER_HOLDER, registration(town.app.master, OPERATOR, HALF, None))
    assert code(outcome) == "key_invalid"


@pytest.mark.parametrize("text", ["nul \0 in it", f"half {HALF} in it"])
def test_free_text_that_cannot_be_kept_is_refused_and_moves_nothing(town: Town, card: Id, text: str) -> None:
    paid = town.ok(Kind.PAY, payment(town, card))
    before = held(town)
    refund = Refund(key="r", caller=OPERATOR, payment=paid.id, reason=text)
    assert code(town.app.one(Kind.REFUND, refund)) == "content_invalid"
    merchant = RegisterMerchant(
        key="m", caller=OPERATOR, code="m", name=text, organisation="others", account_bank="b", account_no="12345678"
    )
    assert code(town.app.one(Kind.REGISTER_MERCHANT, merchant)) == "content_invalid"
    assert held(town) == before


def test_no_log_line_quotes_what_was_asked(town: Town, card: Id, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise ValueError("张三 13800138000")

    monkeypatch.setattr(town.app.handlers[Kind.FREEZE], "decide", broken)
    with structlog.testing.capture_logs() as lines:
        town.app.execute(Kind.FREEZE, [Freeze(key="f", caller=OPERATOR, card=card, reason="张三 13800138000")])
    assert [line["event"] for line in lines] == ["command.fault"]
    assert "ValueError" in str(lines) and "test_hostile.py" in str(lines) and "13800138000" not in str(lines)


def test_one_command_that_breaks_a_rule_leaves_its_neighbours_alone(
    town: Town, card: Id, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = town.app.handlers[Kind.PAY]
    decide = handler.decide

    def sometimes(entry: Any, *rest: Any) -> Any:
        if entry.command.order_no == "breaks":
            raise ZeroDivisionError
        return decide(entry, *rest)

    monkeypatch.setattr(handler, "decide", sometimes)
    batch = [payment(town, card, key=f"k{n}", order_no="breaks" if n == 3 else f"o{n}") for n in range(7)]
    outcomes = town.app.execute(Kind.PAY, batch)
    assert [n for n, outcome in enumerate(outcomes) if not isinstance(outcome, Effect)] == [3]
    monkeypatch.undo()
    assert isinstance(town.app.one(Kind.PAY, batch[3]), Effect), "a fault burns no id"
    assert town.rows("SELECT sum(balance)::bigint FROM lot") == [(FACE - 700,)]


def test_who_sits_on_a_row_holds_up_those_who_need_it_and_few_others(
    town: Town, card: Id, database: Database
) -> None:
    cards = [card, *(town.sell(town.holder(f"1380013900{n}")) for n in range(7))]
    town.tick(days=1)
    town.app.connection.execute("SET lock_timeout = '100ms'")
    batch = [payment(town, one) for one in cards]
    asked = town.app.door._attempt
    attempts: list[int] = []

    def counted(handler: Any, entries: Any, *rest: Any) -> Any:
        attempts.append(len(entries))
        return asked(handler, entries, *rest)

    town.app.door._attempt = counted  # type: ignore[method-assign]
    with psycopg.connect(database.owner_url) as sitting:
        sitting.execute("SELECT FROM lot WHERE card = %s FOR UPDATE", [cards[2].hex()])
        outcomes = town.app.execute(Kind.PAY, batch)
        assert [n for n, outcome in enumerate(outcomes) if not isinstance(outcome, Effect)] == [2]
        assert [size for size in attempts if size > 1] == [8, 4, 2, 2, 4], "each batch that has to wait waits once"
        town.app.connection.execute("SET lock_timeout = '10s'")
        town.app.connection.execute("SET statement_timeout = '500ms'")
        with pytest.raises(Unavailable) as gone:
            town.app.one(Kind.PAY, batch[2])
        assert "57014" in str(gone.value) and "UPDATE" not in str(gone.value)
        sitting.rollback()
    assert isinstance(town.app.one(Kind.PAY, batch[2]), Effect), "the door still opens, and the id is free"


@pytest.mark.parametrize("key", ["", "k" * 65, HALF])
def test_a_reversal_under_an_impossible_key_bars_nothing(town: Town, card: Id, key: str) -> None:
    assert code(undo(town, key, "o-1")) == "key_invalid"
    assert isinstance(town.pay(card, 100, "o-1"), Effect)


@pytest.mark.parametrize("order", ["", "o" * 65, "nul \0 in it", HALF])
def test_a_reversal_of_an_impossible_order_bars_nothing(town: Town, card: Id, order: str) -> None:
    before = held(town)
    assert code(undo(town, "k", order)) == "order_no_invalid"
    assert held(town) == before


def test_a_reversal_at_a_merchant_that_is_not_there_bars_nothing(town: Town) -> None:
    before = held(town)
    assert code(undo(town, "k", "o-1", merchant=Id(bytes(16)))) == "merchant_unknown"
    assert held(town) == before


def test_one_key_reverses_two_orders_and_a_refusal_bars_none(town: Town, card: Id) -> None:
    """The id of a reversal is scoped to the order, whether it was paid or not."""
    first, second = undo(town, "k", "o-1"), undo(town, "k", "o-2")
    assert isinstance(first, Effect) and isinstance(second, Effect) and first.id != second.id
    assert undo(town, "k", "o-1").replayed and undo(town, "k", "o-2").replayed


def test_a_till_reaches_the_payments_of_its_own_merchant_only(town: Town, card: Id) -> None:
    own, foreign = (
        Caller(organisation=2, role=Role.MERCHANT, merchant=town.merchants[name]) for name in ("mall-1", "mall-2")
    )
    paid = town.ok(Kind.PAY, payment(town, card, caller=own, order_no="o-1"))
    hold = town.ok(Kind.AUTHORIZE, payment(town, card, caller=own, order_no="o-2", kind=Authorize))
    before = held(town)
    assert code(town.app.one(Kind.PAY, payment(town, card, caller=foreign))) == "merchant_unknown"
    for kind, command in (
        (Kind.CAPTURE, Capture(key="c", caller=foreign, payment=hold.id)),
        (Kind.VOID, Void(key="v", caller=foreign, payment=hold.id)),
        (Kind.REFUND, Refund(key="r", caller=foreign, payment=paid.id, reason="mine")),
    ):
        assert code(town.app.one(kind, command)) == "payment_unknown"
    reversal = Reverse(key="x", caller=foreign, payment=paid.id, merchant=town.merchants["mall-1"], order_no="o-1")
    assert code(town.app.one(Kind.REVERSE, reversal)) == "merchant_unknown"
    assert code(undo(town, "y", "o-1", foreign)) == "merchant_unknown"
    assert code(undo(town, "z", "o-new", foreign)) == "merchant_unknown"
    assert held(town) == before
    town.ok(Kind.CAPTURE, Capture(key="c", caller=own, payment=hold.id))
    town.ok(Kind.REFUND, Refund(key="r", caller=own, payment=paid.id, reason="returned"))
    assert undo(town, "y", "o-2", own).facts["state"] == "refunded"
