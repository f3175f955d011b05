"""A town that traded for two weeks, its books closed, exported and read again by beancount."""

from datetime import date
from pathlib import Path
from typing import Any

from beancount import loader
from beancount.core import data

from kaquan.accounting import service
from kaquan.accounting.mapping import read_mapping
from kaquan.accounting.model import CloseDays
from kaquan.accounting.service import Asked, Exported, TitleMap, Wish
from kaquan.commands.model import Effect, Kind
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.refusal import Refusal
from support.teller import Teller
from support.town import Town, build
from support.voucher_words import open_for, stock_told

FIRST, LAST = date(2025, 5, 20), date(2025, 6, 5)
STOCKS = ["off-10 face=10 min_order=100 count=20 by=city:40,bank:40,merchant:20"]
FUNDS = ["city 600", "bank 400 operating pledged"]
TOLD = (
    ("05-20 12:00", "sell A 500"),
    ("05-20 12:10", "claim v1 off-10"),
    ("05-20 12:20", "claim v2 off-10"),
    ("05-21 09:00", "top-up A 1000"),
    ("05-21 09:30", "pay A 200 with v1 order o-1"),
    ("05-21 09:31", "pay A 40 order o-2 at mall-2"),
    ("05-22 10:00", "refund o-1 amount 50"),
    ("05-22 11:00", "authorize A 80 order o-3"),
    ("05-22 11:20", "capture o-3 60"),
    ("05-23 10:00", "void-voucher v2"),
    ("05-23 23:30", "pay A 1000.01 order o-4 at mall-2"),
    ("06-05 09:00", "settle-up mall-1 2025-05-31"),
    ("06-05 09:01", "settle-up mall-2 2025-05-31"),
    ("06-05 10:00", "pay-out city 100"),
    ("06-06 08:00", "pay A 12.34 order o-5"),
)


def traded(url: str) -> Town:
    """A town in which all of `TOLD` happened; no day is closed."""
    town = build(url, more="".join(map(stock_told, STOCKS)))
    open_for(town, FUNDS, STOCKS)
    teller = Teller(town)
    for at, words in TOLD:
        teller.at(at)
        outcome = teller.say(words)
        assert isinstance(outcome, Effect), (words, outcome)
    return town


def closed(url: str) -> Town:
    """The same, its books closed through `LAST`."""
    town = traded(url)
    close(town, LAST)
    return town


def close(town: Town, through: date) -> Any:
    """Close the books through a day."""
    return town.app.one(Kind.CLOSE_DAYS, CloseDays(key=town.key(), caller=OPERATOR, through=through))


def titles(text: str | None = None) -> TitleMap:
    """The shipped titles, or with an operator's."""
    found = read_mapping(text)
    assert isinstance(found, TitleMap), found
    return found


def export(town: Town, folder: Path, form: Any = "beancount", **wishes: Any) -> Exported | Refusal:
    """One book's files."""
    asked = Asked(
        wishes.pop("book", town.issuer),
        wishes.pop("since", FIRST),
        wishes.pop("until", LAST),
        wishes.pop("mapping", None) or titles(),
    )
    folder.mkdir(exist_ok=True)
    wish = Wish(asked, form, wishes.pop("full", False), wishes.pop("language", "zh"), folder)
    town.app.catalogue.refresh(town.app.connection, -1)
    return service.export(town.app.connection, town.app.catalogue, wish, opens, **wishes)


def opens(path: Path) -> Any:
    """A file to write."""
    return path.open("w", encoding="utf-8", newline="")


def written(town: Town, folder: Path, form: Any = "beancount", **wishes: Any) -> list[Path]:
    """The files of an export that must not be refused."""
    made = export(town, folder, form, **wishes)
    assert isinstance(made, Exported), made
    return made.files


def checked(text: str) -> tuple[list[Any], list[str]]:
    """What `bean-check` does: the entries of a file, and what is wrong with it."""
    entries, errors, _ = loader.load_string(text)
    return entries, [error.message for error in errors]


def balances(entries: list[Any]) -> list[data.Balance]:
    """The assertions in a file."""
    return [entry for entry in entries if isinstance(entry, data.Balance)]
