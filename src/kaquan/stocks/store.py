"""Stocks in the database."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import psycopg

from kaquan.commands.model import Entry
from kaquan.db.queries import load
from kaquan.funders.service import load_facts
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.programs.catalogue import Stock
from kaquan.stocks.model import StockFacts, Supplied

QUERIES = load(__package__)


def load_stocks(
    cursor: psycopg.Cursor[Any],
    entries: Sequence[Entry],
    funds: Collection[Id],
    stocks: Collection[Stock],
    lock: bool,
) -> StockFacts:
    """Funds and stocks. Steps are numbered by the key: of two with one number the second reads again."""
    read = cursor.connection.execute
    steps = read(QUERIES.latest_events, ([stock.id for stock in stocks],))
    supplied = {stock: Supplied(number, count, Money(budget)) for stock, number, count, budget in steps}
    number = read(QUERIES.next_stock).fetchone() or (1,)
    facts = load_facts(cursor, entries, funds, {stock.pool for stock in stocks}, lock)
    return StockFacts(**msgspec.structs.asdict(facts), supplied=supplied, next_stock=number[0])
