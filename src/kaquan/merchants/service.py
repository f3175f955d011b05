"""Organisations, merchants and stores for everybody else."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg

from kaquan.commands.handler import Handler
from kaquan.commands.model import Entry, Plan, Routed
from kaquan.kernel.refusal import Refusal
from kaquan.merchants import bank, rules, store
from kaquan.merchants.model import BankFacts, ReferenceFacts

directory = store.directory


class ReferenceHandler(Handler):
    """Commands on reference data: their facts are all codes and the next free numbers."""

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> ReferenceFacts:
        """All codes."""
        return store.load_facts(cursor, entries)

    def decide(self, entry: Entry, facts: ReferenceFacts, at: datetime) -> Plan | Refusal:
        """See `merchants.rules`."""
        return rules.decide(entry, facts)


class BankHandler(Handler):
    """Bind and verify the account that a merchant is paid to."""

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> BankFacts:
        """The accounts as they are. There is nothing to lock: a change checks the merchant's version."""
        return store.load_accounts(cursor, entries)

    def decide(self, entry: Entry, facts: BankFacts, at: datetime) -> Plan | Refusal:
        """See `merchants.bank`."""
        return bank.decide_bank(entry, facts)
