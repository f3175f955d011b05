"""The books once more, from their entries alone: postings are added up one by one, and what is stored is compared.

Nothing of `src` decides here; account numbers are those of `ledger.chart`.
"""

import json
from collections import Counter
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Any

from machine.program_terms import PARTS, statement
from support.town import Town

LOTS, RESERVE, PAYOUT = (20, 21, 22), 41, 42
FLOORS = {*LOTS, 30, 31, RESERVE, PAYOUT}
RELEASED, REFUNDED = 41, 25

Balances = Counter[tuple[int, Any]]


def balances(town: Town) -> Balances:
    """Every account, from nothing: credits less debits, transaction by transaction; none that may not falls below."""
    found: Balances = Counter()
    rows = town.rows("SELECT xid, debit, debit_owner, credit, credit_owner, amount FROM posting ORDER BY xid, line")
    for _, moves in groupby(rows, itemgetter(0)):
        for _, debit, debit_owner, credit, credit_owner, amount in moves:
            found[debit, debit_owner] -= amount
            found[credit, credit_owner] += amount
        assert not [key for key, amount in found.items() if key[0] in FLOORS and amount < 0]
    return found


def stored_is_rebuilt(town: Town) -> None:
    """What is stored beside the entries follows from them: lots, reserves, payouts, stocks, settlements."""
    found = balances(town)
    assert not sum(found.values())
    kept = {account: {} for account in (RESERVE, PAYOUT)}
    for (account, owner), amount in found.items():
        if account in kept and amount:
            kept[account][owner] = amount
    lots = {row[0]: row[1] for row in town.rows("SELECT id, balance FROM lot WHERE balance > 0")}
    assert lots == {owner: fen for (account, owner), fen in found.items() if account in LOTS and fen}
    sql = "SELECT merchant, sum(amount)::bigint FROM reserve WHERE state = 1 GROUP BY merchant"
    assert dict(town.rows(sql)) == kept[RESERVE]
    assert dict(town.rows("SELECT merchant, sum(amount)::bigint FROM payout GROUP BY merchant")) == kept[PAYOUT]
    assert not town.rows(STOCKS_OFF)
    assert statements(town) == digests(town)


STOCKS_OFF = """
    SELECT s.code, e.count, e.budget FROM stock s
    JOIN stock_event e ON e.stock = s.id AND e.operation = 'open'
    CROSS JOIN LATERAL (
        SELECT sum(count)::bigint AS count, sum(fen)::bigint AS fen FROM (
            SELECT count_left AS count, fen_left AS fen FROM slice WHERE pool = pool_of('stock', s.id) AND day = 0
            UNION ALL SELECT 1, face FROM voucher v WHERE v.stock = s.id
            UNION ALL SELECT each_month, each_month * face FROM plan p, generate_series(p.given + 1, p.months)
                      WHERE p.stock = s.id AND p.state = 1
            UNION ALL SELECT 1, 0 FROM packet_pool q, generate_series(1, q.count - q.left_count) WHERE q.stock = s.id
            UNION ALL SELECT 0, q.total - q.left_fen FROM packet_pool q WHERE q.stock = s.id
            UNION ALL SELECT -1, -k.amount FROM packet k JOIN packet_pool q ON q.id = k.pool WHERE q.stock = s.id
        ) parts) now
    WHERE now.count <> e.count OR now.fen <> e.budget"""
"""Stocks of which what is left, was handed out and is promised is not just what they were given."""


def statements(town: Town) -> dict[tuple[str, int], str]:
    """Each merchant's settlements, rebuilt from the postings that the cut of each was the first to see."""
    rebuilt: dict[tuple[str, int], str] = {}
    counted: set[Any] = set()
    carried: Counter[str] = Counter()
    for merchant, number, cut_at in town.rows("SELECT merchant, number, cut_at FROM settlement ORDER BY number"):
        sql = (
            "SELECT transfer, line, kind, CASE WHEN credit = 40 THEN amount ELSE -amount END FROM posting"
            " WHERE kind <> 40 AND at < %s AND ((credit = 40 AND credit_owner = %s) OR (debit = 40 AND"
            " debit_owner = %s))"
        )
        seen = [row for row in town.rows(sql, cut_at, merchant, merchant) if row[:2] not in counted]
        counted |= {row[:2] for row in seen}
        entries = [(_what(kind), abs(amount)) for _, _, kind, amount in seen]
        told = statement(entries, carried[merchant])
        carried[merchant] = told["carry"]
        rebuilt[str(merchant), number] = _digest(told)
    return rebuilt


def digests(town: Town) -> dict[tuple[str, int], str]:
    """The same of what is stored."""
    rows = town.rows(f"SELECT merchant, number, {', '.join(PARTS)} FROM settlement")
    return {(str(row[0]), row[1]): _digest(dict(zip(PARTS, row[2:], strict=True))) for row in rows}


def _what(kind: int) -> str:
    return {REFUNDED: "refunds", RELEASED: "released"}.get(kind, "gross")


def _digest(told: dict[str, int]) -> str:
    return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
