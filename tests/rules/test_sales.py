"""What vouchers pay of a purchase becomes lots to the fen: nobody pays more than was promised, nothing gets lost."""

from collections import Counter
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from kaquan.cards.model import LOT_ACCOUNT, LotKind
from kaquan.kernel.clock import instant
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Account, Source
from kaquan.programs.catalogue import Fund, FundMode, FundShare
from kaquan.sales.value import ByVouchers, Value, Wish, bonus_of, paid_by, value_of
from kaquan.vouchers import errors
from kaquan.vouchers.model import SpendingFacts, VoucherState
from support.catalogues import TERMS, catalogue, identity, stock, voucher

NOW = instant(1_750_000_000_000_000)
PRICES = {offer.face_fen: offer.paid_fen for offer in TERMS.terms.presale.offers}
FUNDS = [
    Fund(identity(910 + number), f"fund-{number}", "出资方", 1, 1, mode, source)
    for number, (mode, source) in enumerate(
        [
            (FundMode.PREPAID, Source.FISCAL),
            (FundMode.PLEDGED, Source.OPERATING),
            (FundMode.PREPAID, Source.OPERATING),
            (FundMode.PLEDGED, Source.FISCAL),
        ]
    )
]
splits = st.lists(st.integers(1, 100), min_size=1, max_size=4).map(
    lambda weights: [FundShare(FUNDS[number], bps) for number, bps in enumerate(_whole(weights))]
)
vouchers = st.lists(st.tuples(st.integers(1, 60_000), splits, st.integers(0, 3)), max_size=5)


