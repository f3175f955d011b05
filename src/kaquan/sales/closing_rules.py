"""May this card be returned, what is owed for it, and may that be paid? Pure.

A request starts the legal clock and stops the card. Closing takes everything from the card: what is owed goes to
holder.refund, what others gave goes back to them, what runs on the card ends. Paying out empties holder.refund.
"""

from datetime import datetime
from typing import Any

import msgspec

from kaquan.cards import errors as card_errors
from kaquan.cards.model import Card, CardState, Lot, LotKind
from kaquan.cards.rules import left as left_behind
from kaquan.commands.model import Entry, Plan
from kaquan.kernel.calendar import Calendar, business_date
from kaquan.kernel.clock import instant, microseconds
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.money import ZERO, Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Account, Source
from kaquan.ledger.model import Leg, post
from kaquan.programs.catalogue import Catalogue
from kaquan.quotas.model import Quotas
from kaquan.quotas.rules import Change, after, together
from kaquan.rewards.bonus import back_legs
from kaquan.rewards.plan_model import MonthlyPlan
from kaquan.rewards.plans import cancel
from kaquan.sales import errors
from kaquan.sales.closing_model import (
    CAUSES,
    REASON_LENGTH_MAX,
    REFERENCE_LENGTH_MAX,
    WORDS_ZH,
    CancelClosing,
    Cause,
    CloseCard,
    ClosingFacts,
    ClosingRow,
    ClosingState,
    NoteOverdue,
    Purchase,
    RequestClosing,
)
from kaquan.sales.closing_quote import Asked, Line, bears_cost, deadline, quote, withdrawable

NO_PURCHASE = Id(bytes(16))
"""The purchase of a request that is about the whole card."""


def decide_request(
    entry: Entry, facts: ClosingFacts, catalogue: Catalogue, calendar: Calendar, at: datetime
) -> Plan | Refusal:
    """Ask for a card, or one purchase on it, to be returned. The answer tells what it would come to now."""
    command: RequestClosing = entry.command
    card = facts.cards.get(command.card)
    if card is None:
        return Refusal(card_errors.CARD_UNKNOWN)
    if command.cause not in CAUSES:
        return Refusal(errors.CLOSING_CAUSE, {"causes": ", ".join(CAUSES)})
    if refusal := left_behind(card):
        return refusal
    if card.state == CardState.FROZEN:
        return Refusal(card_errors.CARD_FROZEN)
    terms = catalogue.terms[card.terms]
    asked = Asked(CAUSES[command.cause], at, terms, terms.law(at))
    if refusal := _bearer(card, asked):
        return refusal
    bought = _meant(command.purchase or NO_PURCHASE, card, facts)
    if command.purchase is not None and (refusal := _alone(bought, asked)):
        return refusal
    lines = quote(bought, asked)
    row = _row(entry, command, card, asked, deadline(lines, asked, calendar))
    state = card.state if command.purchase else CardState.CLOSING
    return Plan(
        answer=_answer(row, lines, {**pay_by(row), "state": row_word(row)}),
        event="closing.requested.v1",
        subject=card.wallet,
        person=card.person(),
        changes=((card, (state, card.number)),),
        cold=(("closing", _cold(row, asked, command.reason)),),
        born=(row,),
    )


def _bearer(card: Card, asked: Asked) -> Refusal | None:
    allowed = asked.law.bearer_refund_allowed
    if card.registered or allowed is None or allowed.value:
        return None
    return Refusal(errors.CLOSING_BEARER, allowed.facts)


def _alone(bought: list[Purchase], asked: Asked) -> Refusal | None:
    """Whether one purchase can't be returned by itself."""
    if not bought:
        return Refusal(errors.PURCHASE_UNKNOWN)
    return None if withdrawable(bought[0], asked) else Refusal(errors.PURCHASE_NOT_WITHDRAWABLE)


def _meant(purchase: Id, card: Card, facts: ClosingFacts) -> list[Purchase]:
    """The purchases that a request is about."""
    bought = facts.purchases.get(card.id, [])
    return [one for one in bought if one.id == purchase] if any(purchase) else bought


