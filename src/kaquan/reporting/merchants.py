"""What a merchant's statement says: balances, trade by tender, who funds discounts, settlements, days. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kaquan.ledger.chart import Account
from kaquan.ledger.movements import Movement
from kaquan.reporting.model import Moved, PartyFacts
from kaquan.reporting.sections import (
    BORNE,
    FUNDS,
    HIDDEN,
    MERCHANT,
    Balance,
    Column,
    Names,
    grouped,
    lines,
    net,
    section,
)
from kaquan.settlement.model import PART_FIELDS

ACCOUNT_COLUMNS: tuple[Column, ...] = (
    ("program", "text"),
    ("account", "account"),
    ("opening_fen", "balance"),
    ("in_fen", "balance"),
    ("out_fen", "balance"),
    ("closing_fen", "balance"),
    ("ledger_fen", "balance"),
    *HIDDEN,
)
_CARRIED = frozenset({"carried", "carry", "pending_bank", "pending_minimum"})
LINES_OF_SETTLEMENTS: tuple[Column, ...] = (
    ("program", "text"),
    ("period_end", "day"),
    ("line", "line"),
    ("source", "source"),
    ("funded_by", "text"),
    ("rule", "text"),
    ("amount_fen", "balance"),
)
"""A tax is part of its fee, so that these are read and not added up."""
DAY_COLUMNS: tuple[Column, ...] = (
    ("day", "day"),
    ("payments", "count"),
    ("gross_fen", "fen"),
    ("refunds_fen", "fen"),
    ("fees_fen", "fen"),
    ("reserved_fen", "fen"),
    ("paid_fen", "fen"),
    ("other_fen", "fen"),
    ("balance_fen", "balance"),
)
_TRADE = frozenset({Movement.PAY, Movement.CAPTURE})
_BACK = frozenset({Movement.REFUND, Movement.REVERSE})
_HELD = frozenset({Account.MERCHANT_RESERVE})
_PAID = frozenset({Account.MERCHANT_PAYOUT, Account.STORE_TRANSFER})
_FEES = frozenset({Account.FEE_INCOME, Account.TAX_PAYABLE})


def sections(party: PartyFacts, found: list[Balance], names: Names) -> list[dict[str, Any]]:
    """The parts of the record, in their order."""
    payable = [one for one in party.moved if one.account == Account.MERCHANT_PAYABLE]
    beside = [one for one in party.moved if one.account != Account.MERCHANT_PAYABLE and one.account not in BORNE]
    opening = sum(one.opening for one in found if one.account == "merchant.payable")
    return [
        accounts(found),
        lines("payable", payable, names),
        _discounts(party.moved, names),
        _settlements(party.more.get("settlements", ())),
        _settlement_lines(party.more.get("settlements", ())),
        _days(payable, opening, party.more.get("counts", {})),
        lines("beside", beside, names),
    ]


def accounts(found: Iterable[Balance]) -> dict[str, Any]:
    """Every account with its balances; the last column is the recount from all postings."""
    rows = [
        (
            one.program,
            one.account,
            one.opening,
            one.came_in,
            one.went_out,
            one.closing,
            one.ledger,
            *one.hidden,
        )
        for one in found
    ]
    return section("accounts", ACCOUNT_COLUMNS, rows)


def _discounts(moved: Sequence[Moved], names: Names) -> dict[str, Any]:
    """Who paid for what vouchers took off: funds to the merchant, or the merchant itself."""
    paid = [one for one in moved if one.account == Account.MERCHANT_PAYABLE and one.contra in FUNDS]
    paid += [one for one in moved if one.account == Account.MERCHANT_DISCOUNT]
    rows = []
    for (program, fund), parts in grouped(paid, lambda one: (one.program, names.fund(one.fund) or MERCHANT)):
        given = sum(net(part) for part in parts if net(part) > 0)
        back = -sum(net(part) for part in parts if net(part) < 0)
        count = sum(part.times for part in parts if net(part) > 0)
        rows.append((names.program(program), fund, count, given, back, given - back))
    columns: tuple[Column, ...] = (
        ("program", "text"),
        ("funded_by", "text"),
        ("count", "times"),
        ("discount_fen", "fen"),
        ("returned_fen", "fen"),
        ("net_fen", "fen"),
    )
    return section("discounts", columns, rows)


def _settlements(settled: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Each settlement with all that it consists of; what is nothing in all of them has no column."""
    parts = [name for name in PART_FIELDS if any(one.get(name) for one in settled) or name in ("gross", "paid")]
    columns: list[Column] = [("program", "text"), ("period_end", "day"), ("pay_on", "day")]
    columns += [(f"{name}_fen", "balance" if name in _CARRIED else "fen") for name in parts]
    rows = [
        (one["program"], one["period_end"], one["pay_on"], *(one.get(name, 0) for name in parts)) for one in settled
    ]
    return section("settlements", columns, rows)


def _settlement_lines(settled: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Each settlement line by line with the term behind it, whatever lines there are; against the merchant: minus."""
    rows = [
        (
            one["program"],
            one["period_end"],
            line["line"],
            line.get("source", ""),
            line.get("funder", ""),
            line["rule"],
            line["amount_fen"],
        )
        for one in settled
        for line in one.get("lines", ())
    ]
    return section("settlement_lines", LINES_OF_SETTLEMENTS, rows)


def _days(payable: Sequence[Moved], opening: int, counts: Mapping[Any, int]) -> dict[str, Any]:
    """Day by day what the payable moved by; what no column names stands in the last but one."""
    balance, rows = opening, []
    for (day,), parts in grouped(payable, lambda one: (one.day,)):
        sums = dict.fromkeys((key for key, _ in DAY_COLUMNS), 0)
        for part in parts:
            column, sign = _column(part)
            sums[column] += sign * net(part)
        sums["payments"] = sum(counts.get((day, kind), 0) for kind in _TRADE)
        balance += sum(net(part) for part in parts)
        rows.append((day.isoformat(), *(sums[key] for key, _ in DAY_COLUMNS[1:-1]), balance))
    return section("days", DAY_COLUMNS, rows)


def _column(part: Moved) -> tuple[str, int]:
    """In which column a movement stands, and with which sign it is told there."""
    if part.kind in _TRADE:
        return "gross_fen", 1
    if part.kind in _BACK:
        return "refunds_fen", -1
    if part.contra in _HELD:
        return "reserved_fen", -1
    if part.contra in _PAID:
        return "paid_fen", -1
    if part.contra in _FEES:
        return "fees_fen", -1
    return "other_fen", 1
