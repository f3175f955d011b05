"""Every legal outcome of a refund, or every reason why there is none. Pure, and in fractions.

It shares no rule with what refunds: an import contract keeps `payments` and `rewards` from it, tests compare the two.
"""

from collections.abc import Iterator
from fractions import Fraction

import msgspec

from kaquan.kernel.money import Money, text
from kaquan.oracle.model import (
    CARD_KINDS,
    MERCHANT,
    Ask,
    Goes,
    Outcome,
    PaidOrder,
    Part,
    PartKind,
    Reason,
    ShareBack,
    Verdict,
    VoucherFate,
    VoucherUse,
)
from kaquan.oracle.shares import WHOLE_BPS, Bounds, bounds
from kaquan.oracle.words import reason


def judge(order: PaidOrder, ask: Ask) -> Verdict:
    """What may come of an ask: outcomes differ in what becomes of vouchers when budget could run out."""
    amount = _amount(order, ask)
    refused = tuple(_refused(order, ask, amount))
    if refused or amount is None:
        return Verdict((), refused)
    shared = bounds(order, ask, amount)
    shares = tuple(
        ShareBack(at, exact, least, most, _goes(order, part))
        for at, (part, (exact, least, most)) in enumerate(zip(order.parts, shared, strict=True))
    )
    last = amount == order.left
    reasons = tuple(_reasons(order, ask, shares, last))
    return Verdict(
        tuple(
            Outcome(
                amount,
                ask.late and order.window_over,
                last,
                shares,
                fates,
                _rebate(order, shares, amount, last),
                set_off(order, shares),
                reasons,
            )
            for fates in _fates(order, shared, last)
        ),
        (),
    )


def instead(order: PaidOrder, ask: Ask) -> tuple[Ask, ...]:
    """What may be asked instead of what is refused: the same after the window, all that is left, or both."""
    late = ask.late or order.window_over
    others = [msgspec.structs.replace(ask, late=late), msgspec.structs.replace(ask, amount=None, lines=(), late=late)]
    found: list[Ask] = []
    for one in others:
        if one != ask and one not in found and judge(order, one).outcomes:
            found.append(one)
    return tuple(found)


def _amount(order: PaidOrder, ask: Ask) -> int | None:
    if ask.lines:
        return sum(order.lines[at].amount for at in set(ask.lines) if 0 <= at < len(order.lines))
    return order.left if ask.amount is None else ask.amount


def _refused(order: PaidOrder, ask: Ask, amount: int | None) -> Iterator[Reason]:
    """Everything that speaks against it."""
    if order.state not in ("captured", "partly_refunded"):
        yield reason("payment_state", state=order.state)
        return
    if order.window_over and not ask.late:
        yield reason("refund_window_over", window_end=order.window_end)
    elif order.window_over and not ask.may_late:
        yield reason("late_refund_forbidden")
    if order.card == "frozen" and order.policy.frozen_card == "refuse":
        yield reason("refund_card_frozen")
    if ask.lines:
        gone = sum(line.amount for line in order.lines if line.returned)
        known = all(0 <= at < len(order.lines) and not order.lines[at].returned for at in ask.lines)
        if not known or gone != order.refunded or ask.amount is not None:
            yield reason("refund_lines_invalid")
    elif amount is not None and not 0 < amount <= order.left:
        yield reason("refund_exceeds_payment", left=text(Money(order.left)))
    most = order.policy.count_max
    if most and order.refunds >= most and amount != order.left:
        yield reason("refund_count_reached", count_max=most)


def _goes(order: PaidOrder, part: Part) -> Goes:
    """Where a part ends that came back."""
    if part.kind == "outside":
        return "cash"
    if part.kind == "voucher":
        return "payer"
    if part.kind == "principal":
        owed = order.card == "closed" or (part.expired and order.policy.expired_principal == "holder")
        return "owed_to_holder" if owed else "on_card"
    if order.card == "closed":
        return "payer"
    if part.expired:
        return "on_card_anew" if order.policy.expired_grant_days else "payer"
    return "on_card"


def set_off(order: PaidOrder, shares: tuple[ShareBack, ...]) -> tuple[int, int]:
    """What of the bonus goes to payers that the card owes: never more than they are owed, or than comes back."""
    least = most = 0
    for payer, owed in order.owed:
        own = [
            one for one in shares if (order.parts[one.place].kind, order.parts[one.place].payer) == ("bonus", payer)
        ]
        least += min(owed, sum(one.least for one in own))
        most += min(owed, sum(one.most for one in own))
    return least, most


def _rebate(order: PaidOrder, shares: tuple[ShareBack, ...], amount: int, last: bool) -> tuple[int, int]:
    """What is taken off the rebate, whether it is cancelled, clawed back or owed."""
    rebate = order.rebate
    if rebate.state == "none":
        return 0, 0
    if last:
        return rebate.amount - rebate.cut, rebate.amount - rebate.cut
    card = [one for one in shares if order.parts[one.place].kind in CARD_KINDS]
    rest = sum(order.parts[one.place].paid - order.parts[one.place].back for one in card)
    others = [one for one in shares if order.parts[one.place].kind not in CARD_KINDS]
    least = max(sum(one.least for one in card), amount - sum(one.most for one in others))
    most = min(sum(one.most for one in card), amount - sum(one.least for one in others))
    cuts = [max(0, rebate.amount - rebate.cut - earned(order, rest - back)) for back in (least, most)]
    return min(cuts), max(cuts)


