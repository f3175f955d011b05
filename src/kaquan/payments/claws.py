"""What a refund takes off a rebate, and what is still owed of rebates that had been spent. Pure.

A rebate that was spent before its order came back leaves a shortfall: what the card no longer held. It is written
down for the card and for who had paid the rebate, and set off against bonus of the same payer that a later refund
returns to the card. So it makes no difference which of two orders comes back first. Principal, and bonus that is
granted later, are never touched.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from kaquan.cards.lots import Share
from kaquan.cards.model import LotKind
from kaquan.commands.model import Row
from kaquan.kernel.ids import Id
from kaquan.kernel.money import ZERO, Money
from kaquan.payments.model import Payment, PaymentFacts, Shortfall, unpack_allocation
from kaquan.payments.returns import Back
from kaquan.programs.catalogue import Catalogue
from kaquan.rewards.bonus import clawback
from kaquan.rewards.model import RewardState
from kaquan.rewards.tiers import rebate


class RebateCut(msgspec.Struct, frozen=True):
    """What a refund takes off the rebate: cancelled before it was granted, or taken from lots; what could not be, by
    who had paid it."""

    changes: list[tuple[Row, tuple[Any, ...]]]
    taken: list[Share]
    cancelled: Money
    short: list[tuple[bytes, int]]


def rebate_cut(
    payment: Payment, back: Back, facts: PaymentFacts, catalogue: Catalogue, balances: Mapping[Id, int]
) -> RebateCut:
    """The rebate becomes what the rest of the order earns. What was granted beyond that is taken from bonus lots."""
    terms = catalogue.terms[payment.terms]
    reward = facts.rewards.get(payment.id)
    if reward is None or reward.state not in (RewardState.WAITING, RewardState.GRANTED):
        return RebateCut([], [], ZERO, [])
    shares = unpack_allocation(payment.allocation, facts.of(payment.card))
    rest = Money(sum(part for _, part in shares) - sum(back.so_far[: len(shares)]))
    over = max(0, reward.amount - reward.cut - rebate(rest, terms.terms.rebate))
    if back.last:
        over = reward.amount - reward.cut
    cut = reward.cut + over
    if reward.state == RewardState.WAITING:
        state = RewardState.CANCELLED if cut == reward.amount else RewardState.WAITING
        return RebateCut([(reward, (state, cut, 0, reward.lot))], [], Money(over), [])
    claw = clawback(reward, Money(over), facts.of(payment.card), balances, catalogue)
    state = RewardState.CLAWED_BACK if cut == reward.amount else RewardState.GRANTED
    return RebateCut([(reward, (state, cut, reward.granted, reward.lot))], claw.taken, ZERO, claw.short)


def set_off(card: Id, shares: Sequence[Share], facts: PaymentFacts) -> list[Share]:
    """What of the bonus that comes back to a card goes to its payers instead, for rebates of theirs that it owes."""
    taken: list[Share] = []
    gone: dict[bytes, int] = {}
    for lot, part in shares:
        if lot.kind != LotKind.BONUS:
            continue
        owed = facts.owed.get((card, lot.fund), 0) - gone.get(lot.fund, 0)
        if owed > 0:
            taken.append((lot, min(owed, part)))
            gone[lot.fund] = gone.get(lot.fund, 0) + taken[-1][1]
    return taken


def written_down(
    refund: Id, card: Id, off: Sequence[Share], short: Sequence[tuple[bytes, int]]
) -> tuple[Shortfall, ...]:
    """How a refund changes what a card owes each payer: less by what was set off, more by what was short."""
    change: dict[bytes, int] = {}
    for lot, part in off:
        change[lot.fund] = change.get(lot.fund, 0) - part
    for payer, part in short:
        change[payer] = change.get(payer, 0) + part
    return tuple(Shortfall(refund, card, payer, fen) for payer, fen in change.items() if fen)
