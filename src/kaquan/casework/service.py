"""Disputes for everybody else: the handlers, and what is open until when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg

from kaquan.casework import rules, store
from kaquan.casework.model import DisputeFacts
from kaquan.commands.handler import Handler
from kaquan.commands.model import Entry, Kind, Plan, Routed
from kaquan.kernel.calendar import Calendar
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Catalogue

listed = store.listed


class DisputeHandler(Handler):
    """Open, answer, resolve."""

    def __init__(self, kind: Kind, catalogue: Catalogue, calendar: Calendar) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue
        self._calendar = calendar

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> DisputeFacts:
        """What is disputed."""
        if self.kind is Kind.OPEN_DISPUTE:
            return store.load_opening(cursor, entries, lock)
        return store.load_disputes(cursor, entries)

    def decide(self, entry: Entry, facts: DisputeFacts, at: datetime) -> Plan | Refusal:
        """See `casework.rules`."""
        if self.kind is Kind.OPEN_DISPUTE:
            return rules.decide_open(entry, facts, self._catalogue, self._calendar, at)
        if self.kind is Kind.ANSWER_DISPUTE:
            return rules.decide_answer(entry, facts, at)
        return rules.decide_resolve(entry, facts, self._catalogue, at)


def handlers(catalogue: Catalogue, calendar: Calendar) -> dict[Kind, Handler]:
    """The handler of each kind of command here."""
    kinds = (Kind.OPEN_DISPUTE, Kind.ANSWER_DISPUTE, Kind.RESOLVE_DISPUTE)
    return {kind: DisputeHandler(kind, catalogue, calendar) for kind in kinds}
