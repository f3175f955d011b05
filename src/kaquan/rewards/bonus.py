"""Bonus that others than the issuer pay for: the rebate, or what a purchase puts on top of its price. Pure.

What the terms fund becomes a lot for each fund, out of its free budget as it is granted. It goes back there when it
is taken back or expires. Without funding the issuer pays, as promo.deferred.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from kaquan.cards.model import NO_FUND, Lot, LotKind, NewLot
from kaquan.funders.errors import FUND_UNKNOWN
from kaquan.funders.rules import grant_legs, return_legs
from kaquan.kernel.ids import Id, bucket_of, derived_id
from kaquan.kernel.money import Money, allocate
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Account, Source
from kaquan.ledger.model import Leg
from kaquan.programs.catalogue import Catalogue, Fund, Terms
from kaquan.quotas.model import SliceKey, slice_keys
from kaquan.quotas.rules import Change
from kaquan.rewards.model import Clawback, Reward
from kaquan.vouchers.claims import commit
from kaquan.vouchers.model import SpendingFacts

Of = Literal["rebate", "presale"]


class Bonus(msgspec.Struct, frozen=True):
    """Bonus that is granted: its lots, how the money moves, what of the funds' slices is taken."""

    lots: tuple[NewLot, ...] = ()
    legs: tuple[Leg, ...] = ()
    changes: tuple[Change, ...] = ()


def bonus_pools(terms: Terms, of: Of, catalogue: Catalogue) -> list[SliceKey]:
    """What must be loaded to grant it: what is left of the funds that pay."""
    funds = [catalogue.funds.get(each.fund) for each in terms.terms.funding if each.of == of]
    return [key for fund in funds if fund is not None for key in slice_keys(fund.id)]


def bonus(lot: NewLot, of: Of, terms: Terms, facts: SpendingFacts, catalogue: Catalogue) -> Bonus | Refusal:
    """The lot of the issuer's bonus, or one for each fund that pays for it instead; nothing for nothing."""
    if not lot.granted:
        return Bonus()
    shares = _shares(terms, of, catalogue)
    if isinstance(shares, Refusal):
        return shares
    if not shares:
        leg = Leg(Account.PROMO_DEFERRED, None, Account.CARD_BONUS, lot.id, Source.OPERATING, lot.granted)
        return Bonus((lot,), (leg,))
    parts = list(zip([fund for fund, _ in shares], allocate(lot.granted, [bps for _, bps in shares]), strict=True))
    money = commit(list(parts), facts, bucket_of(lot.card))
    if isinstance(money, Refusal):
        return money
    lots = tuple(
        msgspec.structs.replace(lot, id=derived_id(lot.id, fund.id), granted=part, source=fund.source, fund=fund.id)
        for fund, part in parts
        if part
    )
    funds = catalogue.funds_by_id
    legs = [leg for one in lots for leg in grant_legs(funds[one.fund], one.granted, Account.CARD_BONUS, one.id)]
    return Bonus(lots, tuple(legs), tuple(money[0]))


def _shares(terms: Terms, of: Of, catalogue: Catalogue) -> list[tuple[Fund, int]] | Refusal:
    """Who pays, each fund being there and in the program's book."""
    found = []
    for each in terms.terms.funding:
        if each.of != of:
            continue
        fund = catalogue.funds.get(each.fund)
        if fund is None or fund.book != terms.ledger.book:
            return Refusal(FUND_UNKNOWN, {"fund": each.fund})
        found.append((fund, int(each.share_bps)))
    return found


def back_legs(lot: Lot, amount: Money, catalogue: Catalogue) -> list[Leg]:
    """What is taken back of granted value, or expires, is its funder's again; the issuer's when nobody else paid."""
    if lot.fund == NO_FUND:
        return [Leg(Account.CARD_BONUS, lot.id, Account.PROMO_DEFERRED, None, lot.source, amount)]
    return return_legs(catalogue.funds_by_id[lot.fund], amount, lot.account, lot.id, again=False)


def clawback(
    reward: Reward, amount: Money, lots: Sequence[Lot], balances: Mapping[Id, int], catalogue: Catalogue
) -> Clawback:
    """How `amount` of a granted rebate is taken back: from its own lots first, of each fund its share, then from
    other bonus of the same payer.

    `balances` are the balances after everything else the plan does. A card has a floor of zero, so what it no longer
    holds is `short`, by who paid for it: see `payments.claws`.
    """
    terms = catalogue.terms[reward.terms]
    if terms.terms.rebate.clawback_allow_negative:
        raise ValueError("a card has a floor of zero: the validator refuses a negative clawback")
    bonuses = sorted((lot for lot in lots if lot.kind == LotKind.BONUS), key=lambda lot: lot.id)
    shares = _shares(terms, "rebate", catalogue)
    if isinstance(shares, Refusal) or not any(reward.own(lot) and lot.fund != NO_FUND for lot in bonuses):
        shares = []
    payers: list[bytes] = [fund.id for fund, _ in shares] or [NO_FUND]
    granted = allocate(Money(reward.granted), [bps for _, bps in shares] or [1])
    before = Money(reward.cut - (reward.amount - reward.granted))
    parts = zip(shared_out(before, granted), shared_out(Money(before + amount), granted), strict=True)
    taken: list[tuple[Lot, int]] = []
    short: list[tuple[bytes, int]] = []
    for payer, (gone, then) in zip(payers, parts, strict=True):
        theirs = sorted((lot for lot in bonuses if lot.fund == payer), key=lambda lot: not reward.own(lot))
        found, missing = _taken(theirs, then - gone, balances)
        taken += found
        if missing:
            short.append((payer, missing))
    return Clawback(taken, short)


def shared_out(total: Money, granted: Sequence[Money]) -> list[Money]:
    """What of `granted` has been taken back of each when `total` has, whatever the steps: the first takes its share
    of all, the next its share of the rest. As the total grows no part shrinks, as with `allocate` one may."""
    parts: list[Money] = []
    for at in range(len(granted)):
        left = Money(total - sum(parts))
        parts.append(allocate(left, [granted[at], sum(granted[at + 1 :])])[0] if left else left)
    return parts


def _taken(lots: Sequence[Lot], left: int, balances: Mapping[Id, int]) -> tuple[list[tuple[Lot, int]], int]:
    taken: list[tuple[Lot, int]] = []
    for lot in lots:
        part = min(left, balances.get(lot.id, lot.balance) - lot.held)
        if part > 0:
            taken.append((lot, part))
            left -= part
    return taken, left
