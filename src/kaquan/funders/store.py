"""Funds in the database."""

from collections.abc import Collection, Sequence
from typing import Any

import psycopg

from kaquan.commands.loading import buckets, call_load, known_commands
from kaquan.commands.model import Entry
from kaquan.db.queries import load
from kaquan.db.wire import INT2, UUID, column
from kaquan.funders.model import FundFacts
from kaquan.kernel.ids import Id
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
