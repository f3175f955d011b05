"""Where a refund lands when the card was closed meanwhile, or a lot has expired: nothing is lost, nobody gains."""

from typing import Any

import msgspec
import pytest

from kaquan.cards.model import CardState, LotKind, LotState
from kaquan.commands.model import Plan
from kaquan.kernel.money import Money
from kaquan.ledger.chart import Account
from support.catalogues import SHOP, TERMS, lot
from support.till import Till

HOUR_US = 3_600_000_000


def till(balances: dict[LotKind, int], **refund: Any) -> Till:
    """A till whose card has a lot of each kind, under these terms of refunds."""
    made = Till(refund=msgspec.structs.replace(TERMS.terms.refund, **refund))
    made.lots = [lot(number, balance, kind) for number, (kind, balance) in enumerate(balances.items(), 1)]
    return made


BOTH = {LotKind.PRINCIPAL: 300, LotKind.BONUS: 200}


def test_principal_that_comes_back_to_a_closed_card_is_owed_to_the_holder_and_bonus_to_its_payer() -> None:
    made = till(BOTH)
    payment = made.pay(500, vouchers=())
    made.card.state = CardState.CLOSED
    plan = made.refund(payment, 250)
    assert isinstance(plan, Plan)
    told = msgspec.json.decode(plan.answer)
    assert (told["holder_fen"], told["payer_fen"], told["principal_fen"], told["bonus_fen"]) == (150, 100, 150, 100)
    assert made.books[Account.HOLDER_REFUND, made.card.id] == 150
    assert [one.balance for one in made.lots] == [0, 0]
    assert made.books[Account.MERCHANT_PAYABLE, SHOP.id] == 250
    assert isinstance(made.refund(payment), Plan)
    assert made.books[Account.HOLDER_REFUND, made.card.id] == 300
    assert made.books[Account.PROMO_EXPENSE, None] == 0
    assert made.books[Account.PROMO_DEFERRED, None] == 200


@pytest.mark.parametrize(("policy", "holder", "stays"), [("card", 0, 300), ("holder", 300, 0)])
def test_expired_principal_stays_on_the_card_or_is_owed_as_the_terms_say(
    policy: str, holder: int, stays: int
) -> None:
    made = till({LotKind.PRINCIPAL: 300}, expired_principal=policy)
    payment = made.pay(300, vouchers=())
    made.lots[0].expires_us = payment.at_us - HOUR_US
    made.lots[0].state = LotState.EXPIRED
    assert isinstance(made.refund(payment), Plan)
    assert (made.lots[0].balance, made.lots[0].state) == (stays, LotState.EXPIRED)
    assert made.books[Account.HOLDER_REFUND, made.card.id] == holder


def test_bonus_that_expired_counts_again_as_a_lot_of_its_own_for_the_days_of_the_terms() -> None:
    made = till(BOTH, expired_grant_days=3)
    payment = made.pay(500, vouchers=())
    made.lots[1].expires_us = payment.at_us
    plan = made.refund(payment)
    assert isinstance(plan, Plan)
    (new,) = [row for table, row in plan.inserts if table == "lot"]
    assert new[6:9] == (Money(200), payment.at_us, payment.at_us + 3 * 24 * HOUR_US)
    assert made.lots[1].balance == 0
    assert made.books[Account.CARD_BONUS, new[1]] == 200
    assert made.books[Account.CARD_BONUS, made.lots[1].id] == -200, "what it had before the payment went on"


def test_a_refund_reads_the_card_again_when_anybody_changed_it() -> None:
    made = till(BOTH)
    payment = made.pay(500, vouchers=())
    plan = made.refund(payment, 1)
    assert isinstance(plan, Plan)
    assert made.card in [row for row, _ in plan.changes]
