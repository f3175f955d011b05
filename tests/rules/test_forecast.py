"""A program rehearsed on past traffic: what it would have cost whom, worked out by hand."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from kaquan.forecast.model import Cost, PastOrder, Purchase, Traffic
from kaquan.forecast.rules import forecast
from kaquan.kernel.clock import microseconds
from kaquan.kernel.money import Money
from kaquan.programs.catalogue import Stock, Terms
from kaquan.programs.grants import Stock as StockTerms
from support.catalogues import SHOP, identity, stock
from support.town import NOON

DAY = 86_400_000_000
AT = microseconds(NOON)


def terms_with(one: Stock, **changes: object) -> tuple[Terms, Stock]:
    """The stock's program without rebate, and the stock with other terms."""
    rules: StockTerms = msgspec.structs.replace(one.rules, **changes)
    draft = one.terms.terms
    rebate = msgspec.structs.replace(draft.rebate, bands=())
    terms = msgspec.structs.replace(one.terms, terms=msgspec.structs.replace(draft, rebate=rebate, stocks=(rules,)))
    return terms, msgspec.structs.replace(one, terms=terms, rules=rules)


def order(wallet: int, amount: int, day: int = 0, merchant: str = "shop") -> PastOrder:
    return PastOrder(AT + day * DAY, identity(wallet), merchant, None, Money(amount))


def test_a_threshold_voucher_costs_its_funders_their_shares_where_it_is_reached() -> None:
    rules = {"kind": "threshold", "min_order_fen": 10_000, "person_total": 1}
    terms, ten_off = terms_with(stock(1, code="ten"), **rules)
    orders = (order(1, 9_999), order(2, 10_000), order(2, 10_000, day=1), order(3, 20_000, merchant="elsewhere"))
    found = forecast(terms, [ten_off], {"shop": SHOP}, Traffic((), orders))
    assert found.used == {"ten": 1}
    assert found.issued == {"ten": 2}, "everybody who comes claims one; the first order did not reach the threshold"
    assert sum(cost.amount for cost in found.costs) == 1_000
    assert {cost.of for cost in found.costs} == {"ten"}
    assert found.promised == 1_000, "the first holder still has hers"
    assert (found.winners.holders, found.winners.gaining, found.winners.median) == (3, 1, 1_000)
    assert found.by_merchant == (("shop", Money(1_000)),)


def test_presale_bonus_is_the_issuers_and_a_face_that_is_not_offered_is_counted_apart() -> None:
    terms, _ = terms_with(stock(1, code="ten"))
    purchases = (
        Purchase(AT, identity(1), Money(50_000)),
        Purchase(AT, identity(1), Money(30_000)),
    )
    found = forecast(terms, [], {"shop": SHOP}, Traffic(purchases, ()))
    assert found.costs == (Cost("presale", "issuer", Money(2_500)),)
    assert (found.purchases, found.not_sold, found.sold) == (2, 1, 80_000)


@given(
    amounts=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 50_000), st.integers(0, 20)), max_size=30),
    count=st.integers(1, 6),
)
def test_no_forecast_costs_more_than_the_stock_holds(amounts: list[tuple[int, int, int]], count: int) -> None:
    terms, ten_off = terms_with(stock(1, code="ten"), kind="instant", min_order_fen=0, face_fen=1_000, count=count)
    orders = tuple(order(wallet, amount, day) for wallet, amount, day in sorted(amounts, key=lambda one: one[2]))
    found = forecast(terms, [ten_off], {"shop": SHOP}, Traffic((), orders))
    assert found.cost + found.promised <= count * 1_000
    assert sum(found.issued.values()) <= count
    assert found.cost <= found.spent
