"""The parts of a statement hold together for whatever the books say."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kaquan.kernel.ids import Id
from kaquan.ledger.chart import Account
from kaquan.ledger.movements import Movement
from kaquan.reporting.model import Moved, Named, PartyKind
from kaquan.reporting.sections import rows_of
from support.statement_records import CITY, SHOP, moved, record

CONTRAS = {
    Movement.PAY: (Account.CARD_PRINCIPAL, Account.CARD_BONUS, Account.CARD_SUBSIDY, Account.FUNDER_COMMITTED),
    Movement.REFUND: (Account.CARD_PRINCIPAL, Account.FUNDER_BUDGET),
    Movement.SETTLE: (Account.MERCHANT_PAYOUT, Account.MERCHANT_RESERVE, Account.FEE_INCOME),
    Movement.RELEASE_RESERVE: (Account.MERCHANT_RESERVE,),
    Movement.CANCEL_PLAN: (Account.DUE_FROM,),
}
IN = frozenset({Movement.PAY, Movement.RELEASE_RESERVE})


@st.composite
def trade(draw: st.DrawFn) -> list[Moved]:
    """What may move a merchant's payable in a month, also what no column of ours names."""
    rows = []
    for kind in draw(st.lists(st.sampled_from(sorted(CONTRAS)), max_size=12)):
        contra = draw(st.sampled_from(CONTRAS[kind]))
        amount = draw(st.integers(1, 10**9)) * (1 if kind in IN else -1)
        day = date(2025, 6, 1) + timedelta(days=draw(st.integers(0, 29)))
        fund = CITY if contra in (Account.FUNDER_COMMITTED, Account.FUNDER_BUDGET) else None
        rows.append(moved(Account.MERCHANT_PAYABLE, kind, contra, amount, day=day, fund=fund))
    return rows


@given(trade(), st.integers(-(10**9), 10**9))
def test_lines_days_and_balances_of_a_merchant_say_the_same(rows: list[Moved], opening: int) -> None:
    named = Named(PartyKind.MERCHANT, Id(SHOP), "mall-1", "一号店", "stores")
    made = record(named, rows, {(Account.MERCHANT_PAYABLE, b""): opening}, settlements=[], counts={})
    came_in = sum(row["in_fen"] for row in rows_of(made, "payable"))
    went_out = sum(row["out_fen"] for row in rows_of(made, "payable"))
    closing = opening + sum(one.credits - one.debits for one in rows)
    assert opening + came_in - went_out == closing
    for row in rows_of(made, "accounts"):
        assert (row["opening_fen"], row["closing_fen"], row["ledger_fen"]) == (opening, closing, closing)
    days = rows_of(made, "days")
    if days:
        assert days[-1]["balance_fen"] == closing
    told = sum(
        row["gross_fen"]
        - row["refunds_fen"]
        - row["fees_fen"]
        - row["reserved_fen"]
        - row["paid_fen"]
        + row["other_fen"]
        for row in days
    )
    assert opening + told == closing, "every movement stands in one column of its day"
    for part in made["sections"]:
        for place, (_, kind) in enumerate(part["columns"]):
            if kind in ("fen", "count"):
                assert part["totals"][place] == sum(row[place] for row in part["rows"])
