"""The export as one Excel workbook: numbers are numbers, headings stay in sight, sums are formulas. Streamed."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_range

from kaquan.accounting.rows import Row
from kaquan.accounting.words import AMOUNTS, TOTAL
from kaquan.kernel.refusal import Language

ROWS_MAX = 1_000_000
"""Rows of a sheet, before the next one begins: a sheet holds 1,048,576."""
MADE = datetime(2000, 1, 1, tzinfo=UTC)
"""What the file says of its age: nothing, so that the same books give the same bytes."""

_WIDTH = {"title": 30, "title_zh": 30, "title_en": 34, "summary": 20, "why": 60, "cites": 50, "digest": 20}
_WIDTH_AMOUNT, _WIDTH_OTHER = 16, 14
Columns = Sequence[tuple[str, str, str]]


class Workbook:
    """A workbook that is written row by row. Use it as a context manager."""

    def __init__(self, path: Path, language: Language) -> None:
        self._language = language
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        self._book = xlsxwriter.Workbook(str(path), options)
        self._book.set_properties({"created": MADE.replace(tzinfo=None), "title": "Kaquan", "author": "Kaquan"})
        self._head = self._book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "bg_color": "#EFEFEF"})
        self._money = self._book.add_format({"num_format": "#,##0.00"})
        self._sum = self._book.add_format({"num_format": "#,##0.00", "bold": True, "top": 1})
        self._bold = self._book.add_format({"bold": True, "top": 1})

    def __enter__(self) -> "Workbook":
        return self

    def __exit__(self, *_: object) -> None:
        self._book.close()

    def facts(self, name: str, facts: Iterable[tuple[str, str]]) -> None:
        """A sheet of named facts."""
        sheet = self._book.add_worksheet(name)
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, 90)
        for number, (label, told) in enumerate(facts):
            sheet.write_string(number, 0, label, self._head)
            sheet.write_string(number, 1, told)

    def table(self, name: str, columns: Columns, rows: Iterable[Row], *, total: bool) -> int:
        """A sheet of rows, and more of them when one is full; gives how many rows."""
        sheet, at, count = self._sheet(name, columns, 1), 1, 0
        pages, sums = 1, dict.fromkeys([one for one, _, _ in columns if one in AMOUNTS], 0)
        for row in rows:
            if at > ROWS_MAX:
                self._total(sheet, columns, at, sums, total)
                pages, at = pages + 1, 1
                sums = dict.fromkeys(sums, 0)
                sheet = self._sheet(name, columns, pages)
            for position, (key, _, _) in enumerate(columns):
                cell = row.get(key)
                if cell is None or cell == "":
                    continue
                if key in AMOUNTS:
                    sums[key] += cell
                    sheet.write_number(at, position, _yuan(cell), self._money)
                elif isinstance(cell, int):
                    sheet.write_number(at, position, cell)
                else:
                    sheet.write_string(at, position, str(cell))
            at, count = at + 1, count + 1
        self._total(sheet, columns, at, sums, total)
        return count

    def _sheet(self, name: str, columns: Columns, page: int) -> Any:
        sheet = self._book.add_worksheet(name if page == 1 else f"{name} {page}")
        sheet.freeze_panes(1, 0)
        for position, (key, zh, en) in enumerate(columns):
            sheet.set_column(position, position, _WIDTH.get(key, _WIDTH_AMOUNT if key in AMOUNTS else _WIDTH_OTHER))
            sheet.write_string(0, position, zh if self._language == "zh" else en, self._head)
        return sheet

    def _total(self, sheet: Any, columns: Columns, at: int, sums: dict[str, int], total: bool) -> None:
        """The last row of a sheet: each sum is a formula, with what it comes to beside it."""
        if not total:
            return
        sheet.write_string(at, 0, TOTAL[self._language], self._bold)
        for position, (key, _, _) in enumerate(columns):
            if key in sums and at > 1:
                formula = f"=SUM({xl_range(1, position, at - 1, position)})"
                sheet.write_formula(at, position, formula, self._sum, _yuan(sums[key]))


def _yuan(amount: int) -> Decimal:
    """An amount as a spreadsheet writes it. Below ten trillion yuan it is exact to the fen in a cell."""
    return Decimal(amount).scaleb(-2)
