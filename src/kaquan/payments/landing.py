"""Where what a refund gives back to a lot goes when it can't stay there. Pure.

A refund always goes to the lots that paid. From a card that was closed meanwhile, and from a lot that has expired, it
goes on at once: principal is owed to the holder, outside any card; what was granted is its payer's again. The terms
may leave expired principal on the card, and let expired grants count again for some days.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from kaquan.cards.lots import Share
from kaquan.cards.model import Card, CardState, Lot, LotKind, LotState, NewLot
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id, derived_id
from kaquan.kernel.money import Money
from kaquan.ledger.chart import Account, Source
from kaquan.ledger.model import Leg
from kaquan.programs.catalogue import Catalogue
from kaquan.programs.terms import RefundTerms
from kaquan.rewards.bonus import back_legs


class Landed(msgspec.Struct):
    """What stays in the lots it came from, what becomes new lots, what goes on to the holder and to payers."""

    stays: list[Share]
    lots: list[NewLot]
    legs: list[Leg]
    holder: int = 0
    payers: int = 0


class Arrival(msgspec.Struct, frozen=True):
    """A refund that arrives at a card (None: no card paid) under these terms."""

    refund: Id
    card: Card | None
    terms: RefundTerms
    at: datetime


def land(arrival: Arrival, shares: Sequence[Share], catalogue: Catalogue) -> Landed:
    """What becomes of each share that came back to a lot."""
    landed = Landed([], [], [])
    if arrival.card is None:
        return landed
    closed = arrival.card.state == CardState.CLOSED
    for lot, part in shares:
        if not closed and not _expired(lot, microseconds(arrival.at)):
            landed.stays.append((lot, part))
        elif lot.kind == LotKind.PRINCIPAL:
            _principal(landed, lot, part, arrival, closed)
        elif closed or not arrival.terms.expired_grant_days:
            landed.payers += part
            landed.legs += back_legs(lot, Money(part), catalogue)
        else:
            _counts_again(landed, lot, part, arrival)
    return landed


def _expired(lot: Lot, at_us: int) -> bool:
    return lot.state == LotState.EXPIRED or 0 < lot.expires_us <= at_us


def _principal(landed: Landed, lot: Lot, part: int, arrival: Arrival, closed: bool) -> None:
    """Principal is never lost: what can't be spent on the card is owed to the holder, by the card it came from."""
    if not closed and arrival.terms.expired_principal == "card":
        landed.stays.append((lot, part))
        return
    landed.holder += part
    landed.legs.append(Leg(lot.account, lot.id, Account.HOLDER_REFUND, lot.card, lot.source, Money(part)))


def _counts_again(landed: Landed, lot: Lot, part: int, arrival: Arrival) -> None:
    """A lot keeps the day on which it expires: what counts again is a lot of its own, of the same payer."""
    new = NewLot(
        derived_id(arrival.refund, lot.id),
        lot.card,
        arrival.refund,
        LotKind(lot.kind),
        Source(lot.source),
        Money(part),
        microseconds(arrival.at),
        microseconds(arrival.at + timedelta(days=arrival.terms.expired_grant_days)),
        lot.fund,
    )
    landed.lots.append(new)
    landed.legs.append(Leg(lot.account, lot.id, lot.account, new.id, lot.source, Money(part)))
