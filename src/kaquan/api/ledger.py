"""The ledger: balances, postings, positions between books, proofs, the roll-up. Readers only.

An issuer sees its own book; operator and regulator see all.
"""

from typing import Annotated, Any

from fastapi import Query

from kaquan.api.authorization import ISSUERS, OPERATOR
from kaquan.api.calls import Call
from kaquan.api.errors import NOT_FOUND, REQUEST_INVALID
from kaquan.api.fields import PAGE_MAX, After, Limit, PathText
from kaquan.api.objects import identity
from kaquan.api.pages import page, part, place_id, typed_place
from kaquan.api.problems import Problem
from kaquan.api.routes import Routes
from kaquan.documents.ledger import ACCOUNTS, balance_row, owner_row, position_row, posting_row
from kaquan.kernel.caller import Role
from kaquan.ledger import service
from kaquan.ledger.chart import Account

routes = Routes("ledger", "账本 Ledger")
_READERS = ISSUERS | {Role.REGULATOR}
BookQuery = Annotated[str | None, Query(max_length=64, description="A book, by its organisation's code.")]


@routes.reads("/ledger/balances", _READERS, owned=False)
def list_balances(call: Call, book: BookQuery = None, limit: Limit = PAGE_MAX, after: After = None) -> dict[str, Any]:
    """列出余额 What each account of each book holds, by program and source of money"""
    books, catalogue = _books(call, book), call.objects.catalogue
    found = [one for one in service.balances(call.app.connection) if one.book in books]

    def told(one: service.Balance) -> dict[str, Any]:
        return balance_row(one, catalogue)

    return page(found, lambda one: (one.book, one.program, one.account, one.source), (limit, after), told)


@routes.reads("/ledger/books/{issuer}/accounts/{account}", _READERS)
def list_owners(
    call: Call, issuer: PathText, account: PathText, limit: Limit = PAGE_MAX, after: After = None
) -> dict[str, Any]:
    """按归属列出科目 An account of a book by owner; 100,000 owners at most. What a card holds its lots tell"""
    (book,) = _books(call, issuer)
    known = _account(account)
    if Account.CARD_PRINCIPAL <= known <= Account.CARD_SUBSIDY:
        raise Problem(NOT_FOUND)
    found, catalogue = service.owner_balances(call.app.connection, book, known), call.objects.catalogue
    return page(
        found,
        lambda one: ((one.owner or b"").hex(), one.source),
        (limit, after),
        lambda one: owner_row(issuer, one, catalogue),
    )


@routes.reads("/ledger/postings", _READERS, owned=False)
def list_postings(
    call: Call,
    book: BookQuery = None,
    account: Annotated[str | None, Query(max_length=64, description="Such as merchant.payable.")] = None,
    limit: Limit = PAGE_MAX,
    after: After = None,
) -> dict[str, Any]:
    """列出分录 List postings, newest first"""
    place = typed_place(after, int, str, int)
    before = None if place is None else (place[0], place_id(place[1]).hex(), place[2])
    number = None if account is None else int(_account(account))
    books = sorted(_books(call, book))
    found = service.page(call.app.connection, books, number, before, limit + 1)
    return part(found, lambda one: (one.at, one.transfer.hex, one.line), limit, posting_row)


@routes.reads("/ledger/transfers/{transfer}", _READERS)
def show_transfer(call: Call, transfer: PathText) -> dict[str, Any]:
    """查看一笔记账 The postings of one transfer: of a payment, a refund, a settlement, a sale (by its card)"""
    found = service.transfer(call.app.connection, identity(transfer.partition("_")[0], transfer))
    books = {call.objects.catalogue.books[number] for number in _books(call, None)}
    own = [one for one in found if one.book in books]
    if not own:
        raise Problem(NOT_FOUND)
    return {"items": [posting_row(one) for one in own], "next": None}


@routes.reads("/ledger/positions", _READERS, owned=False)
def list_positions(call: Call, limit: Limit = PAGE_MAX, after: After = None) -> dict[str, Any]:
    """往来净额 What each pair of books owes each other, and the net position"""
    books, own = call.objects.catalogue.books, _books(call, None)
    found = [one for one in service.positions(call.app.connection, books) if own & {one.book, one.other}]
    return page(found, lambda one: (one.book, one.other), (limit, after), lambda one: position_row(one, books))


@routes.reads("/ledger/proofs", OPERATOR | {Role.REGULATOR}, owned=False)
def list_proofs(call: Call) -> dict[str, Any]:
    """账目证明 Recount everything from the postings: what must hold, and whether it does"""
    zh = call.words.language == "zh"
    proved = [
        {"name": one.name, "ok": one.ok, "statement": one.zh if zh else one.en, "facts": dict(one.facts)}
        for one in service.proofs(call.app.connection)
    ]
    return {"ok": all(one["ok"] for one in proved), "items": proved, "next": None}


@routes.reads("/ledger/rollup", OPERATOR | {Role.REGULATOR}, owned=False)
def show_rollup(call: Call) -> dict[str, Any]:
    """汇总状态 Up to which transaction the roll-up has every posting (`xid`), and up to which it could (`closed`)"""
    return service.rollup_state(call.app.connection)


def _books(call: Call, code: str | None) -> set[int]:
    """The books that the caller sees, or the one it names. Raises `Problem`."""
    known = call.objects.catalogue.organisations
    own = {
        one: book
        for one, (number, book) in known.items()
        if book is not None and (call.caller.role is not Role.ISSUER or number == call.caller.organisation)
    }
    if code is None:
        return set(own.values())
    if code not in own:
        raise Problem(NOT_FOUND)
    return {own[code]}


def _account(name: str) -> Account:
    found = ACCOUNTS.get(name)
    if found is None:
        raise Problem(REQUEST_INVALID, {"where": "account"})
    return found
