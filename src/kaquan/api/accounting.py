"""Accounting: close days, and read one book over closed days: trial balance, vouchers, invoices, titles.

An issuer reads its own book; operator and regulator all. Files are written at the command line.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import islice
from typing import Annotated, Any

from fastapi import Query
from pydantic import Field

from kaquan.accounting import service
from kaquan.accounting.rows import invoice_row, trial_rows
from kaquan.accounting.service import Asked, Book, TitleMap
from kaquan.api.authorization import ISSUERS, OPERATOR
from kaquan.api.calls import Call
from kaquan.api.errors import NOT_FOUND
from kaquan.api.fields import PAGE_MAX, After, Body, Day, Limit, PathText
from kaquan.api.pages import part, place_day, typed_place
from kaquan.api.problems import Problem
from kaquan.api.routes import Routes
from kaquan.commands.model import Kind
from kaquan.documents.accounting import (
    closed_row,
    invoice_document,
    tie_row,
    title_row,
    trial_document,
    voucher_document,
)
from kaquan.kernel.calendar import business_date
from kaquan.kernel.caller import Role
from kaquan.kernel.refusal import Refusal

routes = Routes("accounting", "会计 Accounting")
_READERS = ISSUERS | {Role.REGULATOR}
Since = Annotated[Day | None, Query(description="First day; by default the first of the month of `until`.")]
Until = Annotated[Day | None, Query(description="Last day; by default the last that is closed.")]
OneDay = Annotated[Day | None, Query(description="A closed day; by default the last.")]


class Through(Body):
    """Which days to close."""

    through: Annotated[Day | None, Field(description="The last day to close; yesterday by default.")] = None


@routes.writes("/accounting/days/close", OPERATOR, example={"through": "$open_day"}, owned=False)
def close_days(call: Call, body: Through) -> dict[str, Any]:
    """关账 Close the books of all days up to one: what is in them never changes again"""
    at = call.app.door.at()

    def make(**of_the_call: Any) -> Any:
        return service.close_command(of_the_call["caller"], of_the_call["key"], body.through, at)

    return call.act(Kind.CLOSE_DAYS, make)


@routes.reads("/accounting/days", _READERS, owned=False)
def list_closed_days(call: Call, limit: Limit = PAGE_MAX, after: After = None) -> dict[str, Any]:
    """已关账的日子 The days whose books are closed, the latest first"""
    place = typed_place(after, str)
    before = date.max if place is None else place_day(place[0])
    found = service.latest_closed(call.app.connection, before, limit + 1)
    return part(found, lambda one: (one.day.isoformat(),), limit, closed_row)


@routes.reads("/accounting/books/{issuer}/trial-balance", _READERS, made="closed_book")
def show_trial_balance(call: Call, issuer: PathText, since: Since = None, until: Until = None) -> dict[str, Any]:
    """科目余额表 Opening, movement and closing of every title; whether each account agrees with the ledger"""
    last = until or _last(call)
    with _opened(call, issuer, since or last.replace(day=1), last) as book:
        tied = service.ties(call.app.connection, book)
    return {
        "book": book.code,
        "kind": book.titles.kind.value,
        "since": book.period.since.isoformat(),
        "until": book.period.until.isoformat(),
        "ties": all(one.holds for one in tied),
        "items": trial_document(trial_rows(book.trial, call.words.language)),
        "accounts": [tie_row(one) for one in tied],
        "next": None,
    }


@routes.reads("/accounting/books/{issuer}/vouchers", _READERS, made="closed_book")
def list_day_vouchers(
    call: Call, issuer: PathText, day: OneDay = None, limit: Limit = PAGE_MAX, after: After = None
) -> dict[str, Any]:
    """记账凭证 The vouchers of a closed day, one for each rule and program, in the order of their numbers"""
    start = _start(after)
    closed = day or _last(call)
    with _opened(call, issuer, closed, closed) as book:
        all_ = service.book_vouchers(call.app.connection, book, full=False)
        found = list(enumerate(islice(all_, start, start + limit + 1), start + 1))
    language = call.words.language
    return part(found, lambda one: (one[0],), limit, lambda one: voucher_document(one[1], language))


@routes.reads("/accounting/books/{issuer}/invoices", _READERS, made="closed_book")
def list_invoices(
    call: Call, issuer: PathText, day: OneDay = None, limit: Limit = PAGE_MAX, after: After = None
) -> dict[str, Any]:
    """开票清单 What a closed day's commands call for: which side may issue what, and why"""
    start, language = _start(after), call.words.language
    closed = day or _last(call)
    with _opened(call, issuer, closed, closed) as book:
        all_ = service.book_invoices(call.app.connection, call.objects.catalogue, book)
        found = list(enumerate(islice(all_, start, start + limit + 1), start + 1))
    return part(found, lambda one: (one[0],), limit, lambda one: invoice_document(invoice_row(one[1], language)))


@routes.reads("/accounting/books/{issuer}/titles", _READERS)
def list_titles(call: Call, issuer: PathText) -> dict[str, Any]:
    """科目对照 The title of each account of our chart in a book, and by which standard"""
    _own(call, issuer)
    found = service.titles_in(call.objects.catalogue, _titles(call), issuer)
    if isinstance(found, Refusal):
        raise Problem.of(found)
    return {"items": [title_row(one, call.words.language) for one in found], "next": None}


@contextmanager
def _opened(call: Call, issuer: str, since: date, until: date) -> Iterator[Book]:
    """A book that the caller sees. Raises `Problem`."""
    _own(call, issuer)
    asked = Asked(issuer, since, until, _titles(call))
    with service.opened(call.app.connection, call.objects.catalogue, asked) as found:
        if isinstance(found, Refusal):
            raise Problem.of(found)
        yield found


def _last(call: Call) -> date:
    """The last closed day; yesterday when none is, so that its refusal tells what to close."""
    latest = service.latest_closed(call.app.connection, date.max, 1)
    return next((one.day for one in latest), business_date(call.app.door.at()) - timedelta(days=1))


def _own(call: Call, issuer: str) -> None:
    """Raises `Problem` for a book that there is not, or that is another's."""
    number, book = call.objects.catalogue.organisations.get(issuer, (0, None))
    if book is None or (call.caller.role is Role.ISSUER and number != call.caller.organisation):
        raise Problem(NOT_FOUND)


def _titles(call: Call) -> TitleMap:
    found = service.read_titles(call.serving.settings.titles_file)
    if isinstance(found, Refusal):
        raise Problem.of(found)
    return found


def _start(after: str | None) -> int:
    """How many were on the pages before."""
    place = typed_place(after, int)
    return 0 if place is None else max(0, min(int(place[0]), 10**9))
