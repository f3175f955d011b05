"""What a payment earns, when it is granted, what a refund takes back, what expires. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from kaquan.cards.model import NO_FUND, Card, CardFacts, Lot, LotKind, LotState, NewLot, total
from kaquan.cards.rules import room
from kaquan.commands.model import Entry, Plan
from kaquan.funders.rules import return_legs
from kaquan.kernel.calendar import business_date, shanghai
from kaquan.kernel.clock import instant, microseconds, shown
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Account, Source
from kaquan.ledger.model import Leg, post
from kaquan.programs.catalogue import Catalogue, Terms
from kaquan.programs.lifecycle import WORDS_ZH
from kaquan.rewards import errors
from kaquan.rewards.model import Clawback, Earned, ExpireLot, GrantReward, Reward, RewardState
from kaquan.rewards.tiers import rebate


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


def grant(entry: Entry, card: Card, facts: CardFacts, reward: Reward, terms: Terms, at: datetime) -> Plan | Refusal:
    """Turn a waiting rebate into a bonus lot, unless the program is paused or the card would hold more than it may.

    A grant that is refused today is tried again by the timetable on a later day, under another id.
    """
    command: GrantReward = entry.command
    at_us = microseconds(at)
    if reward.state != RewardState.WAITING:
        return Refusal(errors.REWARD_NOT_WAITING)
    if at_us < reward.due_us:
        return Refusal(errors.REWARD_NOT_DUE, {"due": shown(instant(reward.due_us))})
    if not terms.grants:
        state = {"state": terms.state.word, "state_zh": WORDS_ZH[terms.state]}
        return Refusal(errors.REWARD_PROGRAM_PAUSED, {"program": terms.terms.program.name_zh, **state})
    amount = Money(reward.amount - reward.cut)
    balance_after = Money(total(facts.of(card.id)) + amount)
    if refusal := room(balance_after, bool(card.registered), terms, at):
        return refusal
    expires = at + timedelta(days=terms.terms.rebate.valid_days)
    lot = NewLot(
        entry.id, card.id, command.payment, LotKind.BONUS, Source.OPERATING, amount, at_us, microseconds(expires)
    )
    leg = Leg(Account.PROMO_DEFERRED, None, Account.CARD_BONUS, lot.id, Source.OPERATING, amount)
    return Plan(
        answer=msgspec.json.encode(
            {"amount_fen": amount, "expires_us": lot.expires_us, "payment": command.payment.hex()}, order="sorted"
        ),
        event="reward.granted.v1",
        subject=card.wallet,
        person=card.person(),
        changes=(card.touched(), (reward, (RewardState.GRANTED, reward.cut, amount, lot.id))),
        inserts=(("lot", lot.row()),),
        postings=post(entry.id, terms.ledger, [leg]),
        born=(lot,),
    )


def clawback(
    reward: Reward, amount: Money, lots: list[Lot], balances: Mapping[Id, int], allow_negative: bool
) -> Clawback:
    """How `amount` of a granted rebate is taken back: from its own lot first, then from other bonus of the issuer.

    `balances` are the balances after everything else the plan does. A card has a floor of zero, so what it no
    longer holds is `short`: written in the answer and borne by the issuer.
    """
    if allow_negative:
        raise ValueError("a card has a floor of zero: the validator refuses a negative clawback")
    left = int(amount)
    taken: list[tuple[Lot, int]] = []
    bonus = [lot for lot in lots if lot.kind == LotKind.BONUS and lot.fund == NO_FUND]
    for lot in sorted(bonus, key=lambda lot: (lot.id != reward.lot, lot.id)):
        part = min(left, balances.get(lot.id, lot.balance) - lot.held)
        if part > 0:
            taken.append((lot, part))
            left -= part
    return Clawback(taken, Money(left))


def clawback_leg(lot: Lot, amount: Money) -> Leg:
    """Bonus that the issuer granted comes back to it."""
    return Leg(Account.CARD_BONUS, lot.id, Account.PROMO_DEFERRED, None, lot.source, amount)


def expire(entry: Entry, card: Card, lots: list[Lot], catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Take back what is left of an expired lot: to the issuer, or to the fund whose money it is.

    Principal is never taken: it only stops paying.
    """
    command: ExpireLot = entry.command
    lot = next((lot for lot in lots if lot.id == command.lot), None)
    if lot is None or lot.state == LotState.EXPIRED or not 0 < lot.expires_us <= microseconds(at):
        return Refusal(errors.LOT_NOT_EXPIRED)
    free = Money(lot.balance - lot.held)
    if not free:
        return Refusal(errors.LOT_NOT_EXPIRED)
    state = LotState.LIVE if lot.held else LotState.EXPIRED
    keeps = lot.kind == LotKind.PRINCIPAL
    return Plan(
        answer=msgspec.json.encode(
            {"expired_fen": 0 if keeps else free, "kept_fen": free if keeps else 0, "lot": lot.id.hex()},
            order="sorted",
        ),
        event="lot.expired.v1",
        subject=card.wallet,
        person=card.person(),
        changes=((lot, (lot.balance if keeps else lot.held, lot.held, state)),),
        postings=()
        if keeps
        else post(entry.id, catalogue.terms[card.terms].ledger, _taken_back(lot, free, catalogue)),
    )


def _taken_back(lot: Lot, amount: Money, catalogue: Catalogue) -> list[Leg]:
    """Value that the issuer granted comes back to it; what a fund paid is that fund's again."""
    if lot.fund == NO_FUND:
        return [Leg(Account.CARD_BONUS, lot.id, Account.PROMO_DEFERRED, None, lot.source, amount)]
    return return_legs(catalogue.funds_by_id[lot.fund], amount, lot.account, lot.id, again=False)
