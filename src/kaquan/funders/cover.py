"""What a fund keeps for stocks that are open: those that do not share their budget can be handed out to the last
voucher. Pure.

A claim takes the same from a stock and from its funds, so what is kept for a stock shrinks as it is handed out and
what is free beside it stays.
"""

from collections.abc import Iterable

from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.programs.catalogue import Catalogue, Fund, Stock, StockState
from kaquan.programs.liability import faces_vary, worst_parts
from kaquan.quotas.model import Quotas, left


def open_stocks(catalogue: Catalogue, fund: Id) -> list[Stock]:
    """Stocks that draw on a fund and were not stopped."""
    return [
        stock
        for stock in catalogue.latest_stocks.values()
        if stock.state is not StockState.STOPPED and any(_is(share.fund, fund) for share in stock.funding)
    ]


def kept(stocks: Iterable[Stock], fund: Id, quotas: Quotas) -> Money:
    """What a fund needs so that what is left of these stocks can be handed out."""
    return Money(sum(needed(stock, fund, *left(quotas.pool(stock.pool))) for stock in stocks if not shares(stock)))


def needed(stock: Stock, fund: Id, count: int, budget: Money) -> int:
    """What `count` vouchers of a stock out of `budget` cost a fund at worst."""
    bps = [share.bps for share in stock.funding]
    varying = faces_vary(stock.terms.terms, stock.rules)
    parts = worst_parts(stock.rules.face_fen, count, budget, bps, varying=varying)
    return sum(part for share, part in zip(stock.funding, parts, strict=True) if _is(share.fund, fund))


def shares(stock: Stock) -> bool:
    """Whether a stock shares the money of its funds with others, first come first served."""
    return stock.rules.shared_budget


def _is(fund: Fund | None, identity: Id) -> bool:
    return fund is not None and fund.id == identity
