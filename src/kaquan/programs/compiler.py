"""From the text of a program to terms that can be kept: parse, then refuse what is impossible or unlawful."""

from collections.abc import Iterator

from kaquan.kernel.refusal import Fact, Refusal
from kaquan.law.model import LawPack, LawPackMissing, load_pack, pack_ids
from kaquan.programs import errors, source
from kaquan.programs.meaning import entries
from kaquan.programs.promises import impossible
from kaquan.programs.terms import ProgramTerms


def parse_program(text: str) -> ProgramTerms | list[Refusal]:
    """The terms that a TOML text writes down, or every fault of form with its line. Limits are not judged here."""
    return source.decode(text)


def compile_program(text: str) -> tuple[ProgramTerms, LawPack] | list[Refusal]:
    """Terms that passed everything and the law pack that judged them, or all refusals."""
    terms = parse_program(text)
    if isinstance(terms, list):
        return terms
    pack = pack_of(terms)
    refusals = validate(terms, pack)
    return refusals if refusals or pack is None else (terms, pack)


def pack_of(terms: ProgramTerms) -> LawPack | None:
    """The law pack that the terms name, none when there is no such pack (`validate` says so)."""
    try:
        return load_pack(terms.program.law_pack)
    except LawPackMissing:
        return None


def validate(terms: ProgramTerms, pack: LawPack | None) -> list[Refusal]:
    """Every promise that cannot be kept or that the law forbids, all at once; empty when the terms may stand.

    `pack` is the pack that the terms name (`pack_of`); with none, or another, the law stays unjudged and that is
    itself refused.
    """
    refusals = list(impossible(terms))
    if pack is None or pack.id != terms.program.law_pack:
        facts = {"law_pack": terms.program.law_pack[:40], "known": ", ".join(pack_ids())}
        return [*refusals, Refusal(errors.LAW_PACK_UNKNOWN, facts)]
    return [*refusals, *_card_law(terms, pack), *_promise_law(terms, pack)]


def validate_change(old: ProgramTerms, new: ProgramTerms, pack: LawPack | None) -> list[Refusal]:
    """What speaks against `new` as the next version of `old`: all of `validate`, and fixed terms that differ."""
    after = {entry.path: entry.value for entry in entries(new)}
    fixed = [
        Refusal(
            errors.TERM_FIXED,
            {"term": entry.path, "before": _word(entry.value), "after": _word(after[entry.path])},
        )
        for entry in entries(old)
        if entry.meaning.fixed and after[entry.path] != entry.value
    ]
    return fixed + validate(new, pack)


def _card_law(terms: ProgramTerms, pack: LawPack) -> Iterator[Refusal]:
    """The law on what a card may hold and for how long."""
    card = terms.card
    if card.registered:
        code, limit = errors.REGISTERED_BALANCE_ABOVE_LAW, pack.registered_balance_max_fen
    else:
        code, limit = errors.BEARER_BALANCE_ABOVE_LAW, pack.bearer_balance_max_fen
    if card.balance_max_fen > limit.value:
        facts: dict[str, Fact] = {"balance_max_fen": card.balance_max_fen, "law_max_fen": limit.value}
        yield Refusal(code, {**facts, **pack.facts(limit)})
    days = card.principal_valid_days
    if card.registered and days != pack.registered_valid_days.value:
        article = pack.registered_valid_days
        yield Refusal(errors.PRINCIPAL_EXPIRES, {"valid_days": days, **pack.facts(article)})
    shortest = pack.bearer_valid_days_min
    if not card.registered and 0 < days < shortest.value:
        facts = {"valid_days": days, "law_days": shortest.value}
        yield Refusal(errors.PRINCIPAL_EXPIRES_EARLY, {**facts, **pack.facts(shortest)})


def _promise_law(terms: ProgramTerms, pack: LawPack) -> Iterator[Refusal]:
    """The law on withdrawing from a purchase and on what is granted."""
    cooling, shortest = terms.presale.cooling_off_days, pack.cooling_off_days_min
    if cooling < shortest.value:
        facts: dict[str, Fact] = {"cooling_off_days": cooling, "law_days": shortest.value}
        yield Refusal(errors.COOLING_OFF_TOO_SHORT, {**facts, **pack.facts(shortest)})
    valid, longest = terms.rebate.valid_days, pack.bonus_valid_days_max
    if valid > longest.value:
        facts = {"valid_days": valid, "law_days": longest.value}
        yield Refusal(errors.BONUS_VALID_TOO_LONG, {**facts, **pack.facts(longest)})


def _word(value: object) -> Fact:
    """A term as a fact: numbers stay numbers, yes and no are written as in the file."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, int) else str(value)
