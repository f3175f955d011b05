"""Custody in the database."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

import msgspec
import psycopg
from psycopg.rows import namedtuple_row

from kaquan.commands.loading import buckets, call_load, known_commands
from kaquan.commands.model import Entry
from kaquan.custody.model import Books, Custody, CustodyState, Moved, custody_id
from kaquan.custody.requirement import quarter_of
from kaquan.custody.statement_model import Booked, Discrepancy, DiscrepancyKind, Statement, StatementState
from kaquan.db.queries import load
from kaquan.db.wire import INT2, UUID, column
from kaquan.kernel.calendar import business_date
from kaquan.kernel.clock import instant
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.money import Money
from kaquan.programs.catalogue import Terms

QUERIES = load(__package__)


def known(cursor: psycopg.Cursor[Any], entries: Sequence[Entry]) -> dict[bytes, tuple[bytes, int, bytes]]:
    """Earlier decisions under the ids of a batch."""
    commands = [entry.id for entry in entries]
    labels = buckets(commands)
    arguments = (column(INT2, sorted(set(labels))), column(INT2, labels), column(UUID, commands))
    return known_commands(call_load(cursor, QUERIES.load_commands, arguments))


def custodies(connection: psycopg.Connection[Any], programs: Collection[str]) -> dict[int, Custody]:
    """The custody of each of these programs (codes) that has any, by the program's number."""
    ids = [custody_id(code) for code in programs]
    key = {"buckets": [bucket_of(one) for one in ids], "ids": [one.hex() for one in ids]}
    return _custodies(connection.execute(QUERIES.custodies, key))


def all_custodies(connection: psycopg.Connection[Any]) -> dict[int, Custody]:
    """The custody of every program that has any, by the program's number."""
    return _custodies(connection.execute(QUERIES.all_custodies))


def _custodies(rows: Any) -> dict[int, Custody]:
    found = {}
    for identity, version, program, state, released, day, short_since, bank_day, bank_fen, bank_short, stop in rows:
        found[program] = Custody(
            id=Id(identity.bytes),
            version=version,
            program=program,
            state=CustodyState(state),
            released=Money(released),
            day=day,
            short_since=short_since,
            bank_day=bank_day,
            bank_fen=None if bank_fen is None else Money(bank_fen),
            bank_short=Money(bank_short),
            stop=None if stop is None else msgspec.json.decode(stop),
        )
    return found


def books(connection: psycopg.Connection[Any], terms: Terms, kept: dict[date, Money], since: set[int]) -> Books:
    """What the books say of a program now and since these instants, with the quarter ends that were `kept`."""
    key = {"book": terms.ledger.book, "program": terms.program, "since": sorted(since)}
    rows = connection.execute(QUERIES.books, key).fetchall()
    found = {at: Moved(*(Money(amount) for amount in amounts)) for at, *amounts in rows}
    return Books(found.pop(0), found, kept)


def quarter_ends(connection: psycopg.Connection[Any], terms: Terms, days: Collection[date]) -> dict[date, Money]:
    """The principal at the ends of quarters before days, by the first day of their quarter, as far as kept."""
    identity = custody_id(terms.terms.program.code)
    kept = {}
    for day in days:
        key = {"bucket": bucket_of(identity), "id": identity.hex(), "since": quarter_of(day), "day": day}
        if row := connection.execute(QUERIES.quarter_end, key).fetchone():
            kept[quarter_of(day)] = Money(row[0])
    return kept


def days(connection: psycopg.Connection[Any], program: str, before: date, most: int) -> list[Any]:
    """Up to `most` days of a program's custody that were kept, newest first, before one."""
    identity = custody_id(program)
    key = {"bucket": bucket_of(identity), "id": identity.hex(), "before": before, "most": most}
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(QUERIES.days, key).fetchall()


def statements(connection: psycopg.Connection[Any], ids: Collection[Id]) -> dict[bytes, Statement]:
    """The statements by these ids that there are."""
    key = {"buckets": [bucket_of(one) for one in ids], "ids": [one.hex() for one in ids]}
    found = {}
    for identity, version, day, opening, closing, state, person, looked_by in connection.execute(
        QUERIES.statements, key
    ):
        found[identity.bytes] = Statement(
            id=Id(identity.bytes),
            version=version,
            day=day,
            opening=Money(opening),
            closing=Money(closing),
            state=StatementState(state),
            person=person,
            looked_by=looked_by,
        )
    return found


def open_discrepancies(connection: psycopg.Connection[Any], program: str) -> list[Discrepancy]:
    """What the bank and the books of a program do not agree on, still open, oldest first."""
    identity = custody_id(program)
    rows = connection.execute(QUERIES.open_discrepancies, {"bucket": bucket_of(identity), "custody": identity.hex()})
    return [
        Discrepancy(
            id=Id(one.bytes),
            version=version,
            kind=DiscrepancyKind(kind),
            amount=Money(amount),
            day=day,
            reference=reference,
            transfer=Id(transfer.bytes) if transfer else None,
        )
        for one, version, kind, amount, day, reference, transfer in rows
    ]


def booked(connection: psycopg.Connection[Any], terms: Terms, since_us: int, until_us: int) -> list[Booked]:
    """What moved in a program's custody between two instants, oldest first."""
    key = {"since": since_us, "until": until_us, "book": terms.ledger.book, "program": terms.program}
    return [
        Booked(Id(transfer.bytes), Money(amount), business_date(instant(at_us)), reference)
        for transfer, amount, at_us, reference in connection.execute(QUERIES.booked, key)
    ]


def statements_of(connection: psycopg.Connection[Any], program: str, most: int) -> list[Any]:
    """Up to `most` statements of a program's custody, the latest first."""
    return _listed(connection, QUERIES.statements_of, program, most)


def discrepancies(connection: psycopg.Connection[Any], program: str, most: int) -> list[Any]:
    """Up to `most` discrepancies of a program's custody, the latest first."""
    return _listed(connection, QUERIES.discrepancies, program, most)


def _listed(connection: psycopg.Connection[Any], query: str, program: str, most: int) -> list[Any]:
    identity = custody_id(program)
    key = {"bucket": bucket_of(identity), "custody": identity.hex(), "most": most}
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(query, key).fetchall()
