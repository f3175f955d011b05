"""What a payment earns, when it is granted, what a refund takes back, what expires. Pure."""

from datetime import datetime, timedelta

import msgspec

from kaquan.cards.model import Card, CardState, Lot, LotKind, LotState, NewLot, total
from kaquan.cards.rules import room
from kaquan.commands.model import Entry, Plan
from kaquan.kernel.calendar import business_date, shanghai
from kaquan.kernel.clock import instant, microseconds, shown
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Source
from kaquan.ledger.model import post
from kaquan.programs.catalogue import Catalogue, Terms
from kaquan.programs.lifecycle import WORDS_ZH
from kaquan.rewards import errors
from kaquan.rewards.bonus import back_legs, bonus
from kaquan.rewards.model import NO_LOT, Earned, ExpireLot, GrantReward, Reward, RewardState
from kaquan.rewards.tiers import rebate
from kaquan.vouchers.model import SpendingFacts


def window_end(moved_at: datetime, window_days: int) -> datetime:
    """When an order's refund window ends: the day of payment does not count, the last day ends at 24:00.

    A window of 0 days is none: it ends as the money moves.
    """
    if window_days == 0:
        return moved_at
    return shanghai(business_date(moved_at) + timedelta(days=window_days + 1))


def earned(amount: Money, terms: Terms, at: datetime) -> Earned | None:
    """The rebate of an order of `amount` paid at `at`, or None. The base is each order by itself."""
    if terms.terms.rebate.base != "order":
        raise ValueError(f"no rule for the rebate base {terms.terms.rebate.base}")
    amount_earned = rebate(amount, terms.terms.rebate)
    if not amount_earned:
        return None
    return Earned(amount_earned, microseconds(window_end(at, terms.terms.refund.window_days)))


def grant(
    entry: Entry, card: Card, facts: SpendingFacts, reward: Reward, catalogue: Catalogue, at: datetime
) -> Plan | Refusal:
    """Turn a waiting rebate into bonus lots, unless the program is paused, the card would hold more than it may, or
    the funds that pay for it have nothing left. It lapses with a card that was closed.

    A grant that is refused today is tried again by the timetable on a later day, under another id.
    """
    command: GrantReward = entry.command
    terms, at_us = catalogue.terms[reward.terms], microseconds(at)
    if reward.state != RewardState.WAITING:
        return Refusal(errors.REWARD_NOT_WAITING)
    if at_us < reward.due_us:
        return Refusal(errors.REWARD_NOT_DUE, {"due": shown(instant(reward.due_us))})
    if not terms.grants:
        state = {"state": terms.state.word, "state_zh": WORDS_ZH[terms.state]}
        return Refusal(errors.REWARD_PROGRAM_PAUSED, {"program": terms.terms.program.name_zh, **state})
    if card.state == CardState.CLOSED:
        return _lapsed(command, card, reward)
    amount = Money(reward.amount - reward.cut)
    balance_after = Money(total(facts.of(card.id)) + amount)
    if refusal := room(balance_after, bool(card.registered), terms, at):
        return refusal
    expires = at + timedelta(days=terms.terms.rebate.valid_days)
    lot = NewLot(
        entry.id, card.id, command.payment, LotKind.BONUS, Source.OPERATING, amount, at_us, microseconds(expires)
    )
    given = bonus(lot, "rebate", terms, facts, catalogue)
    if isinstance(given, Refusal):
        return given
    return Plan(
        answer=msgspec.json.encode(
            {"amount_fen": amount, "expires_us": lot.expires_us, "payment": command.payment.hex()}, order="sorted"
        ),
        event="reward.granted.v1",
        subject=card.wallet,
        person=card.person(),
        changes=(card.touched(), (reward, (RewardState.GRANTED, reward.cut, amount, lot.id)), *given.changes),
        inserts=tuple(("lot", one.row()) for one in given.lots),
        postings=post(entry.id, terms.ledger, given.legs),
        born=given.lots,
    )


def _lapsed(command: GrantReward, card: Card, reward: Reward) -> Plan:
    """The card was returned or passed on before its rebate arrived: there is nothing left to grant it to."""
    return Plan(
        answer=msgspec.json.encode({"amount_fen": 0, "payment": command.payment.hex()}, order="sorted"),
        event="reward.lapsed.v1",
        subject=card.wallet,
        person=card.person(),
        changes=((reward, (RewardState.CANCELLED, reward.cut, 0, NO_LOT)),),
        checks=(card,),
    )


def expire(entry: Entry, card: Card, lots: list[Lot], catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Give back to who granted it what is left of an expired lot. Principal is never taken: it only stops paying."""
    command: ExpireLot = entry.command
    lot = next((lot for lot in lots if lot.id == command.lot), None)
    if lot is None or lot.state == LotState.EXPIRED or not 0 < lot.expires_us <= microseconds(at):
        return Refusal(errors.LOT_NOT_EXPIRED)
    free = Money(lot.balance - lot.held)
    if not free:
        return Refusal(errors.LOT_NOT_EXPIRED)
    state = LotState.LIVE if lot.held else LotState.EXPIRED
    keeps = lot.kind == LotKind.PRINCIPAL
    legs = [] if keeps else back_legs(lot, free, catalogue)
    return Plan(
        answer=msgspec.json.encode(
            {"expired_fen": 0 if keeps else free, "kept_fen": free if keeps else 0, "lot": lot.id.hex()},
            order="sorted",
        ),
        event="lot.expired.v1",
        subject=card.wallet,
        person=card.person(),
        changes=((lot, (lot.balance if keeps else lot.held, lot.held, state)),),
        postings=post(entry.id, catalogue.terms[card.terms].ledger, legs),
    )
