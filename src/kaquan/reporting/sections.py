"""The parts of a record: tables that say what each column holds, so that whoever shows them knows no part. Pure.

An amount is fen; `in` and `out` are what an account's balance grew and shrank by, on its normal side. Codes (of
accounts, movements, programs) stay codes: words come when a record is shown.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from kaquan.kernel.money import Money
from kaquan.ledger.chart import CHART, Account
from kaquan.ledger.movements import movement_name
from kaquan.reporting.model import Held, Moved

Column = tuple[str, str]
"""What a column is called, and what it holds: `fen` and `count`, which are added up, `balance` and `times`, which
are not, `day`, `instant`, `account`, `movement`, `line`, `source`, `text`; `hidden` is for the next statement and
shown nowhere."""

ADDED = frozenset({"fen", "count"})
FUNDS = frozenset({Account.FUNDER_BUDGET, Account.FUNDER_COMMITTED, Account.FUNDER_RECEIVABLE, Account.FUNDER_PLEDGE})
BORNE = frozenset({Account.MERCHANT_DISCOUNT, Account.MERCHANT_DISCOUNT_BORNE})
MERCHANT = "merchant"
"""Who funds a discount that the merchant bears."""

_BY_NAME = {info.name: (int(number), info) for number, info in CHART.items()}


class Names(NamedTuple):
    """Codes of programs and funds, names of merchants, by what postings name them with."""

    programs: Mapping[int, str]
    funds: Mapping[bytes, str]
    merchants: Mapping[bytes, str] = {}

    def program(self, number: int) -> str:
        """The code; empty for what belongs to no program."""
        return self.programs.get(number, "")

    def fund(self, identity: bytes | None) -> str:
        """The code; empty for none."""
        return "" if identity is None else self.funds.get(identity, identity.hex())


def section(name: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> dict[str, Any]:
    """A table with its totals: of each column that is added up the sum, of others nothing."""
    listed = [list(row) for row in rows]
    totals = [
        sum(row[place] or 0 for row in listed) if kind in ADDED else None for place, (_, kind) in enumerate(columns)
    ]
    return {"name": name, "columns": [list(column) for column in columns], "rows": listed, "totals": totals}


def rows_of(record: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The rows of a record's section by column; none when it has no such section."""
    for one in record["sections"]:
        if one["name"] == name:
            keys = [key for key, _ in one["columns"]]
            return [dict(zip(keys, row, strict=True)) for row in one["rows"]]
    return []


def account_name(number: int) -> str:
    """The public name of an account."""
    return CHART[Account(number)].name


def ins_and_outs(account: int, debits: int, credits: int) -> tuple[int, int]:
    """What an account grew and shrank by, on its normal side."""
    return (debits, credits) if CHART[Account(account)].side == "debit" else (credits, debits)


HIDDEN: tuple[Column, ...] = (("owner", "hidden"), ("number", "hidden"), ("side", "hidden"))
"""What the next statement and the proof need of an account: whose it is (a lot), its number, its normal side."""


class Balance(NamedTuple):
    """An account of the party over the period: opening + in − out = closing, and what a full recount gives."""

    program: str
    account: str
    owner: bytes
    opening: int
    came_in: int
    went_out: int
    ledger: int

    @property
    def closing(self) -> int:
        """By the statement itself."""
        return self.opening + self.came_in - self.went_out

    @property
    def hidden(self) -> tuple[str, int, str]:
        """See `HIDDEN`."""
        number, info = _BY_NAME[self.account]
        return self.owner.hex(), number, info.side


def balances(
    opening: Mapping[tuple[str, str, bytes], int], moved: Iterable[Moved], held: Iterable[Held], names: Names
) -> list[Balance]:
    """Every account of the party that holds something, or that something moved."""
    sums: dict[tuple[str, str, bytes], list[int]] = {key: [0, 0, 0] for key in opening}
    for one in moved:
        found = sums.setdefault((names.program(one.program), account_name(one.account), one.owner), [0, 0, 0])
        came_in, went_out = ins_and_outs(one.account, one.debits, one.credits)
        found[0] += came_in
        found[1] += went_out
    for account in held:
        key = (names.program(account.program), account_name(account.account), account.owner)
        came_in, went_out = ins_and_outs(account.account, account.debits, account.credits)
        sums.setdefault(key, [0, 0, 0])[2] += came_in - went_out
    return [
        Balance(*key, opening.get(key, 0), *sums[key])
        for key in sorted(sums, key=lambda key: (key[0], _BY_NAME[key[1]][0], key[2]))
        if opening.get(key) or any(sums[key])
    ]


def grouped(
    moved: Iterable[Moved], key: Callable[[Moved], tuple[Any, ...]]
) -> list[tuple[tuple[Any, ...], list[Moved]]]:
    """What has the same key together, in the order of keys."""
    groups: dict[tuple[Any, ...], list[Moved]] = {}
    for one in moved:
        groups.setdefault(key(one), []).append(one)
    return [(place, groups[place]) for place in sorted(groups)]


LINE_COLUMNS: tuple[Column, ...] = (
    ("program", "text"),
    ("movement", "movement"),
    ("contra", "account"),
    ("fund", "text"),
    ("count", "times"),
    ("in_fen", "fen"),
    ("out_fen", "fen"),
)


def lines(name: str, moved: Iterable[Moved], names: Names) -> dict[str, Any]:
    """What moved an account, by what happened and what stood on the other side. New sorts appear by themselves."""

    def key(one: Moved) -> tuple[Any, ...]:
        return (one.program, one.kind, one.contra, names.fund(one.fund))

    rows = []
    for (program, kind, contra, fund), parts in grouped(moved, key):
        pairs = [ins_and_outs(part.account, part.debits, part.credits) for part in parts]
        rows.append(
            (
                names.program(program),
                movement_name(kind),
                account_name(contra),
                fund,
                sum(part.times for part in parts),
                sum(came_in for came_in, _ in pairs),
                sum(went_out for _, went_out in pairs),
            )
        )
    return section(name, LINE_COLUMNS, rows)


def net(one: Moved) -> Money:
    """What a posting changed an account's balance by, on its normal side."""
    came_in, went_out = ins_and_outs(one.account, one.debits, one.credits)
    return Money(came_in - went_out)
