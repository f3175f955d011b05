"""What a merchant pays for a period: by tiers of the month's trade, and the tax in it. Pure.

A period belongs to the month of its last day. Each period accrues at the tier that the month has reached with it; the
last period of the month takes or returns the difference to the fee of the whole month at its tier. The tax is part of
the fee, and is rounded once for all fees of a month: each settlement books the difference to what was booked.
"""

from datetime import date
from typing import NamedTuple

from kaquan.kernel.money import WHOLE, ZERO, Money, Rate, share
from kaquan.programs.partners import Settlement
from kaquan.settlement import cycles
from kaquan.settlement.standing import Month, Standing, Taxed


class Charge(NamedTuple):
    """A settlement's fee: accrued on its trade, what trues up the month, what trued up an earlier one late.

    `tier` is the place of the tier that the month has reached, from 1; 0 is below all. `tax` is part of the fee; both
    are negative when more is given back than taken. `month` and `taxed` are as they stand afterwards.
    """

    accrued: Money
    trued_up: Money
    late: Money
    tax: Money
    tier: int
    rate_bps: Rate
    month: Month
    taxed: Taxed
    before: Month | None

    @property
    def fee(self) -> Money:
        """All of it."""
        return Money(self.accrued + self.trued_up + self.late)


def tier_of(volume: Money, terms: Settlement) -> tuple[int, Rate]:
    """The tier that a month's trade reaches, counted from 1 (0: none), and its rate for all of the trade."""
    reached = [place for place, tier in enumerate(terms.fee_tiers, start=1) if volume >= tier.from_fen]
    return (reached[-1], terms.fee_tiers[reached[-1] - 1].rate_bps) if reached else (0, terms.fee_bps)


def whole_month(volume: Money, terms: Settlement) -> Money:
    """The fee of a month at the tier of the whole."""
    return share(_positive(volume), tier_of(volume, terms)[1])


def tax_in(charged: Money, vat_bps: Rate) -> Money:
    """The tax that an amount includes, rounded half up once (away from zero)."""
    whole = WHOLE + vat_bps
    tax = (2 * abs(charged) * vat_bps + whole) // (2 * whole)
    return Money(tax if charged >= 0 else -tax)


def ends_month(period_end: date, terms: Settlement) -> bool:
    """Whether a period is the last that ends in its month."""
    return f"{cycles.period_after(period_end, terms):%Y-%m}" != f"{period_end:%Y-%m}"


def charge(standing: Standing, trade: Money, period_end: date, terms: Settlement) -> Charge:
    """The fee of a period's net trade, which may be negative, after what stands."""
    name, kept = f"{period_end:%Y-%m}", standing.month
    late = ZERO
    if kept is not None and kept.name != name and kept.is_open and terms.fee_tiers:
        late = Money(whole_month(kept.volume, terms) - kept.fee)
    month = kept if kept is not None and kept.name == name else Month(name=name)
    volume = Money(month.volume + trade)
    tier, rate = tier_of(volume, terms)
    accrued = share(_positive(trade), rate)
    closes = bool(terms.fee_tiers) and ends_month(period_end, terms)
    trued_up = Money(whole_month(volume, terms) - month.fee - accrued) if closes else ZERO
    after = Month(
        name=name,
        volume=volume,
        fee=Money(month.fee + accrued + trued_up),
        by_source=month.by_source,
        is_open=bool(terms.fee_tiers) and not closes,
    )
    tax, taxed = _tax(standing.taxed, Money(accrued + trued_up + late), name, terms.fee_vat_bps)
    return Charge(accrued, trued_up, late, tax, tier, rate, after, taxed, kept)


def _tax(kept: Taxed | None, fee: Money, month: str, vat_bps: Rate) -> tuple[Money, Taxed]:
    same = kept is not None and (kept.month, kept.vat_bps) == (month, vat_bps)
    before = kept if kept is not None and same else Taxed(month=month, vat_bps=vat_bps)
    charged = Money(before.charged + fee)
    tax = tax_in(charged, vat_bps)
    return Money(tax - before.tax), Taxed(month=month, vat_bps=vat_bps, charged=charged, tax=tax)


def _positive(amount: int) -> Money:
    return Money(max(amount, 0))
