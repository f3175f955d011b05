"""What a capability gives the door for each kind of command: how facts are loaded, how a command is decided."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import psycopg

from kaquan.commands.model import Entry, Kind, Plan, Routed
from kaquan.kernel.refusal import Refusal


class Facts(Protocol):
    """What a load brought. `commands` holds earlier decisions under the ids of this batch."""

    commands: Mapping[bytes, tuple[bytes, int, bytes]]

    def absorb(self, plan: Plan) -> None:
        """Count what a plan of this batch brought into being, so that the next decision sees it."""


class Reference(Protocol):
    """Reference data kept in memory, such as the catalogue of programs."""

    def refresh(self, connection: psycopg.Connection[Any], version: int) -> None:
        """Read again if `version` is not the one in memory."""


class Handler(ABC):
    """One kind of command: how its facts are loaded and how it is decided."""

    def __init__(self, kind: Kind, reference: Reference | None = None) -> None:
        self.kind = kind
        self._reference = reference

    def prepare(self, connection: psycopg.Connection[Any], reference_version: int) -> None:
        """Read the reference data again if it has changed since."""
        if self._reference is not None:
            self._reference.refresh(connection, reference_version)

    def route(self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], at: datetime, dry_run: bool) -> Routed:
        """Claim what lives in another bucket first. Says, by command id, who may not go on and why."""
        return {}

    @abstractmethod
    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> Any:
        """The facts of the whole batch at `at`, in one call; with `lock`, its rows stay locked until the commit."""

    @abstractmethod
    def decide(self, entry: Entry, facts: Any, at: datetime) -> Plan | Refusal:
        """A pure function of the command, the facts and the time."""
