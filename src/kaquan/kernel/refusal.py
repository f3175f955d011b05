"""The two ways to say no.

A **refusal** is an expected no: a rule returns it, the door records it, the caller learns why and what to do.
A **fault** is ours (a bug, an outage): it is raised, logged, and never looks like a refusal.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

Fact = int | str
Language = Literal["zh", "en"]


CATALOGUE: dict[str, "RefusalCode"] = {}
"""Every refusal code of every capability that has been imported, by its code."""


class RefusalCode(msgspec.Struct, frozen=True):
    """One reason to refuse, declared once in a capability's `errors.py` with its words in both languages.

    `status` is the HTTP status outside. `retryable` says whether the same wish may succeed later *under a new
    id*. `zh` and `en` tell what happened, `remedy_*` the way out; both may name facts in braces. Facts whose
    name ends in `_fen` are shown in yuan. `article` names the law when a law said no. `burns` is false for
    the few answers that are not decisions (unknown object, try again): they leave no record and burn no id.
    Every code enters `CATALOGUE`, by which recorded refusals find their words again.
    """

    code: str
    status: int
    zh: str
    en: str
    remedy_zh: str
    remedy_en: str
    retryable: bool = False
    article: str = ""
    burns: bool = True

    def __post_init__(self) -> None:
        if CATALOGUE.setdefault(self.code, self) is not self:
            raise ValueError(f"refusal code declared twice: {self.code}")


class Refusal(msgspec.Struct, frozen=True):
    """A code with the facts of this case: numbers and ids, never personal data."""

    code: RefusalCode
    facts: Mapping[str, Fact] = {}

    def message(self, language: Language = "zh") -> str:
        """What happened, in words, with the facts filled in."""
        return _fill(self.code.zh if language == "zh" else self.code.en, self.facts)

    def remedy(self, language: Language = "zh") -> str:
        """The way out, in words."""
        return _fill(self.code.remedy_zh if language == "zh" else self.code.remedy_en, self.facts)


class Fault(Exception):
    """Our own failure. The message is for engineers and carries no personal data."""


def _fill(template: str, facts: Mapping[str, Fact]) -> str:
    shown = {name: _yuan(value) if name.endswith("_fen") else value for name, value in facts.items()}
    return template.format_map(shown)


def _yuan(value: Fact) -> str:
    sign = "-" if int(value) < 0 else ""
    whole, fen = divmod(abs(int(value)), 100)
    return f"{sign}{whole:,}.{fen:02d}"
