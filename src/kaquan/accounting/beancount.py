"""A book as a beancount file: vouchers as transactions, and each day's end as balances that must hold to the fen.

Transactions come from the journal, balances from the figures of each account: two ways through the same books, so
that `bean-check` notices a voucher that is missing, doubled or changed. Names of accounts are codes; what they are
called stands beside them.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import groupby
from typing import TextIO

from kaquan.accounting.books import Book
from kaquan.accounting.journal import summary
from kaquan.accounting.mapping import named
from kaquan.accounting.model import Figure, Root, Title, Voucher
from kaquan.accounting.words import plain
from kaquan.kernel.ids import public
from kaquan.kernel.refusal import Language

ROOTS = {
    Root.ASSETS: "Assets",
    Root.LIABILITIES: "Liabilities",
    Root.INCOME: "Income",
    Root.EXPENSES: "Expenses",
    Root.MEMO: "Equity",
}
"""What is kept beside the balance sheet stands under Equity: beancount has no place outside."""
EVERY_DAY = frozenset({*range(10, 20), 40, 41, 42, 45, 46, 47})
"""Banks, channels, what merchants and partners have coming: their balance is told each day, moved or not."""

_NOT_LEGAL = re.compile(r"[^A-Z0-9-]")
_DAY = timedelta(days=1)
_COLUMN = 60


def account(book: str, title: Title, owner: str) -> str:
    """`Liabilities:JINGXI:2202-01:MALL-1`: capitals, digits and hyphens. What has no owner is its own."""
    parts = (ROOTS[title.root], _component(book), _component(title.code), _component(owner) if owner else "0")
    return ":".join(parts)


def write_beancount(
    out: TextIO, book: Book, vouchers: Iterable[Voucher], figures: Iterable[Figure], language: Language
) -> int:
    """Write a book; gives the number of transactions. `figures` come day by day, as they are stored."""
    writer = _Writer(out, book, language)
    writer.opening()
    count, told = 0, writer.days(figures)
    out.writelines(next(told))
    by_day = groupby(vouchers, lambda one: one.day)
    today = next(by_day, None)
    for day in book.period.days:
        if today is not None and today[0] == day:
            for voucher in today[1]:
                writer.voucher(voucher)
                count += 1
            today = next(by_day, None)
        out.writelines(next(told))
    return count


class _Writer:
    """Writes the directives of one book."""

    def __init__(self, out: TextIO, book: Book, language: Language) -> None:
        self._out = out
        self._book = book
        self._language = language
        self._before = book.period.since - _DAY
        self._names: dict[tuple[Title, str], str] = {}

    def opening(self) -> None:
        """Options, accounts, and what each held before the first day."""
        book, write = self._book, self._out.write
        write(f'option "title" "{book.code} {book.period.since} .. {book.period.until}"\n')
        write('option "operating_currency" "CNY"\n\n')
        leaves: dict[str, int] = {}
        for row in book.trial.rows:
            name = self._name(row.title, row.owner)
            if name not in leaves:
                self._open(name, row.title, row.owner, row.account)
            leaves[name] = leaves.get(name, 0) + row.opening
        for root in ROOTS.values():
            write(f"{self._before} open {root}:{_component(book.code)} CNY\n")
        if any(leaves.values()):
            write(f'\n{self._before} * "{"期初余额" if self._language == "zh" else "Opening balances"}"\n')
            for name, amount in sorted(leaves.items()):
                if amount:
                    write(_posting(name, amount))
        write("\n")

    def _open(self, name: str, title: Title, owner: str, account_: str) -> None:
        zh, en = _text(named(title, "zh")), _text(named(title, "en"))
        self._out.write(
            f'{self._before} open {name} CNY\n  code: "{title.code}"\n  name: "{zh}"\n  english: "{en}"\n'
        )
        self._out.write(f'  account: "{account_}"\n')
        if owner:
            self._out.write(f'  owner: "{_text(owner)}"\n')

    def voucher(self, voucher: Voucher) -> None:
        """A voucher, linked to the command that it stands for when there is one."""
        write = self._out.write
        link = f" ^{public('trf', voucher.first)}" if voucher.transfers == 1 else ""
        told = _text(summary(voucher.movement, self._language))
        write(f'{voucher.day} * "{_text(voucher.program)}" "{told}"{link}\n')
        write(f'  voucher: "{voucher.number}"\n  movement: "{voucher.movement}"\n  commands: {voucher.transfers}\n')
        if voucher.transfers > 1:
            write(f'  first: "{public("trf", voucher.first)}"\n  last: "{public("trf", voucher.last)}"\n')
            write(f'  sha256: "{voucher.digest}"\n')
        for line in voucher.lines:
            write(_posting(self._name(line.title, line.owner), line.debit - line.credit))
        write("\n")

    def days(self, figures: Iterable[Figure]) -> Iterator[list[str]]:
        """What holds at the end of the day before the period, and of each of its days."""
        totals: dict[str, int] = {f"{root}:{_component(self._book.code)}": 0 for root in ROOTS.values()}
        leaves: dict[str, int] = {}
        steady: set[str] = set()
        last = len(self._book.period.days)
        by_day = dict.fromkeys(range(last + 1), 0)
        grouped = groupby(figures, lambda one: one.day)
        waiting = next(grouped, None)
        for day in by_day:
            moved: set[str] = set()
            if waiting is not None and waiting[0] == day:
                for one in waiting[1]:
                    title, _, owner = self._book.titles.of(one.account, one.owner)
                    name = self._name(title, owner)
                    leaves[name] = leaves.get(name, 0) + one.debits - one.credits
                    totals[name.rsplit(":", 2)[0]] += one.debits - one.credits
                    moved.add(name)
                    if one.account in EVERY_DAY:
                        steady.add(name)
                waiting = next(grouped, None)
            chosen = leaves if day == last else {name: leaves[name] for name in moved | steady}
            ends = self._before if day == 0 else self._book.period.days[day - 1]
            yield [_balance(ends, name, amount) for name, amount in (*sorted(chosen.items()), *totals.items())]

    def _name(self, title: Title, owner: str) -> str:
        found = self._names.get((title, owner))
        if found is None:
            found = self._names[title, owner] = account(self._book.code, title, owner)
        return found


def _component(code: str) -> str:
    return _NOT_LEGAL.sub("-", code.upper())


def _text(words: str) -> str:
    return words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")


def _posting(name: str, amount: int) -> str:
    return f"  {name:<{_COLUMN}} {plain(amount):>18} CNY\n"


def _balance(day: date, name: str, amount: int) -> str:
    """Beancount compares at the start of a day: the end of one is told on the next. To the fen: no tolerance."""
    return f"{day + _DAY} balance {name:<{_COLUMN}} {plain(amount)} ~ 0 CNY\n"
