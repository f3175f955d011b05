"""The export of one book: as tables, as a workbook, or as a beancount file. Streamed, out of one snapshot.

The same closed days under the same titles give the same bytes, whenever they are exported.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, TextIO

import psycopg

from kaquan.accounting import store
from kaquan.accounting.beancount import write_beancount
from kaquan.accounting.books import Asked, Book, opened
from kaquan.accounting.invoices import Invoice, Invoicing
from kaquan.accounting.journal import Told, vouchers
from kaquan.accounting.mapping import as_rows
from kaquan.accounting.model import Voucher
from kaquan.accounting.rows import Row, invoice_row, trial_rows, voucher_rows
from kaquan.accounting.tables import write_table
from kaquan.accounting.words import INVOICE_COLUMNS, TITLE_COLUMNS, TRIAL_COLUMNS, VOUCHER_COLUMNS
from kaquan.accounting.workbook import Workbook
from kaquan.kernel.refusal import Language, Refusal
from kaquan.programs.catalogue import Catalogue

Form = Literal["csv", "xlsx", "beancount"]
FORMS: tuple[Form, ...] = ("csv", "xlsx", "beancount")
SHEETS = {
    "about": ("说明", "About"),
    "vouchers": ("记账凭证", "Vouchers"),
    "trial": ("科目余额表", "Trial balance"),
    "invoices": ("开票清单", "Invoices"),
    "titles": ("科目对照", "Titles"),
}
Opener = Callable[[Path], TextIO]


class Wish(NamedTuple):
    """What to export: `full` has a voucher per command instead of one per day and rule."""

    asked: Asked
    form: Form
    full: bool
    language: Language
    folder: Path


class Exported(NamedTuple):
    """The files that were written, with the number of vouchers."""

    files: list[Path]
    vouchers: int


def export(
    connection: psycopg.Connection[Any],
    catalogue: Catalogue,
    wish: Wish,
    open_file: Opener,
    progress: Callable[[int], None] | None = None,
) -> Exported | Refusal:
    """Write a book's files into a folder. A refusal comes before anything is written.

    `open_file` opens a path for text; `progress` is told how many days are done.
    """
    with opened(connection, catalogue, wish.asked) as book:
        if isinstance(book, Refusal):
            return book
        writer = _Export(connection, catalogue, book, wish, progress)
        return getattr(writer, wish.form)(open_file)  # type: ignore[no-any-return]


def book_vouchers(
    connection: psycopg.Connection[Any],
    book: Book,
    *,
    full: bool,
    progress: Callable[[int], None] | None = None,
) -> Iterator[Voucher]:
    """The vouchers of a book that is open."""
    references = None if full else store.references(connection, book.number, book.period)
    rows = store.journal(connection, book.number, book.period, full=full)
    return vouchers(rows, Told(book.period, book.titles, book.programs, references), progress)


def book_invoices(connection: psycopg.Connection[Any], catalogue: Catalogue, book: Book) -> Iterator[Invoice]:
    """The list of invoices of a book that is open."""
    invoicing = Invoicing(book.mapping.invoices, book.code, catalogue)
    rows = store.invoices(connection, book.number, book.period, invoicing.pairs())
    return invoicing.listed(rows, book.period)


class _Export:
    """One export at work."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        catalogue: Catalogue,
        book: Book,
        wish: Wish,
        progress: Callable[[int], None] | None,
    ) -> None:
        self._connection = connection
        self._catalogue = catalogue
        self._book = book
        self._wish = wish
        self._progress = progress
        self._count = 0

    def csv(self, open_file: Opener) -> Exported:
        """Four tables."""
        parts = (
            ("vouchers", VOUCHER_COLUMNS, self._voucher_rows(), True),
            ("trial-balance", TRIAL_COLUMNS, trial_rows(self._book.trial, self._wish.language), False),
            ("invoices", INVOICE_COLUMNS, self._invoice_rows(), False),
            ("titles", TITLE_COLUMNS, iter(self._titles()), False),
        )
        files = []
        for name, columns, rows, total in parts:
            path = self._path(name, "csv")
            with open_file(path) as out:
                write_table(out, columns, rows, self._wish.language, total=total)
            files.append(path)
        return Exported(files, self._count)

    def xlsx(self, open_file: Opener) -> Exported:
        """One workbook of five sheets."""
        path, language = self._path("books", "xlsx"), self._wish.language
        open_file(path).close()
        with Workbook(path, language) as workbook:
            workbook.facts(self._sheet("about"), self._about())
            workbook.table(self._sheet("vouchers"), VOUCHER_COLUMNS, self._voucher_rows(), total=True)
            rows = trial_rows(self._book.trial, language)
            workbook.table(self._sheet("trial"), TRIAL_COLUMNS, rows, total=False)
            workbook.table(self._sheet("invoices"), INVOICE_COLUMNS, self._invoice_rows(), total=False)
            workbook.table(self._sheet("titles"), TITLE_COLUMNS, self._titles(), total=False)
        return Exported([path], self._count)

    def beancount(self, open_file: Opener) -> Exported:
        """One file."""
        path = self._path("books", "beancount")
        figures = store.figures(self._connection, self._book.number, self._book.period)
        with open_file(path) as out:
            count = write_beancount(out, self._book, self._vouchers(), figures, self._wish.language)
        return Exported([path], count)

    def _path(self, name: str, suffix: str) -> Path:
        days = self._book.period
        return self._wish.folder / f"{self._book.code}-{days.since}-{days.until}-{name}.{suffix}"

    def _sheet(self, name: str) -> str:
        return SHEETS[name][self._wish.language != "zh"]

    def _vouchers(self) -> Iterator[Voucher]:
        return book_vouchers(self._connection, self._book, full=self._wish.full, progress=self._progress)

    def _voucher_rows(self) -> Iterator[Row]:
        for voucher in self._vouchers():
            self._count += 1
            yield from voucher_rows(voucher, self._wish.language)

    def _invoice_rows(self) -> Iterator[Row]:
        for one in book_invoices(self._connection, self._catalogue, self._book):
            yield invoice_row(one, self._wish.language)

    def _titles(self) -> list[Row]:
        return as_rows(self._book.mapping, self._book.code, self._book.titles.kind)

    def _about(self) -> list[tuple[str, str]]:
        days, zh = self._book.period, self._wish.language == "zh"
        last = days.cuts[-1]
        return [
            ("账簿" if zh else "Book", self._book.code),
            ("主体类别" if zh else "Kind of entity", self._book.titles.kind.value),
            ("期间" if zh else "Period", f"{days.since} – {days.until}"),
            ("币种" if zh else "Currency", "CNY"),
            ("关账切点" if zh else "Closing cut", f"{last.cut_us} µs, transaction {last.cut_xid}"),
            ("科目对照指纹" if zh else "Titles (SHA-256)", self._book.mapping.digest),
        ]
