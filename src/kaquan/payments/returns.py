"""What a refund gives back to whom: each party exactly its share, to the fen, however often. Pure.

By amount: each part of the payment gives back in proportion to what it paid, by cumulative targets. By line: a
voucher gives back what it took off that line. Either way one whose terms say `reprice` gives back what it would not
take off the rest of the order. What goes back to a voucher's funders never goes to the holder.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from kaquan.cards.lots import Share
from kaquan.cards.model import NO_FUND, Lot
from kaquan.commands.model import Row
from kaquan.funders.rules import commit_legs, promised
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import bucket_of
from kaquan.kernel.money import ZERO, Money, allocate_next
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.model import Ledger, Leg
from kaquan.payments import errors, tenders
from kaquan.payments.holds import uses_undone
from kaquan.payments.model import Payment, PaymentFacts, Refund, unpack_allocation
from kaquan.payments.repricing import by_voucher, for_amount, for_lines, redeemed
from kaquan.payments.tenders import Posted, StoredLine
from kaquan.programs.catalogue import Catalogue, Stock
from kaquan.quotas.model import Quotas
from kaquan.quotas.rules import after, take, together
from kaquan.rewards.bonus import clawback
from kaquan.rewards.model import RewardState
from kaquan.rewards.tiers import rebate
from kaquan.vouchers.lifecycle import after as state_after
from kaquan.vouchers.model import NOBODY, Discount, Voucher, VoucherState, unpack_discounts

Changes = list[tuple[Row, tuple[Any, ...]]]


class Back(msgspec.Struct, frozen=True):
    """What comes back: goods worth `amount` of the order, and who gets how much of it.

    `so_far` is what refunds have given back of each part, this one included; `last`: nothing is left.
    """

    amount: Money
    shares: list[Share]
    discounts: list[Discount]
    outside: Money
    so_far: list[int]
    last: bool
    lines: tuple[StoredLine, ...] = ()


class Returns(msgspec.Struct, frozen=True):
    """What becomes of the vouchers of a refund, and of their funders' money; how many count again."""

    changes: Sequence[tuple[Row, tuple[Any, ...]]]
    posted: Sequence[tuple[Ledger, list[Leg]]]
    usable: int


NO_VOUCHERS = Returns((), (), 0)
"""Of a payment without vouchers."""


class RebateCut(msgspec.Struct, frozen=True):
    """What a refund takes off the rebate: cancelled before it was granted, or taken from lots; what could not be."""

    changes: Changes
    taken: list[tuple[Lot, int]]
    cancelled: Money
    short: Money


def all_of(payment: Payment, facts: PaymentFacts) -> Back:
    """Everything that is left of a payment."""
    shares, discounts = unpack_allocation(payment.allocation, facts.of(payment.card)), _discounts(payment)
    weights = _weights(payment, shares, discounts)
    given = tenders.unpack_returned(payment.returned, len(weights))
    parts = [weight - gone for weight, gone in zip(weights, given, strict=True)]
    return _back(payment, Money(payment.captured - payment.refunded), parts, given, shares, discounts)


def back_of(command: Refund, payment: Payment, facts: PaymentFacts, catalogue: Catalogue) -> Back | Refusal:
    """What a refund by amount or by lines gives back; without either, everything that is left."""
    left = Money(payment.captured - payment.refunded)
    if command.lines:
        return _by_lines(command, payment, facts, catalogue)
    if command.amount is None or command.amount == left:
        return all_of(payment, facts)
    if not 0 < command.amount < left:
        return Refusal(errors.REFUND_EXCEEDS, {"left_fen": left})
    shares, discounts = unpack_allocation(payment.allocation, facts.of(payment.card)), _discounts(payment)
    weights = _weights(payment, shares, discounts)
    given = tenders.unpack_returned(payment.returned, len(weights))
    vouchers = redeemed(discounts, given[len(shares) : -1], facts.vouchers, catalogue)
    fixed = for_amount(vouchers, command.amount, Money(left - command.amount), Money(payment.captured))
    parts = parts_back(command.amount, weights, given, {len(shares) + at: part for at, part in fixed.items()})
    return _back(payment, command.amount, parts, given, shares, discounts)


