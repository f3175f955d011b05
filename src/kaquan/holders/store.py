"""Holders in the database: sealed rows only."""

from collections.abc import Sequence
from typing import Any

import psycopg

from kaquan.commands.loading import buckets, call_load, known_commands
from kaquan.commands.model import Entry
from kaquan.db.queries import load
from kaquan.db.wire import INT2, UUID, column
from kaquan.holders.model import HolderFacts, Wallet, WalletFacts
from kaquan.kernel.ids import Id, bucket_of

QUERIES = load(__package__)


def load_facts(cursor: psycopg.Cursor[Any], entries: Sequence[Entry]) -> HolderFacts:
    """Earlier decisions, and which phone numbers are taken."""
    commands = [entry.id for entry in entries]
    labels = sorted(set(buckets(commands)))
    found = call_load(
        cursor,
        QUERIES.load_commands,
        (column(INT2, labels), column(INT2, buckets(commands)), column(UUID, commands)),
    )
    blinds = [entry.command.phone_index for entry in entries if entry.command.phone_index]
    rows = cursor.connection.execute(QUERIES.phone_taken, {"buckets": labels, "blinds": blinds})
    return HolderFacts(known_commands(found), {bytes(row[0]) for row in rows})


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
    names = ("wallet_id", "wallet_state", "wallet_identified", "wallet_version")
    rows = zip(*(found[name] for name in names), strict=True)
    return WalletFacts(
        known_commands(found),
        {
            identity: Wallet(Id(identity), state == 1, bool(identified), version)
            for identity, state, identified, version in rows
        },
    )


def wallet_by_phone(connection: psycopg.Connection[Any], blind: bytes) -> Id | None:
    """The wallet registered with a phone number's blind index."""
    key = {"buckets": [bucket_of(blind[:16])], "blinds": [blind]}
    row = connection.execute(QUERIES.phone_taken, key).fetchone()
    return Id(row[1].bytes) if row else None


def subject_keys(cursor: psycopg.Cursor[Any], subjects: Sequence[Id]) -> dict[Id, bytes]:
    """The sealed keys of these subjects; an erased one is missing."""
    labels = buckets(subjects)
    found = call_load(
        cursor,
        QUERIES.subject_keys,
        (column(INT2, labels), column(UUID, subjects), column(INT2, sorted(set(labels)))),
    )
    return dict(zip(found["subject"], found["wrapped"], strict=True))


def person(connection: psycopg.Connection[Any], wallet: Id) -> tuple[Any, ...] | None:
    """(name, phone, id number, wrapped key), all sealed, or None."""
    key = {"bucket": bucket_of(wallet), "wallet": wallet.hex()}
    return connection.execute(QUERIES.person, key).fetchone()
