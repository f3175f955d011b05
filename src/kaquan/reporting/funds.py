"""What a funder's statement says of a fund: balances, what the budget did by program and by stock, sweeps. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from kaquan.ledger.chart import Account
from kaquan.reporting.merchants import accounts
from kaquan.reporting.model import Moved, PartyFacts
from kaquan.reporting.sections import Balance, Column, Names, grouped, lines, net, section

_CARDS = frozenset({Account.CARD_PRINCIPAL, Account.CARD_BONUS, Account.CARD_SUBSIDY})
_MERCHANTS = frozenset({Account.MERCHANT_PAYABLE, Account.DUE_TO})
_MEMO = frozenset({Account.FUNDER_RECEIVABLE, Account.FUNDER_PLEDGE})
_AMOUNTS = ("promised_fen", "freed_fen", "used_fen", "on_cards_fen", "returned_fen")
BUDGET_COLUMNS: tuple[Column, ...] = (
    ("program", "text"),
    ("paid_in_fen", "fen"),
    ("paid_out_fen", "fen"),
    *((name, "fen") for name in _AMOUNTS),
)
STOCK_COLUMNS: tuple[Column, ...] = (("program", "text"), ("stock", "text"), *((name, "fen") for name in _AMOUNTS))


def sections(party: PartyFacts, found: list[Balance], names: Names) -> list[dict[str, Any]]:
    """The parts of the record, in their order."""
    free = [one for one in party.moved if one.account == Account.FUNDER_BUDGET]
    promised = [one for one in party.moved if one.account == Account.FUNDER_COMMITTED]
    owed = [one for one in party.moved if one.account in _MEMO]
    return [
        accounts(found),
        _budget([*free, *promised], names),
        _stocks([*free, *promised], party.more.get("stocks", ()), names),
        lines("free", [one._replace(fund=None) for one in free], names),
        lines("promised", [one._replace(fund=None) for one in promised], names),
        lines("owed", owed, names),
        section("sweeps", (("day", "day"), ("swept_fen", "fen")), party.more.get("sweeps", ())),
    ]


def told(one: Moved) -> tuple[str, int] | None:
    """In which column a movement of free or promised budget stands, and how much; None for the other side of one."""
    amount = net(one)
    if one.contra in (Account.FUNDER_BUDGET, Account.FUNDER_COMMITTED):
        if one.account == Account.FUNDER_COMMITTED:
            return None
        return ("promised_fen", -amount) if amount < 0 else ("freed_fen", amount)
    if amount > 0:
        came_back = one.contra in _MERCHANTS or one.contra in _CARDS
        return ("returned_fen", amount) if came_back else ("paid_in_fen", amount)
    if one.contra in _MERCHANTS:
        return "used_fen", -amount
    return ("on_cards_fen", -amount) if one.contra in _CARDS else ("paid_out_fen", -amount)


def _budget(moved: Sequence[Moved], names: Names) -> dict[str, Any]:
    keys = [key for key, _ in BUDGET_COLUMNS[1:]]
    rows = []
    for (program,), parts in grouped(moved, lambda one: (one.program,)):
        sums = _sums(parts)
        rows.append((names.program(program), *(sums.get(key, 0) for key in keys)))
    return section("budget", BUDGET_COLUMNS, rows)


def _sums(parts: Sequence[Moved]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for part in parts:
        if (found := told(part)) is not None:
            sums[found[0]] = sums.get(found[0], 0) + found[1]
    return sums


def _stocks(moved: Sequence[Moved], known: Sequence[Mapping[str, Any]], names: Names) -> dict[str, Any]:
    """What each stock did, as far as postings can be put down to vouchers; the rest of the program stands last."""
    rows = []
    for (program,), parts in grouped(moved, lambda one: (one.program,)):
        if not program:
            continue
        rest, code = _sums(parts), names.program(program)
        for one in known:
            if one["program"] == program:
                amounts = [one.get(key, 0) for key in _AMOUNTS]
                rows.append((code, one["stock"], *amounts))
                for key, amount in zip(_AMOUNTS, amounts, strict=True):
                    rest[key] = rest.get(key, 0) - amount
        if any(rest.get(key) for key in _AMOUNTS):
            rows.append((code, "", *(rest.get(key, 0) for key in _AMOUNTS)))
    return section("stocks", STOCK_COLUMNS, rows)