def _whole(weights: list[int]) -> list[int]:
    """Shares in basis points that make the whole, one for each weight."""
    shares = [weight * 10_000 // sum(weights) for weight in weights]
    return [10_000 - sum(shares[1:]), *shares[1:]]


def wish(face: int) -> Wish:
    """A purchase of this face by the holder of the vouchers; zero is none."""
    price = Money(PRICES.get(Money(face), 0))
    return Wish(identity(650), identity(650), identity(700), Money(face), price, "sandbox", TERMS, NOW)


def paid(face: int, told: list[Any]) -> tuple[ByVouchers | Refusal, Wish, dict[bytes, list[FundShare]]]:
    """What vouchers, told as (face, who pays, rank), pay of a purchase."""
    stocks = [
        stock(number, *split, kind="top_up", face_fen=off, rank=rank)
        for number, (off, split, rank) in enumerate(told, start=1)
    ]
    held = [voucher(one.id, one) for one in stocks]
    facts = SpendingFacts(commands={}, cards={}, lots={}, vouchers={one.id: one for one in held})
    asked = wish(face)
    return (
        paid_by(asked, [one.id for one in held], facts, catalogue(*stocks)),
        asked,
        {one.id: list(of.funding) for one, of in zip(held, stocks, strict=True)},
    )


def worth(asked: Wish, by_vouchers: ByVouchers) -> Value:
    """What the purchase puts on the card; the issuer pays the bonus."""
    on_top = bonus_of(asked, SpendingFacts(commands={}, cards={}, lots={}), catalogue())
    assert not isinstance(on_top, Refusal)
    return value_of(asked, by_vouchers, on_top)


def moved(value: Value, debit: Account, owner: bytes | None = None) -> Counter[bytes | None]:
    """By who is credited, what an account is debited."""
    found: Counter[bytes | None] = Counter()
    for _, _, _, _, _, debited, debited_owner, _, credited_owner, _, amount in value.postings:
        if debited == debit and owner in (None, debited_owner):
            found[credited_owner] += amount
    return found


@example(50_000, [(60_001, [FundShare(FUNDS[0], 6_000), FundShare(FUNDS[1], 4_000)], 0)])
@example(0, [(1, [FundShare(FUNDS[0], 6_000), FundShare(FUNDS[1], 4_000)], 0)])
@given(st.sampled_from([0, *PRICES]), vouchers)
def test_lots_are_worth_the_face_and_each_funder_pays_its_share(face: int, told: list[Any]) -> None:
    by_vouchers, asked, funding = paid(face, told)
    if isinstance(by_vouchers, Refusal):
        assert by_vouchers.code is errors.VOUCHER_NO_EFFECT and face and sum(one[0] for one in told) > asked.price
        return
    if not face and not told:
        return  # nothing is bought: refused before
    value = worth(asked, by_vouchers)
    assert sum(lot.granted for lot in value.lots) == (face or sum(off for off, _, _ in told))
    assert value.paid + value.subsidy == (asked.price if face else value.subsidy)
    assert value.bonus == (face - asked.price if face else 0)
    assert len({lot.id for lot in value.lots}) == len(value.lots) and all(lot.granted > 0 for lot in value.lots)
    for lot in value.lots:
        assert sum(row[-1] for row in value.postings if (row[7], row[8]) == (LOT_ACCOUNT[lot.kind], lot.id)) == (
            lot.granted
        )
    for row in value.postings:
        if row[7] == Account.CARD_SUBSIDY:
            (lot,) = [lot for lot in value.lots if lot.id == row[8]]
            assert (lot.fund, lot.source) == (row[6], row[9])
    assert sum(part["fund_fen"] for part in value.discounts) == value.subsidy  # type: ignore[misc]
    _promises_are_kept(value, by_vouchers, funding)


def _promises_are_kept(value: Value, by_vouchers: ByVouchers, funding: dict[bytes, list[FundShare]]) -> None:
    """Each voucher is used once; each fund pays within its share of the face, and the rest is free again."""
    used = {row.id: values for row, values in value.changes}
    assert used.keys() == funding.keys() and all(values[0] is VoucherState.REDEEMED for values in used.values())
    assert sum(values[1] for values in used.values()) == value.subsidy
    for fund in FUNDS:
        promises = [
            (one.voucher.id, one.voucher.face * share.bps / 10_000)
            for one in by_vouchers.parts
            for share in funding[one.voucher.id]
            if share.fund is fund
        ]
        spent = {part["voucher"]: int(str(part["fund_fen"])) for part in value.discounts if part["fund"] == fund.code}
        assert all(spent.get(voucher.hex(), 0) < promise + 1 for voucher, promise in promises)
        gone = moved(value, Account.FUNDER_COMMITTED, fund.id)
        assert abs(sum(gone.values()) - sum(promise for _, promise in promises)) < len(promises) + 0.1
        assert sum(gone.values()) - gone[fund.id] == sum(spent.values())
        owed = sum(moved(value, Account.FUNDER_RECEIVABLE, fund.id).values())
        assert owed == (sum(spent.values()) if fund.mode is FundMode.PLEDGED else 0)
    released = sum(one.voucher.face - one.amount for one in by_vouchers.parts)
    assert sum(moved(value, Account.FUNDER_COMMITTED).values()) == value.subsidy + released


@given(st.sampled_from(sorted(PRICES)), vouchers, st.randoms())
def test_the_order_in_which_vouchers_are_named_changes_nothing(face: int, told: list[Any], random: Any) -> None:
    stocks = [
        stock(number, *split, kind="top_up", face_fen=off, rank=rank)
        for number, (off, split, rank) in enumerate(told, start=1)
    ]
    held = [voucher(one.id, one) for one in stocks]
    facts = SpendingFacts(commands={}, cards={}, lots={}, vouchers={one.id: one for one in held})
    named = [one.id for one in held]
    mixed = random.sample(named, len(named))
    known = catalogue(*stocks)
    assert paid_by(wish(face), named, facts, known) == paid_by(wish(face), mixed, facts, known)


def test_a_principal_is_what_the_channel_took_and_nothing_else_is_in_custody() -> None:
    by_vouchers, asked, _ = paid(50_000, [(5_000, [FundShare(FUNDS[0], 10_000)], 0)])
    assert isinstance(by_vouchers, ByVouchers)
    value = worth(asked, by_vouchers)
    assert [(lot.kind, lot.source, lot.granted) for lot in value.lots] == [
        (LotKind.PRINCIPAL, Source.CUSTODY, 42_500),
        (LotKind.BONUS, Source.OPERATING, 2_500),
        (LotKind.SUBSIDY, Source.FISCAL, 5_000),
    ]
