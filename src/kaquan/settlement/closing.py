"""May this period be closed? Pure.

A closed period is a promise about everybody: whoever has no settlement of it, or of a later one, had nothing within
its cut. Settlements need then read no further back, and what is due need not ask merchant by merchant.
"""

from datetime import datetime

import msgspec

from kaquan.commands.model import Entry, Plan
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Catalogue, Terms
from kaquan.settlement import cycles, errors
from kaquan.settlement.counting import Case, is_needed, settled
from kaquan.settlement.model import CloseFacts, ClosePeriod, close_id
from kaquan.settlement.rules import not_now


def decide_close(entry: Entry, facts: CloseFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Close a program's period when nobody has anything left in it."""
    command: ClosePeriod = entry.command
    terms = catalogue.latest.get(command.program)
    if terms is None:
        return Refusal(errors.MERCHANT_NOT_IN_PROGRAM)
    if command.period_end != cycles.period_ending(command.period_end, terms.terms.settlement):
        return Refusal(errors.PERIOD_INVALID, {"period_end": command.period_end.isoformat()})
    closed = facts.books.closed.get(command.program)
    if closed is not None and command.period_end <= closed.period_end:
        return Refusal(errors.PERIOD_CLOSED, {"closed_to": closed.period_end.isoformat()})
    if refusal := not_now(command, terms, facts.books.horizon, at):
        return refusal
    left = sum(_is_left(entry.id, command, one, facts, catalogue) for one in facts.traders[command.program])
    if left:
        return Refusal(errors.PERIOD_OPEN, {"merchants": left})
    return _plan(entry, terms, at)


def _is_left(closing: Id, command: ClosePeriod, merchant: Id, facts: CloseFacts, catalogue: Catalogue) -> bool:
    previous = facts.books.previous.get((merchant, command.program))
    if previous is not None and previous.period_end >= command.period_end:
        return False
    entries = facts.books.entries.get(close_id(closing, merchant), {})
    case = Case(command.program, merchant, command.period_end, None)
    return is_needed(entries, settled(catalogue, facts.books, case, entries))


def _plan(entry: Entry, terms: Terms, at: datetime) -> Plan:
    command: ClosePeriod = entry.command
    row = {
        "cut_at": command.cut.at_us,
        "cut_xid": command.cut.xid,
        "at": microseconds(at),
        "period_end": command.period_end.isoformat(),
        "terms": terms.id,
        "program": command.program,
    }
    answer = {
        "cut_us": command.cut.at_us,
        "cut_xid": command.cut.xid,
        "period_end": command.period_end.isoformat(),
        "program": command.program,
        "terms": terms.id,
    }
    return Plan(
        answer=msgspec.json.encode(answer),
        event="settlement.closed.v1",
        cold=(("closed_period", row),),
    )
