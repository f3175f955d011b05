"""From the text of a program to terms that can be kept: parse, then refuse what is impossible or unlawful.

`day` is always the Shanghai date on which the terms are to begin: law is dated.
"""

from datetime import date

from kaquan.kernel.refusal import Fact, Refusal
from kaquan.law.model import Law, law_on
from kaquan.programs import errors, source
from kaquan.programs.changes import diff, meaning_of
from kaquan.programs.lawful import packs_in_force, unlawful
from kaquan.programs.promises import impossible
from kaquan.programs.terms import ProgramTerms


def parse_program(text: str) -> ProgramTerms | list[Refusal]:
    """The terms that a TOML text writes down, or every fault of form with its line. Limits are not judged here."""
    return source.decode(text)


def compile_program(text: str, day: date) -> tuple[ProgramTerms, Law] | list[Refusal]:
    """Terms that passed everything and the law that judged them, or all refusals."""
    terms = parse_program(text)
    if isinstance(terms, list):
        return terms
    return validate(terms, day) or (terms, law_on(terms.program.law_packs, day))


def validate(terms: ProgramTerms, day: date) -> list[Refusal]:
    """Every promise that cannot be kept or that the law forbids, all at once; empty when the terms may stand.

    With a pack that does not exist or is not in force the law stays unjudged, and that is itself refused.
    """
    refusals = list(impossible(terms))
    if packs := list(packs_in_force(terms, day)):
        return refusals + packs
    return [*refusals, *unlawful(terms, law_on(terms.program.law_packs, day), day)]


def validate_change(old: ProgramTerms, new: ProgramTerms, day: date) -> list[Refusal]:
    """What speaks against `new` as the next version of `old`: all of `validate`, and fixed terms that differ."""
    fixed = [
        Refusal(
            errors.TERM_FIXED, {"term": change.field, "before": _word(change.before), "after": _word(change.after)}
        )
        for change in diff(old, new)
        if change.before is not None and change.after is not None and meaning_of(change).fixed
    ]
    return fixed + validate(new, day)


def _word(value: object) -> Fact:
    """A term as a fact: numbers stay numbers, yes and no are written as in the file."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, int) else str(value)
