"""Monthly plans: what a purchase starts, when a month falls due, what a cancelled plan gives back. Pure.

A plan takes all it promises at once: vouchers out of the stock, money out of its funders' free budget. What is
granted month by month is promised already, so that a plan never runs dry. When stock or budget cannot cover a plan,
the purchase goes on without one and its answer says why (docs/decisions/0016).
"""

from calendar import monthrange
from datetime import date, datetime
from typing import Any

import msgspec

from kaquan.commands.model import Entry, Plan
from kaquan.funders.rules import promised, release_legs
from kaquan.kernel.calendar import business_date, shanghai
from kaquan.kernel.clock import instant, microseconds, shown
from kaquan.kernel.ids import Id, bucket_of, derived_id
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.model import Leg, post
from kaquan.programs.catalogue import Catalogue, Fund, Stock, StockState, Terms
from kaquan.programs.grants import Drip
from kaquan.quotas.model import Quotas, SliceKey
from kaquan.quotas.rules import Change, put_back, take
from kaquan.rewards import errors
from kaquan.rewards.gifts import free_again, paused
from kaquan.rewards.plan_model import (
    PLAN_WORDS_ZH,
    CancelPlan,
    GrantDrip,
    MonthlyPlan,
    PlanCommand,
    PlanFacts,
    PlanState,
)
from kaquan.vouchers import errors as voucher_errors
from kaquan.vouchers.claims import Issue, commit, new_voucher, wanted_pools
from kaquan.vouchers.model import SpendingFacts

REASON_LENGTH_MAX = 200
_MONTHS = 12


class Bought(msgspec.Struct, frozen=True):
    """A sale or top-up as plans see it: the command, whose wallet, which card, its face value and terms."""

    origin: Id
    wallet: Id
    card: Id
    face: Money
    terms: Terms


class Started(msgspec.Struct, frozen=True):
    """What a purchase does besides, because it starts a plan; `answer` tells of it, or why there is none."""

    answer: dict[str, Any]
    changes: tuple[Change, ...] = ()
    cold: tuple[tuple[str, dict[str, Any]], ...] = ()
    legs: tuple[Leg, ...] = ()


NOTHING = Started({})
"""What a purchase starts that reaches no plan."""


def drip_of(terms: Terms, face: Money) -> Drip | None:
    """The plan that a purchase of this face value starts: of those it reaches, the one that asks for most."""
    reached = [drip for drip in terms.terms.drips if face and face >= drip.from_face_fen]
    return max(reached, key=lambda drip: drip.from_face_fen) if reached else None


def start_pools(terms: Terms, face: Money, catalogue: Catalogue, at: datetime) -> list[SliceKey]:
    """What must be loaded to decide whether a purchase starts its plan: none when it reaches none."""
    drip = drip_of(terms, face)
    stock = catalogue.stock_by_code(terms.terms.program.code, drip.stock) if drip else None
    return wanted_pools(stock, at) if stock else []


def start(bought: Bought, facts: SpendingFacts, catalogue: Catalogue, at: datetime) -> Started:
    """The plan that a purchase starts, its vouchers and money taken at once."""
    terms = bought.terms
    drip = drip_of(terms, bought.face)
    if drip is None:
        return NOTHING
    stock = catalogue.stock_by_code(terms.terms.program.code, drip.stock)
    if stock is None or stock.state is not StockState.RUNNING:
        return Started({"plan_refused": voucher_errors.STOCK_CLOSED.code})
    count, face = drip.months * drip.each_month, stock.rules.face_fen
    bucket = bucket_of(bought.origin)
    taken = take(facts.quotas.pool(stock.pool), bucket, count, Money(count * face))
    if taken is None:
        return Started({"plan_refused": voucher_errors.STOCK_SOLD_OUT.code})
    money = commit(_worth(stock, face, count), facts, bucket)
    if isinstance(money, Refusal):
        return Started({"plan_refused": money.code.code})
    identity = derived_id(bought.origin, b"plan " + drip.code.encode())
    next_us = microseconds(due_at(at, 1))
    return Started(
        {"plan": identity.hex(), "plan_next_us": next_us, "plan_vouchers": count},
        (*taken, *money[0]),
        (("plan", _row(identity, bought, drip, stock, microseconds(at), next_us)),),
        tuple(money[1]),
    )


def due_at(started: datetime, month: int) -> datetime:
    """When a plan's month (from 1) falls due: as many months after the purchase, on its day or the month's last."""
    bought = business_date(started)
    years, months = divmod(bought.month - 1 + month, _MONTHS)
    year, number = bought.year + years, months + 1
    return shanghai(date(year, number, min(bought.day, monthrange(year, number)[1])))


