"""Statements for everybody else: the handler, look-ups, the check against the books."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import psycopg

from kaquan.commands.handler import Handler
from kaquan.commands.model import Entry, Kind, Plan, Routed
from kaquan.db.wire import raw_cursor
from kaquan.kernel.caller import Caller
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal
from kaquan.programs.catalogue import Catalogue
from kaquan.reporting import loading, rules, store
from kaquan.reporting.model import MakeStatement, PartyKind, StatementFacts, statement_key
from kaquan.settlement.service import closed_horizon

PATIENCE_SECONDS = 5.0  # far longer than any command takes; what takes longer is counted by the next statement

statement = store.statement
statement_by_id = store.statement_by_id
statements = store.statements
hashes = store.hashes
events = store.events


def horizon(connection: psycopg.Connection[Any], patience_seconds: float = PATIENCE_SECONDS) -> int:
    """Below which transaction a statement made now counts: those that run now are waited for, but not for ever."""
    return closed_horizon(raw_cursor(connection), patience_seconds)


def making(caller: Caller, party: PartyKind, who: Id, until: date, below: int) -> MakeStatement:
    """The command that makes a party's statement up to a day; `below` is a `horizon`."""
    return MakeStatement(key=statement_key(until), caller=caller, party=party, who=who, until=until, below=below)


class StatementHandler(Handler):
    """Make a party's next statement."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__(Kind.MAKE_STATEMENT, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> StatementFacts:
        """What the books say of the parties. There is nothing to lock: statements are only added."""
        return loading.load_facts(cursor, entries, self._catalogue)

    def decide(self, entry: Entry, facts: StatementFacts, at: datetime) -> Plan | Refusal:
        """See `reporting.rules`."""
        return rules.decide_statement(entry, facts, self._catalogue, at)


def handlers(catalogue: Catalogue) -> dict[Kind, Handler]:
    """The handler of each kind of command here."""
    return {Kind.MAKE_STATEMENT: StatementHandler(catalogue)}
