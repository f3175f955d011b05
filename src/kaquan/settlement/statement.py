"""How what a merchant has coming is divided. Pure.

The base is what the merchant traded in the period, net of refunds, with what the period before carried over and
what was released from its reserve. The fee is on the net trade alone, so that a refund returns its fee within the
period. Then partners get their shares, as far as something is left. What is held back is a share of what is left of
trade and carry: released reserve is paid out, not held back again. When nothing is left after the fee, nothing is
paid and nothing held back: what was held back earlier may be drawn on, and the rest is carried over and never lost.

A merchant without a bank account to pay to, or with less than the least payout, is settled all the same: fee and
reserve are taken, and what would be paid is carried as pending. When it is counted again it has borne both and bears
them no second time. The issuer's own store needs no bank: what it has coming is transferred inside.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from kaquan.kernel.money import ZERO, Money, Rate, allocate, share
from kaquan.ledger.chart import Source
from kaquan.settlement.model import Draw, Entries, Part, Reserve, Statement, summed

Amounts = Mapping[Source, Money]


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """What is known before anything is divided.

    `fee` may be negative (more is given back than taken): it goes back to the sources in `fee_by_source`. `tax` is
    the part of it that is tax. `wishes` are what partners are to get; negative: they give back to the sources in
    `shared_by_source`. `room` is what may still be held back (none: any amount), `locked` what was held back and may
    be drawn on, oldest first. `pending` is the part of the carry that waited for a payout.
    """

    fee: Money = ZERO
    tax: Money = ZERO
    fee_by_source: Amounts = {}
    wishes: Mapping[str, Money] = {}
    shared_by_source: Mapping[str, Amounts] = {}
    reserve_bps: Rate = Rate(0)
    room: Money | None = None
    locked: Sequence[Reserve] = ()
    pending: Money = ZERO
    has_bank: bool = True
    min_payout: Money = ZERO
    is_internal: bool = False


class _Split(NamedTuple):
    """What each source gives, in the order of the sources."""

    fees: list[Money]
    shares: dict[str, list[Money]]
    held: list[Money]
    left: list[Money]


def divide(entries: Mapping[Source, Entries], carried: Amounts, asked: Conditions) -> Statement:
    """One merchant's settlement, split over the sources that pay it.

    A source may owe the merchant while another is owed by it (more refunds than sales). Then the one pays no more
    than the merchant has coming altogether, and both differences are carried: the carries sum to zero.
    """
    back = _given_back(asked)
    sources = _sources(entries, carried, back, asked)
    found = [entries.get(source, Entries()) for source in sources]
    payable = [
        Money(one.gross - one.refunds + one.released + one.written_off + carried.get(source, 0) + back.get(source, 0))
        for source, one in zip(sources, found, strict=True)
    ]
    charge = _positive(asked.fee)
    draws: tuple[Draw, ...] = ()
    if sum(payable) > charge:
        split = _positive_net(payable, found, asked)
    else:
        trade = [_positive(one.gross - one.refunds) for one in found]
        fees = _split(charge, trade if any(trade) else [1 for _ in found])
        nothing = [ZERO for _ in found]
        split = _Split(fees, {}, nothing, nothing)
        draws = tuple(_draws(Money(charge - sum(payable)), asked.locked))
    return _assembled(sources, found, carried, asked, split, draws)


def _sources(entries: Mapping[Source, Entries], carried: Amounts, back: Amounts, asked: Conditions) -> list[Source]:
    """Every source that anything may come from or go to."""
    charged = (asked.fee_by_source or [Source.NONE]) if asked.fee > 0 and not entries and not carried else ()
    return sorted({*entries, *carried, *back, *charged, *(one for reserve in asked.locked for one in reserve.rest)})


def _given_back(asked: Conditions) -> dict[Source, Money]:
    """What fee and partners give back, by source."""
    back: dict[Source, Money] = {}
    given = [(_positive(-asked.fee), asked.fee_by_source)]
    given += [(_positive(-wish), asked.shared_by_source[name]) for name, wish in asked.wishes.items() if wish < 0]
    for amount, by_source in given:
        for source, part in _over(amount, by_source).items():
            back[source] = Money(back.get(source, 0) + part)
    return back


def _over(amount: Money, by_source: Amounts) -> dict[Source, Money]:
    if not amount:
        return {}
    weights = {source: weight for source, weight in by_source.items() if weight > 0} or {Source.NONE: Money(1)}
    return dict(zip(weights, allocate(amount, list(weights.values())), strict=True))


def _positive_net(payable: list[Money], found: list[Entries], asked: Conditions) -> _Split:
    net, charge = Money(sum(payable)), _positive(asked.fee)
    taken = _split(net, payable)
    fees = _split(charge, taken)
    rest = [Money(whole - part) for whole, part in zip(taken, fees, strict=True)]
    wanted = {name: wish for name, wish in asked.wishes.items() if wish > 0}
    given = _split(min(Money(net - charge), Money(sum(wanted.values()))), list(wanted.values()))
    shares: dict[str, list[Money]] = {}
    for name, amount in zip(wanted, given, strict=True):
        shares[name] = _split(amount, rest)
        rest = [Money(whole - part) for whole, part in zip(rest, shares[name], strict=True)]
    left = Money(sum(rest))
    new = left - sum(one.released + one.written_off for one in found) - asked.pending
    reserved = min(left, share(_positive(new), asked.reserve_bps))
    if asked.room is not None:
        reserved = min(reserved, _positive(asked.room))
    held = _split(reserved, rest)
    return _Split(fees, shares, held, [Money(whole - part) for whole, part in zip(rest, held, strict=True)])


def _draws(wanted: Money, locked: Sequence[Reserve]) -> list[Draw]:
    """From what was held back, oldest first."""
    found: list[Draw] = []
    for reserve in locked:
        rest = reserve.rest
        amount = min(wanted, Money(sum(rest.values())))
        if amount > 0:
            found.append(Draw(reserve, _over(amount, rest)))
            wanted = Money(wanted - amount)
    return found


def _assembled(
    sources: list[Source],
    found: list[Entries],
    carried: Amounts,
    asked: Conditions,
    split: _Split,
    draws: tuple[Draw, ...],
) -> Statement:
    shares = {name: dict(zip(sources, parts, strict=True)) for name, parts in split.shares.items()}
    for name, wish in asked.wishes.items():
        if wish < 0:
            back = _over(Money(-wish), asked.shared_by_source[name])
            shares[name] = {source: Money(-part) for source, part in back.items()}
    fee_back = _over(_positive(-asked.fee), asked.fee_by_source)
    fees = [Money(part - fee_back.get(source, 0)) for source, part in zip(sources, split.fees, strict=True)]
    tax = _split(Money(abs(asked.tax)), [abs(part) for part in fees])
    sign = -1 if asked.tax < 0 else 1
    where = _where_to(Money(sum(split.left)), asked)
    parts: dict[Source, Part] = {}
    for at, source in enumerate(sources):
        one, left = found[at], split.left[at]
        part = Part(
            gross=one.gross,
            refunds=one.refunds,
            carried=carried.get(source, ZERO),
            released=one.released,
            fee=fees[at],
            reserved=split.held[at],
            paid=ZERO,
            carry=ZERO,
            tax=Money(sign * tax[at]),
            shared=Money(sum(by_source.get(source, 0) for by_source in shares.values())),
            drawn=Money(sum(draw.by_source.get(source, 0) for draw in draws)),
            written_off=one.written_off,
        )
        placed = msgspec.structs.replace(part, **{where: left})
        parts[source] = msgspec.structs.replace(placed, carry=_carry(placed))
    return Statement(summed(parts.values()), parts, shares, draws)


def _where_to(left: Money, asked: Conditions) -> str:
    """Whether what is left is transferred inside, waits, or is paid."""
    if asked.is_internal:
        return "transferred"
    if not asked.has_bank:
        return "pending_bank"
    return "pending_minimum" if left < asked.min_payout else "paid"


def _carry(part: Part) -> Money:
    """What is neither taken, held back nor paid; pending amounts are a part of it."""
    came = part.gross - part.refunds + part.carried + part.released + part.written_off + part.drawn
    return Money(came - part.fee - part.shared - part.reserved - part.paid - part.transferred)


def _split(amount: Money, weights: Sequence[int]) -> list[Money]:
    """`amount` over the positive weights. No part exceeds its weight as long as the amount does not their sum."""
    positive = [max(weight, 0) for weight in weights]
    return allocate(amount, positive) if amount else [ZERO] * len(positive)


def _positive(amount: int) -> Money:
    return Money(max(amount, 0))
