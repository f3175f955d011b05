"""Texts of programs for tests: the preset `jingxika`, without its vouchers, with edits; judged on a day."""

from datetime import date

from kaquan.kernel.refusal import Refusal
from kaquan.programs import compiler, preset_files
from kaquan.programs.terms import ProgramTerms

PRESET = preset_files.text("jingxika").partition("\n[[stocks]]")[0] + "\n"
"""The preset without what it gives away: tests add what they need."""
DAY = date(2025, 5, 20)
"""The day on which texts are judged unless a test says another."""


def terms_of(text: str = PRESET) -> ProgramTerms:
    """The terms of a text that has no fault of form."""
    terms = compiler.parse_program(text)
    assert isinstance(terms, ProgramTerms)
    return terms


def judged(text: str) -> list[Refusal]:
    """Everything that a text is refused for on that day."""
    outcome = compiler.compile_program(text, DAY)
    return outcome if isinstance(outcome, list) else []


def edited(*edits: tuple[str, str]) -> str:
    """The preset with pieces of its text replaced, comments gone."""
    text = PRESET
    for instead_of, write in edits:
        assert instead_of in plain(text), f"the preset does not contain {instead_of!r}"
        text = plain(text).replace(instead_of, write, 1)
    return text


def plain(text: str) -> str:
    """Without comments, line by line, so that edits may span lines."""
    return "\n".join(line.partition("#")[0].rstrip() for line in text.splitlines())


def opinion(rule: str, on: str = "2025-05-20") -> tuple[str, str]:
    """The edit that records a legal opinion."""
    said = f'reference = "KQ-1"\nby = "A Law Firm"\non = "{on}"\nnote_zh = "可行"\nnote_en = "It may be done"'
    return ("[card]", f'[[opinions]]\nrule = "{rule}"\n{said}\n[card]')
