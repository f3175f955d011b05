"""Whether what is required is covered, and what of custody may be released. Pure."""

from datetime import date

import msgspec

from kaquan.custody.model import Books, Custody, CustodyState
from kaquan.custody.requirement import Requirement
from kaquan.kernel.money import WHOLE, ZERO, Money
from kaquan.programs.custody import Custody as CustodyTerms


class Coverage(msgspec.Struct, frozen=True):
    """What is required at an instant, what lies there by the books, and what of it counts.

    `bank_short_fen`: what the bank's last statement had less than the books said; that much does not count.
    """

    requirement: Requirement
    ledger_fen: Money
    bank_short_fen: Money

    @property
    def required_fen(self) -> Money:
        """What must lie there."""
        return self.requirement.required_fen

    @property
    def covered_fen(self) -> Money:
        """What counts. Money that the bank has beyond the books is nobody's until it is explained."""
        return Money(self.ledger_fen - max(0, self.bank_short_fen))

    @property
    def surplus_fen(self) -> Money:
        """Above the requirement, or below it when negative."""
        return Money(self.covered_fen - self.required_fen)

    @property
    def missing_fen(self) -> Money:
        """What is lacking; nothing when all is covered."""
        return Money(max(0, -self.surplus_fen))

    def level(self, warn_bps: int) -> CustodyState:
        """Covered, so near to the requirement that it warns, or short."""
        if self.surplus_fen < 0:
            return CustodyState.SHORT
        near = self.covered_fen * WHOLE < self.required_fen * warn_bps
        return CustodyState.WARNED if near else CustodyState.COVERED


def redeemed_fen(books: Books) -> Money:
    """The principal that was ever used or returned: taken for sales and top-ups, and no longer on any card."""
    return Money(max(0, books.total.topped_up - books.total.principal))


def releasable_fen(now: Coverage, books: Books, custody: Custody, terms: CustodyTerms) -> Money:
    """What may leave custody: above the requirement, and at most what was redeemed and not released before."""
    if terms.release == "never":
        return ZERO
    justified = redeemed_fen(books) - custody.released
    return Money(max(0, min(now.surplus_fen, justified)))


def stops(custody: Custody, terms: CustodyTerms, day: date, short_since: date | None) -> bool:
    """Whether sales stop after a day that ended short: the grace since the first one is over."""
    if terms.on_shortfall != "stop_sale" or short_since is None or custody.state is CustodyState.SALES_STOPPED:
        return False
    return (day - short_since).days >= terms.grace_days
