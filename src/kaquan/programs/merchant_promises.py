"""What a program may promise its merchants and their partners: each check reads the terms and yields refusals."""

from collections.abc import Iterator
from itertools import pairwise

from kaquan.kernel.money import WHOLE
from kaquan.kernel.refusal import Fact, Refusal
from kaquan.programs import errors
from kaquan.programs.partners import Reserve, Settlement
from kaquan.programs.terms import ProgramTerms


def unsettleable(terms: ProgramTerms) -> Iterator[Refusal]:
    """Fees, shares and reserves that leave a merchant nothing, or that cannot be told apart."""
    settlement, reserve = terms.settlement, terms.reserve
    yield from _reserve(reserve, max(1, terms.refund.window_days))
    yield from _tiers(settlement)
    yield from _partners(settlement)
    fee = max(settlement.fee_bps, *(tier.rate_bps for tier in settlement.fee_tiers), 0)
    if fee + reserve.rate_bps > WHOLE:
        facts: dict[str, Fact] = {"fee_bps": fee, "reserve_bps": reserve.rate_bps, "whole_bps": WHOLE}
        yield Refusal(errors.FEE_AND_RESERVE, facts)


def _reserve(reserve: Reserve, least: int) -> Iterator[Refusal]:
    """The reserve outlives the refunds it secures; its parts go one after the other, and something goes last."""
    first = min([reserve.release_days, *(step.after_days for step in reserve.steps)])
    if reserve.rate_bps > 0 and first < least:
        yield Refusal(errors.RESERVE_RELEASED_EARLY, {"release_days": first, "least_days": least})
    days = [*(step.after_days for step in reserve.steps), reserve.release_days]
    for position, (before, after) in enumerate(pairwise(days), start=1):
        if after <= before:
            facts: dict[str, Fact] = {"term": f"reserve.steps[{position}]", "after_days": before, "next_days": after}
            yield Refusal(errors.RESERVE_STEPS, facts)
    released = sum(step.share_bps for step in reserve.steps)
    if released > WHOLE:
        yield Refusal(errors.RESERVE_STEPS_WHOLE, {"released_bps": released, "whole_bps": WHOLE})
    for name, is_given in (
        ("cap_fen", reserve.cap_fen > 0),
        ("covers_negative", reserve.covers_negative),
        ("steps", bool(reserve.steps)),
    ):
        if is_given and reserve.rate_bps == 0:
            yield Refusal(errors.RESERVE_TERM_UNUSED, {"term": f"reserve.{name}"})


def _tiers(settlement: Settlement) -> Iterator[Refusal]:
    """Tiers start higher and higher: a month's trade then reaches exactly one."""
    for position, (before, tier) in enumerate(pairwise(settlement.fee_tiers), start=2):
        if tier.from_fen <= before.from_fen:
            facts: dict[str, Fact] = {
                "term": f"settlement.fee_tiers[{position}]",
                "from_fen": tier.from_fen,
                "previous_fen": before.from_fen,
            }
            yield Refusal(errors.TIERS_NOT_ASCENDING, facts)


def _partners(settlement: Settlement) -> Iterator[Refusal]:
    """Each partner stands once, and together they get no more than all."""
    seen: set[str] = set()
    for position, one in enumerate(settlement.sharing, start=1):
        if one.partner in seen:
            facts: dict[str, Fact] = {"term": f"settlement.sharing[{position}]", "partner": one.partner[:40]}
            yield Refusal(errors.PARTNER_REPEATED, facts)
        seen.add(one.partner)
    shared = sum(one.share_bps for one in settlement.sharing)
    if shared > WHOLE:
        yield Refusal(errors.SHARES_ABOVE_WHOLE, {"shared_bps": shared, "whole_bps": WHOLE})
