"""The rebate that one order earns: 满 500 返 5 %."""

from kaquan.kernel.money import WHOLE, ZERO, Money
from kaquan.programs.terms import Band, Rebate


def rebate(amount: Money, tiers: Rebate) -> Money:
    """What an order of `amount` (net of vouchers and refunds) earns, at most the cap.

    `whole`: the highest band reached pays its rate on the whole amount, so an order just below the first band
    earns nothing. `marginal`: each band pays its rate on the part of the amount inside it. The result is
    rounded half up to whole fen once per order, never per band. Bands ascend: `programs.compiler` refuses others.
    """
    if not tiers.bands or amount < tiers.bands[0].from_fen:
        return ZERO
    by_mode = _whole if tiers.mode == "whole" else _marginal
    scaled = by_mode(amount, tiers.bands)
    earned = (2 * scaled + WHOLE) // (2 * WHOLE)
    return min(Money(earned), tiers.cap_fen)


def _whole(amount: Money, bands: tuple[Band, ...]) -> int:
    """Fen times basis points under the highest band reached."""
    rate = 0
    for band in bands:
        if amount < band.from_fen:
            break
        rate = band.rate_bps
    return amount * rate


def _marginal(amount: Money, bands: tuple[Band, ...]) -> int:
    """Fen times basis points, band by band."""
    scaled = 0
    for position, band in enumerate(bands):
        top = bands[position + 1].from_fen if position + 1 < len(bands) else amount
        scaled += max(ZERO, min(amount, top) - band.from_fen) * band.rate_bps
    return scaled
