"""May what is owed for a returned card be paid this way, and what moves then? Pure.

It is paid the way the money came, to an account in the holder's own name, or in cash up to what the law allows. What
a refund brought for a closed card later is paid in the same way, under the same request.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from kaquan.commands.model import Entry, Plan
from kaquan.kernel.calendar import business_date
from kaquan.kernel.clock import instant, microseconds
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.law.model import Law
from kaquan.ledger.chart import Account, Source
from kaquan.ledger.model import Leg, post
from kaquan.programs.catalogue import Catalogue
from kaquan.sales import errors
from kaquan.sales.closing_model import (
    REFERENCE_LENGTH_MAX,
    WORDS_ZH,
    ClosingFacts,
    ClosingRow,
    ClosingState,
    PayOutClosing,
)
from kaquan.sales.closing_quote import channels, interest

Place = tuple[Account, Id | None]
"""Where money is paid from: an account and its owner."""


def decide_pay_out(entry: Entry, facts: ClosingFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Pay what a request owes, with interest up to today."""
    command: PayOutClosing = entry.command
    row = facts.closings.get(command.closing)
    if row is None:
        return Refusal(errors.CLOSING_UNKNOWN)
    reference = command.reference.strip()
    if not reference or len(reference) > REFERENCE_LENGTH_MAX or not reference.isprintable():
        return Refusal(errors.PAYOUT_REFERENCE_MISSING, {"length_max": REFERENCE_LENGTH_MAX})
    due = due_of(row, facts)
    if not sum(due.values()) or row.state not in (ClosingState.OWED, ClosingState.PAID):
        state = ClosingState(row.state)
        return Refusal(errors.CLOSING_STATE, {"state": state.word, "state_zh": WORDS_ZH[state]})
    lines = msgspec.json.decode(row.lines) if row.state == ClosingState.OWED else []
    borne = interest(lines, business_date(instant(row.at_us)), business_date(at))
    amount = Money(sum(due.values()))
    terms = catalogue.terms[row.terms]
    if refusal := _payee(command, Money(amount + borne), terms.law(at)):
        return refusal
    new = msgspec.structs.replace(
        row,
        state=ClosingState.PAID,
        paid_us=microseconds(at),
        paid=row.paid + amount,
        interest=row.interest + borne,
        route=command.route,
        reference=reference,
        payee=command.payee,
    )
    told = {"amount_fen": amount, "interest_fen": borne, "reference": reference, "route": command.route}
    names = {"card": row.card.hex(), "closing": row.id.hex(), "state": ClosingState.PAID.word}
    others = tuple(("closing_check", _seen(one)) for one in facts.of_card(row.card) if one.id != row.id)
    return Plan(
        answer=msgspec.json.encode({**names, **told, "paid_fen": amount + borne}, order="sorted"),
        event="closing.paid.v1",
        subject=row.wallet,
        person=row.person(),
        changes=((row, (new,)),),
        cold=others,
        postings=post(entry.id, terms.ledger, list(_legs(row, due, borne, _places(command, lines)))),
    )


def due_of(row: ClosingRow, facts: ClosingFacts) -> dict[int, Money]:
    """What a request still owes, by the source it is paid from: of a whole card also what came for it later."""
    if not row.whole:
        return split(row) if row.unpaid else {}
    owed = dict(facts.owed.get(row.card, {}))
    for one in facts.of_card(row.card):
        if one.id != row.id and one.unpaid:
            for source, fen in split(one).items():
                owed[source] = owed.get(source, 0) - fen
    return {source: Money(fen) for source, fen in sorted(owed.items()) if fen > 0}


def split(row: ClosingRow) -> dict[int, Money]:
    """What closing owed by source: the card's own principal out of custody, what goes beyond it the issuer's."""
    lines: list[dict[str, Any]] = msgspec.json.decode(row.lines)
    custody = sum(min(line["refund_fen"], line["left_fen"]) for line in lines)
    return {int(Source.CUSTODY): Money(custody), int(Source.OPERATING): Money(row.amount - custody)}


def _payee(command: PayOutClosing, amount: Money, law: Law) -> Refusal | None:
    """Whether who is paid is known, is the holder, and may be paid in cash."""
    if command.route == "original":
        return None
    if not command.payee_digest or (command.same_name is None and not command.identified):
        return Refusal(errors.PAYOUT_PAYEE_MISSING)
    if command.same_name is False:
        return Refusal(errors.PAYOUT_NAME_DIFFERS)
    most = law.refund_cash_max_fen
    if command.route == "cash" and most is not None and amount > most.value:
        return Refusal(errors.PAYOUT_CASH_ABOVE_MAX, {"amount_fen": amount, "max_fen": most.value, **most.facts})
    return None


def _places(command: PayOutClosing, lines: list[dict[str, Any]]) -> list[tuple[Id, Money]]:
    """The channels that a refund goes back through, and how much each; none when it is paid by the bank."""
    return channels(lines) if command.route == "original" else []


def _legs(row: ClosingRow, due: dict[int, Money], borne: Money, back: list[tuple[Id, Money]]) -> Iterator[Leg]:
    """What is owed leaves through the channels that took it, each its part, else from the bank account of its source;
    interest is the issuer's expense."""
    left = list(back)
    for source, fen in due.items():
        rest = int(fen)
        while rest and left:
            channel, room = left.pop(0)
            part = min(rest, room) if left else rest  # the last takes what came later too
            yield Leg(Account.HOLDER_REFUND, row.card, Account.CHANNEL, channel, source, Money(part))
            rest -= part
            if room > part or not left:
                left.insert(0, (channel, Money(room - part)))
        yield Leg(Account.HOLDER_REFUND, row.card, _bank(source), None, source, Money(rest))
    yield Leg(Account.INTEREST_EXPENSE, None, Account.INTEREST_PAYABLE, row.card, Source.OPERATING, borne)
    place: Place = (Account.CHANNEL, back[0][0]) if back else (Account.BANK_OPERATING, None)
    yield Leg(Account.INTEREST_PAYABLE, row.card, *place, Source.OPERATING, borne)


def _bank(source: int) -> Account:
    return Account.BANK_CUSTODY if source == Source.CUSTODY else Account.BANK_OPERATING


def _seen(row: ClosingRow) -> dict[str, Any]:
    """The row for `closing_check`: what this one is paid stands on what the others are owed."""
    return {"bucket": row.record()["bucket"], "id": row.id.hex(), "version": row.version}
