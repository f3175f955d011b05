"""The teller's words about accounting: `关账 close-books 2025-05-21`, `凭证 vouchers 2025-05-21 pay`.

What is read is told as the answer of a command would be; a refusal ends it as one.
"""

from datetime import date
from typing import Any

import msgspec

from kaquan.accounting import service
from kaquan.accounting.mapping import read_mapping
from kaquan.accounting.model import CloseDays, Line
from kaquan.accounting.service import Asked, Book, TitleMap
from kaquan.commands.model import Effect, Kind, Refused
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import CHART
from support.words import Words

NOBODY = Id(bytes(16))


class AccountingWords(Words):
    """What the teller says of closed days and of books over them."""

    def _close_books(self, told: dict[str, str], through: str) -> Any:
        return self._do(Kind.CLOSE_DAYS, CloseDays, told, through=date.fromisoformat(through))

    def _vouchers(self, told: dict[str, str], day: str, movement: str = "", *titles: str) -> Any:
        """What the vouchers of a day say, of one movement: each line with its title, debits first."""

        def entries(book: Book) -> dict[str, Any]:
            found = service.book_vouchers(self.town.app.connection, book, full=False)
            chosen = [one for one in found if movement in ("", one.movement)]
            return {"entry": " ".join(_told(line) for one in chosen for line in one.lines)}

        return self._read(told, day, day, titles, entries)

    def _trial(self, told: dict[str, str], since: str, until: str, *titles: str) -> Any:
        """What a trial balance comes to, and whether it agrees with the ledger."""

        def totals(book: Book) -> dict[str, Any]:
            sums = book.trial.totals(memo=False)
            tied = all(one.holds for one in service.ties(self.town.app.connection, book))
            return {"ties": tied, **{f"{name}_fen": amount for name, amount in sums.items()}}

        return self._read(told, since, until, titles, totals)

    def _read(self, told: dict[str, str], since: str, until: str, titles: tuple[str, ...], read: Any) -> Any:
        text = "\n".join(titles[0].split("; ")) if titles else None
        mapping = read_mapping(text and _toml(text))
        if isinstance(mapping, Refusal):
            return Refused(NOBODY, mapping)
        assert isinstance(mapping, TitleMap)
        days = date.fromisoformat(since), date.fromisoformat(until)
        app = self.town.app
        app.catalogue.refresh(app.connection, -1)
        with service.opened(
            app.connection, app.catalogue, Asked(told.get("in", self.town.issuer), *days, mapping)
        ) as book:
            if isinstance(book, Refusal):
                return Refused(NOBODY, book)
            return Effect(NOBODY, msgspec.json.encode(read(book)))


def _toml(text: str) -> str:
    """`title account=a code=b` as `[[title]]` with its lines; a name that is left out has a default."""
    lines = []
    for one in text.splitlines():
        table, *fields = one.split()
        given = dict(field.split("=") for field in fields)
        if table == "title":
            given = {"zh": "科目", "en": "Title", "cites": "-", "root": "assets", "code": "9999", **given}
        lines.append(f"[[{table}]]")
        lines += [f'{name} = "{value}"' for name, value in given.items()]
    return "\n".join(lines)


def _told(line: Line) -> str:
    assert line.account in {info.name for info in CHART.values()}
    side, amount = ("Dr", line.debit) if line.debit else ("Cr", line.credit)
    owner = f"/{line.owner}" if line.owner else ""
    return f"{side} {line.title.code}{owner} {amount / 100:.2f}"
