"""Who pays for an order, and what each party gets back: lots of a card, vouchers' funders, money outside. Pure.

The parts of a payment stand in one order: its lots, its discounts, what was paid outside. `Payment.returned` counts
in that order what refunds have given back so far.
"""

from collections.abc import Iterable, Sequence
from struct import Struct
from typing import NamedTuple

import msgspec

from kaquan.cards.lots import Share
from kaquan.cards.model import LOT_ACCOUNT, NO_FUND, LotKind
from kaquan.funders import rules as funders
from kaquan.kernel.money import Money
from kaquan.ledger.chart import Account, Source
from kaquan.ledger.model import Ledger, Leg, book_owner
from kaquan.programs.catalogue import Catalogue, Fund, Merchant, Stock
from kaquan.vouchers.model import Discount
from kaquan.vouchers.orders import Applied, Line

Posted = list[tuple[Ledger, list[Leg]]]
"""Legs by the book and program they belong to."""

_RETURNED = Struct(">q")


class StoredLine(msgspec.Struct, frozen=True, array_like=True):
    """A line of an order as a payment keeps it: its discounts are by the position of the payment's vouchers."""

    goods: str
    amount: int
    discounts: tuple[int, ...]
    returned: bool = False


_lines = msgspec.msgpack.Encoder().encode
_read_lines = msgspec.msgpack.Decoder(tuple[StoredLine, ...]).decode


def pack_lines(lines: Sequence[Line], applied: Sequence[Applied]) -> bytes:
    """The lines of an order with what each voucher takes off each; nothing for an order without lines."""
    if not lines:
        return b""
    return _lines(
        [
            StoredLine(line.goods, line.amount, tuple(one.by_line[position] for one in applied))
            for position, line in enumerate(lines)
        ]
    )


def unpack_lines(stored: bytes) -> tuple[StoredLine, ...]:
    """The lines of a payment; none when none were told."""
    return _read_lines(stored) if stored else ()


def pack_changed_lines(lines: Sequence[StoredLine]) -> bytes:
    """Lines of which some have come back."""
    return _lines(lines)


def pack_returned(parts: Sequence[int]) -> bytes:
    """What refunds have given back of each part so far."""
    return b"".join([_RETURNED.pack(part) for part in parts])


def unpack_returned(stored: bytes, parts: int) -> list[int]:
    """What refunds have given back of each of `parts` parts so far."""
    return [part for (part,) in _RETURNED.iter_unpack(stored)] if stored else [0] * parts


class Split(NamedTuple):
    """What a voucher takes off an order, by its funders: what each had promised, and what each pays."""

    applied: Applied
    promise: Sequence[funders.Part]
    parts: Sequence[funders.Part]


def split(applied: Iterable[Applied]) -> list[Split]:
    """What vouchers take off, split over their funders."""
    splits = []
    for one in applied:
        promise = funders.promised(one.stock.funding, Money(one.voucher.face))
        splits.append(Split(one, promise, funders.used(promise, one.amount)))
    return splits


def discounts_of(splits: Iterable[Split]) -> list[Discount]:
    """What vouchers take off, by the funder who pays it; a funder's nothing is left out."""
    return [
        Discount(one.applied.voucher.id, NO_FUND if fund is None else fund.id, part)
        for one in splits
        for fund, part in one.parts
        if part
    ]


def charge(taken: Sequence[Share], ledger: Ledger, merchant: Merchant) -> Posted:
    """Card lots to the merchant, each by its source; what the issuer granted becomes an expense as it is used."""
    legs = [
        Leg(LOT_ACCOUNT[lot.kind], lot.id, Account.MERCHANT_PAYABLE, merchant.id, lot.source, Money(part))
        for lot, part in taken
    ]
    if used := _granted(taken):
        legs.append(Leg(Account.PROMO_EXPENSE, None, Account.PROMO_DEFERRED, None, Source.NONE, used))
    return across(ledger, legs, merchant)


def give_back(returned: Sequence[Share], ledger: Ledger, merchant: Merchant) -> Posted:
    """The mirror of `charge`: from the merchant back to the lots, and the expense undone."""
    legs = [
        Leg(Account.MERCHANT_PAYABLE, merchant.id, lot.account, lot.id, lot.source, Money(part))
        for lot, part in returned
    ]
    if unused := _granted(returned):
        legs.append(Leg(Account.PROMO_DEFERRED, None, Account.PROMO_EXPENSE, None, Source.NONE, unused))
    return across(ledger, legs, merchant)


def redeem(splits: Iterable[Split], merchant: Merchant) -> Posted:
    """The funders' promises pay the merchant; what a voucher did not need is free again."""
    posted: Posted = []
    for one, promise, parts in splits:
        legs = [
            leg
            for fund, part in parts
            for leg in funders.spend_legs(fund, part, Account.MERCHANT_PAYABLE, merchant.id)
        ]
        if one.amount < one.voucher.face:
            unused = [(fund, Money(all_ - part)) for (fund, all_), (_, part) in zip(promise, parts, strict=True)]
            legs += funders.release_legs(unused)
        posted += across(one.stock.terms.ledger, legs, merchant)
    return posted


def unredeem(fund: Fund | None, amount: Money, stock: Stock, merchant: Merchant, *, again: bool) -> Posted:
    """A funder's part of a discount goes back; `again`: it stays promised, because the voucher counts again."""
    legs = funders.return_legs(fund, amount, Account.MERCHANT_PAYABLE, merchant.id, again=again)
    return across(stock.terms.ledger, legs, merchant)


def across(ledger: Ledger, legs: Sequence[Leg], merchant: Merchant) -> Posted:
    """Legs of one book; those of a merchant whose platform keeps another book pass between the two."""
    if merchant.book is None or merchant.book == ledger.book:
        return [(ledger, list(legs))]
    theirs = Ledger(merchant.book, ledger.program)
    here, there = book_owner(ledger.book), book_owner(merchant.book)
    own: list[Leg] = []
    other: list[Leg] = []
    for leg in legs:
        if leg.credit is Account.MERCHANT_PAYABLE:
            own.append(leg._replace(credit=Account.DUE_TO, credit_owner=there))
            other.append(leg._replace(debit=Account.DUE_FROM, debit_owner=here))
        elif leg.debit is Account.MERCHANT_PAYABLE:
            own.append(leg._replace(debit=Account.DUE_TO, debit_owner=there))
            other.append(leg._replace(credit=Account.DUE_FROM, credit_owner=here))
        else:
            own.append(leg)
    return [(ledger, own), (theirs, other)]


def named(discounts: Iterable[Discount], catalogue: Catalogue) -> list[dict[str, object]]:
    """Discounts as an answer tells them: voucher, code of the fund that pays, fen."""
    return [
        {
            "fund": catalogue.funds_by_id[one.fund].code if one.fund != NO_FUND else "merchant",
            "fund_fen": one.amount,
            "voucher": one.voucher.hex(),
        }
        for one in discounts
    ]


def by_kind(taken: Iterable[Share]) -> tuple[int, int, int]:
    """Fen from principal, from granted value, from subsidies."""
    sums = [0, 0, 0]
    for lot, part in taken:
        sums[lot.kind] += part
    return sums[LotKind.PRINCIPAL], sums[LotKind.BONUS], sums[LotKind.SUBSIDY]


def _granted(taken: Iterable[Share]) -> Money:
    """What of it the issuer itself granted."""
    return Money(sum([part for lot, part in taken if lot.kind == LotKind.BONUS and lot.fund == NO_FUND]))