def decide_close(entry: Entry, facts: ClosingFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Count, take, owe."""
    command: CloseCard = entry.command
    row = facts.closings.get(command.closing)
    card = facts.cards.get(row.card) if row else None
    if row is None or card is None:
        return Refusal(errors.CLOSING_UNKNOWN)
    if row.state != ClosingState.ASKED:
        return _state(row)
    if not row.whole and (refusal := left_behind(card)):
        return refusal
    if held := sum(lot.held for lot in _lots_of(row, facts)):
        return Refusal(errors.CLOSING_HELD, {"held_fen": held})
    terms = catalogue.terms[row.terms]
    since = instant(row.at_us)
    asked = Asked(Cause(row.cause), since, terms, terms.law(since), command.cost)
    bought = _meant(row.purchase, card, facts)
    if refusal := _cost(command, bought, asked):
        return refusal
    return _closed(entry, row, card, quote(bought, asked), facts, catalogue, at)


def _lots_of(row: ClosingRow, facts: ClosingFacts) -> list[Lot]:
    """What is taken: all lots of the card, or those of the one purchase."""
    lots = facts.of(row.card)
    return lots if row.whole else [lot for lot in lots if facts.origins.get(lot.id) == row.purchase]


def _cost(command: CloseCard, bought: list[Purchase], asked: Asked) -> Refusal | None:
    if not command.cost and not command.cost_reference:
        return None
    fen = {"cost_fen": command.cost}
    reference = command.cost_reference.strip()
    if command.cost <= 0 or not reference or len(reference) > REFERENCE_LENGTH_MAX:
        return Refusal(
            errors.CLOSING_COST_REFUSED, {**fen, "why_zh": "没有写明凭证", "why_en": "no document is named"}
        )
    if not any(bears_cost(one, asked) for one in bought):
        why = {"why_zh": "法律没有允许", "why_en": "the law does not allow it here"}
        return Refusal(errors.CLOSING_COST_REFUSED, {**fen, **why})
    return None


def _closed(
    entry: Entry,
    row: ClosingRow,
    card: Card,
    lines: list[Line],
    facts: ClosingFacts,
    catalogue: Catalogue,
    at: datetime,
) -> Plan:
    lots = _lots_of(row, facts)
    legs = [leg for line in lines for leg in line_legs(line, card.id)]
    given = [lot for lot in lots if lot.kind != LotKind.PRINCIPAL and lot.balance]
    legs += [leg for lot in given for leg in back_legs(lot, Money(lot.balance), catalogue)]
    changes: list[Change] = [(lot, (0, 0, lot.state)) for lot in lots]
    plans = [one for one in facts.plans.get(card.id, []) if row.whole or facts.origins[one.id] == row.purchase]
    ended, released = end_plans(plans, facts.quotas, catalogue)
    changes, legs = together(changes, ended), [*legs, *released]
    amount = Money(sum(line.refund for line in lines))
    records = [line.record() for line in lines]
    new = msgspec.structs.replace(
        row,
        state=ClosingState.OWED if amount else ClosingState.PAID,
        closed_us=microseconds(at),
        paid_us=0 if amount else microseconds(at),
        amount=amount,
        lines=msgspec.json.encode(records, order="sorted").decode(),
    )
    more = {
        "bonus_back_fen": sum(lot.balance for lot in given if lot.kind == LotKind.BONUS),
        **pay_by(row),
        "plans_cancelled": len(plans),
        "released_fen": sum(leg.amount for leg in released),
        "state": row_word(new),
        "subsidy_back_fen": sum(lot.balance for lot in given if lot.kind == LotKind.SUBSIDY),
    }
    state = CardState.CLOSED if row.whole else card.state
    return Plan(
        answer=_answer(row, lines, more),
        event="card.closed.v1" if row.whole else "purchase.returned.v1",
        subject=row.wallet,
        person=row.person(),
        changes=((card, (state, card.number)), (row, (new,)), *changes),
        postings=post(entry.id, catalogue.terms[row.terms].ledger, legs),
    )


def end_plans(plans: list[MonthlyPlan], quotas: Quotas, catalogue: Catalogue) -> tuple[list[Change], list[Leg]]:
    """Monthly plans grant nothing more; what they had promised is free again."""
    changes: list[Change] = []
    legs: list[Leg] = []
    for plan in plans:
        ended, released = cancel(plan, catalogue.stock(plan.terms, plan.stock), quotas)
        quotas = after(quotas, ended)
        changes, legs = together(changes, ended), [*legs, *released]
    return changes, legs


def line_legs(line: Line, card: Id) -> list[Leg]:
    """How the money of one purchase moves: principal to its holder, what is kept to the issuer, and what the holder
    gets beyond her principal out of the issuer's own: the discount stays with her."""
    legs: list[Leg] = []
    owed, kept = line.custody, Money(line.fee + line.cost)
    for lot in line.purchase.lots:
        part = min(owed, Money(lot.balance))
        fee = min(kept, Money(lot.balance - part))
        rest = Money(lot.balance - part - fee)
        owed, kept = Money(owed - part), Money(kept - fee)
        legs.append(Leg(Account.CARD_PRINCIPAL, lot.id, Account.HOLDER_REFUND, card, lot.source, part))
        legs.append(Leg(Account.CARD_PRINCIPAL, lot.id, Account.FEE_INCOME, None, lot.source, fee))
        legs.append(Leg(Account.CARD_PRINCIPAL, lot.id, Account.PROMO_EXPENSE, None, lot.source, rest))
    beyond = Money(line.refund - line.custody)
    legs.append(Leg(Account.PROMO_EXPENSE, None, Account.HOLDER_REFUND, card, Source.OPERATING, beyond))
    return legs


def decide_cancel(entry: Entry, facts: ClosingFacts) -> Plan | Refusal:
    """The holder keeps the card: it is what it was before."""
    command: CancelClosing = entry.command
    row = facts.closings.get(command.closing)
    card = facts.cards.get(row.card) if row else None
    if row is None or card is None:
        return Refusal(errors.CLOSING_UNKNOWN)
    if row.state != ClosingState.ASKED:
        return _state(row)
    state = row.card_state if row.whole else card.state
    new = msgspec.structs.replace(row, state=ClosingState.CANCELLED)
    facts_told = {"reason": command.reason[:REASON_LENGTH_MAX], "state": row_word(new)}
    return _moved(row, new, "closing.cancelled.v1", facts_told, ((card, (state, card.number)),))


def decide_overdue(entry: Entry, facts: ClosingFacts, at: datetime) -> Plan | Refusal:
    """Tell once that the legal deadline has passed."""
    command: NoteOverdue = entry.command
    row = facts.closings.get(command.closing)
    if row is None:
        return Refusal(errors.CLOSING_UNKNOWN)
    open_now = row.state in (ClosingState.ASKED, ClosingState.OWED)
    if not open_now or row.overdue_us or microseconds(at) < row.deadline_us:
        return Refusal(errors.CLOSING_NOT_OVERDUE)
    new = msgspec.structs.replace(row, overdue_us=microseconds(at))
    days = (business_date(at) - business_date(instant(row.deadline_us))).days + 1
    told = {**pay_by(row), "days": days, "state": row_word(row)}
    return _moved(row, new, "closing.overdue.v1", told)


def _moved(
    row: ClosingRow, new: ClosingRow, event: str, told: dict[str, Any], changes: tuple[Change, ...] = ()
) -> Plan:
    return Plan(
        answer=msgspec.json.encode({"card": row.card.hex(), "closing": row.id.hex(), **told}, order="sorted"),
        event=event,
        subject=row.wallet,
        person=row.person(),
        changes=((row, (new,)), *changes),
    )


def pay_by(row: ClosingRow) -> dict[str, Any]:
    """The last day on which it may be paid, and the instant at which that day ends."""
    last = business_date(instant(row.deadline_us - 1))
    return {"deadline_us": row.deadline_us, "pay_by": last.isoformat()}


def row_word(row: ClosingRow) -> str:
    """The state as machines read it."""
    return ClosingState(row.state).word


def _state(row: ClosingRow) -> Refusal:
    return Refusal(errors.CLOSING_STATE, {"state": row_word(row), "state_zh": WORDS_ZH[ClosingState(row.state)]})


def _row(entry: Entry, command: RequestClosing, card: Card, asked: Asked, until: datetime) -> ClosingRow:
    return ClosingRow(
        id=entry.id,
        version=1,
        card=card.id,
        wallet=card.wallet,
        purchase=command.purchase or NO_PURCHASE,
        terms=card.terms,
        cause=asked.cause,
        state=ClosingState.ASKED,
        card_state=card.state,
        at_us=microseconds(asked.at),
        deadline_us=microseconds(until),
        closed_us=0,
        paid_us=0,
        overdue_us=0,
        amount=0,
        paid=0,
        interest=0,
        lines="[]",
    )


def _cold(row: ClosingRow, asked: Asked, reason: str) -> dict[str, Any]:
    """The row as it is inserted."""
    return {
        **row.columns(),
        "bucket": bucket_of(row.id),
        "id": row.id.hex(),
        "version": row.version,
        "card": row.card.hex(),
        "wallet": row.wallet.hex(),
        "purchase": None if row.whole else row.purchase.hex(),
        "terms": row.terms,
        "program": asked.terms.program,
        "cause": int(row.cause),
        "card_state": row.card_state,
        "at": row.at_us,
        "deadline": row.deadline_us,
        "law": f"{asked.law.ids} {asked.law.versions}",
        "reason": reason[:REASON_LENGTH_MAX],
    }


def _answer(row: ClosingRow, lines: list[Line], more: dict[str, Any]) -> bytes:
    """The quote: what was paid, used and consumed, what comes back, what is kept, line by line with its article."""
    sums = {
        "consumed_fen": sum(line.consumed for line in lines),
        "cost_fen": sum(line.cost for line in lines),
        "fee_fen": sum(line.fee for line in lines),
        "paid_fen": sum(line.purchase.paid for line in lines),
        "principal_fen": sum(line.purchase.left for line in lines),
        "refund_fen": sum((line.refund for line in lines), ZERO),
        "used_fen": sum(line.purchase.used for line in lines),
    }
    names = {"card": row.card.hex(), "cause": Cause(row.cause).word, "closing": row.id.hex()}
    basis = {"basis": "+".join(dict.fromkeys(line.basis for line in lines))}
    records = [line.record() for line in lines]
    return msgspec.json.encode({**names, **basis, **sums, "lines": records, **more}, order="sorted")
