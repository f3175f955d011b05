"""May this card be passed on, and what arrives? Pure.

Two wallets lie in two buckets, and a command changes one. So the giver's card is emptied into clearing.transfer and
closed, and an intent row says what was on it; a second command, with the receiver, makes a card of it. What had been
bought and used goes along: the new holder returns the card as the first one would have.
"""

from datetime import datetime
from typing import Any

import msgspec

from kaquan.cards import errors as card_errors
from kaquan.cards.model import Card, CardState, Lot, LotKind, NewLot, total
from kaquan.cards.numbers import number_for
from kaquan.cards.rules import may_pay, room
from kaquan.commands.model import Entry, Plan
from kaquan.holders.errors import WALLET_UNKNOWN
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id, bucket_of, derived_id
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.law.model import Law
from kaquan.law.rules import identity_given
from kaquan.ledger.chart import Account, Source
from kaquan.ledger.model import Leg, post
from kaquan.programs.catalogue import Catalogue, Terms
from kaquan.quotas.rules import Change, together
from kaquan.sales import errors
from kaquan.sales.closing_model import REASON_LENGTH_MAX, Cause, ClosingState, Purchase
from kaquan.sales.closing_rules import end_plans
from kaquan.sales.leaving_model import LeavingFacts, ReceiveCard, Transfer, TransferCard


