"""Answers and refusals as the outside sees them: public ids, instants in ISO 8601, words in one language."""

from collections.abc import Mapping
from typing import Any

from kaquan.kernel import clock, ids
from kaquan.kernel.refusal import Language, Refusal

PREFIXES = ids.PREFIXES


def shown(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer as the outside sees it: public ids, and instants in ISO 8601 (UTC)."""
    facts: dict[str, Any] = {}
    for name, given in answer.items():
        if name in PREFIXES and isinstance(given, str):
            facts[name] = ids.public(PREFIXES[name], bytes.fromhex(given))
        elif name.endswith("_us"):
            facts[f"{name.removesuffix('_us')}_at"] = instant(given)
        else:
            facts[name] = given
    return facts


def instant(at_us: int | None) -> str | None:
    """A stored instant in ISO 8601 (UTC); None for none."""
    return None if not at_us else clock.instant(at_us).isoformat().replace("+00:00", "Z")


def refusal_document(refusal: Refusal, language: Language) -> dict[str, Any]:
    """A refusal as JSON holds it."""
    return {
        "code": refusal.code.code,
        "message": refusal.message(language),
        "facts": dict(refusal.facts),
        "remedy": refusal.remedy(language),
        "article": refusal.facts.get(f"article_{language}"),
        "retryable": refusal.code.retryable,
    }
