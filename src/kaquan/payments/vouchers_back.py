"""What becomes of the vouchers of a payment that comes back, and of their funders' money. Pure.

A voucher counts again only within its validity, if its terms say so and nobody took it back meanwhile. What is
promised for it is first what its funders get back; the rest comes out of their free budget, or it is gone.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from kaquan.cards.model import NO_FUND
from kaquan.commands.model import Row
from kaquan.funders.rules import commit_legs, promised
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id, bucket_of, derived_id
from kaquan.kernel.money import Money
from kaquan.ledger.model import Ledger, Leg
from kaquan.payments.holds import uses_undone
from kaquan.payments.model import Payment, PaymentFacts
from kaquan.payments.repricing import by_voucher
from kaquan.payments.returns import Back
from kaquan.payments.tenders import Posted, unredeem
from kaquan.programs.catalogue import Catalogue, Merchant, Stock, StockState
from kaquan.programs.lifecycle import ProgramState
from kaquan.quotas.model import Quotas
from kaquan.quotas.rules import after, take, together
from kaquan.vouchers.claims import Issue, new_voucher
from kaquan.vouchers.lifecycle import after as state_after
from kaquan.vouchers.model import NOBODY, Discount, NewVoucher, Voucher, VoucherState, unpack_discounts

Changes = list[tuple[Row, tuple[Any, ...]]]


class Returns(msgspec.Struct, frozen=True):
    """What becomes of the vouchers of a refund, and of their funders' money; how many count again, which are new."""

    changes: Sequence[tuple[Row, tuple[Any, ...]]]
    posted: Sequence[tuple[Ledger, list[Leg]]]
    usable: int
    issued: tuple[NewVoucher, ...] = ()


NO_VOUCHERS = Returns((), (), 0)
"""Of a payment without vouchers."""


class _Coming(msgspec.Struct):
    """A refund that is being decided: what it changes so far."""

    refund: Id
    payment: Payment
    back: Back
    merchant: Merchant
    at: datetime
    changes: Changes
    drawn: Changes
    posted: Posted
    again: list[Voucher]
    issued: list[NewVoucher]


def returns(
    refund: Id, payment: Payment, back: Back, facts: PaymentFacts, catalogue: Catalogue, *, at: datetime
) -> Returns:
    """The vouchers of a payment one after the other, as the terms of each say."""
    if not payment.discounts:
        return NO_VOUCHERS
    coming = _Coming(refund, payment, back, catalogue.merchants[payment.merchant], at, [], [], [], [], [])
    for identity in by_voucher(unpack_discounts(payment.discounts)):
        voucher = facts.vouchers[identity]
        _return(coming, voucher, catalogue.stock(voucher.terms, voucher.stock), facts.quotas, catalogue)
    undone = uses_undone(payment, coming.again, facts, catalogue)
    usable = len(coming.again) + len(coming.issued)
    return Returns([*coming.changes, *coming.drawn, *undone], coming.posted, usable, tuple(coming.issued))


def _return(coming: _Coming, voucher: Voucher, stock: Stock, quotas: Quotas, catalogue: Catalogue) -> None:
    """One voucher: it counts again itself, or another for it, or its money goes back."""
    payment, back = coming.payment, coming.back
    own = [one for one in back.discounts if one.voucher == voucher.id]
    itself, face, another = _again(coming, voucher, own, stock)
    left = after(quotas, coming.drawn) if coming.drawn else quotas
    promise = promise_again(face, own, stock, left, bucket_of(voucher.id)) if itself or another else None
    for one in own:
        kept = promise[0].get(one.fund, 0) if promise is not None else 0
        fund = None if one.fund == NO_FUND else catalogue.funds_by_id[one.fund]
        for part, again in ((kept, True), (one.amount - kept, False)):
            if part:
                coming.posted += unredeem(fund, Money(part), stock, coming.merchant, again=again)
    if promise is not None:
        coming.drawn = together(coming.drawn, promise[1])
        coming.posted.append((stock.terms.ledger, promise[2]))
    if itself and promise is not None:
        coming.changes.append((voucher, (VoucherState.ISSUED, 0, 0, NOBODY)))
        coming.again.append(voucher)
        return
    if another is not None and promise is not None:
        coming.issued.append(another)
    if voucher.holder == payment.id:
        state = state_after(voucher.state, "return" if back.last else "return_part")
        used = voucher.used - sum(one.amount for one in own)
        coming.changes.append((voucher, (state, used, 0, payment.id)))


def _again(
    coming: _Coming, voucher: Voucher, own: Sequence[Discount], stock: Stock
) -> tuple[bool, Money, NewVoucher | None]:
    """Whether the voucher itself may count again, with what face; else the one that may be given in its place."""
    payment, back, policy = coming.payment, coming.back, stock.rules.after_refund
    face, off = Money(voucher.face), Money(sum(one.amount for one in own))
    mine = voucher.holder == payment.id and state_after(voucher.state, "undo") is not None
    if policy == "never" or not mine:
        return False, face, None
    valid = microseconds(coming.at) < voucher.expires_us
    if valid and back.last and not payment.refunded:
        return True, face, None
    if stock.state is StockState.STOPPED or stock.terms.state is ProgramState.CLOSED:
        return False, face, None
    identity = derived_id(coming.refund, voucher.id)
    if policy == "proportional" and valid and off:
        begins = max(voucher.valid_us, microseconds(coming.at))
        told = (identity, voucher.wallet, coming.refund, voucher.stock, voucher.terms, off)
        return False, off, NewVoucher(*told, begins, voucher.expires_us)
    if policy == "reissue" and back.last:
        made = new_voucher(Issue(identity, voucher.wallet, coming.refund, stock, face), coming.at)
        return False, face, made if isinstance(made, NewVoucher) else None
    return False, face, None


def promise_again(
    face: Money, own: Sequence[Discount], stock: Stock, quotas: Quotas, bucket: int
) -> tuple[dict[bytes, int], Changes, list[Leg]] | None:
    """What of what comes back stays promised, by fund, and what each fund promises beyond it, so that a voucher is
    worth `face`; None when there is no budget left for that."""
    coming = {one.fund: one.amount for one in own}
    kept: dict[bytes, int] = {}
    changes: Changes = []
    more = []
    for fund, part in promised(stock.funding, face):
        key = NO_FUND if fund is None else fund.id
        kept[key] = min(part, coming.get(key, 0))
        wanted = Money(part - kept[key])
        if fund is None or not wanted:
            continue
        taken = take(quotas.pool(fund.id), bucket, 0, wanted)
        if taken is None:
            return None
        changes += taken
        more.append((fund, wanted))
    return kept, changes, commit_legs(more)
