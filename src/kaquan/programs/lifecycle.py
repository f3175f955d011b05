"""The life of a program, as a table: state × operation → state. The database enforces the same table.

Draft, review and approval are the way to the first sale; each text that is to be relied on was approved by a second
person. A pause stops new promises and grants; what was sold goes on being spent, refunded and settled. An end is a
pause for good in which everything that was promised is still kept.
"""

from enum import IntEnum
from typing import Literal

Operation = Literal[
    "draft", "submit", "approve", "reject", "schedule", "start", "pause", "resume", "end", "close", "amend", "propose"
]


class ProgramState(IntEnum):
    """Stored. 1 and 2 are as old as programs are."""

    RUNNING = 1
    PAUSED = 2
    DRAFT = 3
    REVIEW = 4
    APPROVED = 5
    ENDED = 6
    CLOSED = 7

    @property
    def word(self) -> str:
        """As machines read it: `running`, `paused`, …"""
        return self.name.lower()

    @property
    def sells(self) -> bool:
        """Whether new promises are made: sale, top-up, claims, plans."""
        return self is ProgramState.RUNNING

    @property
    def grants(self) -> bool:
        """Whether what was earned arrives. A pause holds it back; an end does not take it away."""
        return self in (ProgramState.RUNNING, ProgramState.ENDED)


WORDS_ZH = {
    ProgramState.RUNNING: "进行中",
    ProgramState.PAUSED: "已暂停",
    ProgramState.DRAFT: "草稿",
    ProgramState.REVIEW: "待批准",
    ProgramState.APPROVED: "已批准",
    ProgramState.ENDED: "已结束",
    ProgramState.CLOSED: "已关闭",
}
"""The states as a clerk reads them in Chinese."""

IN_FORCE = (ProgramState.APPROVED, ProgramState.RUNNING, ProgramState.PAUSED, ProgramState.ENDED)
"""States in which terms are in force: they change by tightening, or by a proposal that a second person approves."""

TRANSITIONS: dict[tuple[ProgramState, Operation], ProgramState] = {
    (ProgramState.DRAFT, "draft"): ProgramState.DRAFT,
    (ProgramState.DRAFT, "submit"): ProgramState.REVIEW,
    (ProgramState.REVIEW, "approve"): ProgramState.APPROVED,
    (ProgramState.REVIEW, "reject"): ProgramState.DRAFT,
    (ProgramState.APPROVED, "schedule"): ProgramState.APPROVED,
    (ProgramState.APPROVED, "start"): ProgramState.RUNNING,
    (ProgramState.RUNNING, "pause"): ProgramState.PAUSED,
    (ProgramState.PAUSED, "resume"): ProgramState.RUNNING,
    (ProgramState.RUNNING, "end"): ProgramState.ENDED,
    (ProgramState.PAUSED, "end"): ProgramState.ENDED,
    (ProgramState.ENDED, "close"): ProgramState.CLOSED,
}

_CHANGES: tuple[Operation, ...] = ("amend", "propose", "approve", "reject")
TRANSITIONS |= {(state, change): state for state in IN_FORCE for change in _CHANGES}


def after(state: ProgramState, operation: Operation) -> ProgramState | None:
    """The state that an operation leads to, or None when it is not possible from here."""
    return TRANSITIONS.get((state, operation))
