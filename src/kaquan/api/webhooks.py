"""Webhook endpoints: add, list, change, rotate, remove; the log of deliveries, and sending them again."""

from threading import BoundedSemaphore
from typing import Annotated, Any

from pydantic import Field

from kaquan.api.authorization import organisation_seen
from kaquan.api.calls import Call
from kaquan.api.errors import NOT_FOUND, TOO_BUSY
from kaquan.api.fields import PAGE_MAX, After, Body, Limit, PathText
from kaquan.api.objects import identity
from kaquan.api.pages import page, part, place_id, typed_place
from kaquan.api.problems import Problem
from kaquan.api.routes import Routes
from kaquan.commands.model import Kind
from kaquan.documents.webhooks import delivery_document, endpoint_document, listed_endpoint
from kaquan.kernel import clock
from kaquan.kernel.caller import Role
from kaquan.main import reach_of
from kaquan.webhooks import service
from kaquan.webhooks.model import ChangeEndpoint, DeliveryState, Endpoint, RemoveEndpoint
from kaquan.webhooks.sending import Sender

routes = Routes("webhooks", "回调 Webhooks")
_LOOKING_UP = BoundedSemaphore(3)
_OWNERS = frozenset({Role.OPERATOR, Role.ISSUER, Role.FUNDER})

Url = Annotated[str, Field(min_length=1, max_length=2_000, description="A public https address.")]
Events = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=80)]],
    Field(min_length=1, max_length=100, description="Names of events, or patterns such as `payment.*`."),
]


class NewEndpoint(Body):
    """Where to tell what happens. The organisation's own; the operator may name another's."""

    url: Url
    events: Events = ["*"]
    organisation: Annotated[str, Field(max_length=64)] = ""


class Change(Body):
    """What becomes of an endpoint; what is not named stays. `resume` lets a stopped one run again."""

    url: Url | None = None
    events: Events | None = None
    resume: bool = False


@routes.writes("/webhooks", _OWNERS, example={"url": "$hook_url", "organisation": "$organisation"})
def add_webhook(call: Call, body: NewEndpoint) -> dict[str, Any]:
    """添加回调地址 Add an endpoint; its signing secret is in this answer and never again"""
    _reachable(call, body.url)
    organisation, events = body.organisation or _own_code(call), tuple(body.events)
    command, secret = service.adding(
        call.app.master, call.caller, call.key, organisation=organisation, url=body.url, events=events
    )
    return _with_secret(call.act(Kind.ADD_ENDPOINT, lambda **_: command), secret)


@routes.reads("/webhooks", _OWNERS, owned=False)
def list_webhooks(call: Call, limit: Limit = PAGE_MAX, after: After = None) -> dict[str, Any]:
    """列出回调地址 The organisation's endpoints, of the operator's list the first 1,000"""
    owner = organisation_seen(call.caller)
    found = service.listed(call.app.connection, owner, service.SHOWN_MAX)
    return page(found, lambda one: (one.at, one.id.hex), (limit, after), listed_endpoint)


@routes.reads("/webhooks/{endpoint}", _OWNERS)
def show_webhook(call: Call, endpoint: PathText) -> dict[str, Any]:
    """查看回调地址 An endpoint; its secret is never shown again"""
    return endpoint_document(_own(call, endpoint))


@routes.writes("/webhooks/{endpoint}/change", _OWNERS, example={"events": ["payment.*"]})
def change_webhook(call: Call, endpoint: PathText, body: Change) -> dict[str, Any]:
    """修改回调地址 Change the address or the events, or let a stopped endpoint run again"""
    target = _own(call, endpoint).id
    if body.url is not None:
        _reachable(call, body.url)
    events = None if body.events is None else tuple(body.events)
    return call.act(
        Kind.CHANGE_ENDPOINT, ChangeEndpoint, endpoint=target, url=body.url, events=events, resume=body.resume
    )


@routes.writes("/webhooks/{endpoint}/rotate", _OWNERS)
def rotate_webhook_secret(call: Call, endpoint: PathText) -> dict[str, Any]:
    """更换签名密钥 A new signing secret, shown once; the old one signs too for 24 hours"""
    command, secret = service.rotating(call.app.master, call.caller, call.key, _own(call, endpoint).id)
    return _with_secret(call.act(Kind.ROTATE_ENDPOINT_SECRET, lambda **_: command), secret)


@routes.writes("/webhooks/{endpoint}/remove", _OWNERS)
def remove_webhook(call: Call, endpoint: PathText) -> dict[str, Any]:
    """移除回调地址 Remove an endpoint: it is told nothing more"""
    return call.act(Kind.REMOVE_ENDPOINT, RemoveEndpoint, endpoint=_own(call, endpoint).id)


@routes.reads("/webhooks/{endpoint}/deliveries", _OWNERS)
def list_deliveries(
    call: Call,
    endpoint: PathText,
    limit: Limit = PAGE_MAX,
    after: After = None,
    state: Annotated[str | None, Field(pattern="^(waiting|delivered|given_up)$")] = None,
) -> dict[str, Any]:
    """投递记录 What the endpoint was told and what it answered, the latest first; kept for 30 days"""
    wanted = None if state is None else DeliveryState[state.upper()]
    place = typed_place(after, int, str)
    behind = None if place is None else (place[0], place_id(place[1]))
    found = service.deliveries(call.app.connection, _own(call, endpoint).id, wanted, limit + 1, behind)
    return part(found, lambda one: (one.at, one.id.hex), limit, delivery_document)


@routes.writes("/webhooks/{endpoint}/deliveries/{delivery}/replay", _OWNERS)
def replay_delivery(call: Call, endpoint: PathText, delivery: PathText) -> dict[str, Any]:
    """重发 Send a delivery again, under the same webhook-id"""
    call.must_be_keyed()
    owner, target = _own(call, endpoint).id, identity("whd", delivery)
    if service.endpoint_of(call.app.connection, target) != owner:
        raise Problem(NOT_FOUND)
    if call.dry_run:
        return {"dry_run": True, "replayed_count": 1}
    return {"dry_run": False, "replayed_count": service.replay(call.app.connection, target, clock.system_now())}


def _reachable(call: Call, url: str) -> None:
    """Names are looked up by few at a time: who serves a name may let everybody wait for it."""
    if not _LOOKING_UP.acquire(blocking=False):
        raise Problem(TOO_BUSY)
    try:
        refusal = Sender(reach_of(call.serving.settings)).reachable(url)
    finally:
        _LOOKING_UP.release()
    if refusal is not None:
        raise Problem.of(refusal)


def _own_code(call: Call) -> str:
    own = call.caller.organisation
    return next((code for code, (number, _) in call.objects.catalogue.organisations.items() if number == own), "")


def _own(call: Call, text: str) -> Endpoint:
    found = service.found(call.app.connection, call.caller, identity("whe", text))
    if found is None:
        raise Problem(NOT_FOUND)
    return found


def _with_secret(answer: dict[str, Any], secret: str) -> dict[str, Any]:
    return answer if answer["replayed"] or answer["dry_run"] else {**answer, "secret": secret}
