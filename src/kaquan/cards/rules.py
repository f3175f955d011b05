"""Decisions about a card itself: freeze, unfreeze, report lost, replace. Pure."""

from datetime import datetime

import msgspec

from kaquan.cards import errors
from kaquan.cards.model import Card, CardCommand, CardFacts, CardState, Freeze, Replace, ReportLost, Unfreeze
from kaquan.cards.numbers import number_for
from kaquan.commands.model import Entry, Plan
from kaquan.kernel.ids import bucket_of
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal, RefusalCode
from kaquan.law.rules import balance_allowed
from kaquan.programs.catalogue import Terms


def may_pay(card: Card) -> Refusal | None:
    """Whether the card's state lets it pay."""
    if card.state == CardState.ACTIVE:
        return None
    return Refusal(_STOPPED[card.state])


_STOPPED: dict[int, RefusalCode] = {
    CardState.FROZEN: errors.CARD_FROZEN,
    CardState.LOST: errors.CARD_LOST,
    CardState.CLOSED: errors.CARD_CLOSED,
    CardState.CLOSING: errors.CARD_CLOSING,
}
"""Why a card that is not active can't pay."""


def left(card: Card) -> Refusal | None:
    """Whether the card was returned or passed on, or is being returned: then nothing else happens to it."""
    return Refusal(_STOPPED[card.state]) if card.state in (CardState.CLOSED, CardState.CLOSING) else None


def bears(card: Card, number: str | None) -> Refusal | None:
    """Whether the number that was shown, if one was, is the card's present one: a finder has the old one."""
    return None if number is None or number == card.number else Refusal(errors.CARD_NUMBER_REPLACED)


def may_be_loaded(card: Card) -> Refusal | None:
    """Whether value may be added to the card: only an active card takes any."""
    return may_pay(card)


def room(balance_after: Money, registered: bool, terms: Terms, at: datetime) -> Refusal | None:
    """Whether a card may hold `balance_after`, principal and bonus together: by law, and by the program's limit."""
    if refusal := balance_allowed(registered, balance_after, terms.law(at)):
        return refusal
    most = terms.terms.card.balance_max_fen
    if balance_after > most:
        return Refusal(errors.CARD_BALANCE_ABOVE_MAX, {"balance_fen": balance_after, "max_fen": most})
    return None


def decide(entry: Entry, facts: CardFacts) -> Plan | Refusal:
    """Freeze, unfreeze, report lost or replace."""
    command: CardCommand = entry.command
    card = facts.cards.get(command.card)
    if card is None:
        return Refusal(errors.CARD_UNKNOWN)
    if refusal := left(card):
        return refusal
    match command:
        case Freeze():
            return _freeze(command, card)
        case Unfreeze():
            return _unfreeze(command, card)
        case ReportLost():
            return _report_lost(card)
        case Replace():
            return _replace(entry, card)
    raise TypeError(f"not a command about a card's state: {type(command).__name__}")


def _freeze(command: Freeze, card: Card) -> Plan | Refusal:
    if card.state == CardState.FROZEN:
        return Refusal(errors.CARD_ALREADY_FROZEN)
    if card.state == CardState.LOST:
        return Refusal(errors.CARD_LOST)
    return _moved(card, CardState.FROZEN, card.number, "card.frozen.v1", reason=command.reason)


def _unfreeze(command: Unfreeze, card: Card) -> Plan | Refusal:
    if card.state != CardState.FROZEN:
        return Refusal(errors.CARD_NOT_FROZEN)
    return _moved(card, CardState.ACTIVE, card.number, "card.unfrozen.v1", reason=command.reason)


def _report_lost(card: Card) -> Plan | Refusal:
    if not card.registered:
        return Refusal(errors.CARD_BEARER)
    if card.state == CardState.FROZEN:  # a replacement would lift what the issuer froze
        return Refusal(errors.CARD_FROZEN)
    if card.state == CardState.LOST:
        return Refusal(errors.CARD_LOST)
    return _moved(card, CardState.LOST, card.number, "card.reported_lost.v1")


def _replace(entry: Entry, card: Card) -> Plan | Refusal:
    if card.state != CardState.LOST:
        return Refusal(errors.CARD_NOT_LOST)
    number = number_for(entry.id)
    plan = _moved(card, CardState.ACTIVE, number, "card.replaced.v1")
    plan.cold = (("card_number", {"bucket": bucket_of(card.id), "number": number, "card": card.id.hex()}),)
    return plan


def _moved(card: Card, state: CardState, number: str, event: str, reason: str = "") -> Plan:
    answer = {"card": card.id.hex(), "state": state.name.lower()}
    if reason:
        answer["reason"] = reason
    return Plan(
        answer=msgspec.json.encode(answer, order="sorted"),
        event=event,
        subject=card.wallet,
        person=card.person(),
        changes=((card, (state, number)),),
    )
