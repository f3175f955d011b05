"""What takes two persons, and who the second may be. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from kaquan.approvals import errors
from kaquan.approvals.model import (
    Approval,
    ApprovalFacts,
    ApprovalState,
    ApproveRequest,
    FinishRequest,
    RejectRequest,
    RequestApproval,
)
from kaquan.commands.model import Entry, Kind, Plan
from kaquan.kernel.caller import Caller, Role, same_person
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import bucket_of
from kaquan.kernel.refusal import Refusal

APPROVAL_DAYS = 7  # a working week and a weekend: what nobody decided by then is asked for again
REASON_LENGTH_MAX = 200  # two lines: what needs more belongs in a file of its own
BODY_BYTES_MAX = 16_384  # the largest operation that takes two persons has a dozen fields
OUTCOME_LENGTH_MAX = 80  # ok, or the code of a refusal

WORDS_ZH = {
    ApprovalState.REQUESTED: "待批准",
    ApprovalState.APPROVED: "已批准",
    ApprovalState.REJECTED: "已退回",
    ApprovalState.EXECUTED: "已执行",
    ApprovalState.EXPIRED: "已过期",
}
"""The states as a clerk reads them in Chinese."""


def _always(command: Any) -> bool:
    return True


def _late(command: Any) -> bool:
    return bool(command.late)


def _by_operator(command: Any) -> bool:
    return bool(command.caller.role is Role.OPERATOR)


def _of_second_person(command: Any) -> bool:
    return command.role in (Role.OPERATOR, Role.ISSUER)


SECOND_PERSON: Mapping[Kind, Callable[[Any], bool]] = {
    Kind.RAISE_STOCK: _always,
    Kind.PAY_OUT_FUND: _always,
    Kind.REFUND: _late,
    Kind.VOID_VOUCHER: _by_operator,
    Kind.ISSUE_KEY: _of_second_person,
    Kind.RECOGNISE_BREAKAGE: _always,
}
"""Which commands take two persons, and when: money that leaves, promises that grow, a deadline that is passed over,
a holder's voucher taken away, her idle money counted as income. And a key for somebody who asks and approves, an
operator or an issuer: whoever could issue one alone, the operator included, could be both persons. The first ones
come from the command line."""


def needs_second(kind: Kind, command: Any) -> bool:
    """Whether a command that comes from outside waits for a second person."""
    condition = SECOND_PERSON.get(kind)
    return condition is not None and condition(command)


def decide(entry: Entry, facts: ApprovalFacts, at: datetime) -> Plan | Refusal:
    """Any command on a request."""
    command = entry.command
    if refusal := _malformed(command):
        return refusal
    if isinstance(command, RequestApproval):
        return _request(entry, command, at)
    approval = facts.approvals.get(command.approval)
    if isinstance(command, FinishRequest):
        return _finish(command, approval, at)
    if approval is None or not _sees(command.caller, approval):
        return Refusal(errors.APPROVAL_UNKNOWN)
    return _second(command, approval, at)


def _malformed(command: RequestApproval | ApproveRequest | RejectRequest | FinishRequest) -> Refusal | None:
    if not command.caller.person.strip():
        return Refusal(errors.APPROVAL_PERSON_MISSING)
    if isinstance(command, RequestApproval | RejectRequest):
        reason = command.reason
        if not reason.strip() or len(reason) > REASON_LENGTH_MAX or not reason.isprintable():
            return Refusal(errors.APPROVAL_REASON_INVALID, {"length_max": REASON_LENGTH_MAX})
    if not isinstance(command, RequestApproval):
        return None
    if command.wanted not in SECOND_PERSON:
        return Refusal(errors.APPROVAL_NOT_NEEDED, {"wanted": command.wanted.name.lower()})
    if len(command.body) > BODY_BYTES_MAX or not _is_object(command.body):
        return Refusal(errors.APPROVAL_BODY_INVALID, {"bytes_max": BODY_BYTES_MAX})
    return None


def _is_object(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def _request(entry: Entry, command: RequestApproval, at: datetime) -> Plan:
    caller = command.caller
    approval = Approval(
        id=entry.id,
        version=1,
        wanted=command.wanted,
        state=ApprovalState.REQUESTED,
        requester=caller,
        body=command.body,
        reason=command.reason.strip(),
        at_us=microseconds(at),
        expires_us=microseconds(at + timedelta(days=APPROVAL_DAYS)),
    )
    row = {
        **approval.columns(),
        "id": approval.id.hex(),
        "bucket": bucket_of(approval.id),
        "version": approval.version,
        "at": approval.at_us,
        "expires_at": approval.expires_us,
        "merchant": caller.merchant.hex() if caller.merchant else None,
        "wallet": caller.wallet.hex() if caller.wallet else None,
        "organisation": caller.organisation,
        "role": caller.role.value,
        "person": caller.person.strip(),
        "kind": int(approval.wanted),
        "reason": approval.reason,
        "body": approval.body.decode(),
    }
    return Plan(
        answer=msgspec.json.encode(approval.answer()),
        event="approval.requested.v1",
        cold=(("approval", row),),
        born=(approval,),
    )


def _sees(caller: Caller, approval: Approval) -> bool:
    """The operator sees every request, others those of their organisation, a merchant only its own."""
    if caller.role is Role.OPERATOR:
        return True
    wanted_by = approval.requester
    return caller.organisation == wanted_by.organisation and caller.merchant in (None, wanted_by.merchant)


def _second(command: ApproveRequest | RejectRequest, approval: Approval, at: datetime) -> Plan | Refusal:
    """A second person: of the requester's role and organisation, or of the operator's. In every case another name."""
    caller, wanted_by = command.caller, approval.requester
    if caller.role not in (Role.OPERATOR, wanted_by.role):
        return Refusal(errors.APPROVAL_ROLE, {"own": caller.role.value, "role": wanted_by.role.value})
    if same_person(caller.person, wanted_by.person):
        return Refusal(errors.APPROVAL_OWN, {"person": wanted_by.person})
    state = approval.state_at(microseconds(at))
    if state is not ApprovalState.REQUESTED:
        return Refusal(errors.APPROVAL_STATE, {"state": state.word, "state_zh": WORDS_ZH[state]})
    yes = isinstance(command, ApproveRequest)
    new = msgspec.structs.replace(
        approval,
        state=ApprovalState.APPROVED if yes else ApprovalState.REJECTED,
        decided_us=microseconds(at),
        decided_by=caller.person.strip(),
        decided_why=None if isinstance(command, ApproveRequest) else command.reason.strip(),
    )
    return _become(approval, new, "approval.approved.v1" if yes else "approval.rejected.v1")


def _finish(command: FinishRequest, approval: Approval | None, at: datetime) -> Plan | Refusal:
    """Only whoever executes says so, and that is never a person."""
    if approval is None or command.caller.role is not Role.SYSTEM:
        return Refusal(errors.APPROVAL_UNKNOWN)
    state = approval.state_at(microseconds(at))
    if state is not ApprovalState.APPROVED:
        return Refusal(errors.APPROVAL_NOT_GIVEN, {"state": state.word, "state_zh": WORDS_ZH[state]})
    outcome = command.outcome[:OUTCOME_LENGTH_MAX] or "ok"
    new = msgspec.structs.replace(
        approval, state=ApprovalState.EXECUTED, executed_us=microseconds(at), outcome=outcome
    )
    return _become(approval, new, "approval.executed.v1")


def _become(approval: Approval, new: Approval, event: str) -> Plan:
    return Plan(answer=msgspec.json.encode(new.answer()), event=event, changes=((approval, (new,)),))
