"""May this statement be made, and what does it say? Pure.

In this order: the party exists, the day is over, no statement reaches it yet, it is not too long, it ties. It ties
when, of each account, what the last statement closed with and what moved since are what all postings add up to.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import msgspec

from kaquan.commands.model import Entry, Plan
from kaquan.kernel.clock import SHANGHAI, instant, microseconds
from kaquan.kernel.ids import bucket_of, public
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Catalogue
from kaquan.reporting import errors, funds, merchants, wallets
from kaquan.reporting.model import (
    FIRST,
    FORMAT,
    LINES_MAX,
    PREFIX,
    MakeStatement,
    PartyFacts,
    PartyKind,
    StatementFacts,
    canonical,
    hashed,
)
from kaquan.reporting.sections import Balance, Names, balances, rows_of

Parts = Callable[[PartyFacts, list[Balance], Names], list[dict[str, Any]]]

_PARTS: Mapping[PartyKind, Parts] = {
    PartyKind.MERCHANT: merchants.sections,
    PartyKind.FUNDER: funds.sections,
    PartyKind.HOLDER: wallets.sections,
}

_MAIN: Mapping[PartyKind, frozenset[str]] = {
    PartyKind.MERCHANT: frozenset({"merchant.payable"}),
    PartyKind.FUNDER: frozenset({"funder.budget"}),
    PartyKind.HOLDER: frozenset({"card.principal", "card.bonus", "card.subsidy"}),
}


def decide_statement(entry: Entry, facts: StatementFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Make one party's next statement."""
    command: MakeStatement = entry.command
    party = facts.parties.get(entry.id)
    if party is None:
        return Refusal(errors.PARTY_UNKNOWN)
    if microseconds(at) < party.cut.at_us:
        return Refusal(errors.NOT_OVER, {"until": command.until.isoformat()})
    if party.previous is not None and command.until <= party.previous.until:
        made_to, number = party.previous.until.isoformat(), party.previous.number
        return Refusal(errors.MADE, {"made_to": made_to, "number": number, "until": command.until.isoformat()})
    if len(party.moved) > LINES_MAX:  # and perhaps more: they are read no further
        return Refusal(errors.TOO_LONG, {"lines": len(party.moved), "lines_max": LINES_MAX})
    names = _names(catalogue)
    found = balances(_opening(party), party.moved, party.held, _apart(party.named.kind, names))
    if refusal := _untied(found):
        return refusal
    sections = _PARTS[party.named.kind](party, found, names)
    count = sum(len(one["rows"]) for one in sections)
    if count > LINES_MAX:
        return Refusal(errors.TOO_LONG, {"lines": count, "lines_max": LINES_MAX})
    return _plan(entry, party, sections, _told(party, found), at)


def _told(party: PartyFacts, found: list[Balance]) -> dict[str, int]:
    """What the answer says of the account that the party asks for first: what it has coming, or has left."""
    main = [one for one in found if one.account in _MAIN[party.named.kind]]
    return {"opening_fen": sum(one.opening for one in main), "closing_fen": sum(one.closing for one in main)}


def _names(catalogue: Catalogue) -> Names:
    return Names(
        programs={number: code for code, number in catalogue.programs.items()},
        funds={identity: fund.code for identity, fund in catalogue.funds_by_id.items()},
        merchants={identity: merchant.name for identity, merchant in catalogue.merchants.items()},
    )


def _apart(kind: PartyKind, names: Names) -> Names:
    """By what accounts are told apart: a fund's serve all programs, so that one program's part means nothing."""
    return names._replace(programs={}) if kind is PartyKind.FUNDER else names


def _opening(party: PartyFacts) -> dict[tuple[str, str, bytes], int]:
    """What the last statement closed with."""
    if party.previous is None:
        return {}
    return {
        (row["program"], row["account"], bytes.fromhex(row["owner"])): row["closing_fen"]
        for row in rows_of(party.previous.record, "accounts")
    }


def _untied(found: list[Balance]) -> Refusal | None:
    for one in found:
        if one.closing != one.ledger:
            return Refusal(errors.UNTIED, {"account": one.account, "difference_fen": one.closing - one.ledger})
    return None


def began(party: PartyFacts, until: date) -> date:
    """The first day of a statement: the one after the last statement's, else that of the first entry."""
    if party.previous is not None:
        return date.fromordinal(party.previous.until.toordinal() + 1)
    return min((one.day for one in party.moved), default=until.replace(day=1))


def _plan(
    entry: Entry, party: PartyFacts, sections: list[dict[str, Any]], told: Mapping[str, int], at: datetime
) -> Plan:
    record = _record(entry.command, party, sections, at)
    body = canonical(record)
    digest = hashed(body)
    row = {
        "at": microseconds(at),
        "cut_at": party.cut.at_us,
        "cut_xid": party.cut.xid,
        "id": entry.id.hex(),
        "subject": party.named.id.hex(),
        "number": record["number"],
        "since": record["since"],
        "until": record["until"],
        "bucket": bucket_of(entry.id),
        "kind": int(party.named.kind),
        "hash": f"\\x{digest.hex()}",
        "previous": f"\\x{record['previous']}",
        "body": f"\\x{body.hex()}",
    }
    answer = {
        **told,
        "hash": digest.hex(),
        "number": record["number"],
        "party": party.named.kind.word,
        "party_id": record["party"]["id"],
        "since": record["since"],
        "statement": entry.id.hex(),
        "until": record["until"],
    }
    return Plan(
        answer=msgspec.json.encode(answer, order="sorted"), event="statement.made.v1", cold=(("statement", row),)
    )


def _record(
    command: MakeStatement, party: PartyFacts, sections: list[dict[str, Any]], at: datetime
) -> dict[str, Any]:
    """What is frozen and hashed."""
    previous, since = party.previous, began(party, command.until)
    return {
        "format": FORMAT,
        "party": {
            "kind": party.named.kind.word,
            "id": public(PREFIX[party.named.kind], party.named.id),
            "code": party.named.code,
            "name": party.named.name,
            "organisation": party.named.organisation,
        },
        "number": 1 if previous is None else previous.number + 1,
        "since": since.isoformat(),
        "until": command.until.isoformat(),
        "cut_at": _shown(party.cut.at_us),
        "cut_xid": party.cut.xid,
        "made_at": _shown(microseconds(at)),
        "currency": "CNY",
        "previous": (FIRST if previous is None else previous.hash).hex(),
        "sections": sections,
    }


def _shown(at_us: int) -> str:
    return instant(at_us).astimezone(SHANGHAI).isoformat(timespec="seconds")
