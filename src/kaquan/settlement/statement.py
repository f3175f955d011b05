"""The arithmetic of a settlement. Pure.

The base is what the merchant traded in the period, net of refunds, with what the period before carried over and
what was released from its reserve. The fee is a share of the net trade alone, so that a refund returns its fee
within the period; trade that is negative as a whole pays none and gets none back. What is held back is a share of
what is left of trade and carry: released reserve is paid out, not held back again. When nothing is left after the
fee, nothing is paid and nothing held back: the rest is carried over and never lost.

A merchant without a bank account to pay to is settled all the same: fee and reserve are taken, and what would be paid
is carried as pending. When it is counted again it has borne both and bears them no second time.
"""

from collections.abc import Mapping, Sequence

import msgspec

from kaquan.kernel.money import ZERO, Money, Rate, allocate, share
from kaquan.ledger.chart import Source
from kaquan.settlement.model import Entries, Part, Statement, summed


def statement(
    entries: Mapping[Source, Entries],
    carried: Mapping[Source, Money],
    fee_bps: Rate,
    reserve_bps: Rate,
    *,
    pending: Money = ZERO,
    has_bank: bool = True,
) -> Statement:
    """One merchant's settlement, split over the sources that pay it.

    `pending` is the part of `carried` that waited for a bank account, `has_bank` whether there is one now. A source
    may owe the merchant while another is owed by it (more refunds than sales). Then the one pays no more than the
    merchant has coming altogether, and both differences are carried: the carries sum to zero.
    """
    sources = sorted({*entries, *carried})
    found = [entries.get(source, Entries()) for source in sources]
    before = [carried.get(source, ZERO) for source in sources]
    trade = [one.gross - one.refunds for one in found]
    payable = [net + one.released + carry for net, one, carry in zip(trade, found, before, strict=True)]
    net, released = Money(sum(payable)), sum(one.released for one in found)
    fee = share(_positive(sum(trade)), fee_bps)
    left = Money(net - fee)
    if left > 0:
        reserved = min(left, share(_positive(left - released - pending), reserve_bps))
        taken = _split(net, payable)
        fees = _split(fee, taken)
        held = _split(reserved, [all_ - part for all_, part in zip(taken, fees, strict=True)])
    else:
        fees = _split(fee, trade)
        taken = fees
        held = [ZERO] * len(sources)
    parts = {
        source: Part(
            gross=one.gross,
            refunds=one.refunds,
            carried=carry,
            released=one.released,
            fee=fee_part,
            reserved=held_part,
            paid=Money(whole - fee_part - held_part),
            carry=Money(due - whole),
        )
        for source, one, carry, due, whole, fee_part, held_part in zip(
            sources, found, before, payable, taken, fees, held, strict=True
        )
    }
    if not has_bank:
        parts = {source: _waiting(part) for source, part in parts.items()}
    return Statement(summed(parts.values()), parts)


def _waiting(part: Part) -> Part:
    """What would have been paid is carried."""
    waits = Money(part.carry + part.paid)
    return msgspec.structs.replace(part, paid=ZERO, carry=waits, pending_bank=part.paid)


def _split(amount: Money, weights: Sequence[int]) -> list[Money]:
    """`amount` over the positive weights. No part exceeds its weight as long as the amount does not their sum."""
    positive = [max(weight, 0) for weight in weights]
    return allocate(amount, positive) if amount else [ZERO] * len(positive)


def _positive(amount: int) -> Money:
    return Money(max(amount, 0))
