"""Vouchers that the program hands out by itself, and takes back when their reason is gone. Pure."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from kaquan.funders.rules import promised, release_legs
from kaquan.kernel.clock import instant, microseconds, shown
from kaquan.kernel.ids import Id, bucket_of, derived_id
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.model import Row as Posting
from kaquan.ledger.model import post
from kaquan.programs.catalogue import Catalogue, Fund, Stock, StockState, Terms
from kaquan.programs.lifecycle import ProgramState
from kaquan.quotas.model import Quotas
from kaquan.quotas.rules import Change, put_back
from kaquan.rewards import errors
from kaquan.vouchers import errors as voucher_errors
from kaquan.vouchers.claims import Issue, new_voucher, promise
from kaquan.vouchers.lifecycle import after
from kaquan.vouchers.model import NOBODY, NewVoucher, SpendingFacts, Voucher


class Gift(msgspec.Struct, frozen=True):
    """A voucher to be handed out: by which command, for what, to whom, of which stock. One for each reason."""

    command: Id
    origin: Id
    wallet: Id
    stock: Stock


class Given(msgspec.Struct, frozen=True):
    """What handing out a voucher changes."""

    voucher: NewVoucher
    changes: tuple[Change, ...]
    postings: tuple[Posting, ...]


class TakenBack(msgspec.Struct, frozen=True):
    """What taking a voucher back changes: what its funders have free again, and what it had taken off already."""

    changes: tuple[Change, ...] = ()
    postings: tuple[Posting, ...] = ()
    released: int = 0
    short: int = 0


def paused(stock: Stock) -> bool:
    """Whether what was promised waits: while the program or the stock is paused. It is granted later."""
    return not stock.terms.grants or stock.state is StockState.PAUSED


def give(gift: Gift, facts: SpendingFacts, at: datetime) -> Given | Refusal:
    """A voucher of the stock's face, its money promised now; its id follows from its reason, so it is given once.

    What was earned is given after the program has ended too.
    """
    stock = gift.stock
    if stock.state is StockState.STOPPED or stock.terms.state is ProgramState.CLOSED:
        return Refusal(voucher_errors.STOCK_CLOSED, {"stock": stock.code})
    if paused(stock):
        return Refusal(errors.GRANTS_PAUSED, {"program": stock.terms.terms.program.name_zh})
    taken = promise(stock, stock.rules.face_fen, facts, bucket_of(gift.wallet), at)
    if isinstance(taken, Refusal):
        return taken
    changes, legs = taken
    voucher = new_voucher(Issue(given_id(gift.origin), gift.wallet, gift.origin, stock, stock.rules.face_fen), at)
    if isinstance(voucher, Refusal):
        return voucher
    return Given(voucher, tuple(changes), post(gift.command, stock.terms.ledger, legs))


def never(refusal: Refusal, stock: Stock | None, terms: Terms) -> bool:
    """Whether what was refused is not worth another try: the stock is over, or the program is and the stock or its
    money is used up. While the program runs, both may still grow."""
    over = terms.state in (ProgramState.ENDED, ProgramState.CLOSED)
    match refusal.code:
        case voucher_errors.STOCK_CLOSED:
            return over or stock is not None
        case voucher_errors.CLAIM_OVER:
            return True
        case voucher_errors.STOCK_SOLD_OUT | voucher_errors.BUDGET_EXHAUSTED:
            return over
    return False


def free_again(parts: Iterable[tuple[Fund | None, Money]], quotas: Quotas, bucket: int) -> list[Change]:
    """What funders had promised can be promised again at once, each part in the slices of its fund."""
    return [
        change
        for fund, part in parts
        if fund is not None and part
        for change in put_back(quotas.pool(fund.id), bucket, 0, part)
    ]


def given_id(origin: Id) -> Id:
    """The voucher that was, or would be, given for a reason."""
    return derived_id(origin, b"voucher")


def take_back(command: Id, voucher: Voucher | None, catalogue: Catalogue, at: datetime) -> TakenBack | Refusal:
    """A voucher that still counts is void, and its money free again. What a used one took off is `short`: a refund
    gives it back to its funders, never to its holder."""
    if voucher is None:
        return TakenBack()
    if voucher.held_by_other(NOBODY, microseconds(at)):
        return Refusal(voucher_errors.VOUCHER_HELD, {"held_until": shown(instant(voucher.held_us))})
    state = after(voucher.state, "void")
    if state is None:
        forfeited = after(voucher.state, "forfeit")
        ends = () if forfeited is None else ((voucher, (forfeited, voucher.used, 0, voucher.holder)),)
        return TakenBack(ends, short=voucher.used)
    stock = catalogue.stock(voucher.terms, voucher.stock)
    legs = release_legs(promised(stock.funding, Money(voucher.face)))
    change = (voucher, (state, voucher.used, 0, NOBODY))
    return TakenBack((change,), post(command, stock.terms.ledger, legs), sum(leg.amount for leg in legs))
