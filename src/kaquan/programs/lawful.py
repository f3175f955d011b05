"""What the law says to a program's terms: each check reads the terms and the law, and yields refusals with articles.

What the law is silent about limits nothing. Pure.
"""

from collections.abc import Iterator
from datetime import date

from kaquan.kernel.refusal import Fact, Refusal
from kaquan.law import errors as law_errors
from kaquan.law.model import Binding, Law, LawPackMissing, load_pack, pack_ids
from kaquan.law.rules import balance_max, voucher_valid_days_max
from kaquan.programs import errors
from kaquan.programs.leaving import DEFAULT_CLOSING
from kaquan.programs.terms import WITHOUT_PRINCIPAL, ProgramTerms

NATIONAL = "CN"
"""The jurisdiction of packs that bind everywhere."""

_SHOWN_MAX = 40


def packs_in_force(terms: ProgramTerms, day: date) -> Iterator[Refusal]:
    """Every pack that the terms name exists and is in force on `day`."""
    for pack_id in terms.program.law_packs:
        try:
            pack = load_pack(pack_id)
        except LawPackMissing:
            facts: dict[str, Fact] = {"law_pack": pack_id[:_SHOWN_MAX], "known": ", ".join(pack_ids())}
            yield Refusal(errors.LAW_PACK_UNKNOWN, facts)
            continue
        if not pack.in_force(day):
            spans = {"effective_from": str(pack.effective_from), "effective_to": str(pack.effective_to or "…")}
            yield Refusal(errors.LAW_PACK_NOT_IN_FORCE, {"law_pack": pack_id, "day": str(day), **spans})


def unlawful(terms: ProgramTerms, law: Law, day: date) -> Iterator[Refusal]:
    """Everything that the law of a day refuses in the terms, less what a recorded opinion allows."""
    yield from _packs_of_class(terms, law)
    yield from _packs_of_region(terms, law)
    yield from _opinions(terms, law)
    yield from _scope(terms, law)
    yield from _yield(terms, law, day)
    yield from _card(terms, law)
    yield from _promises(terms, law)
    yield from _leaving(terms, law)
    yield from _vouchers(terms, law)
    yield from _in_custody(terms, law)


def _packs_of_class(terms: ProgramTerms, law: Law) -> Iterator[Refusal]:
    """A class of program is judged by a pack that is written for it: naming another is no way around the law."""
    legal_class = terms.program.legal_class
    if not any(legal_class in pack.legal_classes for pack in law.packs):
        fitting = [pack_id for pack_id in pack_ids() if legal_class in load_pack(pack_id).legal_classes]
        facts = {"legal_class": legal_class, "known": ", ".join(fitting), "law_packs": ", ".join(_ids(law))}
        yield Refusal(errors.LAW_PACK_NOT_NAMED, facts)


def _packs_of_region(terms: ProgramTerms, law: Law) -> Iterator[Refusal]:
    """A program is judged by the law of its region, and by that of no other."""
    region = terms.program.region
    named = {pack.jurisdiction for pack in law.packs if pack.jurisdiction != NATIONAL}
    if named != ({region} if region else set()):
        wanted = [pack_id for pack_id in pack_ids() if region and load_pack(pack_id).jurisdiction == region]
        asked = {"region": region or "-", "wanted": ", ".join(wanted) or "-"}
        yield Refusal(errors.REGION_PACK, {**asked, "named": ", ".join(sorted(named)) or "-"})


def _ids(law: Law) -> list[str]:
    return [pack.id for pack in law.packs]


def _opinions(terms: ProgramTerms, law: Law) -> Iterator[Refusal]:
    """An opinion speaks of an article that is in force and leaves room for one."""
    for position, opinion in enumerate(terms.opinions, start=1):
        facts: dict[str, Fact] = {"term": f"opinions[{position}].rule", "rule": opinion.rule[:_SHOWN_MAX]}
        asked = law.find(opinion.rule)
        if asked is None:
            yield Refusal(errors.OPINION_ARTICLE_UNKNOWN, facts)
        elif not asked.article.opinion_allowed:
            yield Refusal(errors.OPINION_NOT_ADMITTED, {**facts, **asked.facts})


def _scope(terms: ProgramTerms, law: Law) -> Iterator[Refusal]:
    """Stored value that unrelated merchants accept is payment business, and needs a licence; vouchers hold none."""
    program = terms.program
    classed: dict[str, Fact] = {"legal_class": program.legal_class}
    if program.legal_class in WITHOUT_PRINCIPAL:
        if terms.presale.offers and (principal := _refused(law.principal_allowed)):
            facts: dict[str, Fact] = {**classed, "count": len(terms.presale.offers)}
            yield Refusal(law_errors.PRINCIPAL_REFUSED, {**facts, **principal.facts})
        return
    if program.archetype != "closed_loop" and (network := _refused(law.open_network_allowed)):
        facts = {**classed, "archetype": program.archetype}
        yield Refusal(law_errors.NETWORK_OPEN, {**facts, **network.facts})
    needed = law.licence_required
    if needed is not None and needed.value and not program.licence:
        yield Refusal(law_errors.LICENCE_MISSING, {**classed, **needed.facts})


