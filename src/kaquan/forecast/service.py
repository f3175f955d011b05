"""Forecasts for everybody else: a program's text on the past traffic of another."""

from datetime import date, timedelta
from typing import Any

import msgspec
import psycopg

from kaquan.forecast import rules, store
from kaquan.forecast.model import Forecast
from kaquan.kernel.calendar import shanghai
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id
from kaquan.ledger.chart import Source
from kaquan.programs.catalogue import Catalogue, Fund, FundMode, FundShare, Stock, StockState, Terms
from kaquan.programs.grants import MERCHANT
from kaquan.programs.lifecycle import ProgramState
from kaquan.programs.terms import ProgramTerms
from kaquan.quotas.model import pool_id

_ONE_DAY = timedelta(days=1)


def forecast(
    connection: psycopg.Connection[Any],
    catalogue: Catalogue,
    draft: ProgramTerms,
    past: Terms,
    *,
    since: date,
    until: date,
) -> Forecast:
    """What `draft` would have cost on the traffic of the program `past`, from one day to another, both included.

    The draft is judged at the merchants that `past` accepts; funds and stocks that do not exist yet are made up.
    """
    begin, end = microseconds(shanghai(since)), microseconds(shanghai(until + _ONE_DAY))
    traffic = store.traffic(connection, catalogue, past.program, begin, end)
    terms = _as_if_open(draft, past)
    merchants = {merchant.code: merchant for merchant in catalogue.merchants.values()}
    return rules.forecast(terms, _stocks(terms, catalogue), merchants, traffic)


def _as_if_open(draft: ProgramTerms, past: Terms) -> Terms:
    """The draft as if it ran in the place of the past program."""
    return msgspec.structs.replace(past, terms=draft, state=ProgramState.RUNNING)


def _stocks(terms: Terms, catalogue: Catalogue) -> list[Stock]:
    """The stocks of a draft as if all of them had been opened."""
    stocks = []
    for number, rules_ in enumerate(terms.terms.stocks, start=1):
        funding = tuple(
            FundShare(None if each.fund == MERCHANT else _fund(each.fund, catalogue), each.share_bps)
            for each in terms.terms.funding
            if each.of == rules_.code
        )
        pool = pool_id("stock", -number)
        stocks.append(Stock(-number, rules_.code, terms, rules_, funding, StockState.RUNNING, pool))
    return stocks


def _fund(code: str, catalogue: Catalogue) -> Fund:
    known = catalogue.funds.get(code)
    return known or Fund(Id(bytes(16)), code, code, 0, 0, FundMode.PREPAID, Source.FISCAL)
