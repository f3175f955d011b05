"""A stock of vouchers as a row of the list of stocks, and the steps of its life."""

from collections.abc import Mapping
from typing import Any

from kaquan.documents.answers import instant
from kaquan.programs.catalogue import Stock
from kaquan.stocks.model import StockView


def stock_row(stock: Stock, view: StockView) -> dict[str, Any]:
    """A stock, how many of it were handed out, and what is left."""
    return {
        "program": stock.terms.terms.program.code,
        "stock": stock.code,
        "kind": stock.rules.kind,
        "state": stock.state.name.lower(),
        "supplied": view.count,
        "handed_out": view.count - view.left,
        "remaining": view.left,
        "budget_fen": view.budget,
        "left_fen": view.left_fen,
    }


def stock_step(one: Any) -> dict[str, Any]:
    """A step in a stock's life."""
    return {
        "at": instant(one.at),
        "step": one.operation,
        "person": one.person,
        "reason": one.reason,
        "supplied": one.count,
        "budget_fen": one.budget,
    }


def stock_answer(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer, with the number of vouchers under the name that lists give it."""
    return {
        **{name: given for name, given in answer.items() if name not in ("count", "happened")},
        "supplied": answer["count"],
    }