def _by_lines(command: Refund, payment: Payment, facts: PaymentFacts, catalogue: Catalogue) -> Back | Refusal:
    lines = tenders.unpack_lines(payment.lines)
    wanted = set(command.lines)
    known = wanted <= set(range(len(lines))) and not any(lines[position].returned for position in wanted)
    by_line = payment.refunded == sum(line.amount for line in lines if line.returned)
    if not wanted or not known or not by_line or command.amount is not None:
        return Refusal(errors.REFUND_LINES)
    shares, discounts = unpack_allocation(payment.allocation, facts.of(payment.card)), _discounts(payment)
    weights = _weights(payment, shares, discounts)
    given = tenders.unpack_returned(payment.returned, len(weights))
    amount = Money(sum(lines[position].amount for position in wanted))
    fixed = for_lines(redeemed(discounts, given[len(shares) : -1], facts.vouchers, catalogue), lines, wanted, amount)
    parts = parts_back(amount, weights, given, {len(shares) + at: part for at, part in fixed.items()})
    after = tuple(
        msgspec.structs.replace(line, returned=True) if position in wanted else line
        for position, line in enumerate(lines)
    )
    return _back(payment, amount, parts, given, shares, discounts, after)


def _discounts(payment: Payment) -> list[Discount]:
    return unpack_discounts(payment.discounts)


def _weights(payment: Payment, shares: Sequence[Share], discounts: Sequence[Discount]) -> list[int]:
    """What each part paid: lots, discounts, outside."""
    return [*(part for _, part in shares), *(one.amount for one in discounts), payment.outside]


def _back(
    payment: Payment,
    amount: Money,
    parts: Sequence[int],
    given: Sequence[int],
    shares: Sequence[Share],
    discounts: Sequence[Discount],
    lines: tuple[StoredLine, ...] = (),
) -> Back:
    count = len(shares)
    return Back(
        amount,
        [(lot, part) for (lot, _), part in zip(shares, parts[:count], strict=True) if part],
        [Discount(one.voucher, one.fund, part) for one, part in zip(discounts, parts[count:-1], strict=True) if part],
        Money(parts[-1]),
        [gone + part for gone, part in zip(given, parts, strict=True)],
        payment.refunded + amount == payment.captured,
        lines,
    )


def parts_back(amount: Money, weights: list[int], given: list[int], fixed: dict[int, int]) -> list[int]:
    """What each part gives back when goods worth `amount` come back: some are fixed, the others share the rest.

    `weights` is what each part paid, `given` what it has given back, `fixed` the fixed ones by position.
    """
    left = [0 if at in fixed else weight - gone for at, (weight, gone) in enumerate(zip(weights, given, strict=True))]
    rest = Money(max(0, min(amount - sum(fixed.values()), sum(left))))
    open_weights = [0 if at in fixed else weight for at, weight in enumerate(weights)]
    open_given = [0 if at in fixed else gone for at, gone in enumerate(given)]
    parts: list[int] = list(allocate_next(rest, open_weights, open_given)) if rest else [0] * len(weights)
    for at, part in fixed.items():
        parts[at] = part
    return _settled(amount, parts, weights, given)


def _settled(amount: Money, parts: list[int], weights: list[int], given: list[int]) -> list[int]:
    """Parts that sum to the amount: what is too much or too little is set right where there is room, from the end."""
    excess = sum(parts) - amount
    for at in reversed(range(len(parts))):
        if not excess:
            break
        room = parts[at] if excess > 0 else weights[at] - given[at] - parts[at]
        step = min(abs(excess), room)
        step = step if excess > 0 else -step
        parts[at] -= step
        excess -= step
    return parts


