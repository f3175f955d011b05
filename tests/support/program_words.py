"""The teller's words about programs: `批准 approve jingxika as li`. Edits of the preset are pairs in backticks."""

from datetime import date
from typing import Any

from kaquan.commands.model import Effect, Kind
from kaquan.programs.model import (
    AmendProgram,
    ApproveProgram,
    CloseProgram,
    DraftProgram,
    EndProgram,
    OpenProgram,
    PauseProgram,
    ProposeAmendment,
    RejectProgram,
    ResumeProgram,
    StartProgram,
    SubmitProgram,
)
from kaquan.settlement import service as settlement
from kaquan.settlement.model import Preview
from support.town import SECOND, program_text
from support.words import Words


class ProgramWords(Words):
    """What the teller says of programs; `as` names who says it, `approved-by` the second person of `open`."""

    def _open(self, told: dict[str, str], *edits: str) -> Any:
        approver = told.get("approved-by", SECOND).strip('"')
        text = program_text(*_pairs(edits))
        return self._do(Kind.OPEN_PROGRAM, OpenProgram, told, text=text, approved_by=approver)

    def _draft(self, told: dict[str, str], *edits: str) -> Any:
        return self._do(Kind.DRAFT_PROGRAM, DraftProgram, told, text=program_text(*_pairs(edits)))

    def _amend(self, told: dict[str, str], *edits: str) -> Any:
        return self._do(Kind.AMEND_PROGRAM, AmendProgram, told, text=program_text(*_pairs(edits)))

    def _propose(self, told: dict[str, str], *edits: str) -> Any:
        return self._do(Kind.PROPOSE_AMENDMENT, ProposeAmendment, told, text=program_text(*_pairs(edits)))

    def _submit(self, told: dict[str, str], program: str) -> Any:
        return self._do(Kind.SUBMIT_PROGRAM, SubmitProgram, told, program=program)

    def _approve(self, told: dict[str, str], program: str) -> Any:
        read = int(told["text"]) if "text" in told else None
        return self._do(Kind.APPROVE_PROGRAM, ApproveProgram, told, program=program, proposal=read)

    def _reject(self, told: dict[str, str], program: str) -> Any:
        return self._do(Kind.REJECT_PROGRAM, RejectProgram, told, program=program, reason=told.get("because", ""))

    def _start(self, told: dict[str, str], program: str) -> Any:
        day = date.fromisoformat(told["on"]) if "on" in told else None
        return self._do(Kind.START_PROGRAM, StartProgram, told, program=program, starts_on=day)

    def _pause(self, told: dict[str, str], program: str) -> Any:
        return self._do(Kind.PAUSE_PROGRAM, PauseProgram, told, program=program, reason=told.get("because", ""))

    def _resume(self, told: dict[str, str], program: str) -> Any:
        return self._do(Kind.RESUME_PROGRAM, ResumeProgram, told, program=program)

    def _end(self, told: dict[str, str], program: str) -> Any:
        return self._do(Kind.END_PROGRAM, EndProgram, told, program=program, reason=told.get("because", ""))

    def _close(self, told: dict[str, str], program: str) -> Any:
        return self._do(Kind.CLOSE_PROGRAM, CloseProgram, told, program=program)

    def _settle(self, told: dict[str, str], program: str, period: str) -> None:
        """Settle a month, named by its last day, for every merchant of the group."""
        app, period_end = self.town.app, date.fromisoformat(period)
        app.catalogue.refresh(app.connection, -1)
        number = app.catalogue.programs[program]
        seen = settlement.preview(app.connection, app.catalogue, app.calendar, number, period_end, at=self.town.now)
        assert isinstance(seen, Preview), seen
        settled = settlement.run(app.door, app.handlers[Kind.SETTLE], seen)
        assert all(isinstance(outcome, Effect) for outcome in settled), settled

    def _release(self, told: dict[str, str]) -> None:
        """Release every reserve whose time has come."""
        app = self.town.app
        found = settlement.due(app.connection, app.catalogue, app.calendar, self.town.now).reserves
        released = settlement.release(app.door, app.handlers[Kind.RELEASE_RESERVE], found)
        assert released and all(isinstance(outcome, Effect) for outcome in released), released


def _pairs(edits: tuple[str, ...]) -> list[tuple[str, str]]:
    lines = [edit.replace("⏎", "\n") for edit in edits]
    return list(zip(lines[::2], lines[1::2], strict=True))
