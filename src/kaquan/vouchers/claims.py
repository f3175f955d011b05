"""May this wallet have a voucher of this stock? What is left of it, and of its funders' money, is taken. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from kaquan.commands.model import Entry, Plan
from kaquan.funders.rules import commit_legs, promised
from kaquan.holders.errors import WALLET_UNKNOWN
from kaquan.kernel.calendar import business_date, shanghai
from kaquan.kernel.clock import SHANGHAI, microseconds
from kaquan.kernel.ids import BUCKETS, Id, bucket_of
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.model import Leg, post
from kaquan.programs.catalogue import Catalogue, Fund, Stock, StockState
from kaquan.quotas.model import IN_ALL, UNLIMITED, Slice, SliceKey, new_slices, slice_keys
from kaquan.quotas.rules import Change, take
from kaquan.vouchers import errors
from kaquan.vouchers.limits import untold
from kaquan.vouchers.model import Claim, ClaimByCode, ClaimFacts, IssueVoucher, NewVoucher, SpendingFacts
from kaquan.vouchers.orders import day_number

_MINUTE_FORMAT = "%Y-%m-%d %H:%M"


def wanted_pools(stock: Stock, at: datetime) -> list[SliceKey]:
    """The slices that a promise of the stock may draw on: the stock's own, the day's, and its funders'."""
    keys = slice_keys(stock.pool)
    if stock.rules.day_count or stock.rules.day_budget_fen:
        keys += slice_keys(stock.pool, day_number(at))
    for each in stock.funding:
        if each.fund is not None:
            keys += slice_keys(each.fund.id)
    return keys


def day_slices(stock: Stock, at: datetime) -> list[dict[str, Any]]:
    """What of the stock may be handed out on the day of `at`; nothing when it has no limits by day.

    A day keeps the limits with which it was opened.
    """
    rules = stock.rules
    if not rules.day_count and not rules.day_budget_fen:
        return []
    budget = rules.day_budget_fen or Money(UNLIMITED)
    return new_slices(stock.pool, rules.day_count or UNLIMITED, budget, day_number(at))


def open_day(stock: Stock, facts: SpendingFacts, at: datetime) -> None:
    """Let a day that nobody opened yet count as untouched: a dry run looks, and opens none."""
    rows, day = day_slices(stock, at), day_number(at)
    if rows and not facts.quotas.pool(stock.pool, day):
        facts.quotas.slices[stock.pool, day] = [
            Slice(stock.pool, 0, row["bucket"], day, row["number"], row["count_left"], row["fen_left"])
            for row in rows
        ]


def claimant(entry: Entry, facts: SpendingFacts) -> Id | None:
    """The natural person behind a command that was not decided before and whose wallet is active.

    Of a wallet whose holder was not identified it is the wallet itself.
    """
    wallet = facts.wallets.get(entry.command.wallet)
    if wallet is None or not wallet.active or entry.id in facts.commands:
        return None
    return Id(wallet.person) if any(wallet.person) else wallet.id


def spent(stock: Stock, facts: SpendingFacts, at: datetime) -> Refusal | None:
    """Why nobody can have a voucher of the stock: not one of all slices has enough left, or of its funders' money."""
    open_day(stock, facts, at)
    found = promise(stock, stock.rules.face_fen, facts, BUCKETS[0], at)
    return found if isinstance(found, Refusal) else None


def claimable(command: Claim, catalogue: Catalogue, at: datetime) -> Stock | Refusal:
    """The stock of a claim, if it hands out vouchers by claim now."""
    stock = catalogue.stock_by_code(command.program, command.stock)
    if stock is None:
        return Refusal(errors.STOCK_UNKNOWN, {"program": command.program[:40], "stock": command.stock[:40]})
    if stock.rules.hand_out != "claim":
        return Refusal(errors.STOCK_NOT_CLAIMED, {"stock": stock.code})
    return not_open(stock, at) or untold(command, stock) or stock


def issuable(command: IssueVoucher, catalogue: Catalogue) -> Stock | Refusal:
    """The stock that an operator gives from; the window for claims does not bind him."""
    stock = catalogue.stock_by_code(command.program, command.stock)
    if stock is None:
        return Refusal(errors.STOCK_UNKNOWN, {"program": command.program[:40], "stock": command.stock[:40]})
    if stock.rules.hand_out not in ("claim", "grant"):
        return Refusal(errors.STOCK_NOT_ISSUED, {"stock": stock.code})
    return stopped(stock) or stock


def coded(command: ClaimByCode, stock: Stock | None, at: datetime) -> Stock | Refusal:
    """The stock of a code that is somebody's to use now; what is over is like what never was."""
    if stock is None or stock.state is StockState.STOPPED:
        return Refusal(errors.CODE_NOT_VALID)
    refusal = not_open(stock, at)
    if refusal is not None and refusal.code is errors.CLAIM_OVER:
        return Refusal(errors.CODE_NOT_VALID)
    return refusal or untold(command, stock) or stock


def decide(entry: Entry, facts: ClaimFacts, stock: Stock | Refusal, origin: Id, at: datetime) -> Plan | Refusal:
    """A voucher of the stock for the command's wallet; its id is the command's."""
    wallet = facts.wallets.get(entry.command.wallet)
    if wallet is None or not wallet.active:
        return Refusal(WALLET_UNKNOWN)
    if isinstance(stock, Refusal):
        return stock
    if refusal := facts.refused(entry.id):
        return refusal
    open_day(stock, facts, at)
    return plan_issue(Issue(entry.id, wallet.id, origin, stock, stock.rules.face_fen), facts, at)


