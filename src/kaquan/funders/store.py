"""Funds in the database."""

from collections.abc import Collection, Sequence
from typing import Any

import psycopg

from kaquan.commands.loading import buckets, call_load, known_commands
from kaquan.commands.model import Entry
from kaquan.db.queries import load
from kaquan.db.wire import INT2, UUID, column
from kaquan.funders.model import FundBooks, FundFacts
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.quotas.model import slice_keys
from kaquan.quotas.service import slice_columns, slices_only

QUERIES = load(__package__)


def load_facts(
    cursor: psycopg.Cursor[Any], entries: Sequence[Entry], funds: Collection[Id], pools: Collection[Id], lock: bool
) -> FundFacts:
    """What the books say of funds, with the slices of these and of other pools, in one snapshot.

    With `lock` the slices stay as they are until the commit: the snapshot is taken once they are locked.
    """
    commands = [entry.id for entry in entries]
    labels = buckets(commands)
    keys = sorted(key for pool in {*funds, *pools} for key in slice_keys(pool))
    touched = column(INT2, sorted({*labels, *(key.bucket for key in keys)}))
    if lock:
        cursor.execute(QUERIES.lock_slices, (touched, *slice_columns(keys)), prepare=True)
    found = call_load(
        cursor,
        QUERIES.load_funds,
        (
            touched,
            column(INT2, labels),
            column(UUID, commands),
            column(UUID, sorted(set(funds))),
            *slice_columns(keys),
        ),
    )
    columns = zip(found["balance_fund"], found["balance_account"], found["balance_fen"], strict=True)
    return FundFacts(
        known_commands(found), {(fund, account): fen for fund, account, fen in columns}, slices_only(found)
    )


def books(connection: psycopg.Connection[Any]) -> dict[bytes, FundBooks]:
    """What the books say of every fund, in one snapshot."""
    found = {}
    for fund, paid_in, paid_out, promisable, budget, committed, receivable in connection.execute(QUERIES.books):
        found[fund.bytes] = FundBooks(
            paid_in_fen=Money(paid_in),
            paid_out_fen=Money(paid_out),
            free_fen=Money(budget),
            not_swept_fen=Money(budget - promisable),
            promised_fen=Money(committed),
            used_fen=Money(paid_in - paid_out - budget - committed),
            receivable_fen=Money(receivable),
        )
    return found


def sweeps_due(connection: psycopg.Connection[Any], most: int) -> list[tuple[str, int]]:
    """Up to `most` funds to which money came back, by code, each with a number that its slices have only now."""
    return [(code, int(turn)) for code, turn in connection.execute(QUERIES.sweeps_due, {"most": most})]
