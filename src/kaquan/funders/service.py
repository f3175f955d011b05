"""Funders for everybody else: the handlers of commands on funds, and what the books say of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg

from kaquan.commands.handler import Handler
from kaquan.commands.model import Entry, Kind, Plan, Routed
from kaquan.funders import rules, store
from kaquan.funders.cover import open_stocks
from kaquan.funders.model import FundFacts, SweepFund
from kaquan.kernel.caller import SYSTEM
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Catalogue

books = store.books
load_facts = store.load_facts


class FundHandler(Handler):
    """Register, pay in, pay out, sweep."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> FundFacts:
        """The funds, and what is left of the stocks that draw on them."""
        funds = {identity for entry in entries if (identity := entry.command.subject) in self._catalogue.funds_by_id}
        pools = {stock.pool for fund in funds for stock in open_stocks(self._catalogue, fund)}
        return store.load_facts(cursor, entries, funds, pools, lock)

    def decide(self, entry: Entry, facts: FundFacts, at: datetime) -> Plan | Refusal:
        """See `funders.rules`."""
        return rules.decide(entry, facts, self._catalogue)


def due(connection: psycopg.Connection[Any], most: int) -> list[SweepFund]:
    """Up to `most` sweeps that are due. A look at the same slices gives the same keys, so that it is done once."""
    return [
        SweepFund(key=f"sweep-{turn}", caller=SYSTEM, fund=code) for code, turn in store.sweeps_due(connection, most)
    ]


def handlers(catalogue: Catalogue) -> dict[Kind, Handler]:
    """The handler of each kind of command here."""
    kinds = (Kind.REGISTER_FUND, Kind.PAY_IN_FUND, Kind.PAY_OUT_FUND, Kind.SWEEP_FUND)
    return {kind: FundHandler(kind, catalogue) for kind in kinds}