def returns(payment: Payment, back: Back, facts: PaymentFacts, catalogue: Catalogue, at: datetime) -> Returns:
    """A voucher counts again when the whole payment comes back at once, inside its validity, if its terms say so and
    it was not taken back meanwhile: its money stays promised, and what it had not needed is promised anew if there is
    budget. Else its money goes back."""
    if not payment.discounts:
        return NO_VOUCHERS
    changes: Changes = []
    posted: Posted = []
    merchant = catalogue.merchants[payment.merchant]
    again: list[Voucher] = []
    drawn: Changes = []
    for identity in by_voucher(_discounts(payment)):
        voucher = facts.vouchers[identity]
        stock = catalogue.stock(voucher.terms, voucher.stock)
        own = [one for one in back.discounts if one.voucher == identity]
        possible = stock.rules.after_refund == "reusable" and state_after(voucher.state, "undo") is not None
        may = possible and microseconds(at) < voucher.expires_us
        at_once = back.last and not payment.refunded and voucher.holder == payment.id
        left = after(facts.quotas, drawn) if drawn else facts.quotas
        promise = _promised_again(voucher, own, stock, left) if may and at_once else None
        for one in own:
            fund = None if one.fund == NO_FUND else catalogue.funds_by_id[one.fund]
            posted += tenders.unredeem(fund, Money(one.amount), stock, merchant, again=promise is not None)
        off = sum(one.amount for one in own)
        if promise is not None:
            drawn = together(drawn, promise[0])
            changes.append((voucher, (VoucherState.ISSUED, 0, 0, NOBODY)))
            posted.append((stock.terms.ledger, promise[1]))
            again.append(voucher)
        elif voucher.holder == payment.id:
            state = state_after(voucher.state, "return" if back.last else "return_part")
            changes.append((voucher, (state, voucher.used - off, 0, payment.id)))
    changes += [*drawn, *uses_undone(payment, again, facts, catalogue)]
    return Returns(changes, posted, len(again))


def _promised_again(
    voucher: Voucher, own: Sequence[Discount], stock: Stock, quotas: Quotas
) -> tuple[Changes, list[Any]] | None:
    """What each fund promises beyond what comes back to it, so that the voucher is worth its face again; None when
    there is no budget left for that."""
    changes: Changes = []
    more = []
    coming = {one.fund: one.amount for one in own}
    for fund, part in promised(stock.funding, Money(voucher.face)):
        if fund is None:
            continue
        wanted = Money(part - coming.get(fund.id, 0))
        if not wanted:
            continue
        taken = take(quotas.pool(fund.id), bucket_of(voucher.id), 0, wanted)
        if taken is None:
            return None
        changes += taken
        more.append((fund, wanted))
    return changes, commit_legs(more)


def rebate_cut(
    payment: Payment, back: Back, facts: PaymentFacts, catalogue: Catalogue, balances: dict[Any, int]
) -> RebateCut:
    """The rebate becomes what the rest of the order earns. What was granted beyond that is taken from bonus lots."""
    terms = catalogue.terms[payment.terms]
    reward = facts.rewards.get(payment.id)
    if reward is None or reward.state not in (RewardState.WAITING, RewardState.GRANTED):
        return RebateCut([], [], ZERO, ZERO)
    shares = unpack_allocation(payment.allocation, facts.of(payment.card))
    rest = Money(sum(part for _, part in shares) - sum(back.so_far[: len(shares)]))
    over = max(0, reward.amount - reward.cut - rebate(rest, terms.terms.rebate))
    if back.last:
        over = reward.amount - reward.cut
    cut = reward.cut + over
    if reward.state == RewardState.WAITING:
        state = RewardState.CANCELLED if cut == reward.amount else RewardState.WAITING
        return RebateCut([(reward, (state, cut, 0, reward.lot))], [], Money(over), ZERO)
    claw = clawback(reward, Money(over), facts.of(payment.card), balances, catalogue)
    state = RewardState.CLAWED_BACK if cut == reward.amount else RewardState.GRANTED
    return RebateCut([(reward, (state, cut, reward.granted, reward.lot))], claw.taken, ZERO, claw.short)
