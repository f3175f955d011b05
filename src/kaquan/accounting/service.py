"""Accounting for everybody else: closing days, one book's trial balance, vouchers, invoices, files."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from kaquan.accounting import books, mapping, owners, rules, store
from kaquan.accounting import export as exporting
from kaquan.accounting.errors import MAPPING_WRONG
from kaquan.accounting.model import CloseDays, CloseFacts
from kaquan.commands.handler import Handler
from kaquan.commands.model import Entry, Kind, Plan, Routed
from kaquan.kernel.calendar import business_date
from kaquan.kernel.caller import Caller
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Catalogue

Asked = books.Asked
Book = books.Book
Exported = exporting.Exported
FORMS = exporting.FORMS
TitleMap = mapping.TitleMap
Wish = exporting.Wish
book_invoices = exporting.book_invoices
book_vouchers = exporting.book_vouchers
export = exporting.export
latest_closed = store.latest_closed
opened = books.opened
ties = books.ties


class CloseDaysHandler(Handler):
    """Close days."""

    def __init__(self) -> None:
        super().__init__(Kind.CLOSE_DAYS)

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> CloseFacts:
        """The last closed day and the horizon. There is nothing to lock: days are only added."""
        return store.load_closing(cursor, entries)

    def decide(self, entry: Entry, facts: CloseFacts, at: datetime) -> Plan | Refusal:
        """See `accounting.rules`."""
        return rules.decide_close(entry, facts, at)


def handlers() -> dict[Kind, Handler]:
    """The handler of each kind of command here."""
    return {Kind.CLOSE_DAYS: CloseDaysHandler()}


def close_command(caller: Caller, key: str, through: date | None, at: datetime) -> CloseDays:
    """The command that closes the books through a day, yesterday when none is said."""
    return CloseDays(key=key, caller=caller, through=through or business_date(at) - timedelta(days=1))


def titles_in(catalogue: Catalogue, titles: TitleMap, book: str) -> list[dict[str, Any]] | Refusal:
    """Every account of our chart with its title in a book that is known, and by which standard."""
    kind = owners.kind_of(book, catalogue, titles)
    return kind if isinstance(kind, Refusal) else mapping.as_rows(titles, book, kind)


def read_titles(path: Path | None) -> TitleMap | Refusal:
    """The shipped titles, under those of an operator's file."""
    if path is None:
        return mapping.read_mapping(None)
    try:
        return mapping.read_mapping(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as problem:
        return Refusal(MAPPING_WRONG, {"problem": f"{path.name}: {problem}"})
