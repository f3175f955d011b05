"""The reference data and the lives of programs as the database keeps them."""

from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg
from psycopg.rows import dict_row, namedtuple_row

from kaquan.db.queries import load
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
    _read_terms(connection, catalogue)
    for identity, code, name, group, state, bank, account in rows(QUERIES.merchants):
        key = Id(identity.bytes)
        catalogue.merchants[key] = Merchant(key, code, name, group, state == 1, bank, account)
        catalogue.merchant_codes[code] = key
    for identity, merchant, code in rows(QUERIES.stores):
        catalogue.stores[code] = (Id(identity.bytes), Id(merchant.bytes))
        catalogue.store_merchants[identity.bytes] = Id(merchant.bytes)
        catalogue.store_codes[identity.bytes] = code
    _read_funds(connection, catalogue)
    _read_stocks(connection, catalogue)


def _read_terms(connection: psycopg.Connection[Any], catalogue: Catalogue) -> None:
    books = dict(catalogue.organisations.values())
    names = dict(connection.execute(QUERIES.names).fetchall())
    for identity, program, version, text, code, issuer, state, starts_on in connection.execute(QUERIES.terms):
        terms = from_json(text)
        group = catalogue.organisations.get(terms.program.group)
        known = Terms(
            id=identity,
            program=program,
            version=version,
            terms=terms,
            ledger=Ledger(_book(books, issuer), program),
            group=group[0] if group else None,
            state=ProgramState(state),
            starts_on=starts_on,
            issuer_name=names[terms.program.issuer],
            group_name=names[terms.program.group],
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
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(QUERIES.owed, {"program": program}).fetchone() or {}
    paid_us = row.pop("paid_us", 0)
    return Owed(row, paid_us)
