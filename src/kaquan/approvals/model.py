"""Requests that a second person decides, as commands, and what is known of them."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, ClassVar

import msgspec

from kaquan.commands.model import Command, Kind, Plan, SlowRow
from kaquan.kernel.caller import Caller, Role
from kaquan.kernel.ids import Id, public

NOBODY = Id(bytes(16))
"""A request belongs to no wallet, whatever it is about: requests live in the first bucket."""

PREFIX = "apr"
"""How the public id of a request begins."""


def command_key(approval: str) -> str:
    """The one key under which what was approved is executed, by the public id of the request."""
    return f"approved-{approval}"


class ApprovalState(IntEnum):
    """Stored, all but the last: what was requested and not decided in time has expired by itself."""

    REQUESTED = 1
    APPROVED = 2
    REJECTED = 3
    EXECUTED = 4
    EXPIRED = 5

    @property
    def word(self) -> str:
        """As machines read it."""
        return self.name.lower()


class RequestApproval(Command, frozen=True, kw_only=True):
    """The caller wants a command of the kind `wanted` and says why. `body` is canonical JSON, without secrets."""

    wanted: Kind
    body: bytes
    reason: str

    @property
    def subject(self) -> Id:
        """Nobody."""
        return NOBODY


class ApprovalCommand(Command, frozen=True, kw_only=True):
    """A command on a request."""

    approval: Id

    @property
    def subject(self) -> Id:
        """The request."""
        return self.approval


class ApproveRequest(ApprovalCommand, frozen=True, kw_only=True):
    """Let it be done."""


class RejectRequest(ApprovalCommand, frozen=True, kw_only=True):
    """Let it not be done, and say why."""

    reason: str


class FinishRequest(ApprovalCommand, frozen=True, kw_only=True):
    """What was approved was executed: `ok`, or the code of the refusal that came of it."""

    outcome: str


class Approval(SlowRow):
    """A loaded request: what is wanted, by whom, who decided it."""

    table: ClassVar[str] = "approval"
    wanted: Kind
    state: ApprovalState
    requester: Caller
    body: bytes
    reason: str
    at_us: int
    expires_us: int
    decided_us: int | None = None
    decided_by: str | None = None
    decided_why: str | None = None
    executed_us: int | None = None
    outcome: str | None = None

    @property
    def command_key(self) -> str:
        """The one key under which what was approved is executed, however often it is tried."""
        return command_key(public(PREFIX, self.id))

    def state_at(self, at_us: int) -> ApprovalState:
        """The state as of now."""
        over = self.state is ApprovalState.REQUESTED and at_us >= self.expires_us
        return ApprovalState.EXPIRED if over else self.state

    def become(self, values: Sequence[Any]) -> None:
        """One value: the request as a plan leaves it."""
        (other,) = values
        self.state, self.decided_us, self.decided_by = other.state, other.decided_us, other.decided_by
        self.decided_why, self.executed_us, self.outcome = other.decided_why, other.executed_us, other.outcome

    def columns(self) -> dict[str, Any]:
        """See `SlowRow`."""
        return {
            "state": int(self.state),
            "decided_at": self.decided_us,
            "decided_by": self.decided_by,
            "decided_why": self.decided_why,
            "executed_at": self.executed_us,
            "outcome": self.outcome,
        }

    def answer(self) -> dict[str, Any]:
        """What is told of it when something became of it."""
        told: dict[str, Any] = {
            "approval": self.id.hex(),
            "expires_us": self.expires_us,
            "person": self.requester.person,
            "state": self.state.word,
            "wanted": self.wanted.name.lower(),
        }
        if self.decided_by:
            told["decided_by"] = self.decided_by
        if self.state is ApprovalState.APPROVED:
            told["command_key"] = self.command_key
        if self.outcome:
            told["outcome_code"] = self.outcome
        return told

    @property
    def role(self) -> Role:
        """The role of who requested it."""
        return self.requester.role


class ApprovalFacts(msgspec.Struct):
    """The requests that commands are about."""

    commands: dict[bytes, tuple[bytes, int, bytes]]
    approvals: dict[bytes, Approval]

    def absorb(self, plan: Plan) -> None:
        """A request that this batch made is there; one that it changed has become so already."""
        self.approvals.update((one.id, one) for one in plan.born)