def stopped(stock: Stock) -> Refusal | None:
    """Whether the stock hands out nothing, by its own state or its program's."""
    if stock.state is not StockState.RUNNING or not stock.terms.sells:
        return Refusal(errors.STOCK_CLOSED, {"stock": stock.code})
    return None


def not_open(stock: Stock, at: datetime) -> Refusal | None:
    """Whether the stock hands out vouchers now: its state, its program's, its window."""
    if refusal := stopped(stock):
        return refusal
    now = _minute(at)
    if stock.rules.claim_from and now < stock.rules.claim_from:
        return Refusal(errors.CLAIM_NOT_YET, {"claim_from": stock.rules.claim_from})
    if stock.rules.claim_until and now >= stock.rules.claim_until:
        return Refusal(errors.CLAIM_OVER, {"claim_until": stock.rules.claim_until})
    return None


@lru_cache(maxsize=16)
def _minute(at: datetime) -> str:
    """The minute that clocks in Shanghai show: of a batch all ask for the same."""
    return at.astimezone(SHANGHAI).strftime(_MINUTE_FORMAT)


class Issue(msgspec.Struct, frozen=True):
    """A voucher that is to be handed out: its id, to whom, what brings it, of which stock, worth what."""

    id: Id
    wallet: Id
    origin: Id
    stock: Stock
    face: Money


def plan_issue(issue: Issue, facts: SpendingFacts, at: datetime) -> Plan | Refusal:
    """Hand out one voucher: what is left of the stock and of the money behind it is taken, the money is promised."""
    stock, face, identity, wallet = issue.stock, issue.face, issue.id, issue.wallet
    taken = promise(stock, face, facts, bucket_of(identity), at)
    if isinstance(taken, Refusal):
        return taken
    changes, legs = taken
    voucher = new_voucher(issue, at)
    if isinstance(voucher, Refusal):
        return voucher
    return Plan(
        answer=msgspec.json.encode(
            {
                "expires_us": voucher.expires_us,
                "face_fen": face,
                "stock": stock.code,
                "valid_us": voucher.valid_us,
                "voucher": identity.hex(),
            },
            order="sorted",
        ),
        event="voucher.issued.v1",
        subject=wallet,
        person=b'{"voucher":"%b","wallet":"%b"}' % (identity.hex().encode(), wallet.hex().encode()),
        changes=tuple(changes),
        inserts=(("voucher", voucher.row()),),
        postings=post(identity, stock.terms.ledger, legs),
        born=(voucher,),
    )


def promise(
    stock: Stock, face: Money, facts: SpendingFacts, bucket: int, at: datetime
) -> tuple[list[Change], list[Leg]] | Refusal:
    """Take one voucher of `face` out of what is left: of the stock in all, of the day, and of each fund."""
    changes = take(facts.quotas.pool(stock.pool), bucket, 1, face)
    if changes is None:
        return Refusal(errors.STOCK_SOLD_OUT, {"stock": stock.code})
    if stock.rules.day_count or stock.rules.day_budget_fen:
        of_day = take(facts.quotas.pool(stock.pool, day_number(at)), bucket, 1, face)
        if of_day is None:
            return Refusal(errors.STOCK_DAY_SOLD_OUT, {"stock": stock.code})
        changes += of_day
    money = commit(promised(stock.funding, face), facts, bucket)
    if isinstance(money, Refusal):
        return money
    return changes + money[0], money[1]


def commit(
    parts: Sequence[tuple[Fund | None, Money]], facts: SpendingFacts, bucket: int
) -> tuple[list[Change], list[Leg]] | Refusal:
    """Promise each fund's part, if all of them still have it."""
    changes: list[Change] = []
    for fund, part in parts:
        if fund is None or not part:
            continue
        taken = take(facts.quotas.pool(fund.id, IN_ALL), bucket, 0, part)
        if taken is None:
            return Refusal(errors.BUDGET_EXHAUSTED, {"fund": fund.code, "wanted_fen": part})
        changes += taken
    return changes, commit_legs(parts)


def new_voucher(issue: Issue, at: datetime) -> NewVoucher | Refusal:
    """A voucher handed out at `at`: it counts after the days of waiting, through the end of its last day."""
    stock, rules = issue.stock, issue.stock.rules
    begins_us, expires_us = _validity(rules.wait_days, rules.valid_days, rules.not_after, at)
    if expires_us <= begins_us:
        return Refusal(errors.CLAIM_OVER, {"claim_until": rules.not_after})
    return NewVoucher(
        issue.id,
        issue.wallet,
        issue.origin,
        stock.id,
        stock.terms.id,
        issue.face,
        begins_us,
        expires_us,
    )


@lru_cache(maxsize=64)
def _validity(wait_days: int, valid_days: int, not_after: str, at: datetime) -> tuple[int, int]:
    """From when a voucher counts and when it expires: of a batch all of a stock's are alike."""
    begins = shanghai(business_date(at) + timedelta(days=wait_days)) if wait_days else at
    last = business_date(begins) + timedelta(days=valid_days - 1)
    if not_after:
        last = min(last, datetime.fromisoformat(not_after).date())
    return microseconds(begins), microseconds(shanghai(last + timedelta(days=1)))
