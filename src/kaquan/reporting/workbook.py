"""A statement as an Excel workbook: real numbers, totals as formulas beside the ledger's figures, ready to print.

The same record gives the same bytes: the only instant in the file is that of the statement.
"""

from datetime import UTC, date
from decimal import Decimal
from io import BytesIO
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from kaquan.reporting.layout import AMOUNTS, COUNTS, Head, Laid, Part
from kaquan.reporting.pdf import words

MONEY_FORMAT = "#,##0.00;[Red]-#,##0.00;0.00"
SHEET_NAME_MAX = 31  # Excel's own limit
_WIDTHS = {
    "fen": 14,
    "balance": 14,
    "count": 9,
    "times": 9,
    "day": 12,
    "instant": 20,
    "account": 20,
    "movement": 16,
    "text": 18,
}
_A4 = 9
_MARGINS_INCHES = tuple(map(Decimal, ("0.5", "0.5", "0.6", "0.7")))  # left, right, top, bottom


class _Formats:
    """The looks of cells."""

    def __init__(self, book: xlsxwriter.Workbook, zh: bool) -> None:
        font = {"font_name": "Microsoft YaHei" if zh else "Calibri", "font_size": 10, "valign": "top"}

        def made(**more: Any) -> Format:
            return book.add_format({**font, **more})

        self.plain = made()
        self.wrapped = made(text_wrap=True)
        self.title = made(bold=True, font_size=16)
        self.label = made(font_color="#444444")
        self.head = made(bold=True, text_wrap=True, top=2, bottom=1, bg_color="#F2F2F2")
        self.head_right = made(bold=True, text_wrap=True, top=2, bottom=1, bg_color="#F2F2F2", align="right")
        self.money = made(num_format=MONEY_FORMAT)
        self.count = made(num_format="#,##0")
        self.day = made(num_format="yyyy-mm-dd", align="left")
        self.total = made(bold=True, top=1, bottom=2)
        self.total_money = made(bold=True, top=1, bottom=2, num_format=MONEY_FORMAT)
        self.total_count = made(bold=True, top=1, bottom=2, num_format="#,##0")
        self.ledger_label = made(italic=True)
        self.ledger_money = made(italic=True, num_format=MONEY_FORMAT)
        self.ledger_count = made(italic=True, num_format="#,##0")


def workbook(laid: Laid) -> bytes:
    """The file: a cover, then a sheet for each part."""
    target, zh = BytesIO(), laid.language == "zh"
    book = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties(
        {"title": f"{laid.title} {laid.name}", "author": "Kaquan", "created": laid.made_at.astimezone(UTC)}
    )
    book.set_calc_mode("auto")
    formats = _Formats(book, zh)
    _cover(book.add_worksheet("封面" if zh else "Cover"), laid, formats)
    taken: set[str] = set()
    for part in laid.parts:
        _sheet(book.add_worksheet(_sheet_name(part.title, taken)), part, laid, formats)
    book.close()
    return target.getvalue()


def _sheet_name(title: str, taken: set[str]) -> str:
    """What Excel takes as the name of a sheet: short, without some characters, no two alike."""
    name = "".join(" " if letter in "[]:*?/\\'：" else letter for letter in title)[:SHEET_NAME_MAX].strip()
    while name.lower() in taken:
        name = f"{name[: SHEET_NAME_MAX - 2]} 2"
    taken.add(name.lower())
    return name


def _cover(sheet: Worksheet, laid: Laid, formats: _Formats) -> None:
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 78)
    sheet.write_string(0, 0, laid.title, formats.title)
    row = 2
    for name, given in laid.facts:
        sheet.write_string(row, 0, name, formats.label)
        sheet.write_string(row, 1, given, formats.plain)
        row += 1
    chain = words(laid)["chain"]
    sheet.write_string(row + 1, 0, chain["title"], formats.total)
    for name, given in ((chain["rows"][0][0], laid.digest), (chain["rows"][1][0], laid.previous)):
        row += 1
        sheet.write_string(row + 1, 0, name, formats.label)
        sheet.write_string(row + 1, 1, given, formats.plain)
    sheet.write_string(row + 2, 1, chain["how"], formats.wrapped)
    sheet.set_row(row + 2, 64)
    _printed(sheet, laid)


