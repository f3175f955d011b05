"""Programs for everybody else: the handlers of every step in their lives, and what is known of them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import psycopg

from kaquan.commands.model import Entry, Kind, Plan, Routed
from kaquan.kernel.caller import SYSTEM
from kaquan.kernel.refusal import Refusal
from kaquan.merchants.model import ReferenceFacts
from kaquan.merchants.service import ReferenceHandler
from kaquan.programs import rules, store
from kaquan.programs.catalogue import Catalogue
from kaquan.programs.lifecycle import ProgramState
from kaquan.programs.model import ProgramFacts, StartProgram

read_catalogue = store.read_catalogue
lives = store.lives
history = store.history

KINDS = (
    Kind.OPEN_PROGRAM,
    Kind.AMEND_PROGRAM,
    Kind.DRAFT_PROGRAM,
    Kind.SUBMIT_PROGRAM,
    Kind.APPROVE_PROGRAM,
    Kind.REJECT_PROGRAM,
    Kind.START_PROGRAM,
    Kind.PAUSE_PROGRAM,
    Kind.RESUME_PROGRAM,
    Kind.END_PROGRAM,
    Kind.CLOSE_PROGRAM,
    Kind.PROPOSE_AMENDMENT,
)
"""Every kind of command on a program."""


class ProgramHandler(ReferenceHandler):
    """One kind of step."""

    def __init__(self, kind: Kind, catalogue: Catalogue) -> None:
        super().__init__(kind, catalogue)
        self._catalogue = catalogue

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> ProgramFacts:
        """All programs; what is owed is looked up only when one is to be closed."""
        facts = super().load(cursor, entries, routed, lock, at)
        closing = [entry.command.program for entry in entries] if self.kind == Kind.CLOSE_PROGRAM else []
        return store.load_lives(cursor.connection, facts, closing)

    def decide(self, entry: Entry, facts: ReferenceFacts, at: datetime) -> Plan | Refusal:
        """See `programs.rules`."""
        if not isinstance(facts, ProgramFacts):
            raise TypeError("a program is decided on the facts of programs")
        return rules.decide(entry, facts, self._catalogue, at)


def handlers(catalogue: Catalogue) -> dict[Kind, ProgramHandler]:
    """The handler of each kind of command here."""
    return {kind: ProgramHandler(kind, catalogue) for kind in KINDS}


def starts_due(catalogue: Catalogue, today: date) -> list[StartProgram]:
    """The starts of approved programs whose day has come, each under the same key whenever it is asked for."""
    return [
        StartProgram(key=f"start {code} {known.starts_on}", caller=SYSTEM, program=code)
        for code, number in sorted(catalogue.programs.items())
        if (known := catalogue.latest[number]).state is ProgramState.APPROVED
        and known.starts_on is not None
        and known.starts_on <= today
    ]