def _yield(terms: ProgramTerms, law: Law, day: date) -> Iterator[Refusal]:
    """What is prepaid is converted 1 to 1 and earns nothing, unless an opinion allows it."""
    discount = _refused(law.discount_allowed)
    if discount and not _opined(terms, discount, day):
        for position, offer in enumerate(terms.presale.offers, start=1):
            if offer.paid_fen < offer.face_fen:
                facts: dict[str, Fact] = {"face_fen": offer.face_fen, "paid_fen": offer.paid_fen}
                term = {"term": f"presale.offers[{position}]"}
                yield Refusal(law_errors.DISCOUNT_REFUSED, {**term, **facts, **discount.facts})
    bonus = _refused(law.bonus_allowed)
    if bonus and not _opined(terms, bonus, day):
        for position, band in enumerate(terms.rebate.bands, start=1):
            if band.rate_bps > 0:
                yield Refusal(law_errors.BONUS_REFUSED, {"term": f"rebate.bands[{position}]", **bonus.facts})


def _refused(allowed: Binding | None) -> Binding | None:
    """The article when it says no."""
    return allowed if allowed is not None and not allowed.value else None


def _opined(terms: ProgramTerms, article: Binding, day: date) -> bool:
    """Whether an opinion that was given by `day` allows what the article refuses."""
    given = (opinion for opinion in terms.opinions if opinion.rule == article.article.id)
    return article.article.opinion_allowed and any(opinion.on <= day.isoformat() for opinion in given)


def _card(terms: ProgramTerms, law: Law) -> Iterator[Refusal]:
    """The law on what a card may hold and for how long."""
    card, limit = terms.card, balance_max(terms.card.registered, law)
    above = law_errors.REGISTERED_BALANCE_ABOVE_LAW if card.registered else law_errors.BEARER_BALANCE_ABOVE_LAW
    if limit is not None and card.balance_max_fen > limit.value:
        facts: dict[str, Fact] = {"balance_max_fen": card.balance_max_fen, "law_max_fen": limit.value}
        yield Refusal(above, {**facts, **limit.facts})
    days, forever, shortest = card.principal_valid_days, law.registered_valid_days, law.bearer_valid_days_min
    if card.registered and forever is not None and days != forever.value:
        yield Refusal(law_errors.PRINCIPAL_EXPIRES, {"valid_days": days, **forever.facts})
    if not card.registered and shortest is not None and 0 < days < shortest.value:
        facts = {"valid_days": days, "law_days": shortest.value}
        yield Refusal(law_errors.PRINCIPAL_EXPIRES_EARLY, {**facts, **shortest.facts})


def _promises(terms: ProgramTerms, law: Law) -> Iterator[Refusal]:
    """The law on withdrawing from a purchase and on what is granted."""
    cooling, shortest = terms.presale.cooling_off_days, law.cooling_off_days_min
    if shortest is not None and cooling < shortest.value:
        facts: dict[str, Fact] = {"cooling_off_days": cooling, "law_days": shortest.value}
        yield Refusal(law_errors.COOLING_OFF_TOO_SHORT, {**facts, **shortest.facts})
    # What comes back to a bonus that has expired is given anew, for as long as anything given may stay valid.
    valid, longest = max(terms.rebate.valid_days, terms.refund.expired_grant_days), law.bonus_valid_days_max
    if longest is not None and valid > longest.value:
        facts = {"valid_days": valid, "law_days": longest.value}
        yield Refusal(law_errors.BONUS_VALID_TOO_LONG, {**facts, **longest.facts})


def _leaving(terms: ProgramTerms, law: Law) -> Iterator[Refusal]:
    """The law on what returning a card, passing it on or making it valid again may cost, and how long it may take."""
    closing = terms.closing
    if closing == DEFAULT_CLOSING:  # what a file is silent about follows the law by itself
        return
    for term, value, most in (
        ("pay_days", closing.pay_days, law.closing_pay_days_max),
        ("fee_bps", closing.fee_bps, law.closing_fee_bps_max),
        ("transfer_fee_fen", closing.transfer_fee_fen, law.transfer_fee_max_fen),
        ("reactivation_fee_fen", closing.reactivation_fee_fen, law.reactivation_fee_max_fen),
    ):
        if most is not None and value > most.value:
            facts: dict[str, Fact] = {"term": f"closing.{term}", "value": value, "law_max": most.value}
            yield Refusal(errors.CLOSING_ABOVE_LAW, {**facts, **most.facts})


def _vouchers(terms: ProgramTerms, law: Law) -> Iterator[Refusal]:
    """The law on how long what is given stays valid, voucher by voucher."""
    longest = voucher_valid_days_max(law)
    for position, stock in enumerate(terms.stocks, start=1):
        if longest is not None and stock.valid_days > longest[0]:
            facts: dict[str, Fact] = {"term": f"stocks[{position}].valid_days", "valid_days": stock.valid_days}
            yield Refusal(law_errors.VOUCHER_VALID_TOO_LONG, {**facts, "law_days": longest[0], **longest[1].facts})


def _in_custody(terms: ProgramTerms, law: Law) -> Iterator[Refusal]:
    """Whether papers may stand for money in custody, and whether an alarm is enough when it is too little."""
    stop = law.custody_stop_required
    if terms.custody.kept and terms.custody.on_shortfall == "alarm" and stop is not None and stop.value:
        yield Refusal(errors.CUSTODY_STOP_NEEDED, stop.facts)
    offset = _refused(law.custody_offset_allowed)
    if terms.custody.guarantees and offset:
        yield Refusal(errors.GUARANTEE_REFUSED, {"count": len(terms.custody.guarantees), **offset.facts})
