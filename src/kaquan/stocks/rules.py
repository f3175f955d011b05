"""May this stock be opened, paused, resumed, stopped, raised? Pure.

A stock that does not share its budget opens when all that it may cost is there, fund by fund, beside what the fund
keeps for others (decision 15). Each step that stands on a fund's money writes the fund's slices, so that of two at
once one decides again.
"""

from datetime import datetime
from typing import Any

import msgspec

from kaquan.commands.model import Entry, Plan
from kaquan.funders.cover import kept, needed, open_stocks, shares
from kaquan.funders.errors import FUND_UNKNOWN
from kaquan.funders.rules import levelled
from kaquan.kernel.clock import microseconds
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.law.rules import budget_kept
from kaquan.ledger.chart import Source
from kaquan.programs.catalogue import Catalogue, Fund, FundShare, Stock, StockState, Terms
from kaquan.programs.errors import PROGRAM_UNKNOWN
from kaquan.programs.grants import MERCHANT
from kaquan.programs.grants import Stock as StockTerms
from kaquan.programs.liability import supply
from kaquan.quotas.model import left, new_slices, pool_id
from kaquan.quotas.rules import level
from kaquan.stocks import errors
from kaquan.stocks.model import (
    REASON_LENGTH_MAX,
    OpenStock,
    PauseStock,
    RaiseStock,
    ReasonedStock,
    ResumeStock,
    StockCommand,
    StockFacts,
    StopStock,
    Supplied,
)
from kaquan.vouchers.errors import STOCK_UNKNOWN

STEPS: dict[type[ReasonedStock], tuple[str, str, StockState, tuple[StockState, ...]]] = {
    PauseStock: ("pause", "paused", StockState.PAUSED, (StockState.RUNNING,)),
    ResumeStock: ("resume", "resumed", StockState.RUNNING, (StockState.PAUSED,)),
    StopStock: ("stop", "stopped", StockState.STOPPED, (StockState.RUNNING, StockState.PAUSED)),
}
"""A step's name, what has happened by it, the state it leads to, and those it starts from."""

WORDS_ZH = {StockState.RUNNING: "正在发放", StockState.PAUSED: "已暂停", StockState.STOPPED: "已停止"}

_CODE_SHOWN = 40


