"""The issuers' offices carry out what lies open, each morning. Unlike the town they look at the books, as clerks do.

Every key follows from what is done to what, so that a morning that was interrupted is gone through again.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from kaquan.commands.execute import BATCH_MAX
from kaquan.commands.model import Command, Kind, Refused
from kaquan.kernel.calendar import business_date
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.clock import instant
from kaquan.kernel.ids import Id, derived_id
from kaquan.kernel.refusal import Fault
from kaquan.main import Kaquan
from kaquan.sales import closing_service as closings
from kaquan.sales.closing_model import CloseCard, ClosingState, PayOutClosing
from kaquan.simulation.bank import Bank
from kaquan.simulation.scenario import BankHabits

MORNING = ("cases", "answers", "files")
"""The parts of a morning: old cases, what the bank answers to yesterday's files, today's files."""

PAID_AFTER_DAYS = 3
"""How long an office takes to pay for a returned card: within what any law allows."""

LISTED_MAX = 10_000
"""More than ever lies open in a town."""

_RECEIPT = "原路退款"


class Office:
    """Works through what is open. `surprises` takes what it was refused."""

    def __init__(self, app: Kaquan, habits: BankHabits, surprises: list[str]) -> None:
        self._app = app
        self._bank = Bank(app, habits, surprises)
        self._surprises = surprises

    def work(self, part: str) -> None:
        """A part of the morning."""
        match part:
            case "cases":
                self._closings()
                self._bank.clear_up()
            case "answers":
                self._bank.answer()
            case "files":
                self._bank.send()

    def _closings(self) -> None:
        """Close the cards that were returned, pay for those closed some days ago."""
        today = business_date(self._app.door.at())
        closes: list[Command] = []
        pays: list[Command] = []
        for row in closings.closings_of(self._app.connection, None, most=LISTED_MAX):
            identity = Id(row.id.bytes)
            if row.state == ClosingState.ASKED:
                closes.append(
                    CloseCard(
                        key=_key(b"close %b" % today.isoformat().encode(), identity),
                        caller=OPERATOR,
                        closing=identity,
                    )
                )
            elif (today - business_date(instant(row.closed_at))).days >= PAID_AFTER_DAYS:
                pays.append(
                    PayOutClosing(
                        key=_key(b"pay", identity),
                        caller=OPERATOR,
                        closing=identity,
                        route="original",
                        reference=_RECEIPT,
                    )
                )
        self._send(Kind.CLOSE_CARD, closes, may="closing_held")
        self._send(Kind.PAY_OUT_CLOSING, pays)

    def _send(self, kind: Kind, commands: Sequence[Any], *, may: str = "") -> None:
        """Carry out commands; a refusal that is not one of those expected is a surprise."""
        for start in range(0, len(commands), BATCH_MAX):
            for outcome in self._app.execute(kind, list(commands[start : start + BATCH_MAX])):
                if isinstance(outcome, Fault):
                    raise outcome
                if isinstance(outcome, Refused) and outcome.refusal.code.code != may:
                    self._surprises.append(f"{kind.name} {outcome.id.hex()}: {outcome.refusal.code.code}")


def _key(what: bytes, identity: Id) -> str:
    return str(UUID(bytes=derived_id(identity, b"office " + what)))
