"""Stocks for everybody else: the handlers of commands on stocks."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg

from kaquan.commands.handler import Handler
from kaquan.commands.model import Entry, Kind, Plan, Routed
from kaquan.funders.cover import open_stocks
from kaquan.funders.service import with_catalogue
from kaquan.kernel.caller import SYSTEM
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Catalogue, Stock, StockState
from kaquan.programs.liability import faces_vary, supply, worst_parts
from kaquan.programs.terms import ProgramTerms
from kaquan.stocks import rules, store
from kaquan.stocks.model import PauseStock, StockCommand, StockFacts

KINDS = (Kind.OPEN_STOCK, Kind.PAUSE_STOCK, Kind.RESUME_STOCK, Kind.STOP_STOCK, Kind.RAISE_STOCK)

BREAKER_SPAN = timedelta(hours=1)
"""The terms count the uses of an hour."""

history = store.history
views = store.views


class StockHandler(Handler):
    """Open, pause, resume, stop, raise."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> StockFacts:
        """The stocks, their funds, and the other stocks that draw on those."""
        return with_catalogue(cursor, self._catalogue, lambda: self._load(cursor, entries, lock))

    def _load(self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], lock: bool) -> StockFacts:
        commands = [entry.command for entry in entries]
        addressed = [self._catalogue.stock_by_code(one.program, one.stock) for one in commands]
        stocks: dict[int, Stock] = {one.id: one for one in addressed if one is not None}
        funds: set[Id] = set()
        if self.kind in (Kind.OPEN_STOCK, Kind.RAISE_STOCK):
            funds = set(self._funds(commands))
            stocks |= {one.id: one for fund in funds for one in open_stocks(self._catalogue, fund)}
        return store.load_stocks(cursor, entries, funds, list(stocks.values()), lock)

    def _funds(self, commands: Iterable[StockCommand]) -> Iterable[Id]:
        for command in commands:
            terms = self._catalogue.program(command.program)
            for each in terms.terms.funding if terms else ():
                if each.of == command.stock and each.fund in self._catalogue.funds:
                    yield self._catalogue.funds[each.fund].id

    def decide(self, entry: Entry, facts: StockFacts, at: datetime) -> Plan | Refusal:
        """See `stocks.rules`."""
        return rules.decide(entry, facts, self._catalogue, at)


def to_come(connection: psycopg.Connection[Any], catalogue: Catalogue, terms: ProgramTerms) -> dict[str, Money]:
    """By the code of a fund, what a program may still cost it at worst: all that is left of its stocks."""
    seen = store.views(connection)
    found: dict[str, int] = {}
    for rules_ in terms.stocks:
        opened = catalogue.stock_by_code(terms.program.code, rules_.code)
        if opened is not None and opened.state is StockState.STOPPED:
            continue
        left = supply(rules_) if opened is None else (seen[opened.id].left, seen[opened.id].left_fen)
        funding = [each for each in terms.funding if each.of == rules_.code]
        bps = [each.share_bps for each in funding]
        parts = worst_parts(rules_.face_fen, *left, bps, varying=faces_vary(terms, rules_))
        for each, part in zip(funding, parts, strict=True):
            found[each.fund] = found.get(each.fund, 0) + part
    return {fund: Money(fen) for fund, fen in found.items()}


def due(connection: psycopg.Connection[Any], catalogue: Catalogue, at: datetime) -> list[PauseStock]:
    """Stocks whose breaker is to pause them: more of their vouchers were used in an hour than their terms allow.

    What was used before the latest step does not count again, so that a stock that somebody resumed runs on. Its key
    follows from that step: a look that runs twice pauses once.
    """
    guarded = {
        stock.id: stock
        for stock in catalogue.latest_stocks.values()
        if stock.rules.breaker_hour_count and stock.state is StockState.RUNNING
    }
    if not guarded:
        return []
    found = store.used_since(connection, list(guarded), microseconds(at - BREAKER_SPAN))
    return [
        PauseStock(
            key=f"breaker-{stock}-{step}",
            caller=SYSTEM,
            program=guarded[stock].terms.terms.program.code,
            stock=guarded[stock].code,
            reason=f"熔断 breaker: {used} > {guarded[stock].rules.breaker_hour_count} / 1 h",
        )
        for stock, used, step in found
        if used > guarded[stock].rules.breaker_hour_count
    ]


def handlers(catalogue: Catalogue) -> dict[Kind, Handler]:
    """The handler of each kind of command here."""
    return {kind: StockHandler(kind, catalogue) for kind in KINDS}
