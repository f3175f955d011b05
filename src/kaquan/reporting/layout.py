"""A record as people read it, in one language: what PDF and Excel both show. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from kaquan.kernel.clock import SHANGHAI
from kaquan.kernel.refusal import Language
from kaquan.reporting.sections import ADDED, MERCHANT
from kaquan.reporting.wording import (
    ACCOUNTS,
    COLUMNS,
    LINES,
    MOVEMENTS,
    PARTIES,
    SECTIONS,
    SOURCES,
    TITLES,
    account,
    word,
)

AMOUNTS = ADDED | {"balance", "times"}
COUNTS = frozenset({"count", "times"})
_BALANCES = frozenset({"opening_fen", "closing_fen", "ledger_fen"})
_ALWAYS = frozenset({"in_fen", "out_fen", "gross_fen", "paid_fen", "net_fen"}) | _BALANCES
"""Columns that are shown even when they hold nothing."""
_UNNAMED = {"program": ("（不分活动）", "(none)"), "stock": ("（其他）", "(other)")}
"""What stands where there is no code."""
_MAYBE = frozenset({"fen", "text", "day", "source"})


class Head(msgspec.Struct, frozen=True):
    """A column: what stands over it, and what it holds (see `sections.Column`)."""

    text: str
    kind: str
    key: str


class Part(msgspec.Struct, frozen=True):
    """A table. `totals` has None where nothing is added up, and is empty when the table is."""

    title: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[Any, ...], ...]
    totals: tuple[Any, ...]


class Laid(msgspec.Struct, frozen=True):
    """A statement laid out: its title, who and when, its parts, the chain."""

    language: Language
    title: str
    facts: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]
    digest: str
    previous: str
    number: int
    name: str
    made_at: datetime


def lay_out(record: Mapping[str, Any], digest: str, language: Language) -> Laid:
    """The record in a language. Columns that hold nothing at all are left out, codes become words."""
    party = record["party"]
    return Laid(
        language=language,
        title=word(TITLES, party["kind"], language),
        facts=tuple(_facts(record, language)),
        parts=tuple(_part(one, language) for one in record["sections"]),
        digest=digest,
        previous=record["previous"],
        number=record["number"],
        name=party["name"] or party["id"],
        made_at=datetime.fromisoformat(record["made_at"]),
    )


def _facts(record: Mapping[str, Any], language: Language) -> list[tuple[str, str]]:
    zh, party = language == "zh", record["party"]
    who = f"{party['name']}（{party['code']}）" if zh else f"{party['name']} ({party['code']})"
    found = [
        (word(PARTIES, party["kind"], language), who if party["code"] else party["id"]),
        ("所属机构" if zh else "Organisation", party["organisation"]),
        ("编号" if zh else "Id", party["id"] if party["code"] else ""),
        ("期间" if zh else "Period", f"{record['since']} {'至' if zh else 'to'} {record['until']}"),
        ("对账单号" if zh else "Statement no.", str(record["number"])),
        ("截止" if zh else "Cut", shown_instant(record["cut_at"])),
        ("出具时间" if zh else "Made", shown_instant(record["made_at"])),
        ("单位" if zh else "Unit", "人民币元" if zh else "yuan (CNY)"),
    ]
    return [(name, given) for name, given in found if given]


def _part(one: Mapping[str, Any], language: Language) -> Part:
    kept = [place for place, (key, kind) in enumerate(one["columns"]) if _shown(key, kind, place, one["rows"])]
    heads = tuple(
        Head(word(COLUMNS, key, language), kind, key) for key, kind in (one["columns"][place] for place in kept)
    )
    rows = tuple(
        tuple(_value(heads[spot], row[place], language) for spot, place in enumerate(kept)) for row in one["rows"]
    )
    totals = tuple(one["totals"][place] for place in kept) if one["rows"] else ()
    return Part(word(SECTIONS, one["name"], language), heads, rows, totals)


def _shown(key: str, kind: str, place: int, rows: Sequence[Sequence[Any]]) -> bool:
    if kind == "hidden":
        return False
    if kind not in _MAYBE or key in _ALWAYS or not rows:
        return True
    return any(row[place] for row in rows)


def _value(head: Head, given: Any, language: Language) -> Any:
    if given is None:
        return ""
    match head.kind:
        case "account":
            return account(given, language)
        case "movement":
            return word(MOVEMENTS, given, language)
        case "line":
            return word(LINES, given, language)
        case "source":
            return word(SOURCES, given, language) if given else ""
        case "instant":
            return shown_instant(given)
    if head.key in ("fund", "funded_by"):
        return _funder(given, language)
    if not given and head.key in _UNNAMED:
        return word(_UNNAMED, head.key, language)
    return given


def _funder(given: str, language: Language) -> str:
    """Who pays: a fund by its code, the merchant, the account of what no fund pays; nothing when nobody does."""
    if given == MERCHANT:
        return "商户自担" if language == "zh" else "the merchant itself"
    if given in ACCOUNTS:
        return account(given, language)
    return given


def shown_instant(text: str) -> str:
    """`2025-05-21 12:00:00`, in Shanghai."""
    return datetime.fromisoformat(text).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
