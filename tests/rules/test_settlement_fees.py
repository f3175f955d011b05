"""Fees by tiers, their tax, partners' shares: every target is that of the whole, however often it is rounded."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kaquan.kernel.money import ZERO, Money, Rate, share
from kaquan.ledger.chart import Account, Source
from kaquan.programs.partners import FeeTier, PartnerShare, Settlement
from kaquan.settlement import fees, sharing
from kaquan.settlement.fees import tax_in, whole_month
from kaquan.settlement.lines import came_back
from kaquan.settlement.model import Entries, Reserve, Statement
from kaquan.settlement.standing import NEW, Shared, Standing
from kaquan.settlement.statement import Conditions, divide

CUSTODY, OPERATING, FISCAL = Source.CUSTODY, Source.OPERATING, Source.FISCAL
MONDAY = date(2025, 6, 2)


def terms(*tiers: tuple[int, int], vat_bps: int = 600, cycle: str = "d_plus") -> Settlement:
    """A fee of 0.6 % below the tiers."""
    return Settlement(
        cycle=cycle,  # type: ignore[arg-type]
        days=1 if cycle == "d_plus" else 0,
        weekday=1 if cycle == "weekly" else 0,
        monthly_day=5 if cycle == "monthly" else 0,
        cut_off="23:00",
        calendar="Asia/Shanghai",
        fee_bps=Rate(60),
        fee_tiers=tuple(FeeTier(from_fen=Money(start), rate_bps=Rate(rate)) for start, rate in tiers),
        fee_vat_bps=Rate(vat_bps),
    )


def charged(trades: list[tuple[date, int]], agreed: Settlement) -> list[fees.Charge]:
    """The fees of some periods, one after the other."""
    standing, found = NEW, []
    for day, trade in trades:
        found.append(fees.charge(standing, Money(trade), day, agreed))
        standing = Standing(month=found[-1].month, taxed=found[-1].taxed)
    return found


def test_a_tier_is_reached_at_its_first_fen() -> None:
    agreed = terms((50_000, 50), (100_000, 40))
    assert fees.tier_of(Money(49_999), agreed) == (0, 60)
    assert fees.tier_of(Money(50_000), agreed) == (1, 50)
    assert fees.tier_of(Money(100_000), agreed) == (2, 40)


def test_the_tax_is_inside_the_fee_and_rounded_half_up() -> None:
    assert tax_in(Money(106), Rate(600)) == 6
    assert tax_in(Money(53), Rate(600)) == 3
    assert (tax_in(Money(9), Rate(600)), tax_in(Money(8), Rate(600))) == (1, 0)  # 0.509 and 0.453
    assert tax_in(Money(-9), Rate(600)) == -1
    assert tax_in(Money(1_000), Rate(0)) == 0


def test_without_tiers_each_period_is_charged_by_itself() -> None:
    (first, second) = charged([(date(2025, 6, 29), 80), (date(2025, 6, 30), 80)], terms())
    assert (first.fee, second.fee) == (0, 0), "half a fen each, and nothing is trued up"


def test_a_month_that_was_left_open_is_trued_up_late() -> None:
    """A cycle that changed from days to weeks in the last days of a month."""
    days, weeks = terms((50_000, 50)), terms((50_000, 50), cycle="weekly")
    (first,) = charged([(date(2025, 5, 28), 40_000)], days)
    standing = Standing(month=first.month, taxed=first.taxed)
    second = fees.charge(standing, Money(20_000), date(2025, 5, 29), days)
    late = fees.charge(Standing(month=second.month, taxed=second.taxed), Money(10_000), date(2025, 6, 1), weeks)
    assert (first.fee, second.fee) == (240, 100)
    assert (late.late, late.accrued) == (300 - 340, 60)
    assert late.month.fee == 60, "the new month knows nothing of the old one"


tiers = st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 10_000)), max_size=4, unique_by=lambda one: one[0])
trades = st.lists(st.integers(-(10**8), 10**9), min_size=30, max_size=30)


@given(tiers.map(sorted), trades, st.integers(0, 2_500))
def test_a_month_costs_what_its_whole_costs_however_it_is_cut(
    steps: list[tuple[int, int]], found: list[int], vat_bps: int
) -> None:
    agreed = terms(*steps, vat_bps=vat_bps)
    days = [(date(2025, 6, 1) + timedelta(days=n), trade) for n, trade in enumerate(found)]
    made = charged(days, agreed)
    fee = Money(sum(one.fee for one in made))
    if steps:
        assert fee == whole_month(Money(sum(found)), agreed)
        (whole,) = charged([(date(2025, 6, 30), sum(found))], terms(*steps, vat_bps=vat_bps, cycle="monthly"))
        assert whole.fee == fee and whole.trued_up == 0, "a month in one piece is never trued up"
    assert sum(one.tax for one in made) == tax_in(fee, Rate(vat_bps)), "rounded once for the month"
    for one in made:
        assert abs(one.tax) <= abs(one.fee) and one.tax * one.fee >= 0
        assert one.accrued >= 0


nets = st.lists(st.integers(-(10**7), 10**7), max_size=20)


@given(nets, st.integers(0, 10_000), st.integers(0, 10**6))
def test_a_partner_has_his_share_of_the_whole_at_most_his_cap(found: list[int], share_bps: int, cap: int) -> None:
    agreed = (PartnerShare(partner="mall", share_bps=Rate(share_bps), cap_fen=Money(cap)),)
    kept: dict[str, Shared] = {}
    for position, net in enumerate(found, start=1):
        (wish,) = sharing.wishes(kept, Money(net), agreed)
        kept["mall"] = sharing.given(wish, {"custody": wish.amount})
        whole = share(Money(sum(found[:position])), Rate(share_bps))
        assert kept["mall"].has == max(min(whole, cap) if cap else whole, 0)


@given(nets, nets, st.integers(0, 10_000), st.integers(0, 10_000))
def test_another_rate_speaks_of_new_trade_and_takes_no_more_than_there_is(
    before: list[int], after: list[int], first_bps: int, second_bps: int
) -> None:
    kept: dict[str, Shared] = {}
    for rate, found in ((first_bps, before), (second_bps, after)):
        for net in found:
            (wish,) = sharing.wishes(kept, Money(net), (PartnerShare(partner="mall", share_bps=Rate(rate)),))
            kept["mall"] = sharing.given(wish, {"custody": wish.amount})
            assert kept["mall"].has >= 0
    if before and after and first_bps != second_bps:
        had = max(share(Money(sum(before)), Rate(first_bps)), 0)
        assert kept["mall"].has == max(had + share(Money(sum(after)), Rate(second_bps)), 0)


def test_a_partner_whose_terms_are_gone_gives_back_and_gets_nothing() -> None:
    before = Shared(share_bps=Rate(500), base=Money(10_000), given=Money(500), by_source={"custody": Money(500)})
    assert [one.amount for one in sharing.wishes({"mall": before}, Money(8_000), ())] == [0]
    assert [one.amount for one in sharing.wishes({"mall": before}, Money(-2_000), ())] == [-100]
    assert [one.amount for one in sharing.wishes({"mall": before}, Money(-99_999), ())] == [-500]


def test_a_cap_that_was_lowered_takes_nothing_back() -> None:
    before = Shared(share_bps=Rate(500), base=Money(10_000), given=Money(500), by_source={"custody": Money(500)})
    lower = (PartnerShare(partner="mall", share_bps=Rate(500), cap_fen=Money(300)),)
    assert sharing.wishes({"mall": before}, Money(1_000), lower)[0].amount == 0
    assert sharing.wishes({"mall": before}, Money(-1_000), lower)[0].amount == -50


amounts = st.integers(0, 10**9).map(Money)
sources = st.sampled_from([CUSTODY, OPERATING, FISCAL])
by_source = st.dictionaries(sources, amounts)
entries = st.dictionaries(sources, st.builds(Entries, amounts, amounts, amounts, amounts))
signed = st.dictionaries(sources, st.integers(-(10**9), 10**9).map(Money))
reserves = st.lists(by_source.filter(lambda one: any(one.values())), max_size=3)


def reserve(parts: dict[Source, Money]) -> Reserve:
    """Something that is held back."""
    return Reserve(
        id=b"r" * 16,  # type: ignore[arg-type]
        settlement=b"s" * 16,  # type: ignore[arg-type]
        merchant=b"m" * 16,  # type: ignore[arg-type]
        program=1,
        version=1,
        state=1,
        amount=Money(sum(parts.values())),
        release_on=MONDAY,
        by_source=parts,
    )


@st.composite
def conditions(draw: st.DrawFn) -> Conditions:
    """Whatever may be known beforehand: what is given back is never more than was given."""
    taken, shared = draw(by_source), draw(by_source)
    fee = draw(st.integers(-sum(taken.values()), 10**9))
    has = sum(shared.values())
    return Conditions(
        fee=Money(fee),
        tax=Money(draw(st.integers(0, abs(fee))) * (1 if fee >= 0 else -1)),
        fee_by_source=taken,
        wishes={"mall": Money(draw(st.integers(-has, 10**9))), "guide": Money(draw(st.integers(0, 10**6)))},
        shared_by_source={"mall": shared, "guide": {}},
        reserve_bps=Rate(draw(st.integers(0, 5_000))),
        room=draw(st.none() | st.integers(-5, 10**6).map(Money)),
        locked=[reserve(one) for one in draw(reserves)],
        has_bank=draw(st.booleans()),
        min_payout=Money(draw(st.sampled_from([0, 10_000]))),
        is_internal=draw(st.booleans()),
    )


@given(entries, signed, conditions())
def test_every_fen_goes_somewhere_whatever_the_terms(
    found: dict[Source, Entries], carried: dict[Source, Money], asked: Conditions
) -> None:
    made = divide(found, carried, asked)
    for source, part in made.parts.items():
        came = part.gross - part.refunds + part.carried + part.released + part.written_off + part.drawn
        assert came == part.fee + part.shared + part.reserved + part.paid + part.transferred + part.carry
        assert min(part.reserved, part.paid, part.transferred, part.drawn) >= 0
        assert part.shared == sum(shares.get(source, 0) for shares in made.shares.values())
        assert abs(part.tax) <= abs(part.fee)
    _whole(made, carried, asked)


def _whole(made: Statement, carried: dict[Source, Money], asked: Conditions) -> None:
    total = made.total
    assert (total.fee, total.tax, total.carried) == (asked.fee, asked.tax, sum(carried.values()))
    for name, wish in asked.wishes.items():
        got = sum(made.shares.get(name, {}).values())
        assert got == wish if wish <= 0 else 0 <= got <= wish, "what is given back is given back in full"
    assert total.reserved <= max(asked.room, 0) if asked.room is not None else True
    ways = [total.paid, total.transferred, total.pending_bank, total.pending_minimum]
    assert sum(bool(way) for way in ways) <= 1
    if total.drawn:
        assert total.reserved == 0 and total.carry <= 0, "what is held back pays debts and nothing else"
    assert total.drawn <= sum(one.amount for one in asked.locked)
    left = total.paid + total.transferred + total.pending_bank + total.pending_minimum + total.reserved
    if left:
        assert total.carry == total.pending_bank + total.pending_minimum
    else:
        assert total.carry <= 0
    if total.carry < 0:
        assert total.drawn == sum(one.amount for one in asked.locked), "the debt is what no reserve covers"
        assert all(wish <= 0 or not any(made.shares.get(name, {}).values()) for name, wish in asked.wishes.items())


def test_partners_get_no_more_than_is_left() -> None:
    found = {CUSTODY: Entries(gross=Money(10_000))}
    asked = Conditions(wishes={"mall": Money(900), "guide": Money(300)}, shared_by_source={"mall": {}, "guide": {}})
    made = divide(found, {CUSTODY: Money(-9_600)}, asked)
    assert {name: sum(parts.values()) for name, parts in made.shares.items()} == {"mall": 300, "guide": 100}
    assert (made.total.paid, made.total.carry) == (ZERO, ZERO)


def test_what_comes_back_says_from_where_and_by_which_rule() -> None:
    came = [(Account.MERCHANT_RESERVE, 300), (Account.MERCHANT_DISPUTED, -100), (Account.PARTNER_PAYABLE, 7)]
    came += [(Account.MERCHANT_DISPUTED, 40), (Account.MERCHANT_DISPUTED, 60)]
    back = tuple((int(account), Money(amount)) for account, amount in came)
    told = [(one.line, one.amount, one.rule) for one in came_back({Source.CUSTODY: Entries(back=back[:4])})]
    assert told == [
        ("released", 300, "reserve.release_days"),
        ("partner_paid", 7, "settlement.sharing"),
        ("disputed", -60, "disputes"),
    ]
    held_and_freed = (back[1], back[3], back[4])
    assert not list(came_back({Source.CUSTODY: Entries(back=held_and_freed)})), "nothing is left to be told"
