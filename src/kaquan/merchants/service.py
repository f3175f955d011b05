"""Organisations, merchants and stores for everybody else."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg

from kaquan.commands.handler import Handler
from kaquan.commands.model import Entry, Plan, Routed
from kaquan.kernel.refusal import Refusal
from kaquan.merchants import rules, store
from kaquan.merchants.model import ReferenceFacts

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
