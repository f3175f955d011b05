"""Payouts, files and exceptions in the database."""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from kaquan.commands.loading import buckets, call_load, known_commands
from kaquan.commands.model import Entry, scoped_id
from kaquan.db.queries import load
from kaquan.db.wire import INT2, UUID, column, raw_cursor
from kaquan.kernel.caller import SYSTEM
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.money import Money
from kaquan.ledger.chart import Source
from kaquan.payouts.lifecycle import PayoutState
from kaquan.payouts.model import (
    BankException,
    ClosingFacts,
    Commands,
    FileFacts,
    FileFormat,
    FileState,
    Line,
    OpenFile,
    Payout,
    PayoutFacts,
    PayoutFile,
    Ready,
    Said,
    SourceAccount,
    send_key,
)

QUERIES = load(__package__)

Cursor = psycopg.Cursor[Any]


def load_payouts(cursor: Cursor, entries: Sequence[Entry], wanted: Sequence[Id], lock: bool) -> PayoutFacts:
    """The payouts that commands are about, with the references under which they were confirmed."""
    found = payouts(cursor, wanted, lock)
    rows = cursor.execute(QUERIES.confirmed, _named(list(found)))
    confirmed: dict[bytes, frozenset[str]] = {}
    for payout, reference in rows:
        confirmed[payout] = confirmed.get(payout, frozenset()) | {reference}
    return PayoutFacts(known(cursor, [entry.id for entry in entries]), found, confirmed=confirmed)


def load_exceptions(cursor: Cursor, entries: Sequence[Entry], lock: bool) -> PayoutFacts:
    """The exceptions that commands are about, and their payouts; both check their versions."""
    rows = cursor.execute(QUERIES.exceptions_by_id, _named([entry.command.exception for entry in entries]))
    found = {row[0]: _exception(row) for row in rows}
    facts = load_payouts(cursor, entries, [one.payout for one in found.values() if one.payout], lock)
    facts.exceptions = found
    return facts


def payouts(cursor: Cursor, wanted: Sequence[Id], lock: bool) -> dict[bytes, Payout]:
    """Payouts by their ids; with `lock` they stay as they are until the commit."""
    named = _named(wanted)
    if lock:
        cursor.execute(QUERIES.lock_payouts, {**named, "buckets": column(INT2, sorted(set(buckets(wanted))))})
    return {row[0]: _payout(row) for row in cursor.execute(QUERIES.payouts, named)}


def load_files(cursor: Cursor, entries: Sequence[Entry], most: int) -> FileFacts:
    """The accounts that pay, what could be sent, the next number. Numbers are unique: a clash is decided again."""
    ready: dict[bytes, list[Ready]] = {}
    for entry in entries:
        if isinstance(command := entry.command, OpenFile):
            asked = {"source": int(command.source), "until": command.until, "most": most}
            rows = cursor.execute(QUERIES.ready, asked)
            ready[entry.id] = [Ready(Id(payout), Id(merchant), program) for payout, merchant, program in rows]
    accounts = {
        (book, source): SourceAccount(*rest) for book, source, *rest in cursor.execute(QUERIES.source_accounts)
    }
    number = cursor.execute(QUERIES.next_number).fetchone()
    return FileFacts(known(cursor, [entry.id for entry in entries]), ready, accounts, number[0] if number else 1)


def load_closing(cursor: Cursor, entries: Sequence[Entry]) -> ClosingFacts:
    """Files with what is in them, and how much of what they list is not decided. Decisions are read before the lines:
    what is put in meanwhile still counts as undecided."""
    files: dict[bytes, PayoutFile] = {}
    for identity in sorted({entry.command.file for entry in entries}):
        listed = file_list(cursor, identity)
        sends = [scoped_id(SYSTEM.organisation, one, send_key(identity)) for one in listed]
        decided = known(cursor, sends)
        if found := file(cursor, identity):
            found.undecided = len(sends) - len(decided)
            files[identity] = found
    return ClosingFacts(known(cursor, [entry.id for entry in entries]), files)


