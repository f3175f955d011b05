"""Settlement: the arithmetic sums, the sources add up, the bank's file is plain."""

import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaquan.kernel.ids import Id, new_id
from kaquan.kernel.money import ZERO, Money, Rate, share
from kaquan.ledger.chart import Source
from kaquan.settlement.model import Cut, Entries, PayoutLine, Statement
from kaquan.settlement.payouts import write_csv
from kaquan.settlement.statement import Conditions, divide

CUSTODY, OPERATING = Source.CUSTODY, Source.OPERATING
FEE, RESERVE = Rate(60), Rate(1000)


def statement(
    found: dict[Source, Entries],
    carried: dict[Source, Money],
    fee_bps: Rate,
    reserve_bps: Rate,
    *,
    pending: Money = ZERO,
    has_bank: bool = True,
) -> Statement:
    """A settlement without tiers, partners or draws."""
    trade = Money(max(sum(one.gross - one.refunds for one in found.values()), 0))
    fee = share(trade, fee_bps)
    return divide(found, carried, Conditions(fee=fee, reserve_bps=reserve_bps, pending=pending, has_bank=has_bank))


def entries(gross: int = 0, refunds: int = 0, released: int = 0) -> Entries:
    return Entries(Money(gross), Money(refunds), Money(released))


def test_a_plain_month() -> None:
    made = statement({CUSTODY: entries(90_000), OPERATING: entries(10_000)}, {}, FEE, RESERVE)
    total = made.total
    assert (total.gross, total.fee, total.reserved, total.paid, total.carry) == (100_000, 600, 9_940, 89_460, 0)
    assert made.parts[CUSTODY].paid == 80_514
    assert made.parts[OPERATING].paid == 8_946


def test_the_fee_of_a_refund_in_the_same_period_is_returned() -> None:
    made = statement({CUSTODY: entries(100_000, 50_000)}, {}, FEE, RESERVE)
    assert made.total.fee == share(Money(50_000), FEE)


def test_more_refunds_than_sales_are_carried_and_cost_nothing() -> None:
    made = statement({CUSTODY: entries(1_000, 5_000)}, {}, FEE, RESERVE)
    total = made.total
    assert (total.fee, total.reserved, total.paid, total.carry) == (0, 0, 0, -4_000)
    after = statement({CUSTODY: entries(10_000)}, {CUSTODY: total.carry}, FEE, RESERVE)
    assert after.total.carried == -4_000
    assert after.total.paid + after.total.reserved + after.total.fee == 6_000


def test_a_fee_larger_than_what_is_left_is_charged_and_carried() -> None:
    made = statement({CUSTODY: entries(10_000)}, {CUSTODY: Money(-9_990)}, FEE, RESERVE)
    assert (made.total.fee, made.total.paid, made.total.carry) == (60, 0, -50)


def test_released_reserve_is_paid_and_not_held_back_again() -> None:
    alone = statement({CUSTODY: entries(released=10_000)}, {}, FEE, RESERVE)
    assert (alone.total.fee, alone.total.reserved, alone.total.paid) == (0, 0, 10_000)
    with_trade = statement({CUSTODY: entries(100_000, released=10_000)}, {}, FEE, RESERVE)
    assert with_trade.total.reserved == share(Money(100_000 - 600), RESERVE)


def test_a_source_that_is_owed_lowers_what_the_other_pays() -> None:
    made = statement({CUSTODY: entries(0, 2_000), OPERATING: entries(12_000)}, {}, Rate(0), Rate(0))
    assert made.parts[OPERATING].paid == 10_000
    assert (made.parts[CUSTODY].carry, made.parts[OPERATING].carry) == (-2_000, 2_000)
    assert made.total.carry == 0


def test_nothing_is_a_settlement_of_nothing() -> None:
    made = statement({}, {}, FEE, RESERVE)
    assert made.parts == {} and made.total.paid == 0


amounts = st.integers(0, 10**12)
by_source = st.dictionaries(
    st.sampled_from([CUSTODY, OPERATING, Source.FISCAL]), st.builds(entries, amounts, amounts, amounts)
)
carries = st.dictionaries(
    st.sampled_from([CUSTODY, OPERATING, Source.FISCAL]), st.integers(-(10**12), 10**12).map(Money)
)


@given(by_source, carries, st.integers(0, 5_000).map(Rate), st.integers(0, 5_000).map(Rate), st.booleans())
def test_a_missing_bank_account_moves_what_is_paid_to_what_is_carried_and_nothing_else(
    found: dict[Source, Entries], carried: dict[Source, Money], fee_bps: Rate, reserve_bps: Rate, waited: bool
) -> None:
    pending = Money(max(sum(carried.values()), 0)) if waited else Money(0)
    paying = statement(found, carried, fee_bps, reserve_bps, pending=pending)
    waiting = statement(found, carried, fee_bps, reserve_bps, pending=pending, has_bank=False)
    assert waiting.parts.keys() == paying.parts.keys()
    for source, part in waiting.parts.items():
        other = paying.parts[source]
        assert (part.fee, part.reserved, part.paid) == (other.fee, other.reserved, 0)
        assert (part.carry, part.pending_bank) == (other.carry + other.paid, other.paid)


