"""What takes two persons: look at what waits, approve it (then it is done at once), or reject it."""

from functools import partial
from typing import Annotated, Any

import msgspec
from pydantic import Field

from kaquan.api.authorization import READERS, organisation_seen
from kaquan.api.calls import Asked, Call
from kaquan.api.errors import NOT_FOUND
from kaquan.api.fields import PAGE_MAX, After, Body, Limit, PathText
from kaquan.api.objects import identity
from kaquan.api.operations import BODY, ENDPOINTS
from kaquan.api.pages import part, place_id, typed_place
from kaquan.api.problems import Problem
from kaquan.api.routes import Routes
from kaquan.api.serving import Serving
from kaquan.approvals import service
from kaquan.approvals.model import PREFIX, Approval, ApprovalState
from kaquan.commands.model import Kind
from kaquan.documents.approvals import approval_document
from kaquan.identity.model import ANYTHING, NOBODY, Key
from kaquan.kernel.caller import Role

routes = Routes("approvals", "审批 Approvals")
_DECIDERS = frozenset({Role.OPERATOR, Role.ISSUER, Role.MERCHANT, Role.FUNDER})


class Rejection(Body):
    """Why not."""

    reason: Annotated[str, Field(min_length=1, max_length=200)]


@routes.reads("/approvals", READERS & (_DECIDERS | {Role.REGULATOR}), owned=False)
def list_approvals(call: Call, limit: Limit = PAGE_MAX, after: After = None) -> dict[str, Any]:
    """待批准 Requests that wait for a second person, the oldest first"""
    caller, at = call.caller, call.app.door.at()
    place = typed_place(after, int, str)
    found = service.pending(
        call.app.connection,
        at,
        organisation_seen(caller),
        merchant=caller.merchant,
        after=None if place is None else (place[0], place_id(place[1])),
        limit=limit + 1,
    )
    told = partial(approval_document, catalogue=call.objects.catalogue, at=at)
    return part(found, lambda one: (one.at_us, one.id.hex()), limit, told)


@routes.reads("/approvals/{approval}", READERS & (_DECIDERS | {Role.REGULATOR}))
def show_approval(call: Call, approval: PathText) -> dict[str, Any]:
    """查看申请 A request: what is wanted, by whom, what came of it"""
    found = _own(call, approval)
    return approval_document(found, call.objects.catalogue, call.app.door.at()) | {
        "body": msgspec.json.decode(found.body)
    }


@routes.writes("/approvals/{approval}/approve", _DECIDERS)
def approve(call: Call, approval: PathText) -> dict[str, Any]:
    """批准 Approve what somebody else asked for: it is done at once, under an id of its own"""
    found = _own(call, approval)
    answer = call.act(Kind.APPROVE_REQUEST, service.approve, approval=found.id)
    if call.dry_run:
        return answer
    decided = service.find(call.app.connection, found.id)
    return answer if decided is None else {**answer, "executed": execute(call.serving, call, decided)}


@routes.writes("/approvals/{approval}/reject", _DECIDERS, example={"reason": "the fund is needed elsewhere"})
def reject(call: Call, approval: PathText, body: Rejection) -> dict[str, Any]:
    """退回 Reject a request, and say why"""
    return call.act(Kind.REJECT_REQUEST, service.reject, approval=_own(call, approval).id, reason=body.reason)


def execute(serving: Serving, by: Call, approval: Approval) -> dict[str, Any]:
    """Do what was approved, in the requester's name, under its one id; note what came of it.

    Once done it answers as it did: who approves twice, or after a crash in between, does nothing twice.
    """
    wanted = msgspec.json.decode(approval.body, type=Asked)
    endpoint, model = ENDPOINTS[wanted.operation]
    key = Key(NOBODY, "", approval.requester, frozenset({ANYTHING}), 0)
    told: dict[str, Any] = {"wish": approval.command_key, "approved": True, "approver": approval.decided_by or ""}
    again = Call(serving, by.app, key, by.words, **told)
    body = {} if model is None else {BODY: model.model_validate(wanted.body)}
    try:
        done: dict[str, Any] = endpoint(again, **wanted.path, **body)
        outcome = "ok"
    except Problem as problem:
        if problem.refusal.code.status >= 500:
            raise
        done, outcome = {"outcome": "problem", "code": problem.refusal.code.code}, problem.refusal.code.code
    if approval.state is ApprovalState.APPROVED:
        serving.send(Kind.FINISH_REQUEST, service.finish(approval, outcome))
    return done


def _own(call: Call, text: str) -> Approval:
    found = service.find(call.app.connection, identity(PREFIX, text))
    if found is None:
        raise Problem(NOT_FOUND)
    call.objects.kept(found.requester.organisation, found.requester.merchant)
    return found
