"""What a program may promise at all, whatever the law: each check reads the terms and yields refusals."""

import re
from collections.abc import Iterator
from itertools import pairwise

from kaquan.kernel.money import WHOLE
from kaquan.kernel.refusal import Fact, Refusal, RefusalCode
from kaquan.programs import errors
from kaquan.programs.meaning import Entry, entries
from kaquan.programs.terms import ProgramTerms, Rebate

_RANGE_CODES: dict[str, RefusalCode] = {
    "spending.hold_minutes": errors.HOLD_LENGTH,
    "settlement.monthly_day": errors.SETTLEMENT_DAY,
    "rebate.bands.rate_bps": errors.REBATE_RATE,
}
"""Terms whose limits have a reason worth saying; the others share one sentence."""


def impossible(terms: ProgramTerms) -> Iterator[Refusal]:
    """Every promise that cannot be kept: limits of single terms first, then terms that contradict each other."""
    for entry in entries(terms):
        yield from _limits(entry)
    yield from _offers(terms)
    yield from _bands(terms.rebate)
    yield from _rebate_fits(terms)
    yield from _merchant_side(terms)


def _limits(entry: Entry) -> Iterator[Refusal]:
    """A number or length outside its limits, a text outside its form."""
    meaning, value = entry.meaning, entry.value
    size = value if isinstance(value, int) else len(value) if isinstance(value, str | tuple) else None
    low, high = meaning.low, meaning.high
    if size is not None and low is not None and high is not None and not low <= size <= high:
        code = _RANGE_CODES.get(entry.term, errors.TERM_RANGE)
        facts: dict[str, Fact] = {"term": entry.path, "value": size, "low": low, "high": high, "unit": meaning.unit}
        yield Refusal(code, facts)
    if not isinstance(value, str):
        return
    if meaning.pattern and not re.fullmatch(meaning.pattern, value):
        form = "a-z 0-9 - _" if meaning.unit == "code" else meaning.unit
        yield Refusal(errors.TERM_MALFORMED, {"term": entry.path, "value": ascii(value[:40]), "form": form})
    elif meaning.unit == "text" and (not value.isprintable() or value != value.strip()):
        form = "printable, no outer spaces"
        yield Refusal(errors.TERM_MALFORMED, {"term": entry.path, "value": ascii(value[:40]), "form": form})


def _offers(terms: ProgramTerms) -> Iterator[Refusal]:
    """Each offer fits on a card, costs at most its face, and is the only one with that face."""
    balance_max = terms.card.balance_max_fen
    seen: set[int] = set()
    for position, offer in enumerate(terms.presale.offers, start=1):
        term, face = f"presale.offers[{position}]", offer.face_fen
        if face > balance_max:
            facts: dict[str, Fact] = {"term": term, "face_fen": face, "balance_max_fen": balance_max}
            yield Refusal(errors.OFFER_ABOVE_BALANCE, facts)
        if offer.paid_fen > face:
            facts = {"term": term, "face_fen": face, "paid_fen": offer.paid_fen}
            yield Refusal(errors.OFFER_PAID_ABOVE_FACE, facts)
        if face in seen:
            yield Refusal(errors.OFFER_REPEATED, {"term": term, "face_fen": face})
        seen.add(face)


def _bands(rebate: Rebate) -> Iterator[Refusal]:
    """Bands start higher and higher; on the whole order their rates do not fall."""
    for position, (before, band) in enumerate(pairwise(rebate.bands), start=2):
        term = f"rebate.bands[{position}]"
        if band.from_fen <= before.from_fen:
            facts: dict[str, Fact] = {"term": term, "from_fen": band.from_fen, "previous_fen": before.from_fen}
            yield Refusal(errors.BANDS_NOT_ASCENDING, facts)
        if rebate.mode == "whole" and band.rate_bps < before.rate_bps:
            facts = {"term": term, "rate_bps": band.rate_bps, "previous_bps": before.rate_bps}
            yield Refusal(errors.REBATE_FALLS, facts)


def _rebate_fits(terms: ProgramTerms) -> Iterator[Refusal]:
    """A rebate fits on a card and is never taken back below zero."""
    cap, balance_max = terms.rebate.cap_fen, terms.card.balance_max_fen
    if cap > balance_max:
        facts: dict[str, Fact] = {"cap_fen": cap, "balance_max_fen": balance_max}
        yield Refusal(errors.REBATE_CAP_ABOVE_BALANCE, facts)
    if terms.rebate.clawback_allow_negative:
        yield Refusal(errors.CLAWBACK_NEGATIVE)


def _merchant_side(terms: ProgramTerms) -> Iterator[Refusal]:
    """The reserve outlives the refunds it secures, and something is left to pay out."""
    reserve, fee = terms.reserve, terms.settlement.fee_bps
    least = max(1, terms.refund.window_days)
    if reserve.rate_bps > 0 and reserve.release_days < least:
        facts: dict[str, Fact] = {"release_days": reserve.release_days, "least_days": least}
        yield Refusal(errors.RESERVE_RELEASED_EARLY, facts)
    if fee + reserve.rate_bps > WHOLE:
        facts = {"fee_bps": fee, "reserve_bps": reserve.rate_bps, "whole_bps": WHOLE}
        yield Refusal(errors.FEE_AND_RESERVE, facts)
