"""What a program may promise at all, whatever the law: each check reads the terms and yields refusals."""

import re
from collections.abc import Iterator
from datetime import date
from itertools import pairwise

from kaquan.kernel.refusal import Fact, Refusal, RefusalCode
from kaquan.programs import errors
from kaquan.programs.custody import Custody
from kaquan.programs.giveaways import ungivable
from kaquan.programs.meaning import CODE, Entry, Meaning, entries
from kaquan.programs.merchant_promises import unsettleable
from kaquan.programs.partners import UNUSED, Settlement
from kaquan.programs.terms import DAY, WITHOUT_PRINCIPAL, ProgramTerms, Rebate

_RANGE_CODES: dict[str, RefusalCode] = {
    "spending.hold_minutes": errors.HOLD_LENGTH,
    "settlement.monthly_day": errors.SETTLEMENT_DAY,
    "rebate.bands.rate_bps": errors.REBATE_RATE,
}
"""Terms whose limits have a reason worth saying; the others share one sentence."""

_CYCLE_TERMS: dict[str, str] = {
    "t_plus": "days",
    "d_plus": "days",
    "weekly": "weekday",
    "monthly": "monthly_day",
}
"""The one term that says when each cycle pays."""


def impossible(terms: ProgramTerms) -> Iterator[Refusal]:
    """Every promise that cannot be kept: limits of single terms first, then terms that contradict each other."""
    for entry in entries(terms):
        yield from _limits(entry)
    yield from _offers(terms)
    yield from _bands(terms.rebate)
    yield from _rebate_fits(terms)
    yield from _acceptance(terms)
    yield from _cycle(terms.settlement)
    yield from unsettleable(terms)
    yield from _custody(terms.custody)
    yield from ungivable(terms)


def _limits(entry: Entry) -> Iterator[Refusal]:
    """A number or length outside its limits, a text outside its form."""
    meaning, value = entry.meaning, entry.value
    size = value if isinstance(value, int) else len(value) if isinstance(value, str | tuple) else None
    low, high = meaning.low, meaning.high
    if (
        size is not None
        and size != meaning.unused
        and low is not None
        and high is not None
        and not low <= size <= high
    ):
        code = _RANGE_CODES.get(entry.term, errors.TERM_RANGE)
        facts: dict[str, Fact] = {"term": entry.path, "value": size, "low": low, "high": high, "unit": meaning.unit}
        yield Refusal(code, facts)
    texts = [value] if isinstance(value, str) else value if isinstance(value, tuple) else []
    for position, text in enumerate(texts):
        form = _form(meaning, text) if isinstance(text, str) else ""
        if form or text in texts[:position]:
            shown = ascii(str(text)[:40])
            yield Refusal(errors.TERM_MALFORMED, {"term": entry.path, "value": shown, "form": form or "each once"})


def _form(meaning: Meaning, text: str) -> str:
    """The form that a text has not; empty when it has it."""
    if meaning.pattern and not re.fullmatch(meaning.pattern, text):
        return "a-z 0-9 - _" if meaning.pattern == CODE else meaning.unit
    if meaning.unit == "text" and (not text.isprintable() or text != text.strip()):
        return "printable, no outer spaces"
    return meaning.unit if meaning.pattern == DAY and not _is_day(text) else ""


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _offers(terms: ProgramTerms) -> Iterator[Refusal]:
    """Each offer fits on a card, costs at most its face, and is the only one with that face; a card needs one."""
    if not terms.presale.offers and terms.program.legal_class not in WITHOUT_PRINCIPAL:
        yield Refusal(errors.OFFERS_MISSING, {"legal_class": terms.program.legal_class})
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


def _acceptance(terms: ProgramTerms) -> Iterator[Refusal]:
    """Each platform stands once."""
    seen: set[str] = set()
    for position, one in enumerate(terms.acceptance, start=1):
        if one.platform in seen:
            yield Refusal(
                errors.PLATFORM_REPEATED, {"term": f"acceptance[{position}]", "platform": one.platform[:40]}
            )
        seen.add(one.platform)


def _cycle(settlement: Settlement) -> Iterator[Refusal]:
    """The cycle has the term that says when it pays, and no other."""
    wanted = _CYCLE_TERMS[settlement.cycle]
    for name in sorted({*_CYCLE_TERMS.values()}):
        given = getattr(settlement, name)
        facts: dict[str, Fact] = {"term": f"settlement.{name}", "cycle": settlement.cycle}
        if name == wanted and given == UNUSED:
            yield Refusal(errors.CYCLE_INCOMPLETE, facts)
        if name != wanted and given != UNUSED:
            yield Refusal(errors.CYCLE_TERM_UNUSED, {**facts, "value": given})


def _custody(custody: Custody) -> Iterator[Refusal]:
    """A bank has an account, and what is kept needs both; what only top-ups know stands with them; days in order."""
    needs = custody.rules or custody.guarantees or custody.release != "never"
    if bool(custody.bank) != custody.kept or (needs and not custody.kept):
        yield Refusal(errors.CUSTODY_INCOMPLETE)
    for position, rule in enumerate(custody.rules, start=1):
        for name in ("period_days", "less_redeemed"):
            if rule.base != "top_ups" and getattr(rule, name):
                facts: dict[str, Fact] = {"term": f"custody.rules[{position}].{name}", "base": rule.base}
                yield Refusal(errors.CUSTODY_TERM_UNUSED, facts)
    for position, one in enumerate(custody.guarantees, start=1):
        if one.valid_until < one.valid_from:
            facts = {"valid_from": one.valid_from, "valid_until": one.valid_until}
            yield Refusal(errors.GUARANTEE_DATES, {"term": f"custody.guarantees[{position}]", **facts})
