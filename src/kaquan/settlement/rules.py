"""May this period be settled, this reserve released, and what moves then? Pure."""

from datetime import date, datetime

import msgspec

from kaquan.commands.model import Entry, Plan
from kaquan.kernel.calendar import Calendar, business_date
from kaquan.kernel.clock import instant, microseconds, shown
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Account
from kaquan.ledger.model import Leg, post
from kaquan.programs.catalogue import Catalogue, Terms
from kaquan.settlement import cycles, errors
from kaquan.settlement.counting import Case, follow, left_held, reserves_of, settled
from kaquan.settlement.making import Made, answer, legs, rows
from kaquan.settlement.model import (
    RESERVE_RELEASED,
    ClosePeriod,
    Counted,
    Cut,
    Previous,
    Reserve,
    ReserveFacts,
    Settle,
    SettleFacts,
)


def decide_settle(
    entry: Entry, facts: SettleFacts, catalogue: Catalogue, calendar: Calendar, at: datetime
) -> Plan | Refusal:
    """Settle one merchant's period as its cut counts it."""
    command: Settle = entry.command
    terms = catalogue.latest.get(command.program)
    merchant = catalogue.merchants.get(command.merchant)
    if terms is None or merchant is None:
        return Refusal(errors.MERCHANT_NOT_IN_PROGRAM)
    books = facts.books
    previous = books.previous.get((command.merchant, command.program))
    entries = books.entries.get(entry.id, {})
    if previous is None and not entries and not terms.accepts(merchant):
        return Refusal(errors.MERCHANT_NOT_IN_PROGRAM)
    if refusal := _not_this_period(command, books, previous, terms) or _stale(command, entry.id, books, previous):
        return refusal
    if refusal := not_now(command, terms, books.horizon, at):
        return refusal
    pay_on = cycles.pay_day(command.period_end, terms.terms.settlement, calendar, business_date(at))
    if isinstance(pay_on, Refusal):
        return pay_on
    case = Case(command.program, command.merchant, command.period_end, pay_on)
    sums = settled(catalogue, books, case, entries)
    held = reserves_of(entry.id, case, sums, terms.terms.reserve)
    partners = {code: catalogue.merchant_codes[code] for code in sums.shares}
    made = Made(entry.id, command, terms, merchant, sums, pay_on, held, partners, at)
    left = left_held(books.reserves.get((command.merchant, command.program), ()), sums, held)
    return _plan(made, follow(previous, command.period_end, command.cut, sums), left)


def _not_this_period(command: Settle, books: Counted, previous: Previous | None, terms: Terms) -> Refusal | None:
    if command.period_end != cycles.period_ending(command.period_end, terms.terms.settlement):
        return Refusal(errors.PERIOD_INVALID, {"period_end": command.period_end.isoformat()})
    closed = books.closed.get(command.program)
    ends = [one.period_end for one in (previous, closed) if one is not None]
    if ends and command.period_end <= max(ends):
        return Refusal(errors.PERIOD_SETTLED, {"settled_to": max(ends).isoformat()})
    return None


def _stale(command: Settle, settlement: Id, books: Counted, previous: Previous | None) -> Refusal | None:
    """Entries were counted since one cut: no other settlement may have come in between, nor one of a later cut."""
    stands_on = previous.cut if previous else None
    if books.since[settlement] != stands_on or (stands_on is not None and not command.cut.follows(stands_on)):
        return Refusal(errors.CUT_STALE)
    return None


def not_now(command: Settle | ClosePeriod, terms: Terms, horizon: int, at: datetime) -> Refusal | None:
    """Whether terms, cut and time allow the period to be counted now."""
    if command.terms != terms.id:
        return Refusal(errors.TERMS_CHANGED, {"previewed": command.terms, "current": terms.id})
    if command.cut.xid > horizon or command.cut != cut_of(command.period_end, terms, command.cut.xid):
        return Refusal(errors.CUT_STALE)
    if microseconds(at) < command.cut.at_us:
        return Refusal(errors.PERIOD_NOT_OVER, {"cut_at": shown(instant(command.cut.at_us))})
    return None


def _plan(made: Made, standing: Previous, held: tuple[Reserve, ...]) -> Plan:
    command = made.command
    return Plan(
        answer=answer(made),
        event="settlement.settled.v1",
        cold=rows(made, standing.number),
        postings=post(made.id, made.terms.ledger_of(made.merchant), legs(made)),
        born=(((command.merchant, command.program), standing, held),),
    )


def decide_release(entry: Entry, facts: ReserveFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Give a reserve back to what the merchant has coming; its next settlement pays it."""
    reserve = facts.reserves.get(entry.command.settlement)
    if reserve is None:
        return Refusal(errors.RESERVE_UNKNOWN)
    if reserve.state == RESERVE_RELEASED:
        return Refusal(errors.RESERVE_RELEASED)
    if business_date(at) < reserve.release_on:
        return Refusal(errors.RESERVE_NOT_DUE, {"release_on": reserve.release_on.isoformat()})
    merchant = reserve.merchant
    rest = reserve.rest
    back = [
        Leg(Account.MERCHANT_RESERVE, merchant, Account.MERCHANT_PAYABLE, merchant, source, amount)
        for source, amount in rest.items()
    ]
    return Plan(
        answer=msgspec.json.encode(
            {
                "merchant": merchant.hex(),
                "program": reserve.program,
                "released_fen": sum(rest.values()),
                "settlement": reserve.settlement.hex(),
            },
            order="sorted",
        ),
        event="reserve.released.v1",
        cold=(
            (
                "reserve_release",
                {"bucket": bucket_of(reserve.id), "id": reserve.id.hex(), "version": reserve.version},
            ),
        ),
        postings=post(entry.id, catalogue.latest[reserve.program].ledger_of(catalogue.merchants[merchant]), back),
        born=(reserve.id,),
    )


def cut_of(period_end: date, terms: Terms, xid: int) -> Cut:
    """The cut of a period under the terms, below a transaction."""
    end = cycles.cut_instant(period_end, cycles.cut_off(terms.terms.settlement))
    return Cut(microseconds(end), xid)