def earned(order: PaidOrder, amount: int) -> int:
    """What an order of `amount` by card earns: a share, rounded half up once, at most the cap."""
    rebate, share = order.rebate, Fraction()
    starts = [start for start, _ in rebate.bands]
    if not starts or amount < starts[0]:
        return 0
    for number, (start, rate) in enumerate(rebate.bands):
        if amount < start:
            break
        if rebate.marginal:
            end = min(amount, starts[number + 1]) if number + 1 < len(starts) else amount
            share += Fraction(rate, WHOLE_BPS) * (end - start)
        else:
            share = Fraction(rate, WHOLE_BPS) * amount
    return min((share + Fraction(1, 2)).__floor__(), rebate.cap)


def _fates(order: PaidOrder, shared: Bounds, last: bool) -> list[tuple[VoucherFate, ...]]:
    """What may become of all vouchers together: one way, or with and without budget."""
    found: list[tuple[tuple[VoucherFate, ...], dict[str, int]]] = [((), dict(order.free))]
    for number, voucher in enumerate(order.vouchers):
        branched = []
        for fates, free in found:
            for fate, left in _fate(order, number, voucher, shared, last, free):
                branched.append(((*fates, fate), left))
        found = branched
    return [fates for fates, _ in found]


def _fate(
    order: PaidOrder, number: int, voucher: VoucherUse, shared: Bounds, last: bool, free: dict[str, int]
) -> Iterator[tuple[VoucherFate, dict[str, int]]]:
    over: VoucherFate = VoucherFate(number, "returned" if last else "kept", reason(_over(voucher, last)))
    itself = voucher.valid and last and not order.refunded
    least = sum(shared[at][1] for at in voucher.places)
    most = sum(shared[at][2] for at in voucher.places)
    place = voucher.open and (
        (voucher.policy == "proportional" and voucher.valid and most > 0) or (voucher.policy == "reissue" and last)
    )
    if voucher.policy == "never" or not voucher.mine or not (itself or place):
        yield over, free
        return
    part = voucher.policy == "proportional" and not itself
    faces = (max(1, least), most) if part else (voucher.face, voucher.face)
    needs = [_needs(order, voucher, shared, face) for face in faces]
    possible = all(free.get(payer, 0) >= least_ for payer, (least_, _) in needs[0].items())
    certain = all(free.get(payer, 0) >= most_ for payer, (_, most_) in needs[-1].items())
    if possible:
        left = {payer: has - needs[0].get(payer, (0, 0))[0] for payer, has in free.items()}
        code = "voucher_again" if itself else "voucher_in_place"
        yield VoucherFate(number, "again" if itself else "in_place", reason(code)), left
    if part and least == 0:
        yield over, free
    elif not (possible and certain):
        yield VoucherFate(number, over.fate, reason("voucher_no_budget")), free


def _over(voucher: VoucherUse, last: bool) -> str:
    if not voucher.mine:
        return "voucher_taken"
    return "voucher_over" if last else "voucher_used"


def _needs(order: PaidOrder, voucher: VoucherUse, shared: Bounds, face: int) -> dict[str, tuple[int, int]]:
    """What each fund must promise beyond what comes back to it, so that a voucher is worth `face`: least and most."""
    coming: dict[str, tuple[int, int]] = {}
    for at in voucher.places:
        coming[order.parts[at].payer] = (shared[at][1], shared[at][2])
    needs = {}
    whole = sum(bps for _, bps in voucher.shares)
    for payer, bps in voucher.shares:
        if payer == MERCHANT:
            continue
        share, (least, most) = Fraction(face * bps, whole), coming.get(payer, (0, 0))
        needs[payer] = (max(0, share.__floor__() - most), max(0, share.__ceil__() - least))
    return needs


def _reasons(order: PaidOrder, ask: Ask, shares: tuple[ShareBack, ...], last: bool) -> Iterator[Reason]:
    """Why so much goes there."""
    yield reason("late" if order.window_over and ask.late else "window")
    if last and not ask.lines:
        yield reason("all_left")
    else:
        yield reason("by_line" if ask.lines and order.vouchers else "in_proportion")
        if order.policy.order != "pro_rata":
            yield reason(order.policy.order)
        if any(one.reprice for one in order.vouchers):
            yield reason("repriced")
    moving = {order.parts[one.place].kind for one in shares if one.most}
    expired = {order.parts[one.place].kind for one in shares if one.most and order.parts[one.place].expired}
    yield from _where(order, moving, expired)
    if "outside" in moving:
        yield reason("cash")
    if order.settled:
        yield reason("settled")
    if set_off(order, shares)[1]:
        yield reason("set_off")
    if order.rebate.state != "none":
        yield reason("rebate_cancelled" if order.rebate.state == "waiting" else "rebate_clawed")


def _where(order: PaidOrder, moving: set[PartKind], expired: set[PartKind]) -> Iterator[Reason]:
    """Why what comes back to the card does not just stay there."""
    if not moving & set(CARD_KINDS):
        return
    if order.card == "frozen":
        yield reason("card_frozen")
    if order.card == "closed":
        yield reason("card_closed")
        return
    if "principal" in expired:
        yield reason("principal_kept" if order.policy.expired_principal == "card" else "principal_expired")
    if expired & {"bonus", "subsidy"}:
        days = order.policy.expired_grant_days
        yield reason("grant_again", days=days) if days else reason("grant_expired")
