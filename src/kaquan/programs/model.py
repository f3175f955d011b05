"""Programs as commands, and what is known of a program's life when one of them is decided."""

from datetime import date

import msgspec

from kaquan.commands.model import Plan
from kaquan.merchants.model import ReferenceCommand, ReferenceFacts
from kaquan.programs.lifecycle import ProgramState


class OpenProgram(ReferenceCommand, frozen=True, kw_only=True):
    """Draft, submit, approve and start a program in one step. `approved_by` names the second person, who agreed."""

    text: str
    approved_by: str


class DraftProgram(ReferenceCommand, frozen=True, kw_only=True):
    """Keep the text of a program's file as its draft: of a new program, or instead of the draft that it has."""

    text: str


class AmendProgram(ReferenceCommand, frozen=True, kw_only=True):
    """Tighten the terms of a program at once. Cards sold before keep the version they were sold under."""

    text: str


class ProposeAmendment(ReferenceCommand, frozen=True, kw_only=True):
    """Ask for new terms that promise more: they come into force when a second person approves them."""

    text: str


class ProgramStep(ReferenceCommand, frozen=True, kw_only=True):
    """A step in the life of the program with the code `program`."""

    program: str


class SubmitProgram(ProgramStep, frozen=True, kw_only=True):
    """Ask for the approval of the draft. From now on its text stays as it is."""


class ApproveProgram(ProgramStep, frozen=True, kw_only=True):
    """Approve what waits: a program, or an amendment of one. Not for the person who submitted it.

    `proposal` is the number of the text that was read; none for whichever waits.
    """

    proposal: int | None = None


class RejectProgram(ProgramStep, frozen=True, kw_only=True):
    """Do not approve what waits, with the reason: a program is a draft again, an amendment is dropped."""

    reason: str


class StartProgram(ProgramStep, frozen=True, kw_only=True):
    """Begin to sell. With a day to come, the program waits for it and may not start before."""

    starts_on: date | None = None


class PauseProgram(ProgramStep, frozen=True, kw_only=True):
    """Sell and grant nothing until it is resumed. What was sold can be spent, refunded and settled."""

    reason: str = ""


class ResumeProgram(ProgramStep, frozen=True, kw_only=True):
    """Sell and grant again."""


class EndProgram(ProgramStep, frozen=True, kw_only=True):
    """Sell nothing any more. What was sold and what was earned is kept."""

    reason: str = ""


class CloseProgram(ProgramStep, frozen=True, kw_only=True):
    """Close the books on a program that has ended and owes nothing any more."""


class Proposal(msgspec.Struct, frozen=True):
    """A text that waits. `version`: what its terms become when they are approved. `terms` as they are stored."""

    id: int
    version: int
    terms: str
    person: str
    at_us: int


class Life(msgspec.Struct, frozen=True):
    """A program as its row tells it; `version` is the row's own, not that of the terms."""

    id: int
    code: str
    issuer: int
    state: ProgramState
    version: int
    submitted_by: str = ""
    starts_on: date | None = None
    proposal: Proposal | None = None


class Owed(msgspec.Struct, frozen=True):
    """What still binds a program. `amounts` are facts by name, all zero when nothing is owed; `paid_us` is when the
    youngest order was paid that could still be refunded, by the terms that say how long: those of its card, which may
    be of another program than the vouchers that paid too."""

    amounts: dict[str, int]
    paid_us: dict[int, int]


class ProgramFacts(ReferenceFacts):
    """Reference data with the lives of all programs; what those that are to be closed still owe, by code."""

    lives: dict[str, Life] = msgspec.field(default_factory=dict)
    next_proposal: int = 1
    owed: dict[str, Owed] = msgspec.field(default_factory=dict)

    def absorb(self, plan: Plan) -> None:
        """Codes, numbers and states that this batch used or reached."""
        ReferenceFacts.absorb(self, plan)
        self.next_proposal += sum(table == "program_proposal" for table, _ in plan.cold)
        for born in plan.born:
            self.lives[born.code] = born
