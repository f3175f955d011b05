"""May this period be settled, this reserve released, and what moves then? Pure."""

from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from kaquan.commands.model import Entry, Plan
from kaquan.kernel.calendar import Calendar, business_date, month_end
from kaquan.kernel.clock import instant, microseconds, shown
from kaquan.kernel.ids import Id, bucket_of, derived_id
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Account, Source
from kaquan.ledger.model import Leg, post
from kaquan.programs.catalogue import Catalogue, Terms
from kaquan.settlement import cycles, errors
from kaquan.settlement.model import (
    PART_FIELDS,
    PAYOUT_INSTRUCTED,
    RESERVE_RELEASED,
    RESERVE_WITHHELD,
    Cut,
    Part,
    Previous,
    ReserveFacts,
    Settle,
    Settled,
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
    if terms is None or merchant is None or merchant.group != terms.group:
        return Refusal(errors.MERCHANT_NOT_IN_PROGRAM)
    previous = facts.previous.get((command.merchant, command.program))
    if refusal := _not_this_period(command, facts, previous):
        return refusal
    if command.terms != terms.id:
        return Refusal(errors.TERMS_CHANGED, {"previewed": command.terms, "current": terms.id})
    if command.cut.xid > facts.horizon or command.cut != cut_of(command.period_end, terms, command.cut.xid):
        return Refusal(errors.CUT_STALE)
    if microseconds(at) < command.cut.at_us:
        return Refusal(errors.PERIOD_NOT_OVER, {"cut_at": shown(instant(command.cut.at_us))})
    pay_on = cycles.pay_day(command.period_end, terms.terms.settlement, calendar, business_date(at))
    if isinstance(pay_on, Refusal):
        return pay_on
    return _plan(entry, settled(facts, entry.id, previous, terms), previous, terms, pay_on, at)


def settled(facts: SettleFacts, command: Id, previous: Previous | None, terms: Terms) -> Statement:
    """The arithmetic of one command's entries under the terms."""
    return statement(
        facts.entries.get(command, {}),
        previous.carry if previous else {},
        terms.terms.settlement.fee_bps,
        terms.terms.reserve.rate_bps,
    )


def _not_this_period(command: Settle, facts: SettleFacts, previous: Previous | None) -> Refusal | None:
    if command.period_end != month_end(command.period_end):
        return Refusal(errors.PERIOD_INVALID, {"period_end": command.period_end.isoformat()})
    in_batch = facts.settled.get((command.merchant, command.program))
    settled_to = in_batch or (previous.period_end if previous else None)
    if settled_to is not None and command.period_end <= settled_to:
        return Refusal(errors.PERIOD_SETTLED, {"settled_to": settled_to.isoformat()})
    if in_batch or (previous is not None and not command.cut.follows(previous.cut)):
        return Refusal(errors.CUT_STALE)
    return None


def _plan(entry: Entry, sums: Statement, previous: Previous | None, terms: Terms, pay_on: date, at: datetime) -> Plan:
    command: Settle = entry.command
    return Plan(
        answer=_answer(entry.id, command, sums.total, pay_on),
        event="settlement.settled.v1",
        cold=_rows(entry.id, command, sums, (previous.number if previous else 0) + 1, terms, pay_on, at),
        postings=post(entry.id, terms.ledger, settle_legs(sums, command.merchant)),
        born=(Settled(command.merchant, command.program, command.period_end),),
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


def _rows(
    settlement: Id, command: Settle, sums: Statement, number: int, terms: Terms, pay_on: date, at: datetime
) -> tuple[Cold, ...]:
    total = sums.total
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
        "cut_at": command.cut.at_us,
        "cut_xid": command.cut.xid,
        "period_end": command.period_end.isoformat(),
        "pay_on": pay_on.isoformat(),
        "terms": command.terms,
        "program": command.program,
        "number": number,
        "by_source": {_name(source): msgspec.to_builtins(part) for source, part in sums.parts.items()},
    }
    payouts = [
        _payout(settlement, source, part.paid, pay_on, common) for source, part in sums.parts.items() if part.paid
    ]
    reserve = [_reserve(sums, pay_on + timedelta(days=terms.terms.reserve.release_days), command.program, common)]
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


def _payout(settlement: Id, source: Source, amount: Money, pay_on: date, common: dict[str, Any]) -> Cold:
    return (
        "payout",
        {
            **common,
            "id": derived_id(settlement, b"payout from " + _name(source).encode()).hex(),
            "settlement": settlement.hex(),
            "amount": amount,
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
        postings=post(entry.id, catalogue.latest[reserve.program].ledger, legs),
        born=(reserve.id,),
    )


def cut_of(period_end: date, terms: Terms, xid: int) -> Cut:
    """The cut of a period under the terms, below a transaction."""
    end = cycles.cut_instant(period_end, cycles.cut_off(terms.terms.settlement))
    return Cut(microseconds(end), xid)


def _name(source: Source) -> str:
    return source.name.lower()