def decide_transfer(entry: Entry, facts: LeavingFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """The giver's side: the card is emptied and closed."""
    command: TransferCard = entry.command
    card = facts.cards.get(command.card)
    if card is None:
        return Refusal(card_errors.CARD_UNKNOWN)
    if refusal := may_pay(card):
        return refusal
    terms, lots = catalogue.terms[card.terms], facts.of(card.id)
    if refusal := _may_receive(command, card, lots, facts, terms, at):
        return refusal
    fee = min(_fee(terms, terms.law(at)), sum(lot.balance for lot in lots if lot.kind == LotKind.PRINCIPAL))
    moved, legs = _emptied(entry.id, lots, fee)
    ended, released = end_plans(facts.plans.get(card.id, []), facts.quotas, catalogue)
    sent = [_sent(lot, part, facts) for lot, part in moved]
    bought = [_kept(one, lots, moved) for one in facts.purchases.get(card.id, [])]
    told = {"fee_fen": fee, "plans_cancelled": len(facts.plans.get(card.id, [])), "state": "passed_on"}
    amounts = {"amount_fen": sum(part for _, part in moved)}
    changes: list[Change] = together([(lot, (0, 0, lot.state)) for lot in lots], ended)
    return Plan(
        answer=msgspec.json.encode(
            {"card": card.id.hex(), "transfer": entry.id.hex(), **amounts, **told}, order="sorted"
        ),
        event="card.passed_on.v1",
        subject=card.wallet,
        person=card.person(),
        changes=((card, (CardState.CLOSED, card.number)), *changes),
        cold=(
            ("card_transfer", _row(entry, card, at, sent, bought)),
            ("closing", _closing(entry, card, terms, at)),
        ),
        postings=post(entry.id, terms.ledger, [*legs, *released]),
    )


def _may_receive(
    command: TransferCard, card: Card, lots: list[Lot], facts: LeavingFacts, terms: Terms, at: datetime
) -> Refusal | None:
    """Whether the card can go to that wallet, as far as the giver's side can see."""
    if not card.registered:
        return Refusal(errors.TRANSFER_BEARER)
    wallet = facts.wallets.get(command.to)
    if wallet is None or not wallet.active:
        return Refusal(WALLET_UNKNOWN)
    if wallet.id == card.wallet:
        return Refusal(errors.TRANSFER_TO_SELF)
    if held := sum(lot.held for lot in lots):
        return Refusal(errors.CLOSING_HELD, {"held_fen": held})
    amount = total(lots)
    if refusal := identity_given(bool(card.registered), amount, wallet.identified, terms.law(at)):
        return refusal
    return room(amount, bool(card.registered), terms, at)


def _fee(terms: Terms, law: Law) -> int:
    wanted, most = terms.terms.closing.transfer_fee_fen, law.transfer_fee_max_fen
    return wanted if most is None else min(wanted, most.value)


def _emptied(transfer: Id, lots: list[Lot], fee: int) -> tuple[list[tuple[Lot, int]], list[Leg]]:
    """What goes over of each lot, the fee out of principal first, and how it moves."""
    moved: list[tuple[Lot, int]] = []
    legs: list[Leg] = []
    for lot in lots:
        taken = min(fee, lot.balance) if lot.kind == LotKind.PRINCIPAL else 0
        fee -= taken
        part = lot.balance - taken
        legs.append(Leg(lot.account, lot.id, Account.FEE_INCOME, None, lot.source, Money(taken)))
        legs.append(Leg(lot.account, lot.id, Account.CARD_TRANSFER, transfer, lot.source, Money(part)))
        if part:
            moved.append((lot, part))
    return moved, legs


def _sent(lot: Lot, part: int, facts: LeavingFacts) -> dict[str, Any]:
    return {
        "active_us": lot.active_us,
        "expires_us": lot.expires_us,
        "fen": part,
        "fund": lot.fund.hex(),
        "kind": lot.kind,
        "lot": lot.id.hex(),
        "origin": facts.origins[lot.id].hex(),
        "source": lot.source,
    }


def _kept(one: Purchase, lots: list[Lot], moved: list[tuple[Lot, int]]) -> dict[str, Any]:
    """A purchase as it goes along: the fee was paid out of it, so it was bought for that much less."""
    left = {lot.id: part for lot, part in moved}
    fee = sum(lot.balance - left.get(lot.id, 0) for lot in one.lots)
    return {
        "active_us": one.active_us,
        "at_us": microseconds(one.paid_at),
        "bonus_fen": one.bonus,
        "channel": one.channel.hex(),
        "paid_fen": one.paid - fee,
        "purchase": one.id.hex(),
        "used_fen": one.used,
    }


def _row(
    entry: Entry, card: Card, at: datetime, sent: list[dict[str, Any]], bought: list[dict[str, Any]]
) -> dict[str, Any]:
    command: TransferCard = entry.command
    return {
        "at": microseconds(at),
        "id": entry.id.hex(),
        "card": card.id.hex(),
        "wallet": card.wallet.hex(),
        "to_wallet": command.to.hex(),
        "terms": card.terms,
        "bucket": bucket_of(entry.id),
        "to_bucket": bucket_of(command.to),
        "program": card.program,
        "reason": command.reason[:REASON_LENGTH_MAX],
        "lots": msgspec.json.encode(sent, order="sorted").decode(),
        "purchases": msgspec.json.encode(bought, order="sorted").decode(),
    }


def _closing(entry: Entry, card: Card, terms: Terms, at: datetime) -> dict[str, Any]:
    """What refunds bring for the old card later is owed under this."""
    return {
        "at": microseconds(at),
        "deadline": microseconds(at) + 1,
        "closed_at": microseconds(at),
        "paid_at": microseconds(at),
        "overdue_at": None,
        "amount": 0,
        "paid": 0,
        "interest": 0,
        "id": entry.id.hex(),
        "card": card.id.hex(),
        "wallet": card.wallet.hex(),
        "purchase": None,
        "terms": card.terms,
        "version": 1,
        "bucket": bucket_of(entry.id),
        "program": terms.program,
        "cause": int(Cause.PASSED_ON),
        "state": int(ClosingState.PAID),
        "card_state": int(card.state),
        "law": f"{terms.law(at).ids} {terms.law(at).versions}",
        "reason": "passed on",
        "lines": "[]",
        "route": "",
        "reference": "",
        "payee": None,
    }


def decide_receive(entry: Entry, facts: LeavingFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """The receiver's side: a card with what was sent, once."""
    command: ReceiveCard = entry.command
    transfer, wallet = facts.transfers.get(command.transfer), facts.wallets.get(command.to)
    if transfer is None or transfer.to != command.to or wallet is None or not wallet.active:
        return Refusal(errors.TRANSFER_UNKNOWN)
    if transfer.id in facts.arrived:
        return Refusal(errors.TRANSFER_ARRIVED)
    terms, number = catalogue.terms[transfer.terms], number_for(entry.id)
    lots = [_arrived(entry.id, one) for one in transfer.lots]
    legs = [_leg(transfer.id, lot) for lot in lots]
    bucket, card, at_us = bucket_of(entry.id), entry.id.hex(), microseconds(at)
    return Plan(
        answer=msgspec.json.encode(
            {
                "amount_fen": sum(lot.granted for lot in lots),
                "card": card,
                "number": number,
                "state": "received",
                "transfer": transfer.id.hex(),
            },
            order="sorted",
        ),
        event="card.received.v1",
        subject=wallet.id,
        person=b'{"card":"%b","wallet":"%b"}' % (card.encode(), wallet.id.hex().encode()),
        inserts=tuple(("lot", lot.row()) for lot in lots),
        cold=(
            ("wallet_check", wallet.seen()),
            ("card", _card(entry.id, wallet.id, terms, number, at_us)),
            ("card_number", {"bucket": bucket, "number": number, "card": card}),
            ("card_arrival", {"at": at_us, "transfer": transfer.id.hex(), "card": card, "bucket": bucket}),
            *(("inherited_purchase", _inherited(entry.id, one)) for one in transfer.purchases),
        ),
        postings=post(entry.id, terms.ledger, legs),
        born=(transfer.id,),
    )


def _arrived(card: Id, one: dict[str, Any]) -> NewLot:
    return NewLot(
        derived_id(card, bytes.fromhex(one["lot"])),
        card,
        Id(bytes.fromhex(one["origin"])),
        LotKind(one["kind"]),
        Source(one["source"]),
        Money(one["fen"]),
        one["active_us"],
        one["expires_us"],
        bytes.fromhex(one["fund"]),
    )


def _leg(transfer: Id, lot: NewLot) -> Leg:
    return Leg(Account.CARD_TRANSFER, transfer, lot.loaded().account, lot.id, lot.source, lot.granted)


def _card(card: Id, wallet: Id, terms: Terms, number: str, at_us: int) -> dict[str, Any]:
    return {
        "bucket": bucket_of(card),
        "id": card.hex(),
        "wallet": wallet.hex(),
        "at": at_us,
        "terms": terms.id,
        "version": 1,
        "program": terms.program,
        "state": int(CardState.ACTIVE),
        "registered": True,
        "number": number,
    }


def _inherited(card: Id, one: dict[str, Any]) -> dict[str, Any]:
    return {
        "paid": one["paid_fen"],
        "bonus": one["bonus_fen"],
        "used": one["used_fen"],
        "at": one["at_us"],
        "active_from": one["active_us"],
        "card": card.hex(),
        "purchase": one["purchase"],
        "channel": one["channel"],
        "bucket": bucket_of(card),
    }


def transfer_of(row: Any) -> Transfer:
    """A transfer as its row comes."""
    identity, to, terms, lots, purchases = row
    return Transfer(
        Id(identity.bytes), Id(to.bytes), terms, msgspec.json.decode(lots), msgspec.json.decode(purchases)
    )
