"""Which lots pay: those that may, in the program's order, together exactly what is asked."""

from typing import get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kaquan.cards.lots import available, part_of, shares, spendable
from kaquan.cards.model import Lot, LotKind, LotState
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.ledger.chart import Source
from kaquan.programs.terms import BurnOrder

NOW = 1_000
ORDERS = get_args(BurnOrder)


def lot(number: int, kind: LotKind, balance: int, held: int = 0, expires: int = 0, **other: int) -> Lot:
    """A lot of one card."""
    return Lot(
        id=Id(number.to_bytes(16, "big")),
        version=1,
        card=Id(bytes(16)),
        kind=kind,
        source=Source.CUSTODY,
        state=other.get("state", LotState.LIVE),
        balance=balance,
        held=held,
        active_us=other.get("active", 0),
        expires_us=expires,
    )


@st.composite
def cards(draw: st.DrawFn) -> list[Lot]:
    """The spendable lots of a card, in any order."""
    return [
        lot(
            number,
            draw(st.sampled_from(LotKind)),
            balance := draw(st.integers(1, 10**8)),
            draw(st.integers(0, balance - 1)),
            draw(st.sampled_from([0, NOW + 1, NOW + 2])),
        )
        for number in draw(st.permutations(range(draw(st.integers(1, 6)))))
    ]


@given(cards(), st.sampled_from(ORDERS), st.data())
def test_shares_sum_to_the_amount_and_no_lot_gives_more_than_it_has_free(
    lots: list[Lot], order: str, data: st.DataObject
) -> None:
    amount = data.draw(st.integers(1, available(lots, NOW)))
    taken = shares(lots, Money(amount), order)
    assert sum(part for _, part in taken) == amount
    assert all(0 < part <= lot.balance - lot.held for lot, part in taken)
    assert len({lot.id for lot, _ in taken}) == len(taken)


@given(cards(), st.sampled_from([order for order in ORDERS if order != "pro_rata"]), st.data())
def test_a_later_lot_pays_only_when_the_earlier_ones_are_empty(
    lots: list[Lot], order: str, data: st.DataObject
) -> None:
    amount = data.draw(st.integers(1, available(lots, NOW)))
    taken = shares(lots, Money(amount), order)
    assert all(part == lot.balance - lot.held for lot, part in taken[:-1])


@pytest.mark.parametrize(
    ("order", "paid_by"),
    [
        pytest.param("principal_first", [(1, 100), (2, 20)], id="principal_then_the_bonus_that_expires_first"),
        pytest.param("bonus_first", [(2, 50), (3, 50), (1, 20)], id="bonus_by_expiry_then_principal"),
        pytest.param("earliest_expiry", [(2, 50), (3, 50), (1, 20)], id="what_expires_first"),
        pytest.param("pro_rata", [(1, 60), (2, 30), (3, 30)], id="in_proportion"),
    ],
)
def test_each_order_by_example(order: str, paid_by: list[tuple[int, int]]) -> None:
    lots = [
        lot(3, LotKind.BONUS, 50, expires=NOW + 9),
        lot(1, LotKind.PRINCIPAL, 100),
        lot(2, LotKind.BONUS, 60, held=10, expires=NOW + 5),
    ]
    assert [(lot.id[15], part) for lot, part in shares(lots, Money(120), order)] == paid_by


def test_every_order_of_the_terms_has_an_example() -> None:
    assert set(ORDERS) == {"principal_first", "bonus_first", "earliest_expiry", "pro_rata"}


def test_what_may_not_pay_is_not_counted() -> None:
    lots = [
        lot(1, LotKind.PRINCIPAL, 100, held=100),
        lot(2, LotKind.PRINCIPAL, 100, active=NOW + 1),
        lot(3, LotKind.BONUS, 100, expires=NOW),
        lot(4, LotKind.BONUS, 100, state=LotState.EXPIRED),
        lot(5, LotKind.BONUS, 100, held=40, expires=NOW + 1, active=NOW),
    ]
    assert [each.id[15] for each in spendable(lots, NOW)] == [5]
    assert available(lots, NOW) == 60


@given(cards(), st.sampled_from(ORDERS), st.data())
def test_a_part_of_shares_takes_no_more_than_was_held(lots: list[Lot], order: str, data: st.DataObject) -> None:
    held = shares(lots, available(lots, NOW), order)
    whole = sum(part for _, part in held)
    smaller, larger = sorted((data.draw(st.integers(1, whole)), data.draw(st.integers(1, whole))))
    assume(smaller < larger)
    less, more = ({lot.id: part for lot, part in part_of(held, Money(asked), order)} for asked in (smaller, larger))
    assert (sum(less.values()), sum(more.values())) == (smaller, larger)
    limits = {lot.id: part for lot, part in held}
    assert all(more[identity] <= limits[identity] for identity in more)
    assert order == "pro_rata" or all(less[identity] <= more[identity] for identity in less)


def test_lots_that_hold_too_little_are_a_bug() -> None:
    with pytest.raises(ValueError, match="hold less"):
        shares([lot(1, LotKind.PRINCIPAL, 5)], Money(6), "principal_first")


@pytest.mark.parametrize("order", ORDERS)
def test_nothing_is_taken_of_nothing(order: str) -> None:
    assert part_of([], Money(0), order) == []
