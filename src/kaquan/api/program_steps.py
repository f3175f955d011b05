"""The life of programs: drafted, approved and changed by two persons, started, paused, ended, closed."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from kaquan.api.authorization import ISSUERS
from kaquan.api.calls import Call
from kaquan.api.errors import REQUEST_INVALID
from kaquan.api.fields import Body, Day, PathText, Reasoned
from kaquan.api.problems import Problem
from kaquan.api.programs import Draft, compiled
from kaquan.api.routes import Routes
from kaquan.commands.model import Kind
from kaquan.programs import service
from kaquan.programs.model import (
    AmendProgram,
    ApproveProgram,
    CloseProgram,
    DraftProgram,
    EndProgram,
    PauseProgram,
    ProposeAmendment,
    RejectProgram,
    ResumeProgram,
    StartProgram,
    SubmitProgram,
)

routes = Routes("programs", "活动 Programs")


class Approval(Body):
    """Which text was read: `waiting_id` of the program; none for whichever waits."""

    proposal: Annotated[int | None, Field(ge=1)] = None


class Start(Body):
    """The day on which the program starts by itself; today when none is named."""

    starts_on: Day | None = None


class Remark(Body):
    """Why, if there is something to say."""

    reason: Annotated[str, Field(max_length=200)] = ""


@routes.writes("/programs", ISSUERS, example={"text": "$program_text"})
def draft_program(call: Call, body: Draft) -> dict[str, Any]:
    """起草活动 Keep a text as the draft of a program: a new one, or instead of the draft that it has"""
    _own_text(call, body.text)
    return call.act(Kind.DRAFT_PROGRAM, DraftProgram, text=body.text)


@routes.writes("/programs/{program}/submit", ISSUERS, made="drafted_program")
def submit_program(call: Call, program: PathText) -> dict[str, Any]:
    """提交活动 Submit the draft for approval by a second person"""
    return _step(call, program, Kind.SUBMIT_PROGRAM, SubmitProgram)


@routes.writes("/programs/{program}/approve", ISSUERS, example={}, made="submitted_program")
def approve_program(call: Call, program: PathText, body: Approval) -> dict[str, Any]:
    """批准活动 Approve what waits: a program, or an amendment. Not for the person who submitted it"""
    return _step(call, program, Kind.APPROVE_PROGRAM, ApproveProgram, proposal=body.proposal)


@routes.writes("/programs/{program}/reject", ISSUERS, example={"reason": "too generous"}, made="submitted_program")
def reject_program(call: Call, program: PathText, body: Reasoned) -> dict[str, Any]:
    """退回活动 Reject what waits, and say why"""
    return _step(call, program, Kind.REJECT_PROGRAM, RejectProgram, reason=body.reason)


@routes.writes("/programs/{program}/start", ISSUERS, example={}, made="approved_program")
def start_program(call: Call, program: PathText, body: Start) -> dict[str, Any]:
    """开始活动 Start an approved program, or set the day on which it starts"""
    return _step(call, program, Kind.START_PROGRAM, StartProgram, starts_on=body.starts_on)


@routes.writes("/programs/{program}/pause", ISSUERS, example={"reason": "under review"}, made="started_program")
def pause_program(call: Call, program: PathText, body: Remark) -> dict[str, Any]:
    """暂停活动 Pause: nothing is sold or granted; what was sold is spent, refunded and settled as before"""
    return _step(call, program, Kind.PAUSE_PROGRAM, PauseProgram, reason=body.reason)


@routes.writes("/programs/{program}/resume", ISSUERS, made="paused_program")
def resume_program(call: Call, program: PathText) -> dict[str, Any]:
    """恢复活动 Resume a paused program"""
    return _step(call, program, Kind.RESUME_PROGRAM, ResumeProgram)


@routes.writes("/programs/{program}/end", ISSUERS, example={"reason": "the season is over"}, made="started_program")
def end_program(call: Call, program: PathText, body: Remark) -> dict[str, Any]:
    """结束活动 End a program for good: nothing is sold any more; what was promised is kept"""
    return _step(call, program, Kind.END_PROGRAM, EndProgram, reason=body.reason)


@routes.writes("/programs/{program}/close", ISSUERS, made="ended_program")
def close_program(call: Call, program: PathText) -> dict[str, Any]:
    """关闭活动 Close a program that has ended and owes nothing"""
    return _step(call, program, Kind.CLOSE_PROGRAM, CloseProgram)


@routes.writes("/programs/{program}/amendments", ISSUERS, example={"text": "$new_text"}, made="started_program")
def propose_amendment(call: Call, program: PathText, body: Draft) -> dict[str, Any]:
    """提出修改 Propose new terms: they come into force when a second person approves them"""
    _own_text(call, body.text, program)
    return call.act(Kind.PROPOSE_AMENDMENT, ProposeAmendment, text=body.text)


@routes.writes("/programs/{program}/tighten", ISSUERS, example={"text": "$tighter_text"}, made="started_program")
def amend_program(call: Call, program: PathText, body: Draft) -> dict[str, Any]:
    """收紧规则 Tighten the terms at once. What promises more is proposed instead"""
    _own_text(call, body.text, program)
    return call.act(Kind.AMEND_PROGRAM, AmendProgram, text=body.text)


def _step(call: Call, program: str, kind: Kind, made: Callable[..., Any], **content: Any) -> dict[str, Any]:
    """A step in the life of a program of the caller's."""
    return call.act(kind, made, program=call.objects.life(program).code, **content)


def _own_text(call: Call, text: str, code: str | None = None) -> None:
    """The text is of a program that the caller issues, and of `code` if it is named. Raises `Problem`."""
    if code is not None:
        call.objects.life(code)
    names = compiled(call, text).program
    if code not in (None, names.code):
        raise Problem(REQUEST_INVALID, {"where": "text: program.code"})
    call.objects.organisation(names.issuer)
    if names.code in service.lives(call.app.connection):
        call.objects.life(names.code)