@given(by_source, carries, st.integers(0, 5_000).map(Rate), st.integers(0, 5_000).map(Rate))
def test_every_fen_goes_somewhere(
    found: dict[Source, Entries], carried: dict[Source, Money], fee_bps: Rate, reserve_bps: Rate
) -> None:
    made = statement(found, carried, fee_bps, reserve_bps)
    for source, part in made.parts.items():
        assert part.fee >= 0 and part.reserved >= 0 and part.paid >= 0
        payable = part.gross - part.refunds + part.carried + part.released
        assert payable - part.fee - part.reserved - part.paid == part.carry
        if part.paid or part.reserved:
            assert part.carry >= 0, "a source pays no more than it owes"
        assert part.carried == carried.get(source, 0)
    total = made.total
    net = total.gross - total.refunds + total.carried + total.released
    assert total.fee == share(Money(max(total.gross - total.refunds, 0)), fee_bps)
    if net - total.fee > 0:
        assert total.carry == 0 and total.paid + total.reserved == net - total.fee
        assert total.reserved <= share(Money(net - total.fee), reserve_bps)
    else:
        assert total.paid == total.reserved == 0 and total.carry == net - total.fee


def test_what_would_be_paid_waits_for_a_bank_account_and_bears_fee_and_reserve_once() -> None:
    first = statement({CUSTODY: entries(90_000), OPERATING: entries(10_000)}, {}, FEE, RESERVE, has_bank=False)
    total = first.total
    assert (total.fee, total.reserved, total.paid, total.carry, total.pending_bank) == (600, 9_940, 0, 89_460, 89_460)
    carried = {source: part.carry for source, part in first.parts.items()}
    idle = statement({}, carried, FEE, RESERVE, pending=total.pending_bank, has_bank=False)
    assert (idle.total.fee, idle.total.reserved, idle.total.pending_bank) == (0, 0, 89_460)
    paid = statement({CUSTODY: entries(100_000)}, carried, FEE, RESERVE, pending=total.pending_bank)
    assert (paid.total.fee, paid.total.reserved) == (600, 9_940), "only of what is new"
    assert (paid.total.paid, paid.total.carry, paid.total.pending_bank) == (2 * 89_460, 0, 0)
    operating = paid.parts[OPERATING]
    assert operating.paid + operating.fee + operating.reserved == 8_946, "each source gives what it owed"


def test_refunds_come_out_of_what_waits() -> None:
    first = statement({CUSTODY: entries(10_000)}, {}, Rate(0), RESERVE, has_bank=False)
    carried = {CUSTODY: first.total.carry}
    after = statement({CUSTODY: entries(0, 4_000)}, carried, Rate(0), RESERVE, pending=Money(9_000), has_bank=False)
    assert (after.total.reserved, after.total.carry, after.total.pending_bank) == (0, 5_000, 5_000)
    below = statement({CUSTODY: entries(0, 20_000)}, carried, Rate(0), RESERVE, pending=Money(9_000), has_bank=False)
    assert (below.total.carry, below.total.pending_bank) == (-11_000, 0), "what is owed does not wait for a bank"


def test_a_cut_follows_only_what_it_includes() -> None:
    assert Cut(20, 200).follows(Cut(10, 200))
    assert not Cut(20, 100).follows(Cut(10, 200))
    assert not Cut(5, 300).follows(Cut(10, 200))


def line(name: str, amount: int = 123_456) -> PayoutLine:
    identity: Id = new_id(1_700_000_000_000, 60)
    return PayoutLine(
        identity,
        "mall-1",
        name,
        "工商银行",
        "0200112230",
        CUSTODY,
        Money(amount),
        "2025-05",
        date(2025, 6, 5),
    )


def test_the_banks_file_has_plain_amounts_and_a_control_row() -> None:
    out = io.StringIO(newline="")
    assert write_csv(out, [line("甲店"), line("乙店", 5)]) == (2, 123_461)
    rows = out.getvalue().split("\r\n")
    assert not rows[0].startswith("\ufeff")
    assert rows[1].startswith("pyo_")
    assert rows[1].endswith(",mall-1,甲店,工商银行,0200112230,bank.custody,1234.56,2025-05,2025-06-05")
    assert rows[2].split(",")[6] == "0.05"
    assert rows[3] == "合计,2,,,,,1234.61,,"


@pytest.mark.parametrize("name", ["=1+1", "+86", "-1", "@SUM(A1)", "\tx"])
def test_a_name_is_never_a_formula(name: str) -> None:
    out = io.StringIO(newline="")
    write_csv(out, [line(name)])
    assert f",'{name}," in out.getvalue()
