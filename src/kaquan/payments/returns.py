"""What a refund gives back to whom: each party exactly its share, to the fen, however often. Pure.

By amount: each part of the payment gives back in proportion to what it paid, by cumulative targets. By line: a
voucher gives back what it took off that line. Either way one whose terms say `reprice` gives back what it would not
take off the rest of the order. What goes back to a voucher's funders never goes to the holder. Of what is the
holder's the terms may let first come back what paid first, or what paid last: `refund.order`.
"""

from collections.abc import Sequence

import msgspec

from kaquan.cards.lots import Share
from kaquan.kernel.money import Money, allocate_next
from kaquan.kernel.refusal import Refusal
from kaquan.payments import errors, tenders
from kaquan.payments.model import Payment, PaymentFacts, Refund, unpack_allocation
from kaquan.payments.repricing import for_amount, for_lines, redeemed
from kaquan.payments.tenders import StoredLine
from kaquan.programs.catalogue import Catalogue
from kaquan.programs.terms import RefundOrder
from kaquan.vouchers.model import Discount, unpack_discounts


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
    parts = Split(len(shares), weights, given, _order(payment, catalogue)).back(command.amount, fixed)
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
    parts = Split(len(shares), weights, given, _order(payment, catalogue)).back(amount, fixed)
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


def _order(payment: Payment, catalogue: Catalogue) -> RefundOrder:
    return catalogue.terms[payment.terms].terms.refund.order


class Split(msgspec.Struct, frozen=True):
    """How a payment was paid, and what has come back of it: `lots` lots, then discounts, then outside."""

    lots: int
    weights: list[int]
    given: list[int]
    order: RefundOrder

    def back(self, amount: Money, fixed: dict[int, int]) -> list[int]:
        """What each part gives back when goods worth `amount` come back; `fixed` by place among the discounts.

        With an order, what is the holder's comes back together, beside the vouchers in proportion; then the first of
        its parts gives back what it has left, then the next.
        """
        if self.order == "pro_rata":
            return parts_back(amount, self.weights, self.given, {self.lots + at: part for at, part in fixed.items()})
        own, gone = self._holders(self.weights), self._holders(self.given)
        vouchers, back_of_them = self.weights[self.lots : -1], self.given[self.lots : -1]
        together = parts_back(
            amount, [sum(own), *vouchers], [sum(gone), *back_of_them], {1 + at: part for at, part in fixed.items()}
        )
        tenders = in_order(together[0], [paid - back for paid, back in zip(own, gone, strict=True)], self.order)
        return [*tenders[:-1], *together[1:], tenders[-1]]

    def _holders(self, parts: Sequence[int]) -> list[int]:
        return [*parts[: self.lots], parts[-1]]


def in_order(amount: int, left: Sequence[int], order: RefundOrder) -> list[int]:
    """What lots and, at the end, money outside give back of `amount`, one after the other. What was paid outside was
    there first, and the lots paid what was missing, in their burn order."""
    places = [len(left) - 1, *range(len(left) - 1)]
    parts = [0] * len(left)
    for place in places if order == "first_paid_first" else reversed(places):
        parts[place] = min(left[place], amount)
        amount -= parts[place]
    return parts


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
