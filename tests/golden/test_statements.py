"""What statements look like, by the text of their pages and the cells of their sheets; one record, the same bytes.

The records are those of `support.statement_records`. KAQUAN_KEEP_GOLDEN=1 writes what they look like now.
"""

import json
import os
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pypdf
import pytest

from kaquan.kernel.refusal import Language
from kaquan.reporting.layout import lay_out
from kaquan.reporting.model import FIRST, canonical, hashed
from kaquan.reporting.rendering import FORMS
from support.statement_records import RECORDS

FILE = Path(__file__).with_name("statements.json")
LANGUAGES: tuple[Language, ...] = ("zh", "en")
CASES = [(name, language) for name in RECORDS if name != "long" for language in LANGUAGES]


def rendered(name: str, language: Language, form: str) -> bytes:
    record = RECORDS[name]
    return FORMS[form](record, hashed(canonical(record)).hex(), language)


def pages(content: bytes) -> list[str]:
    """The text of each page, line by line as it is read."""
    return [page.extract_text() for page in pypdf.PdfReader(BytesIO(content)).pages]


def sheets(content: bytes) -> dict[str, list[list[Any]]]:
    """The cells of each sheet; formulas as they are written."""
    book = openpyxl.load_workbook(BytesIO(content))
    return {
        sheet.title: [
            [None if cell is None else str(cell) for cell in row] for row in sheet.iter_rows(values_only=True)
        ]
        for sheet in book.worksheets
    }


def looks(name: str, language: Language) -> dict[str, Any]:
    """What a person would read."""
    return {
        "pages": [page.splitlines() for page in pages(rendered(name, language, "pdf"))],
        "sheets": sheets(rendered(name, language, "xlsx")),
    }


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    if os.environ.get("KAQUAN_KEEP_GOLDEN"):
        kept = {f"{name}.{language}": looks(name, language) for name, language in CASES}
        FILE.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    found: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return found


@pytest.mark.parametrize(("name", "language"), CASES)
def test_statements_look_as_they_did(golden: dict[str, Any], name: str, language: Language) -> None:
    assert looks(name, language) == golden[f"{name}.{language}"]


@pytest.mark.parametrize("form", FORMS)
def test_the_same_record_gives_the_same_bytes(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the day and the place: nothing of the machine is in the file."""
    first = rendered("merchant", "zh", form)
    monkeypatch.setenv("TZ", "America/New_York")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    assert rendered("merchant", "zh", form) == first
    if form == "xlsx":
        created = openpyxl.load_workbook(BytesIO(first)).properties.created
        assert created is not None and created.isoformat() == "2025-07-02T01:00:00"


def test_a_long_statement_repeats_its_heads_and_numbers_its_pages() -> None:
    found = pages(rendered("long", "zh", "pdf"))
    assert len(found) >= 3
    for number, page in enumerate(found, 1):
        assert f"第 {number} 页，共 {len(found)} 页" in page
        assert "时间" in page or number == len(found), "the head of the table stands on every page that has rows"
    assert all(f"order-{number:06d}" in "".join(found).replace("\u200b", "") for number in range(120))


def test_every_font_is_ours() -> None:
    reader = pypdf.PdfReader(BytesIO(rendered("merchant", "zh", "pdf")))
    fonts = {
        str(font.get_object()["/BaseFont"]).partition("+")[2]
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert fonts and all(font.startswith("NotoSansSC") for font in fonts), fonts


def test_a_character_that_the_font_lacks_is_told() -> None:
    record = RECORDS["empty"] | {"party": RECORDS["empty"]["party"] | {"name": "店\U0002f800"}}
    (page,) = pages(FORMS["pdf"](record, hashed(canonical(record)).hex(), "zh"))
    assert "店〓" in page and "〓 代表字库中没有的字" in page


def test_totals_are_formulas_beside_the_figures_of_the_record() -> None:
    book = openpyxl.load_workbook(BytesIO(rendered("merchant", "en", "xlsx")))
    sheet = book["Settlements by period"]
    assert sheet["D3"].value == "=SUM(D2:D2)" and sheet["D4"].value == 174 and sheet.freeze_panes == "A2"
    assert sheet["D5"].value == '=IF(ROUND(D3-D4,2)=0,"yes","no")'
    assert sheet.print_title_rows == "$1:$1" and sheet["D2"].number_format.startswith("#,##0.00")
    assert lay_out(RECORDS["merchant"], FIRST.hex(), "en").parts[0].totals[-1] is None