def decide(entry: Entry, facts: PlanFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Grant a month, or cancel."""
    command: PlanCommand = entry.command
    plan = facts.plans.get(command.plan)
    if plan is None:
        return Refusal(errors.PLAN_UNKNOWN)
    stock = catalogue.stock(plan.terms, plan.stock)
    if isinstance(command, GrantDrip):
        return _grant(command, plan, stock, at)
    if plan.state != PlanState.RUNNING:
        state = PlanState(plan.state)
        return Refusal(errors.PLAN_STATE, {"state": state.name.lower(), "state_zh": PLAN_WORDS_ZH[state]})
    return _cancelled(entry, plan, stock, facts.quotas)


def _grant(command: GrantDrip, plan: MonthlyPlan, stock: Stock, at: datetime) -> Plan | Refusal:
    if plan.state != PlanState.RUNNING or command.month != plan.given + 1:
        return Refusal(errors.PLAN_MONTH, {"month": command.month, "given": plan.given})
    if microseconds(at) < plan.next_us:
        return Refusal(errors.PLAN_NOT_DUE, {"due": shown(instant(plan.next_us))})
    if paused(stock):
        return Refusal(errors.GRANTS_PAUSED, {"program": stock.terms.terms.program.name_zh})
    vouchers = []
    for number in range(plan.each_month):
        identity = derived_id(plan.id, b"month %d voucher %d" % (command.month, number))
        voucher = new_voucher(Issue(identity, plan.wallet, plan.id, stock, Money(plan.face)), at)
        if isinstance(voucher, Refusal):
            return voucher
        vouchers.append(voucher)
    given = plan.given + 1
    state = PlanState.DONE if given == plan.months else PlanState.RUNNING
    next_us = microseconds(due_at(instant(plan.started_us), given + 1))
    return Plan(
        answer=msgspec.json.encode(
            {
                "expires_us": vouchers[0].expires_us,
                "face_fen": plan.face,
                "month": given,
                "months": plan.months,
                "plan": plan.id.hex(),
                "stock": stock.code,
                "vouchers": [voucher.id.hex() for voucher in vouchers],
            },
            order="sorted",
        ),
        event="plan.granted.v1",
        subject=plan.wallet,
        person=plan.person(),
        changes=((plan, (state, given, next_us)),),
        inserts=tuple(("voucher", voucher.row()) for voucher in vouchers),
        born=tuple(vouchers),
    )


def _cancelled(entry: Entry, plan: MonthlyPlan, stock: Stock, quotas: Quotas) -> Plan:
    command: CancelPlan = entry.command
    changes, legs = cancel(plan, stock, quotas)
    return Plan(
        answer=msgspec.json.encode(
            {
                "months_left": plan.months - plan.given,
                "plan": plan.id.hex(),
                "reason": command.reason[:REASON_LENGTH_MAX],
                "released_fen": sum(leg.amount for leg in legs),
                "state": "cancelled",
            },
            order="sorted",
        ),
        event="plan.cancelled.v1",
        subject=plan.wallet,
        person=plan.person(),
        changes=tuple(changes),
        postings=post(entry.id, stock.terms.ledger, legs),
    )


def cancel(plan: MonthlyPlan, stock: Stock, quotas: Quotas) -> tuple[list[Change], list[Leg]]:
    """A running plan grants nothing more: its vouchers are the stock's again, its money the funders' free budget.

    For whoever closes the card or gives the purchase back, in the same command.
    """
    bucket, parts = bucket_of(plan.id), _worth(stock, Money(plan.face), plan.vouchers_left)
    back = put_back(quotas.pool(stock.pool), bucket, plan.vouchers_left, plan.promised)
    ended = (plan, (PlanState.CANCELLED, plan.given, plan.next_us))
    return [ended, *back, *free_again(parts, quotas, bucket)], release_legs(parts)


def _worth(stock: Stock, face: Money, count: int) -> list[tuple[Fund | None, Money]]:
    """What `count` vouchers are worth to each funder: that many times its part of one, for they are used singly."""
    return [(fund, Money(part * count)) for fund, part in promised(stock.funding, face)]


def _row(identity: Id, bought: Bought, drip: Drip, stock: Stock, at_us: int, next_us: int) -> dict[str, Any]:
    return {
        "face": stock.rules.face_fen,
        "at": at_us,
        "next_at": next_us,
        "id": identity.hex(),
        "wallet": bought.wallet.hex(),
        "card": bought.card.hex(),
        "origin": bought.origin.hex(),
        "stock": stock.id,
        "terms": stock.terms.id,
        "version": 1,
        "bucket": bucket_of(identity),
        "months": drip.months,
        "given": 0,
        "each_month": drip.each_month,
        "state": int(PlanState.RUNNING),
        "code": drip.code,
    }