def _sheet(sheet: Worksheet, part: Part, laid: Laid, formats: _Formats) -> None:
    for place, head in enumerate(part.heads):
        sheet.set_column(place, place, _WIDTHS.get(head.kind, 16))
        sheet.write_string(0, place, head.text, formats.head_right if head.kind in AMOUNTS else formats.head)
    for number, row in enumerate(part.rows, 1):
        for place, (head, given) in enumerate(zip(part.heads, row, strict=True)):
            _write(sheet, (number, place), head, given, formats)
    if not part.rows:
        sheet.write_string(1, 0, words(laid)["none"], formats.plain)
    elif any(one is not None for one in part.totals):
        _totals(sheet, part, laid.language == "zh", formats)
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    _printed(sheet, laid)
    if part.heads and sum(_WIDTHS.get(head.kind, 16) for head in part.heads) > 90:
        sheet.set_landscape()


def _write(sheet: Worksheet, at: tuple[int, int], head: Head, given: Any, formats: _Formats) -> None:
    if head.kind in COUNTS:
        sheet.write_number(*at, given, formats.count)
    elif head.kind in AMOUNTS:
        sheet.write_number(*at, yuan(given), formats.money)
    elif head.kind == "day" and given:
        sheet.write_datetime(*at, date.fromisoformat(given), formats.day)
    else:
        sheet.write_string(*at, str(given), formats.plain)


def _totals(sheet: Worksheet, part: Part, zh: bool, formats: _Formats) -> None:
    """The sum as a formula, the statement's own figure below it, and whether the two agree."""
    last = len(part.rows)
    labels = ("合计（公式）", "账本", "相符") if zh else ("Total (formula)", "By the ledger", "Agree")
    sheet.write_string(last + 1, 0, labels[0], formats.total)
    sheet.write_string(last + 2, 0, labels[1], formats.ledger_label)
    sheet.write_string(last + 3, 0, labels[2], formats.ledger_label)
    yes, no = ("是", "否") if zh else ("yes", "no")
    for place, (head, given) in enumerate(zip(part.heads, part.totals, strict=True)):
        if given is None:
            if place:
                sheet.write_blank(last + 1, place, None, formats.total)
            continue
        money = head.kind not in COUNTS
        value = yuan(given) if money else given
        first_cell, last_cell = xl_rowcol_to_cell(1, place), xl_rowcol_to_cell(last, place)
        look, plain = (
            (formats.total_money, formats.ledger_money) if money else (formats.total_count, formats.ledger_count)
        )
        sheet.write_formula(last + 1, place, f"=SUM({first_cell}:{last_cell})", look, value)
        sheet.write_number(last + 2, place, value, plain)
        total, ledger = xl_rowcol_to_cell(last + 1, place), xl_rowcol_to_cell(last + 2, place)
        agree = f'=IF(ROUND({total}-{ledger},2)=0,"{yes}","{no}")'
        sheet.write_formula(last + 3, place, agree, formats.ledger_label, yes)


def yuan(fen: int) -> Decimal:
    """Fen as the number of yuan that a cell holds."""
    return Decimal(fen).scaleb(-2)


def _printed(sheet: Worksheet, laid: Laid) -> None:
    sheet.set_paper(_A4)
    sheet.set_margins(*_MARGINS_INCHES)
    sheet.fit_to_pages(1, 0)
    zh = laid.language == "zh"
    page = "第 &P 页，共 &N 页" if zh else "Page &P of &N"
    name = laid.name.replace("&", "&&")
    sheet.set_header(f"&L{laid.title} {name}&R{words(laid)['number_words']}")
    sheet.set_footer(f"&L{words(laid)['hash_word']} {laid.digest[:12]}&R{page}")
