"""The reference data and the lives of programs as the database keeps them."""

from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg
from psycopg.rows import dict_row, namedtuple_row

from kaquan.commands.loading import buckets, call_load, known_commands
from kaquan.commands.model import Entry
from kaquan.db.queries import load
from kaquan.db.wire import INT2, UUID, column
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Fault
from kaquan.ledger.chart import Source
from kaquan.ledger.model import Ledger
from kaquan.merchants.model import ReferenceFacts
from kaquan.programs.catalogue import Catalogue, Fund, FundMode, FundShare, Merchant, Stock, StockState, Terms
from kaquan.programs.grants import MERCHANT
from kaquan.programs.lifecycle import ProgramState
from kaquan.programs.model import Life, Owed, ProgramFacts, Proposal
from kaquan.programs.terms import from_json
from kaquan.quotas.model import pool_id

QUERIES = load(__package__)


def read_catalogue(connection: psycopg.Connection[Any], catalogue: Catalogue) -> None:
    """Fill a catalogue with everything there is now."""
    rows = connection.execute
    catalogue.books = {row[0]: row[1] for row in rows(QUERIES.books)}
    catalogue.organisations = {code: (number, book) for number, code, book in rows(QUERIES.organisations)}
    books = dict(catalogue.organisations.values())
    _read_terms(connection, catalogue, books)
    for identity, code, name, group, state, bank, account, verified in rows(QUERIES.merchants):
        key = Id(identity.bytes)
        catalogue.merchants[key] = Merchant(key, code, name, group, books[group], state == 1, bank, account, verified)
        catalogue.merchant_codes[code] = key
    for identity, merchant, code in rows(QUERIES.stores):
        catalogue.stores[code] = (Id(identity.bytes), Id(merchant.bytes))
        catalogue.store_merchants[identity.bytes] = Id(merchant.bytes)
        catalogue.store_codes[identity.bytes] = code
    _read_funds(connection, catalogue)
    _read_stocks(connection, catalogue)


def _read_terms(connection: psycopg.Connection[Any], catalogue: Catalogue, books: dict[int, int | None]) -> None:
    names = dict(connection.execute(QUERIES.names).fetchall())
    enrolments: dict[int, dict[bytes, int]] = {}
    for program, merchant, entered in connection.execute(QUERIES.enrolments):
        enrolments.setdefault(program, {})[merchant.bytes] = entered
    for identity, program, version, text, code, issuer, state, starts_on, stop in connection.execute(QUERIES.terms):
        terms = from_json(text)
        known = Terms(
            id=identity,
            program=program,
            version=version,
            terms=terms,
            ledger=Ledger(_book(books, issuer), program),
            platforms={
                catalogue.organisations[one.platform][0]: one.merchants
                for one in terms.acceptance
                if one.platform in catalogue.organisations
            },
            enrolments=enrolments.get(program, {}),
            state=ProgramState(state),
            starts_on=starts_on,
            stop=None if stop is None else msgspec.json.decode(stop),
            issuer_name=names[terms.program.issuer],
            platform_names=tuple(names.get(one.platform, one.platform) for one in terms.acceptance),
        )
        catalogue.terms[identity] = known
        catalogue.latest[program] = known
        catalogue.programs[code] = program


def _read_funds(connection: psycopg.Connection[Any], catalogue: Catalogue) -> None:
    for identity, code, name, organisation, book, mode, source in connection.execute(QUERIES.funds):
        fund = Fund(Id(identity.bytes), code, name, organisation, book, FundMode(mode), Source(source))
        catalogue.funds[code] = fund
        catalogue.funds_by_id[fund.id] = fund


def _read_stocks(connection: psycopg.Connection[Any], catalogue: Catalogue) -> None:
    """Every opened stock under every version of the terms that names it, if the funds that it names are there."""
    opened = {(program, code): (number, state) for number, program, code, state in connection.execute(QUERIES.stocks)}
    for terms in catalogue.terms.values():
        for rules in terms.terms.stocks:
            found = opened.get((terms.program, rules.code))
            paying = [each for each in terms.terms.funding if each.of == rules.code]
            if found is None or any(each.fund not in {MERCHANT, *catalogue.funds} for each in paying):
                continue
            number, state = found
            funding = tuple(
                FundShare(None if each.fund == MERCHANT else catalogue.funds[each.fund], each.share_bps)
                for each in paying
            )
            known = Stock(number, rules.code, terms, rules, funding, StockState(state), pool_id("stock", number))
            catalogue.stocks[terms.id, number] = known
            if catalogue.latest[terms.program] is terms:
                catalogue.latest_stocks[terms.program, rules.code] = known


def enrolments(
    cursor: psycopg.Cursor[Any], pairs: Sequence[tuple[int, Id]]
) -> dict[tuple[int, bytes], tuple[int, int]]:
    """State and version of the enrolment of each (program, merchant) that has one."""
    given = {
        "program": column(INT2, [program for program, _ in pairs]),
        "merchant": column(UUID, [merchant for _, merchant in pairs]),
    }
    rows = cursor.execute(QUERIES.enrolment, given)
    return {(program, merchant): (state, version) for program, merchant, state, version in rows}


def known(cursor: psycopg.Cursor[Any], entries: Sequence[Entry]) -> dict[bytes, tuple[bytes, int, bytes]]:
    """Earlier decisions under the ids of a batch."""
    commands = [entry.id for entry in entries]
    labels = buckets(commands)
    arguments = (column(INT2, sorted(set(labels))), column(INT2, labels), column(UUID, commands))
    return known_commands(call_load(cursor, QUERIES.load_commands, arguments))


def _book(books: dict[int, int | None], issuer: int) -> int:
    book = books.get(issuer)
    if book is None:
        raise Fault(f"the issuer {issuer} keeps no book: its program should not have been opened")
    return book


def lives(connection: psycopg.Connection[Any]) -> dict[str, Life]:
    """Every program by its code, drafts included."""
    found = {}
    for number, code, issuer, state, version, submitted_by, starts_on, *waiting in connection.execute(QUERIES.lives):
        proposal = None if waiting[0] is None else Proposal(*waiting)
        found[code] = Life(
            number, code, issuer, ProgramState(state), version, submitted_by or "", starts_on, proposal
        )
    return found


def load_lives(connection: psycopg.Connection[Any], facts: ReferenceFacts, closing: Sequence[str]) -> ProgramFacts:
    """The facts of a batch, with all programs and what those `closing` still owe."""
    known = lives(connection)
    owed = {code: _owed(connection, known[code].id) for code in closing if code in known}
    number = connection.execute(QUERIES.next_proposal).fetchone()
    return ProgramFacts(
        **msgspec.structs.asdict(facts), lives=known, next_proposal=number[0] if number else 1, owed=owed
    )


def history(connection: psycopg.Connection[Any], code: str) -> list[Any]:
    """Every step of a program's life, oldest first."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(QUERIES.history, {"code": code}).fetchall()


def _owed(connection: psycopg.Connection[Any], program: int) -> Owed:
    """What it owes is read first: what is paid between the two looks is promised or on a card in the first, or is in
    the second."""
    with connection.cursor(row_factory=dict_row) as cursor:
        amounts = cursor.execute(QUERIES.owed, {"program": program}).fetchone() or {}
    return Owed(amounts, dict(connection.execute(QUERIES.paid, {"program": program}).fetchall()))
