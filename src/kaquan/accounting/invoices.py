"""The list of invoices (开票清单): for each command that moved money, who may issue what, and why. Streamed."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import Any, NamedTuple

from kaquan.accounting.mapping import InvoiceEntry, accounts_of
from kaquan.accounting.model import Period
from kaquan.kernel.ids import Id
from kaquan.kernel.money import ZERO, Money
from kaquan.ledger.chart import Source
from kaquan.ledger.movements import movement_name
from kaquan.programs.catalogue import Catalogue

HOLDER = ("持卡人", "holder")


class Invoice(NamedTuple):
    """One line: `amount` is without the tax that was posted beside it; both negative for a red one.

    `tax` is None when no account of tax was posted to: then the amount contains what tax there is.
    """

    day: date
    entry: InvoiceEntry
    movement: str
    program: str
    transfer: Id
    seller: str
    buyer: str
    source: str
    amount: Money
    tax: Money | None


class _Rule(NamedTuple):
    """An entry with the numbers of its accounts; `taxed` are the pairs in which the tax on it is posted."""

    entry: InvoiceEntry
    pairs: frozenset[tuple[int, int]]
    taxed: frozenset[tuple[int, int]]
    sources: frozenset[int]


class Invoicing:
    """Which invoices the commands of a book call for."""

    def __init__(self, entries: Sequence[InvoiceEntry], book: str, catalogue: Catalogue) -> None:
        self._rules = [_rule(entry) for entry in entries]
        self._book = book
        self._catalogue = catalogue
        self._programs = {number: code for code, number in catalogue.programs.items()}

    def pairs(self) -> list[tuple[int, int]]:
        """The pairs of debit and credit to look for."""
        back = {(credit, debit) for rule in self._rules if rule.entry.net for debit, credit in rule.pairs}
        return sorted(back.union(*(rule.pairs | rule.taxed for rule in self._rules)))

    def listed(self, rows: Iterable[tuple[Any, ...]], period: Period) -> Iterator[Invoice]:
        """The lines for the rows of `store.invoices`."""
        for (day, transfer), group in groupby(rows, lambda row: (row[0], row[3])):
            moved = list(group)
            for rule in self._rules:
                yield from self._of(rule, moved, period.days[day - 1], Id(transfer.bytes))

    def _of(self, rule: _Rule, moved: list[tuple[Any, ...]], day: date, transfer: Id) -> Iterator[Invoice]:
        sums: dict[tuple[int, int, Any, int], list[int]] = {}
        for _, kind, program, _, debit, credit, merchant, source, amount in moved:
            if rule.sources and source not in rule.sources:
                continue
            key = kind, program, merchant, source
            if (debit, credit) in rule.pairs:
                sums.setdefault(key, [0, 0])[0] += amount
            elif rule.entry.net and (credit, debit) in rule.pairs:
                sums.setdefault(key, [0, 0])[0] -= amount
            elif (debit, credit) in rule.taxed:
                sums.setdefault(key, [0, 0])[1] += amount
        for (kind, program, merchant, source), (amount, tax) in sorted(sums.items(), key=str):
            sign = rule.entry.sign
            yield Invoice(
                day=day,
                entry=rule.entry,
                movement=movement_name(kind),
                program=self._programs.get(program, ""),
                transfer=transfer,
                seller=self._party(rule.entry.by, program, merchant),
                buyer=self._party(rule.entry.to, program, merchant),
                source=Source(source).name.lower(),
                amount=Money(sign * amount),
                tax=Money(sign * tax) if tax else ZERO if not rule.entry.tax else None,
            )

    def _party(self, who: str, program: int, merchant: Any) -> str:
        """The code of who issues or gets an invoice: the issuer is the program's, else who keeps the book."""
        if who == "merchant":
            known = None if merchant is None else self._catalogue.merchants.get(merchant.bytes)
            return known.code if known is not None else ""
        if who == "issuer":
            terms = self._catalogue.latest.get(program)
            return terms.terms.program.issuer if terms is not None else self._book
        return who


def _rule(entry: InvoiceEntry) -> _Rule:
    pairs = {(debit, credit) for debit in accounts_of(entry.debit) for credit in accounts_of(entry.credit)}
    taxed: set[tuple[int, int]] = set()
    for tax in accounts_of((entry.tax,) if entry.tax else ()):
        if entry.sign > 0:
            taxed |= {(debit, tax) for debit in accounts_of(entry.debit)}
        else:
            taxed |= {(tax, credit) for credit in accounts_of(entry.credit)}
    sources = frozenset(int(Source[name.upper()]) for name in entry.sources)
    return _Rule(entry, frozenset(pairs), frozenset(taxed) - frozenset(pairs), sources)
