"""What the vouchers of a payment give back in a partial refund: in proportion, by line, or by a new price. Pure.

A voucher that keeps its discount gives back its share. One that is priced anew (`reprice`) gives back what it would
not take off the rest of the order, its threshold judged on that rest; never more than the goods that come back.
"""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from kaquan.kernel.ids import Id
from kaquan.kernel.money import ZERO, Money, allocate, allocate_next
from kaquan.payments.tenders import StoredLine
from kaquan.programs.catalogue import Catalogue
from kaquan.programs.grants import Stock as StockTerms
from kaquan.vouchers.model import Discount, Voucher
from kaquan.vouchers.orders import counts_for, worth


class Redeemed(msgspec.Struct, frozen=True):
    """A voucher of a payment. Of each funder's part: its place among the discounts, fen, what came back already."""

    rules: StockTerms
    face: Money
    positions: list[int]
    own: list[int]
    gone: list[int]

    @property
    def still(self) -> Money:
        """What it takes off what has not come back."""
        return Money(sum(self.own) - sum(self.gone))

    @property
    def anew(self) -> bool:
        """Whether the rest of the order is priced anew."""
        return self.rules.partial_refund == "reprice"

    def worth(self, reached: int, left: int) -> Money:
        """What it takes off goods of which `left` is to be paid, priced `reached` before any discount."""
        return (
            min(self.still, worth(self.rules, self.face, Money(left)))
            if reached >= self.rules.min_order_fen
            else ZERO
        )

    def split(self, back: Money) -> dict[int, int]:
        """What it gives back, by position: each funder its share."""
        return dict(zip(self.positions, allocate_next(back, self.own, self.gone), strict=True))


def by_voucher(discounts: Sequence[Discount]) -> dict[Id, list[int]]:
    """The positions of each voucher's parts, vouchers in the order in which they were applied."""
    found: dict[Id, list[int]] = {}
    for at, one in enumerate(discounts):
        found.setdefault(one.voucher, []).append(at)
    return found


def redeemed(
    discounts: Sequence[Discount], given: Sequence[int], vouchers: Mapping[bytes, Voucher], catalogue: Catalogue
) -> list[Redeemed]:
    """The vouchers of a payment, in the order in which they were applied."""
    found = []
    for identity, positions in by_voucher(discounts).items():
        voucher = vouchers[identity]
        rules = catalogue.stock(voucher.terms, voucher.stock).rules
        own, gone = [discounts[at].amount for at in positions], [given[at] for at in positions]
        found.append(Redeemed(rules, Money(voucher.face), positions, own, gone))
    return found


def for_amount(vouchers: Sequence[Redeemed], amount: Money, rest: Money, whole: Money) -> dict[int, int]:
    """What vouchers that are priced anew give back when goods worth `amount` of an order of `whole` come back.

    By position among the discounts; what the other vouchers give back is left to the proportion. Of which goods the
    `rest` is, nobody said: all of it counts for each.
    """
    fixed: dict[int, int] = {}
    left = int(rest)
    for voucher in vouchers:
        stays = Money(sum(voucher.own) * rest // whole)
        if voucher.anew:
            stays = voucher.worth(rest, left)
            fixed |= voucher.split(_at_most(voucher.still - stays, amount, fixed))
        left = max(0, left - stays)  # an earlier one that is priced anew may take all of what others keep a share of
    return fixed


def for_lines(
    vouchers: Sequence[Redeemed], lines: Sequence[StoredLine], back: Collection[int], amount: Money
) -> dict[int, int]:
    """What each voucher gives back, by position among the discounts, when these lines, worth `amount`, come back."""
    fixed: dict[int, int] = {}
    stay = [not line.returned and at not in back for at, line in enumerate(lines)]
    left = [line.amount if stays else 0 for line, stays in zip(lines, stay, strict=True)]
    for number, voucher in enumerate(vouchers):
        stays = [line.discounts[number] if kept else 0 for line, kept in zip(lines, stay, strict=True)]
        off = sum(lines[at].discounts[number] for at in back)
        if voucher.anew:
            counted = [counts_for(voucher.rules, line.goods) for line in lines]
            eligible = [part if counts else 0 for part, counts in zip(left, counted, strict=True)]
            reached = sum(
                line.amount for line, kept, counts in zip(lines, stay, counted, strict=True) if kept and counts
            )
            now = voucher.worth(reached, sum(eligible))
            stays = [*allocate(now, eligible)] if now else [0] * len(lines)
            off = voucher.still - now
        fixed |= voucher.split(_at_most(off, amount, fixed))
        left = [max(0, part - kept) for part, kept in zip(left, stays, strict=True)]
    return fixed


def _at_most(off: int, amount: Money, fixed: Mapping[int, int]) -> Money:
    return Money(max(0, min(off, amount - sum(fixed.values()))))
