"""Wallets in the database."""

from collections.abc import Sequence
from typing import Any

import psycopg

from kaquan.commands.loading import buckets, call_load, known_commands
from kaquan.commands.model import Entry
from kaquan.db.queries import load
from kaquan.db.wire import INT2, UUID, column
from kaquan.kernel.ids import Id, bucket_of
from kaquan.sales.model import Wallet, WalletFacts

QUERIES = load(__package__)


def load_wallets(cursor: psycopg.Cursor[Any], entries: Sequence[Entry], wallets: Sequence[Id]) -> WalletFacts:
    """The wallets of a batch, each once."""
    commands = [entry.id for entry in entries]
    wanted = sorted(set(wallets))
    labels = sorted({bucket_of(identity) for identity in (*commands, *wanted)})
    found = call_load(
        cursor,
        QUERIES.load_wallets,
        (
            labels[0],
            column(INT2, labels),
            column(INT2, buckets(commands)),
            column(UUID, commands),
            column(INT2, buckets(wanted)),
            column(UUID, wanted),
        ),
    )
    rows = zip(found["wallet_id"], found["wallet_state"], found["wallet_identified"], strict=True)
    return WalletFacts(
        known_commands(found),
        {identity: Wallet(Id(identity), state == 1, bool(identified)) for identity, state, identified in rows},
    )
