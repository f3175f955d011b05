"""The trial balance (科目余额表) of a book: opening, movement and closing of each title and owner. Pure."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kaquan.accounting import errors
from kaquan.accounting.model import Figure, Root, Title
from kaquan.accounting.owners import Titles
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Fault, Refusal

TOTALS = ("opening_debit", "opening_credit", "debit", "credit", "closing_debit", "closing_credit")


class TrialRow(NamedTuple):
    """A title of an owner: `opening` is debits less credits before the period, `debit` and `credit` its movement."""

    title: Title
    account: str
    owner: str
    opening: Money
    debit: Money
    credit: Money

    @property
    def closing(self) -> Money:
        """Debits less credits at the end."""
        return Money(self.opening + self.debit - self.credit)

    def amounts(self) -> dict[str, Money]:
        """The six columns, each positive."""
        return {
            "opening_debit": Money(max(0, self.opening)),
            "opening_credit": Money(max(0, -self.opening)),
            "debit": self.debit,
            "credit": self.credit,
            "closing_debit": Money(max(0, self.closing)),
            "closing_credit": Money(max(0, -self.closing)),
        }


class Trial(NamedTuple):
    """The rows in the order of codes; `by_account` gives what each account of our chart came to in the end."""

    rows: list[TrialRow]
    by_account: Mapping[int, int]

    def totals(self, *, memo: bool) -> dict[str, Money]:
        """The sums of the columns, on the balance sheet or of what is kept beside it."""
        chosen = [row.amounts() for row in self.rows if (row.title.root is Root.MEMO) == memo]
        return {name: Money(sum(one[name] for one in chosen)) for name in TOTALS}


def trial(figures: Iterable[Figure], titles: Titles) -> Trial | Refusal:
    """Add the figures of a period up. Refused when an account has no title, or a mapping splits an entry."""
    sums: dict[tuple[int, Id | None], list[int]] = {}
    for one in figures:
        found = sums.setdefault((one.account, one.owner), [0, 0, 0])
        if one.day == 0:
            found[0] += one.debits - one.credits
        else:
            found[1] += one.debits
            found[2] += one.credits
    if refusal := titles.missing(sums):
        return refusal
    rows: dict[tuple[Title, str, str], list[int]] = {}
    by_account: dict[int, int] = {}
    for (account, owner), amounts in sums.items():
        row = rows.setdefault(titles.of(account, owner), [0, 0, 0])
        for position, amount in enumerate(amounts):
            row[position] += amount
        by_account[account] = by_account.get(account, 0) + amounts[0] + amounts[1] - amounts[2]
    ordered = sorted(rows.items(), key=lambda item: (item[0][0].code, item[0][1], item[0][2]))
    made = Trial([TrialRow(*key, *map(Money, amounts)) for key, amounts in ordered], by_account)
    return _unbalanced(made) or made


def _unbalanced(made: Trial) -> Refusal | None:
    """Postings are pairs, so the whole adds up; what an operator's titles put aside must add up by itself."""
    differs = {
        memo: (total["opening_debit"] - total["opening_credit"], total["debit"] - total["credit"])
        for memo in (False, True)
        for total in (made.totals(memo=memo),)
    }
    if any(sum(parts) for parts in zip(*differs.values(), strict=True)):
        raise Fault("a book does not add up")
    for difference in differs[True]:
        if difference:
            return Refusal(errors.MEMO_MIXED, {"difference_fen": abs(difference)})
    return None
