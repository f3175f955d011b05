"""What a returned card comes to: whatever was bought and spent, nobody pays extra and every fen has an owner."""

from datetime import UTC, date, datetime, timedelta

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from kaquan.kernel.calendar import Calendar, business_date
from kaquan.kernel.clock import microseconds
from kaquan.kernel.money import Money
from kaquan.law.model import law_on
from kaquan.ledger.chart import Account
from kaquan.sales.closing_model import Cause, Purchase
from kaquan.sales.closing_quote import Asked, Line, deadline, interest, quote, withdrawable
from kaquan.sales.closing_rules import line_legs
from support.catalogues import TERMS, identity, lot

NOW = datetime(2025, 6, 20, 4, 0, tzinfo=UTC)
NATIONAL = ("cn_single_purpose",)
CALENDAR = Calendar.load()
CARD = identity(500)

amounts = st.integers(0, 60_000)
causes = st.sampled_from([Cause.ISSUER, Cause.HOLDER])


def bought(paid: int, bonus: int, used_principal: int, used_bonus: int, days: int = 30) -> Purchase:
    """A purchase some days ago, spent in part."""
    paid_at = NOW - timedelta(days=days)
    lots = (lot(1, paid - used_principal),)
    used = Money(used_principal + used_bonus)
    values = {"paid": Money(paid), "bonus": Money(bonus), "used": used}
    return Purchase(
        id=identity(9), paid_at=paid_at, active_us=microseconds(paid_at), channel=identity(8), lots=lots, **values
    )


def asked(cause: Cause, *packs: str, fee_bps: int = 0, cost: int = 0) -> Asked:
    """A request of today under these packs."""
    program = msgspec.structs.replace(TERMS.terms.program, law_packs=(*NATIONAL, *packs))
    closing = msgspec.structs.replace(TERMS.terms.closing, fee_bps=fee_bps)
    terms = msgspec.structs.replace(
        TERMS, terms=msgspec.structs.replace(TERMS.terms, program=program, closing=closing)
    )
    return Asked(cause, NOW, terms, law_on((*NATIONAL, *packs), business_date(NOW)), Money(cost))


@st.composite
def purchases(draw: st.DrawFn) -> Purchase:
    """Any purchase, spent in any part."""
    paid, bonus = draw(st.integers(1, 60_000)), draw(amounts)
    return bought(paid, bonus, draw(st.integers(0, paid)), draw(st.integers(0, bonus)), draw(st.integers(0, 40)))


@given(purchases(), causes, st.integers(0, 10_000), st.integers(0, 5_000), st.sampled_from(["", "cn_jiangsu"]))
def test_every_fen_of_a_line_has_an_owner_and_nobody_pays_extra(
    one: Purchase, cause: Cause, fee_bps: int, cost: int, pack: str
) -> None:
    (line,) = quote([one], asked(cause, *filter(None, [pack]), fee_bps=fee_bps, cost=cost))
    assert 0 <= line.refund <= one.paid
    legs = line_legs(line, CARD)
    assert all(leg.amount >= 0 for leg in legs)
    assert sum(leg.amount for leg in legs if leg.debit is Account.CARD_PRINCIPAL) == one.left
    assert sum(leg.amount for leg in legs if leg.credit is Account.HOLDER_REFUND) == line.refund
    assert sum(leg.amount for leg in legs if leg.credit is Account.FEE_INCOME) == line.fee + line.cost
    assert line.fee * 10_000 <= (one.paid + 1) * 500, "break cost is capped by law, whatever the terms say"


@given(purchases())
def test_the_issuers_cause_never_gives_less_than_the_holders(one: Purchase) -> None:
    (theirs,), (hers,) = quote([one], asked(Cause.ISSUER)), quote([one], asked(Cause.HOLDER))
    assert theirs.refund >= hers.refund


@given(purchases(), purchases(), causes)
def test_purchases_are_counted_each_by_itself(one: Purchase, other: Purchase, cause: Cause) -> None:
    together = quote([one, other], asked(cause))
    assert [line.refund for line in together] == [quote([each], asked(cause))[0].refund for each in (one, other)]


@pytest.mark.parametrize(
    ("days", "used", "packs", "basis"),
    [
        (7, 0, (), "cooling_off"),
        (8, 0, (), "holder_cause"),
        (7, 0, ("cn_beijing",), "cooling_off_unused"),
        (7, 1, ("cn_beijing",), "cooling_off"),
        (8, 0, ("cn_beijing",), "holder_cause"),
        (15, 100, ("cn_jiangsu",), "cooling_off"),
        (16, 100, ("cn_jiangsu",), "holder_cause"),
    ],
)
def test_the_days_to_withdraw(days: int, used: int, packs: tuple[str, ...], basis: str) -> None:
    one = bought(47_500, 2_500, used, 0, days)
    (line,) = quote([one], asked(Cause.HOLDER, *packs))
    assert line.basis == basis
    assert withdrawable(one, asked(Cause.HOLDER, *packs)) == basis.startswith("cooling_off")


def test_costs_are_kept_only_where_the_law_says_so() -> None:
    early, late = bought(47_500, 0, 0, 0, 7), bought(47_500, 0, 0, 0, 8)
    assert [line.cost for line in quote([early, late], asked(Cause.HOLDER, "cn_jiangsu", cost=900))] == [0, 900]
    assert [line.cost for line in quote([early, late], asked(Cause.HOLDER, cost=900))] == [0, 0]


def test_interest_is_rounded_half_up_once_over_all_lines() -> None:
    lines = [{"refund_fen": 36_500, "interest_bps": 150}, {"refund_fen": 36_500, "interest_bps": 150}]
    since = date(2025, 6, 20)
    assert interest(lines, since, since) == 0
    assert interest(lines[:1], since, since + timedelta(days=1)) == 2  # 1.5 fen
    assert interest(lines, since, since + timedelta(days=1)) == 3  # not 2 + 2


def test_the_deadline_is_the_strictest_days_and_a_business_day() -> None:
    def last(cause: Cause, *packs: str, lines: list[Line] | None = None) -> str:
        want = asked(cause, *packs)
        return business_date(deadline(lines or [], want, CALENDAR) - timedelta(seconds=1)).isoformat()

    assert last(Cause.HOLDER) == "2025-07-07", "15 days on is a Saturday"
    assert last(Cause.HOLDER, "cn_zhejiang") == "2025-06-25"
    unused = quote([bought(47_500, 0, 0, 0, 7)], asked(Cause.HOLDER, "cn_beijing"))
    assert last(Cause.HOLDER, "cn_beijing", lines=unused) == "2025-06-25"
    assert last(Cause.HOLDER, "cn_beijing") == "2025-07-07"


def test_past_the_calendars_horizon_the_plain_day_counts() -> None:
    want = msgspec.structs.replace(asked(Cause.HOLDER), at=datetime(2090, 6, 20, 4, 0, tzinfo=UTC))
    assert business_date(deadline([], want, CALENDAR) - timedelta(seconds=1)) == date(2090, 7, 5)
