"""Funders for everybody else: the handlers of commands on funds, and what the books say of them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import psycopg

from kaquan.commands.handler import Handler
from kaquan.commands.loading import installation
from kaquan.commands.model import Entry, Kind, Plan, Routed
from kaquan.funders import rules, store
from kaquan.funders.cover import open_stocks
from kaquan.funders.model import FundFacts, SweepFund
from kaquan.kernel.caller import SYSTEM
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Catalogue

books = store.books
load_facts = store.load_facts

Facts = TypeVar("Facts", bound=FundFacts)


def with_catalogue(cursor: psycopg.Cursor[Any], catalogue: Catalogue, load: Callable[[], Facts]) -> Facts:
    """Facts that no stock unknown to the catalogue has drawn on or is kept for.

    What a fund keeps follows from its slices and from which stocks are open. The catalogue was read before the
    slices, perhaps before a wait for their locks: a stock that was opened in between would be overlooked. So it is
    read again until nothing has changed; a stock that opens later writes the slices, and the versions tell.
    """
    while True:
        facts = load()
        _, version = installation(cursor.connection)
        if version == catalogue.version:
            return facts
        catalogue.refresh(cursor.connection, version)


class FundHandler(Handler):
    """Register, pay in, pay out, sweep."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> FundFacts:
        """The funds, and what is left of the stocks that draw on them."""
        return with_catalogue(cursor, self._catalogue, lambda: self._load(cursor, entries, lock))

    def _load(self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], lock: bool) -> FundFacts:
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
