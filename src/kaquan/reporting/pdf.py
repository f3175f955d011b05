"""A statement as PDF: the record laid out by Typst with the fonts that ship. The same record gives the same bytes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import typst

from kaquan.kernel.money import Money, text
from kaquan.reporting.layout import AMOUNTS, COUNTS, Head, Laid, Part
from kaquan.reporting.typefaces import FOLDER, MISSING, covered

TEMPLATE = Path(__file__).with_name("statement.typ")
WIDE_COLUMNS = 9  # what fits across an upright page at 8.5 points
SHORT = 12
TAGGED_ROWS_MAX = 1_000  # tags let screen readers read tables; of a long document they are fourteen parts in fifteen
_GROUP = 8
_BREAK_AFTER = 10  # letters of an order number or code after which a line may break


def pdf(laid: Laid) -> bytes:
    """The document."""
    return render(words(laid), "pdf")[0]


def _tagged(data: Mapping[str, Any]) -> bool:
    return sum(len(part["rows"]) for part in data["parts"]) <= TAGGED_ROWS_MAX


def pages(laid: Laid, ppi: int = 110) -> list[bytes]:
    """The pages as PNG, to be looked at."""
    return render(words(laid), "png", ppi)


def render(data: Mapping[str, Any], form: Literal["pdf", "png"], ppi: int | None = None) -> list[bytes]:
    """What Typst makes of the template: no font, package or file of the machine has a part in it."""
    found: Any = typst.compile(
        str(TEMPLATE),
        root=str(TEMPLATE.parent),
        font_paths=[str(FOLDER)],
        ignore_system_fonts=True,
        format=form,
        ppi=ppi,
        sys_inputs={"data": msgspec.json.encode(data).decode()},
        timestamp=None,
        pdf_tags=_tagged(data),
    )
    listed = found if isinstance(found, list) else [found]
    return [bytes(one) for one in listed if one is not None]


def words(laid: Laid) -> dict[str, Any]:
    """Everything the template shows, as text."""
    zh = laid.language == "zh"
    facts = dict(laid.facts)
    number = f"第 {laid.number} 号" if zh else f"No. {laid.number}"
    told = {
        "language": laid.language,
        "title": laid.title,
        "name": laid.name,
        "period": facts["期间" if zh else "Period"],
        "number_words": number,
        "facts": [list(pair) for pair in laid.facts],
        "flipped": any(len(part.heads) > WIDE_COLUMNS for part in laid.parts),
        "none": "本期没有记录。" if zh else "Nothing in this period.",
        "parts": [_part(part, zh) for part in laid.parts],
        "hash_word": "本单哈希" if zh else "Hash of this statement",
        "short": laid.digest[:SHORT],
        "chain": _chain(laid, zh),
    }
    shown = _covered(told)
    lacking = MISSING in str(shown) and shown != told
    note = (
        f"{MISSING} 代表字库中没有的字，原字见 Excel 和 JSON 文件。"
        if zh
        else f"{MISSING} stands for a character that the font lacks; the Excel and JSON files have it."
    )
    return {**shown, "missing": note if lacking else ""}


def _part(part: Part, zh: bool) -> dict[str, Any]:
    total = "合计" if zh else "Total"
    added = any(one is not None for one in part.totals)
    totals = [
        "" if given is None else cell(head, given, total=True)
        for head, given in zip(part.heads, part.totals, strict=bool(part.totals))
    ]
    if added and not totals[0]:
        totals[0] = total
    wide = {place for place, head in enumerate(part.heads) if head.kind in ("text", "account", "movement")}
    return {
        "title": part.title,
        "heads": [
            {"text": head.text, "kind": head.kind, "wide": place in (wide or {0})}
            for place, head in enumerate(part.heads)
        ],
        "rows": [[cell(head, given) for head, given in zip(part.heads, row, strict=True)] for row in part.rows],
        "totals": totals if added else [],
    }


def cell(head: Head, given: Any, *, total: bool = False) -> str:
    """A value as it is printed. Amounts of nothing are a dash, but in balances and totals."""
    if head.kind in COUNTS:
        return f"{given:,}" if given or total else "–"
    if head.kind in AMOUNTS:
        return "–" if not given and head.kind == "fen" and not total else text(Money(given))
    shown = str(given)
    return breakable(shown) if head.kind == "text" else shown


def breakable(given: str) -> str:
    """A long run of letters and digits may break anywhere after its tenth."""
    if len(given) <= _BREAK_AFTER or not given.isascii() or " " in given:
        return given
    return given[:_BREAK_AFTER] + "".join(f"\u200b{letter}" for letter in given[_BREAK_AFTER:])


def _chain(laid: Laid, zh: bool) -> dict[str, Any]:
    first = not laid.previous.strip("0")
    none = "无（第 1 号）" if zh else "none (No. 1)"
    names = ("本单哈希", "上一单哈希") if zh else ("Hash of this statement", "Hash of the one before")
    how = (
        "核对：取本单的 JSON 文件，对其中 record（键按字母序、无空格的 UTF-8 JSON）计算 SHA-256，应得到本单哈希；"
        "每一单都写有上一单的哈希，任何一单事后被改动，都会与下一单对不上。"
        "kaquan statements verify 可以一次核对整个文件夹。"
        if zh
        else "To check: take the JSON file of this statement and compute SHA-256 of its record (JSON in UTF-8, keys "
        "in order, no spaces); it gives the hash above. Each statement names the hash of the one before, so that "
        "none can be changed later unnoticed. kaquan statements verify checks a whole folder."
    )
    return {
        "title": "防篡改校验" if zh else "How to check that nothing was changed",
        "rows": [[names[0], _groups(laid.digest)], [names[1], none if first else _groups(laid.previous)]],
        "how": how,
    }


def _groups(digest: str) -> str:
    return " ".join(digest[place : place + _GROUP] for place in range(0, len(digest), _GROUP))


def _covered(given: Any) -> Any:
    if isinstance(given, str):
        return covered(given)
    if isinstance(given, list):
        return [_covered(one) for one in given]
    if isinstance(given, dict):
        return {name: _covered(one) for name, one in given.items()}
    return given
