"""Stocks in the database."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import psycopg
from psycopg.rows import namedtuple_row

from kaquan.commands.model import Entry
from kaquan.db.queries import load
from kaquan.funders.service import load_facts
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.programs.catalogue import Stock
from kaquan.stocks.model import StockFacts, StockView, Supplied

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


def views(connection: psycopg.Connection[Any]) -> dict[int, StockView]:
    """Every stock that was opened, by its number."""
    return {
        stock: StockView(number, at_us, count, Money(budget), left, Money(fen_left))
        for stock, number, at_us, count, budget, left, fen_left in connection.execute(QUERIES.supplies)
    }


def history(connection: psycopg.Connection[Any], stock: int) -> list[Any]:
    """Every step of a stock's life, oldest first, for display."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(QUERIES.history, {"stock": stock}).fetchall()


def used_since(
    connection: psycopg.Connection[Any], stocks: Sequence[int], since_us: int
) -> list[tuple[int, int, int]]:
    """Those of the stocks that were used since an instant and since their latest step: stock, vouchers, that step."""
    return [tuple(row) for row in connection.execute(QUERIES.used_since, {"stocks": list(stocks), "since": since_us})]
