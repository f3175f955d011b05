"""Races about a card that is being returned: who pays, who tops up, who returns it, who is paid out."""

from collections import Counter

from kaquan.commands.model import Kind
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.payments.model import Pay, Refund
from kaquan.sales.closing_model import CloseCard, PayOutClosing, RequestClosing
from kaquan.sales.model import TopUp
from support.race import Answer, Field, Racer

ROUNDS = 4


def codes(answers: list[Answer]) -> Counter[str]:
    """How many answers of each refusal; "" counts the effects."""
    return Counter(each.code for each in answers)


def a_card(field: Field, number: int) -> Id:
    """A card with 500 yuan that can be spent."""
    return field.town.sell(field.town.holder(f"136{number:08d}"))


def asked(field: Field, card: Id) -> RequestClosing:
    """A request to return the card."""
    return RequestClosing(key=field.town.key(), caller=OPERATOR, card=card, cause="holder", reason="race")


def pay(field: Field, card: Id) -> Pay:
    """A payment of 300 yuan."""
    key, place = field.town.key(), {"merchant": field.town.merchants["mall-1"], "store": None}
    return Pay(key=key, caller=OPERATOR, card=card, amount=Money(30_000), order_no=f"race-{key}", **place)


def test_a_card_is_returned_once_and_pays_before_or_not_at_all(field: Field) -> None:
    """Two ask for the card to be returned, one pays, one tops up: it is in the quote, or was refused."""
    town = field.town
    for number in range(ROUNDS):
        card = a_card(field, number)
        town.tick(days=2)
        top_up = TopUp(key=town.key(), caller=OPERATOR, card=card, face=Money(50_000), channel="sandbox")
        racers = [
            Racer(Kind.REQUEST_CLOSING, asked(field, card)),
            Racer(Kind.REQUEST_CLOSING, asked(field, card)),
            Racer(Kind.PAY, pay(field, card)),
            Racer(Kind.TOP_UP, top_up),
        ]
        answers = field.racers.round(town.now, racers)
        assert codes(answers[:2]) == {"": 1, "card_closing": 1}
        assert codes(answers[2:]).keys() <= {"", "card_closing"}
        closing = next(one.id for one in answers[:2] if one.took_effect)
        done = town.ok(Kind.CLOSE_CARD, CloseCard(key=town.key(), caller=OPERATOR, closing=Id(closing)))
        paid, topped_up = (one.took_effect for one in answers[2:])
        assert done.facts["used_fen"] == 30_000 * paid
        assert done.facts["refund_fen"] == 47_500 * (1 + topped_up) - 30_000 * paid


def test_closing_twice_owes_once_and_a_refund_meanwhile_is_owed_too(field: Field) -> None:
    """Three close, one refunds an order: the card ends empty, and its money is owed whichever came first."""
    town = field.town
    for number in range(ROUNDS):
        card = a_card(field, 1000 + number)
        town.tick(days=2)
        order = town.pay(card, 30_000)
        request = town.ok(Kind.REQUEST_CLOSING, asked(field, card)).id
        refund = Refund(key=town.key(), caller=OPERATOR, payment=order.id, reason="race")
        close = [CloseCard(key=town.key(), caller=OPERATOR, closing=request) for _ in range(3)]
        racers = [Racer(Kind.REFUND, refund), *(Racer(Kind.CLOSE_CARD, one) for one in close)]
        answers = field.racers.round(town.now, racers)
        assert codes(answers) == {"": 2, "closing_state": 2}
        assert field.rows("SELECT coalesce(sum(balance), 0)::int FROM lot WHERE card = %s", card.hex()) == [(0,)]
        owed = "SELECT sum(amount)::int FROM posting WHERE credit = 50 AND credit_owner = %s"
        assert field.rows(owed, card.hex()) == [(47_500,)]


def test_what_is_owed_is_paid_once(field: Field) -> None:
    """Four pay out what is owed: one does."""
    town = field.town
    for number in range(ROUNDS):
        card = a_card(field, 2000 + number)
        request = town.ok(Kind.REQUEST_CLOSING, asked(field, card)).id
        town.ok(Kind.CLOSE_CARD, CloseCard(key=town.key(), caller=OPERATOR, closing=request))
        told = {"caller": OPERATOR, "closing": request, "route": "original", "reference": "race"}
        racers = [Racer(Kind.PAY_OUT_CLOSING, PayOutClosing(key=town.key(), **told)) for _ in range(4)]
        assert codes(field.racers.round(town.now, racers)) == {"": 1, "closing_state": 3}
