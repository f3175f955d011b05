"""Keys and the audit log in the database."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID as Uuid

import psycopg

from kaquan.commands.loading import buckets, call_load, known_commands
from kaquan.commands.model import Entry
from kaquan.db.queries import load
from kaquan.db.wire import INT2, UUID, column
from kaquan.identity.model import NOBODY, ApiKey, IssueKey, KeyFacts, KeyState, KeyView
from kaquan.kernel.caller import Role
from kaquan.kernel.ids import Id, bucket_of

QUERIES = load(__package__)

_BUCKET = bucket_of(NOBODY)


def load_facts(cursor: psycopg.Cursor[Any], entries: Sequence[Entry]) -> KeyFacts:
    """What the commands of a batch name; only keys change, and a change checks their versions. Decisions are read
    last, so that a twin which is decided meanwhile is answered as it was, not judged by the state that it left."""
    read = cursor.connection.execute
    issued = [entry.command for entry in entries if isinstance(entry.command, IssueKey)]
    named = [entry.command.api_key for entry in entries if not isinstance(entry.command, IssueKey)]
    wallets = [command.wallet for command in issued if command.wallet is not None]
    organisations = read(QUERIES.organisations, {"codes": _codes(command.organisation for command in issued)})
    merchants = read(QUERIES.merchants, {"codes": _codes(command.merchant for command in issued)})
    wanted = {"buckets": [bucket_of(wallet) for wallet in wallets], "ids": [wallet.hex() for wallet in wallets]}
    keys: dict[bytes, ApiKey] = {key.id: key for key in _keys(cursor.connection, named)}
    found_wallets = {row[0].bytes for row in read(QUERIES.wallets, wanted)} if wallets else set()
    return KeyFacts(
        commands=_known(cursor, entries),
        keys=keys,
        organisations=dict(organisations),
        merchants={code: (Id(identity.bytes), group) for code, identity, group in merchants},
        wallets=found_wallets,
    )


def key_by_prefix(connection: psycopg.Connection[Any], prefix: str) -> ApiKey | None:
    """The key with this public handle."""
    return next(iter(keys_by_prefix(connection, [prefix])), None)


def keys_by_prefix(connection: psycopg.Connection[Any], prefixes: Sequence[str]) -> list[ApiKey]:
    """The keys with these public handles, in no order."""
    told = {"bucket": _BUCKET, "prefixes": list(prefixes)}
    return [_key(row) for row in connection.execute(QUERIES.keys_by_prefix, told)]


def key_by_id(connection: psycopg.Connection[Any], key: Id) -> ApiKey | None:
    """The key with this id."""
    return next(iter(_keys(connection, [key])), None)


def listed(
    connection: psycopg.Connection[Any],
    organisation: int | None,
    merchant: Id | None,
    after: tuple[int, Id] | None,
    limit: int,
) -> list[KeyView]:
    """Up to `limit` keys in the order in which they were issued, of one organisation or merchant or of all, behind
    `after`: when that one was issued, and its id."""
    told = {
        "bucket": _BUCKET,
        "organisation": organisation,
        "merchant": merchant.hex() if merchant else None,
        "after": after[1].hex() if after else None,
        "after_at": after[0] if after else None,
        "limit": limit,
    }
    return [_view(row) for row in connection.execute(QUERIES.keys_listed, told)]


def note_use(connection: psycopg.Connection[Any], used: Mapping[Id, int]) -> None:
    """Keep when keys were last used (microseconds)."""
    told = {"bucket": _BUCKET, "ids": [key.hex() for key in used], "ats": list(used.values())}
    connection.execute(QUERIES.note_use, told)


def write_audit(connection: psycopg.Connection[Any], columns: Mapping[str, Sequence[Any]]) -> None:
    """Append rows of the log, given as columns."""
    connection.execute(QUERIES.write_audit, columns)


def audit_listed(connection: psycopg.Connection[Any], told: Mapping[str, Any]) -> list[Any]:
    """Rows of the log, the latest first."""
    return connection.execute(QUERIES.audit_listed, told).fetchall()


def _codes(told: Iterable[str]) -> list[str]:
    """The texts that can be codes; others, which the server might not even take, belong to nothing."""
    return sorted({code for code in told if code.isascii() and code.isprintable()})


def _known(cursor: psycopg.Cursor[Any], entries: Sequence[Entry]) -> dict[bytes, tuple[bytes, int, bytes]]:
    commands = [entry.id for entry in entries]
    labels = buckets(commands)
    arguments = (column(INT2, sorted(set(labels))), column(INT2, labels), column(UUID, commands))
    return known_commands(call_load(cursor, QUERIES.load_commands, arguments))


def _keys(connection: psycopg.Connection[Any], keys: Sequence[Id]) -> list[ApiKey]:
    if not keys:
        return []
    rows = connection.execute(QUERIES.keys_by_id, {"bucket": _BUCKET, "ids": [key.hex() for key in keys]})
    return [_key(row) for row in rows]


def _key(row: Sequence[Any]) -> ApiKey:
    identity, version, prefix, name, organisation, role, merchant, wallet, scopes, state, expires_us, *rest = row
    return ApiKey(
        Id(identity.bytes),
        version,
        prefix,
        name,
        organisation,
        Role(role),
        _id(merchant),
        _id(wallet),
        tuple(scopes),
        KeyState(state),
        expires_us,
        *rest,
    )


def _view(row: Sequence[Any]) -> KeyView:
    identity, prefix, name, organisation, role, merchant, wallet, scopes, state, *rest = row
    return KeyView(
        Id(identity.bytes),
        prefix,
        name,
        organisation,
        role,
        _id(merchant),
        _id(wallet),
        tuple(scopes),
        KeyState(state),
        *rest,
    )


def _id(value: Uuid | None) -> Id | None:
    return None if value is None else Id(value.bytes)
