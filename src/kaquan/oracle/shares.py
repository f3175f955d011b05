"""Who gives back how much, in fractions. Pure.

What is in proportion is reckoned from the beginning: after each refund everybody has given back his share of all that
has come back, as near as whole fen allow. Who gave back more than that before waits until the others have caught up.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from kaquan.oracle.model import Ask, LineOf, PaidOrder, Span, VoucherUse

WHOLE_BPS = 10_000
Bounds = list[tuple[Span, int, int]]
"""Of each part its share, the least and the most whole fen."""


def bounds(order: PaidOrder, ask: Ask, amount: int) -> Bounds:
    """What each part gives back when goods worth `amount` come back."""
    parts = order.parts
    if amount == order.left and not ask.lines:
        return [(_exactly(part.paid - part.back), part.paid - part.back, part.paid - part.back) for part in parts]
    told = by_line(order, set(ask.lines), amount) if ask.lines else by_amount(order, amount)
    paid, gone = [part.paid for part in parts], [part.back for part in parts]
    vouchers = {at for one in order.vouchers for at in one.places}
    own = [at for at in range(len(parts)) if at not in vouchers]
    if order.policy.order == "pro_rata":
        return _shared(order, told, amount, paid, gone)
    # What is the holder's comes back as one part, and then one tender after the other.
    places = sorted(vouchers)
    paid_ = [sum(paid[at] for at in own), *(paid[at] for at in places)]
    gone_ = [sum(gone[at] for at in own), *(gone[at] for at in places)]
    moved = {at: 1 + number for number, at in enumerate(places)}
    shifted = {number: (span, [moved[at] for at in order.vouchers[number].places]) for number, span in told.items()}
    together = _rounded(_spread(shifted, amount, paid_, gone_), shifted, amount, paid_, gone_)
    found: Bounds = [together[moved[at]] if at in moved else together[0] for at in range(len(parts))]
    turns = [own[-1], *own[:-1]] if parts[own[-1]].kind == "outside" else own
    turns = turns if order.policy.order == "first_paid_first" else turns[::-1]
    exact, least, most = together[0]
    lows, highs = (_in_turn(end, turns, paid, gone) for end in (least, most))
    exact_low, exact_high = (_in_turn(end, turns, paid, gone) for end in exact)
    for at in own:
        found[at] = (Span(exact_low[at], exact_high[at]), int(lows[at]), int(highs[at]))
    return found


def by_amount(order: PaidOrder, amount: int) -> dict[int, Span]:
    """What vouchers that are priced anew give back, by their number: what they would not take off the rest."""
    rest = order.left - amount
    left, used = _exactly(rest), _exactly(0)
    told: dict[int, Span] = {}
    for number, voucher in enumerate(order.vouchers):
        own = sum(order.parts[at].paid for at in voucher.places)
        share = Fraction(own * rest, order.captured)
        stays = Span(Fraction(share.__floor__()), Fraction(share.__ceil__()))
        if voucher.reprice:
            still = sum(order.parts[at].paid - order.parts[at].back for at in voucher.places)
            stays = _worth(voucher, rest, left, still)
            told[number] = _at_most(still, stays, amount, used)
            used = Span(used.low + told[number].low, used.high + told[number].high)
        left = _less(left, stays)
    return told


def by_line(order: PaidOrder, back: set[int], amount: int) -> dict[int, Span]:
    """What each voucher gives back: what it took off these lines, or what it would not take off those that stay."""
    stay = [not line.returned and at not in back for at, line in enumerate(order.lines)]
    left = [_exactly(line.amount if stays else 0) for line, stays in zip(order.lines, stay, strict=True)]
    used = _exactly(0)
    told: dict[int, Span] = {}
    for number, voucher in enumerate(order.vouchers):
        still = sum(order.parts[at].paid - order.parts[at].back for at in voucher.places)
        kept = [_exactly(line.off[number] if stays else 0) for line, stays in zip(order.lines, stay, strict=True)]
        now = _exactly(still - sum(order.lines[at].off[number] for at in back))
        if voucher.reprice:
            now, kept = _priced_anew(voucher, order.lines, stay, left, still)
        told[number] = _at_most(still, now, amount, used)
        used = Span(used.low + told[number].low, used.high + told[number].high)
        left = [_less(free, part) for free, part in zip(left, kept, strict=True)]
    return told


def _priced_anew(
    voucher: VoucherUse, lines: Sequence[LineOf], stay: Sequence[bool], left: Sequence[Span], still: int
) -> tuple[Span, list[Span]]:
    """What a voucher takes off the lines that stay, and off each of them."""
    counts = [not voucher.goods or line.goods.startswith(voucher.goods) for line in lines]
    eligible = [free if counted else _exactly(0) for free, counted in zip(left, counts, strict=True)]
    reached = sum(line.amount for line, kept, of in zip(lines, stay, counts, strict=True) if kept and of)
    whole = Span(sum((one.low for one in eligible), Fraction()), sum((one.high for one in eligible), Fraction()))
    now = _worth(voucher, reached, whole, still)
    off = [
        Span(
            max(Fraction(), Fraction(now.low * one.low, whole.high) - 1) if whole.high else Fraction(),
            Fraction(now.high * one.high, whole.low) + 1 if whole.low else one.high,
        )
        for one in eligible
    ]
    return now, [
        Span(min(one.low, free.low), min(one.high, free.high)) for one, free in zip(off, eligible, strict=True)
    ]


def _worth(voucher: VoucherUse, reached: int, left: Span, still: int) -> Span:
    """What a voucher takes off goods of which `left` is to be paid; a share of them is rounded once, to a fen."""
    if reached < voucher.min_order:
        return _exactly(0)
    low, high = left.low, left.high
    if voucher.percent:
        half, rate = Fraction(1, 2), Fraction(voucher.rate_bps, WHOLE_BPS)
        low = max(Fraction(), low * rate - half)
        high = high * rate + half
        if left.low == left.high:
            rounded = Fraction((left.low * rate + half).__floor__())
            low = high = rounded
    most = Fraction(min(voucher.face, still))
    return Span(min(low, most), min(high, most))


def _at_most(still: int, stays: Span, amount: int, used: Span) -> Span:
    """What is given back of what a voucher took off: never more than the goods that come back are worth."""
    room = Span(max(Fraction(), amount - used.high), max(Fraction(), amount - used.low))
    return Span(
        max(Fraction(), min(still - stays.high, room.low)), max(Fraction(), min(still - stays.low, room.high))
    )


def _shared(order: PaidOrder, told: Mapping[int, Span], amount: int, paid: list[int], gone: list[int]) -> Bounds:
    placed = {number: (span, list(order.vouchers[number].places)) for number, span in told.items()}
    return _rounded(_spread(placed, amount, paid, gone), placed, amount, paid, gone)


Placed = Mapping[int, tuple[Span, list[int]]]


def _spread(told: Placed, amount: int, paid: list[int], gone: list[int]) -> list[Span]:
    """The shares when vouchers give back the least that may be, and the most: both ends of each."""
    fewest, most = _one_end(told, 0, amount, paid, gone), _one_end(told, 1, amount, paid, gone)
    slack = sum((span.high - span.low for span, _ in told.values()), Fraction())
    return [Span(min(one, other) - slack, max(one, other) + slack) for one, other in zip(fewest, most, strict=True)]


def _one_end(told: Placed, end: int, amount: int, paid: list[int], gone: list[int]) -> list[Fraction]:
    shares = [Fraction()] * len(paid)
    fixed = {at for _, places in told.values() for at in places}
    for span, places in told.values():
        own = proportion(span[end], [paid[at] for at in places], [gone[at] for at in places])
        for at, part in zip(places, own, strict=True):
            shares[at] = part
    others = [at for at in range(len(paid)) if at not in fixed]
    room = sum(paid[at] - gone[at] for at in others)
    rest = max(Fraction(), min(Fraction(amount) - sum(shares), Fraction(room)))
    for at, part in zip(
        others, proportion(rest, [paid[at] for at in others], [gone[at] for at in others]), strict=True
    ):
        shares[at] = part
    missing = amount - sum(shares)
    for at in reversed(range(len(paid))):  # who still has something gives what is missing, from the end
        more = max(Fraction(), min(missing, paid[at] - gone[at] - shares[at]))
        shares[at] += more
        missing -= more
    return shares


def proportion(amount: Fraction, paid: Sequence[int], gone: Sequence[int]) -> list[Fraction]:
    """`amount` more of a whole of which `gone` has come back: each his share of all of it, less what he gave. Whoever
    is ahead gives nothing, and what is then too much is taken off the others evenly."""
    whole = sum(paid)
    if not whole or not amount:
        return [Fraction()] * len(paid)
    due = [Fraction(part * (sum(gone) + amount), whole) - back for part, back in zip(paid, gone, strict=True)]
    behind = sorted((one for one in due if one > 0), reverse=True)
    for number in range(len(behind), 0, -1):
        ahead = Fraction(sum(behind[:number]) - amount, number)
        if ahead <= behind[number - 1]:
            return [max(Fraction(), one - max(Fraction(), ahead)) for one in due]
    return [max(Fraction(), one) for one in due]


def _rounded(spans: Sequence[Span], told: Placed, amount: int, paid: list[int], gone: list[int]) -> Bounds:
    """Whole fen: less than two beside the share, as everybody's is rounded from the beginning; none where a voucher
    that one party pays gives back an amount that is whole."""
    whole = {places[0]: span for span, places in told.values() if len(places) == 1}
    found: Bounds = []
    for at, span in enumerate(spans):
        room = min(amount, paid[at] - gone[at])
        if span == whole.get(at) and span.low == span.high and span.low.denominator == 1:
            found.append((span, int(span.low), int(span.low)))
            continue
        least, most = (span.low - 2).__floor__() + 1, (span.high + 2).__ceil__() - 1
        found.append((span, max(0, min(least, room)), max(0, min(most, room))))
    return found


def _in_turn(
    amount: Fraction | int, turns: Sequence[int], paid: Sequence[int], gone: Sequence[int]
) -> list[Fraction]:
    left, shares = Fraction(amount), [Fraction()] * len(paid)
    for at in turns:
        shares[at] = min(left, Fraction(paid[at] - gone[at]))
        left -= shares[at]
    return shares


def _exactly(amount: int) -> Span:
    return Span(Fraction(amount), Fraction(amount))


def _less(left: Span, taken: Span) -> Span:
    return Span(max(Fraction(), left.low - taken.high), max(Fraction(), left.high - taken.low))
