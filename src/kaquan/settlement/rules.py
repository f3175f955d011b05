"""May this period be settled, this reserve released, and what moves then? Pure."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from kaquan.commands.model import Entry, Plan
from kaquan.kernel.calendar import Calendar, business_date
from kaquan.kernel.clock import instant, microseconds, shown
from kaquan.kernel.ids import Id, bucket_of, derived_id
from kaquan.kernel.money import ZERO, Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Account, Source
from kaquan.ledger.model import Leg, post
from kaquan.programs.catalogue import Catalogue, Merchant, Terms
from kaquan.settlement import cycles, errors
from kaquan.settlement.model import (
    PART_FIELDS,
    PAYOUT_INSTRUCTED,
    RESERVE_RELEASED,
    RESERVE_WITHHELD,
    ClosePeriod,
    Counted,
    Cut,
    Entries,
    Part,
    Previous,
    ReserveFacts,
    Settle,
    SettleFacts,
    Statement,
)
from kaquan.settlement.statement import statement

Cold = tuple[str, dict[str, Any]]


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
    made = _Settlement(entry.id, command, terms, merchant, settled(entries, previous, terms, merchant))
    return _plan(made, follow(previous, command.period_end, command.cut, made.sums), pay_on, at)


def settled(
    entries: Mapping[Source, Entries], previous: Previous | None, terms: Terms, merchant: Merchant
) -> Statement:
    """The arithmetic of a merchant's entries under the terms."""
    settlement = terms.terms.settlement
    return statement(
        entries,
        previous.carry if previous else {},
        settlement.fee_bps,
        terms.terms.reserve.rate_bps,
        pending=previous.pending if previous else ZERO,
        has_bank=bool(merchant.account_no) and (merchant.bank_verified or not settlement.requires_verified_bank),
    )


def is_needed(entries: Mapping[Source, Entries], sums: Statement) -> bool:
    """Whether a settlement would count or move anything. Who has nothing to come needs none."""
    return bool(entries) or bool(sums.total.paid or sums.total.reserved)


def follow(previous: Previous | None, period_end: date, cut: Cut, sums: Statement) -> Previous:
    """What a merchant's next settlement stands on after this one."""
    carry = {source: part.carry for source, part in sums.parts.items() if part.carry}
    return Previous((previous.number if previous else 0) + 1, period_end, cut, carry, sums.total.pending_bank)


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


class _Settlement(NamedTuple):
    """A settlement that is being made."""

    id: Id
    command: Settle
    terms: Terms
    merchant: Merchant
    sums: Statement


def _plan(made: _Settlement, standing: Previous, pay_on: date, at: datetime) -> Plan:
    command, ledger = made.command, made.terms.ledger_of(made.merchant)
    return Plan(
        answer=_answer(made.id, command, made.sums.total, pay_on),
        event="settlement.settled.v1",
        cold=_rows(made, standing.number, pay_on, at),
        postings=post(made.id, ledger, settle_legs(made.sums, command.merchant)),
        born=(((command.merchant, command.program), standing),),
    )


def settle_legs(sums: Statement, merchant: Id) -> list[Leg]:
    """From what the merchant earned to the bank, to its reserve and to the fee, source by source."""
    payable = Account.MERCHANT_PAYABLE
    return [
        leg
        for source, part in sums.parts.items()
        for leg in (
            Leg(payable, merchant, Account.MERCHANT_PAYOUT, merchant, source, part.paid),
            Leg(payable, merchant, Account.MERCHANT_RESERVE, merchant, source, part.reserved),
            Leg(payable, merchant, Account.FEE_INCOME, None, source, part.fee),
        )
    ]


def _answer(settlement: Id, command: Settle, total: Part, pay_on: date) -> bytes:
    return msgspec.json.encode(
        {
            **{f"{name}_fen": getattr(total, name) for name in PART_FIELDS},
            "cut_us": command.cut.at_us,
            "cut_xid": command.cut.xid,
            "merchant": command.merchant.hex(),
            "pay_on": pay_on.isoformat(),
            "period_end": command.period_end.isoformat(),
            "program": command.program,
            "settlement": settlement.hex(),
            "terms": command.terms,
        },
        order="sorted",
    )


def _rows(made: _Settlement, number: int, pay_on: date, at: datetime) -> tuple[Cold, ...]:
    settlement, command, sums, total = made.id, made.command, made.sums, made.sums.total
    common = {
        "id": settlement.hex(),
        "merchant": command.merchant.hex(),
        "bucket": bucket_of(settlement),
        "at": microseconds(at),
    }
    row = {
        **common,
        "gross": total.gross,
        "refunds": total.refunds,
        "carried": total.carried,
        "released": total.released,
        "fee": total.fee,
        "reserved": total.reserved,
        "paid": total.paid,
        "carry": total.carry,
        "pending_bank": total.pending_bank,
        "cut_at": command.cut.at_us,
        "cut_xid": command.cut.xid,
        "period_end": command.period_end.isoformat(),
        "pay_on": pay_on.isoformat(),
        "terms": command.terms,
        "program": command.program,
        "number": number,
        "by_source": {_name(source): msgspec.to_builtins(part) for source, part in sums.parts.items()},
    }
    payouts = [_payout(made, source, part.paid, pay_on, common) for source, part in sums.parts.items() if part.paid]
    release_on = pay_on + timedelta(days=made.terms.terms.reserve.release_days)
    reserve = [_reserve(sums, release_on, command.program, common)]
    return (("settlement", row), *payouts, *(reserve if total.reserved else ()))


def _reserve(sums: Statement, release_on: date, program: int, common: dict[str, Any]) -> Cold:
    return (
        "reserve",
        {
            **common,
            "amount": sums.total.reserved,
            "release_on": release_on.isoformat(),
            "version": 1,
            "program": program,
            "state": RESERVE_WITHHELD,
            "by_source": {_name(source): part.reserved for source, part in sums.parts.items() if part.reserved},
        },
    )


def _payout(made: _Settlement, source: Source, amount: Money, pay_on: date, common: dict[str, Any]) -> Cold:
    return (
        "payout",
        {
            **common,
            "id": derived_id(made.id, b"payout from " + _name(source).encode()).hex(),
            "settlement": made.id.hex(),
            "amount": amount,
            "account_bank": made.merchant.account_bank,
            "account_no": made.merchant.account_no,
            "pay_on": pay_on.isoformat(),
            "source": source,
            "state": PAYOUT_INSTRUCTED,
        },
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
    legs = [
        Leg(Account.MERCHANT_RESERVE, merchant, Account.MERCHANT_PAYABLE, merchant, source, amount)
        for source, amount in reserve.by_source.items()
    ]
    return Plan(
        answer=msgspec.json.encode(
            {
                "merchant": merchant.hex(),
                "program": reserve.program,
                "released_fen": reserve.amount,
                "settlement": reserve.id.hex(),
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
        postings=post(entry.id, catalogue.latest[reserve.program].ledger_of(catalogue.merchants[merchant]), legs),
        born=(reserve.id,),
    )


def cut_of(period_end: date, terms: Terms, xid: int) -> Cut:
    """The cut of a period under the terms, below a transaction."""
    end = cycles.cut_instant(period_end, cycles.cut_off(terms.terms.settlement))
    return Cut(microseconds(end), xid)


def _name(source: Source) -> str:
    return source.name.lower()