def file(cursor: Cursor, identity: Id) -> PayoutFile | None:
    """A file with its lines, or None."""
    named = {"bucket": bucket_of(identity), "id": identity.hex()}
    row = cursor.execute(QUERIES.file, named).fetchone()
    if row is None:
        return None
    _, version, number, form, state, name, bank, account_no, source, pay_on, at, listed, sha256, content = row
    lines = tuple(
        Line(Id(payout), attempt, payee, at_bank, account, Money(amount), period_end)
        for payout, attempt, payee, at_bank, account, amount, period_end in cursor.execute(QUERIES.file_lines, named)
    )
    return PayoutFile(
        identity,
        version,
        number,
        FileFormat(form),
        FileState(state),
        SourceAccount(name, bank, account_no),
        Source(source),
        pay_on,
        at,
        listed,
        lines,
        sha256=sha256,
        sealed=bytes(content),
    )


def file_list(cursor: Cursor, identity: Id) -> list[Id]:
    """What a file lists."""
    named = {"bucket": bucket_of(identity), "id": identity.hex()}
    return [Id(row[0]) for row in cursor.execute(QUERIES.file_list, named)]


def known(cursor: Cursor, commands: Sequence[Id]) -> Commands:
    """Earlier decisions under these ids."""
    labels = buckets(commands)
    arguments = (column(INT2, sorted(set(labels))), column(INT2, labels), column(UUID, commands))
    return known_commands(call_load(cursor, QUERIES.load_commands, arguments))


def reading(connection: psycopg.Connection[Any]) -> Cursor:
    """A cursor that gives ids as bytes."""
    return raw_cursor(connection)


def view(connection: psycopg.Connection[Any], identity: Id) -> Any | None:
    """One payout for display, or None."""
    return next(iter(_shown(connection, QUERIES.view, {"bucket": bucket_of(identity), "id": identity.hex()})), None)


def steps(connection: psycopg.Connection[Any], identity: Id) -> list[Any]:
    """What happened to a payout, in order, for display."""
    return _shown(connection, QUERIES.steps, {"bucket": bucket_of(identity), "id": identity.hex()})


def listed(
    connection: psycopg.Connection[Any], state: PayoutState | None = None, merchant: Id | None = None, most: int = 500
) -> list[Any]:
    """Payouts for display, the latest day first."""
    asked = {"state": state and int(state), "merchant": merchant and merchant.hex(), "most": most}
    return _shown(connection, QUERIES.listed, asked)


def files(connection: psycopg.Connection[Any], before: int | None = None, most: int = 200) -> list[Any]:
    """Files for display, the latest first, below a number."""
    return _shown(connection, QUERIES.files_page, {"before": before or 2**31 - 1, "most": most})


def exceptions(
    connection: psycopg.Connection[Any], every: bool = False, after: tuple[int, str] | None = None, most: int = 200
) -> list[Any]:
    """Lines that fitted nothing, the oldest first: those that are open, or all."""
    at, identity = after or (-1, "0" * 32)
    return _shown(
        connection, QUERIES.exceptions_page, {"every": every, "after_at": at, "after": identity, "most": most}
    )


def positions(connection: psycopg.Connection[Any]) -> list[Any]:
    """Where the payouts of each book and bank account stand, by state."""
    return _shown(connection, QUERIES.positions, {})


def _shown(connection: psycopg.Connection[Any], sql: Any, asked: dict[str, Any]) -> list[Any]:
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(sql, asked).fetchall()


def _named(wanted: Sequence[bytes]) -> dict[str, Any]:
    unique = sorted(set(wanted))
    return {"bucket": column(INT2, buckets(unique)), "id": column(UUID, unique)}


def _payout(row: Sequence[Any]) -> Payout:
    identity, version, settlement, merchant, program, source, amount, held, state, attempt, questions, *rest = row
    in_file, reference, bank, account_no, pay_on = rest
    return Payout(
        Id(identity),
        version,
        Id(settlement),
        Id(merchant),
        program,
        Source(source),
        Money(amount),
        Money(held),
        PayoutState(state),
        attempt,
        questions,
        Id(in_file) if in_file else None,
        reference,
        bank,
        account_no,
        pay_on,
    )


def _exception(row: Sequence[Any]) -> BankException:
    identity, version, payout, attempt, said, amount, reference, code, state = row
    return BankException(
        Id(identity),
        version,
        Id(payout) if payout else None,
        attempt,
        Said(said),
        None if amount is None else Money(amount),
        reference,
        code,
        state == 1,
    )