def decide(entry: Entry, facts: StockFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    """Open, pause, resume, stop or raise."""
    command: StockCommand = entry.command
    names = {"program": command.program[:_CODE_SHOWN], "stock": command.stock[:_CODE_SHOWN]}
    terms = catalogue.program(command.program)
    if terms is None:
        return Refusal(PROGRAM_UNKNOWN, {"program": names["program"]})
    stock = catalogue.stock_by_code(command.program, command.stock)
    if isinstance(command, OpenStock):
        if stock is not None:
            return Refusal(errors.STOCK_EXISTS, {"stock": names["stock"]})
        return _open(command, terms, facts, catalogue, at)
    if stock is None:
        return Refusal(STOCK_UNKNOWN, names)
    if isinstance(command, RaiseStock):
        return _raise(command, stock, facts, catalogue, at)
    if isinstance(command, ReasonedStock):
        return _step(command, stock, facts, at)
    raise TypeError(f"not a command on a stock: {type(command).__name__}")


def _open(command: OpenStock, terms: Terms, facts: StockFacts, catalogue: Catalogue, at: datetime) -> Plan | Refusal:
    rules = next((one for one in terms.terms.stocks if one.code == command.stock), None)
    if rules is None:
        names = {"program": command.program[:_CODE_SHOWN], "stock": command.stock[:_CODE_SHOWN]}
        return Refusal(errors.STOCK_NOT_IN_TERMS, names)
    funding = _funding(terms, rules, catalogue)
    if isinstance(funding, Refusal):
        return funding
    number = facts.next_stock
    stock = Stock(number, rules.code, terms, rules, funding, StockState.RUNNING, pool_id("stock", number))
    count, budget = supply(rules)
    for fund in funds_of(stock):
        if refusal := _not_covered(stock, fund, (count, budget), facts, catalogue, at):
            return refusal
    row = {"id": number, "program": terms.program, "code": rules.code, "state": int(StockState.RUNNING)}
    supplied = Supplied(1, count, budget)
    cold = [("stock", row), *(("slice", one) for one in new_slices(stock.pool, count, budget))]
    plan = _plan(stock, "opened", supplied, cold=[*cold, _event(stock, "open", command, supplied, at)])
    plan.born = (stock,)
    plan.changes = tuple(
        change for fund in funds_of(stock) for change in levelled(fund, facts, facts.budget(fund.id))
    )
    return plan


def _funding(terms: Terms, rules: StockTerms, catalogue: Catalogue) -> tuple[FundShare, ...] | Refusal:
    """Who pays for the stock; every fund is there, in the program's book."""
    found = []
    for each in terms.terms.funding:
        if each.of != rules.code:
            continue
        fund = catalogue.funds.get(each.fund)
        if each.fund != MERCHANT and fund is None:
            return Refusal(FUND_UNKNOWN, {"fund": each.fund})
        if fund is not None and fund.book != terms.ledger.book:
            return Refusal(errors.STOCK_FUND_BOOK, {"fund": each.fund})
        found.append(FundShare(fund, each.share_bps))
    return tuple(found)


def funds_of(stock: Stock) -> list[Fund]:
    """The funds that a stock draws on, each once."""
    return list({share.fund.id: share.fund for share in stock.funding if share.fund is not None}.values())


def _not_covered(
    stock: Stock, fund: Fund, wanted: tuple[int, Money], facts: StockFacts, catalogue: Catalogue, at: datetime
) -> Refusal | None:
    """Whether a fund lacks what is `wanted` of a stock, beside what it keeps for the others that draw on it. Where
    the law says so of a public budget, its article is told."""
    opened = [one for one in facts.opened if fund in funds_of(one)]
    others = [one for one in open_stocks(catalogue, fund.id) if one.id != stock.id]
    unlike = next((one for one in [*others, *opened] if shares(one) != shares(stock)), None)
    if unlike is not None:
        return Refusal(errors.STOCK_BUDGET_MIXED, {"fund": fund.code, "other": unlike.code})
    if shares(stock):
        return None
    free = facts.budget(fund.id) - kept(others, fund.id, facts.quotas)
    free -= sum(needed(one, fund.id, *supply(one.rules)) for one in opened)
    worst = needed(stock, fund.id, *wanted)
    if worst <= free:
        return None
    free = max(0, free)
    told: dict[str, int | str] = {"stock": stock.code, "fund": fund.code, "wanted_fen": worst, "free_fen": free}
    public = fund.source is Source.FISCAL
    unlawful = budget_kept(Money(worst), Money(free), stock.terms.law(at)) if public else None
    return unlawful or Refusal(errors.STOCK_NOT_COVERED, told)


def _raise(
    command: RaiseStock, stock: Stock, facts: StockFacts, catalogue: Catalogue, at: datetime
) -> Plan | Refusal:
    """The pool grows by what the terms now say beyond what it was given."""
    if stock.state is StockState.STOPPED:
        return _impossible(stock)
    latest = facts.supplied[stock.id]
    if (latest.count, latest.budget) != (command.count, command.budget):
        told: dict[str, int | str] = {"stock": stock.code, "count": latest.count, "budget_fen": latest.budget}
        return Refusal(errors.STOCK_MOVED, told)
    count, budget = supply(stock.rules)
    if count < latest.count or budget < latest.budget or (count, budget) == (latest.count, latest.budget):
        return Refusal(errors.STOCK_NOT_HIGHER, {"stock": stock.code})
    slices = facts.quotas.pool(stock.pool)
    now, fen = left(slices)
    after = (now + count - latest.count, Money(fen + budget - latest.budget))
    for fund in funds_of(stock):
        if refusal := _not_covered(stock, fund, after, facts, catalogue, at):
            return refusal
    supplied = Supplied(latest.number + 1, count, budget)
    plan = _plan(stock, "raised", supplied, cold=[_event(stock, "raise", command, supplied, at)])
    budgets = [change for fund in funds_of(stock) for change in levelled(fund, facts, facts.budget(fund.id))]
    plan.changes = (*level(slices, *after), *budgets)
    return plan


def _step(command: ReasonedStock, stock: Stock, facts: StockFacts, at: datetime) -> Plan | Refusal:
    operation, happened, state, starts = STEPS[type(command)]
    reason = command.reason.strip()
    if not 0 < len(reason) <= REASON_LENGTH_MAX or not reason.isprintable():
        return Refusal(errors.STOCK_REASON, {"length_max": REASON_LENGTH_MAX})
    if stock.state not in starts:
        return _impossible(stock)
    latest = facts.supplied[stock.id]
    supplied = msgspec.structs.replace(latest, number=latest.number + 1)
    change = ("stock_change", {"id": stock.id, "state": int(state)})
    cold = [change, _event(stock, operation, command, supplied, at)]
    return _plan(stock, happened, supplied, cold=cold, reason=reason)


def _impossible(stock: Stock) -> Refusal:
    told = {"stock": stock.code, "state": stock.state.name.lower(), "state_zh": WORDS_ZH[stock.state]}
    return Refusal(errors.STOCK_STATE, told)


Cold = tuple[str, dict[str, Any]]


def _event(stock: Stock, operation: str, command: StockCommand, supplied: Supplied, at: datetime) -> Cold:
    return (
        "stock_event",
        {
            "at": microseconds(at),
            "count": supplied.count,
            "budget": supplied.budget,
            "stock": stock.id,
            "number": supplied.number,
            "operation": operation,
            "person": command.caller.person,
            "reason": command.reason.strip() if isinstance(command, ReasonedStock) else "",
        },
    )


def _plan(stock: Stock, happened: str, supplied: Supplied, *, cold: list[Cold], **told: str) -> Plan:
    answer: dict[str, object] = {
        "budget_fen": supplied.budget,
        "count": supplied.count,
        "happened": happened,
        "program": stock.terms.terms.program.code,
        "stock": stock.code,
        **told,
    }
    return Plan(msgspec.json.encode(answer, order="sorted"), f"stock.{happened}.v1", cold=tuple(cold))
