"""Reference data in the database."""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from kaquan.commands.loading import buckets, call_load, known_commands
from kaquan.commands.model import Entry
from kaquan.db.queries import load
from kaquan.db.wire import INT2, TEXT, UUID, column
from kaquan.kernel.ids import Id
from kaquan.merchants.model import BankAccount, BankFacts, ReferenceFacts

QUERIES = load(__package__)


def load_facts(cursor: psycopg.Cursor[Any], entries: Sequence[Entry]) -> ReferenceFacts:
    """All codes, and the next free numbers. A clash with another process breaks the primary key: retried."""
    read = cursor.connection.execute
    numbers = read(QUERIES.next_numbers).fetchone() or (1, 1, 1, 1)
    return ReferenceFacts(
        commands=_known(cursor, entries),
        organisations=dict(read(QUERIES.organisations)),
        merchants={code: identity.bytes for code, identity in read(QUERIES.merchants)},
        stores={row[0] for row in read(QUERIES.stores)},
        programs=dict(read(QUERIES.programs)),
        next_organisation=numbers[0],
        next_book=numbers[1],
        next_program=numbers[2],
        next_terms=numbers[3],
    )


def load_accounts(cursor: psycopg.Cursor[Any], entries: Sequence[Entry]) -> BankFacts:
    """The bank accounts of the merchants that a batch names."""
    known = _known(cursor, entries)
    codes = sorted({entry.command.merchant for entry in entries})
    rows = cursor.execute(QUERIES.accounts, {"codes": column(TEXT, codes)})
    return BankFacts(known, {code: BankAccount(Id(identity), *rest) for code, identity, *rest in rows})


def _known(cursor: psycopg.Cursor[Any], entries: Sequence[Entry]) -> dict[bytes, tuple[bytes, int, bytes]]:
    commands = [entry.id for entry in entries]
    labels = buckets(commands)
    arguments = (column(INT2, sorted(set(labels))), column(INT2, labels), column(UUID, commands))
    return known_commands(call_load(cursor, QUERIES.load_commands, arguments))


def directory(connection: psycopg.Connection[Any]) -> list[Any]:
    """Merchants with their group and number of stores."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(QUERIES.directory).fetchall()
