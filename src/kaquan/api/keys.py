"""API keys: issue, list, rotate, revoke; and the log of who called what. A secret is shown once, in the answer."""

from typing import Annotated, Any, Literal

from pydantic import Field

from kaquan.api.authorization import READERS, organisation_seen
from kaquan.api.calls import Call
from kaquan.api.errors import NOT_FOUND
from kaquan.api.fields import PAGE_MAX, After, Body, Limit, PathText
from kaquan.api.objects import identity
from kaquan.api.pages import part, place_id, typed_place
from kaquan.api.problems import Problem
from kaquan.api.routes import Routes
from kaquan.approvals.model import command_key
from kaquan.commands.model import Kind
from kaquan.documents.answers import instant
from kaquan.documents.keys import key_document
from kaquan.identity import audit, service
from kaquan.identity.keys import first_half, new_token
from kaquan.identity.model import SCOPES, ApiKey, IssueKey, RevokeKey, RotateKey
from kaquan.identity.rules import GRACE_HOURS_MAX, KEY_DAYS_MAX, MAY_LOOK_AFTER, scope_beyond
from kaquan.kernel.caller import Role
from kaquan.kernel.ids import public

routes = Routes("keys", "密钥 API keys")
log_routes = Routes("audit", "日志 Audit log")
_KEEPERS = frozenset(MAY_LOOK_AFTER)

Days = Annotated[int, Field(ge=1, le=KEY_DAYS_MAX, description="How many days it lets its holder in.")]


OutsideRole = Literal["operator", "issuer", "merchant", "cashier", "holder", "funder", "regulator"]
Scope = Annotated[str, Field(json_schema_extra={"enum": sorted(SCOPES)}, max_length=64)]


class NewKey(Body):
    """A key for somebody who calls from outside."""

    name: Annotated[str, Field(min_length=1, max_length=40, description="Who acts with it, in every log.")]
    role: OutsideRole
    organisation: Annotated[str, Field(max_length=64, description="Its code; empty for the operator.")] = ""
    merchant: Annotated[str, Field(max_length=64, description="Of a merchant or cashier: its code.")] = ""
    wallet: Annotated[str, Field(max_length=64)] | None = None
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=50)]
    days: Days = 90


class Rotation(Body):
    """A new secret for a key; the old one is taken for some hours more, or not at all."""

    days: Days = 90
    grace_hours: Annotated[int, Field(ge=0, le=GRACE_HOURS_MAX)] = 24


_ISSUE = {
    "name": "till 3",
    "role": "cashier",
    "organisation": "$group",
    "merchant": "$merchant",
    "scopes": ["payments:write"],
}


@routes.writes("/keys", _KEEPERS, example=_ISSUE, second=True)
def issue_key(call: Call, body: NewKey) -> dict[str, Any]:
    """签发密钥 Issue a key; its token is in this answer and never again

    A key that takes two persons is told in halves: `first_half` to who asks, `second_half` to who approves. Its token
    is `kq_live_`, the prefix, `_`, first half, second half; only whom both give theirs can call with it.
    """
    if refusal := scope_beyond(body.scopes, call.api_key.scopes):
        raise Problem.of(refusal)  # before it waits for a second person, whose key may be any
    half = first_half(call.app.master, call.key) if call.approved else ""
    token = new_token(first=half)
    answer = call.act(
        Kind.ISSUE_KEY,
        IssueKey,
        name=body.name,
        organisation=body.organisation,
        role=Role(body.role),
        merchant=body.merchant,
        wallet=identity("wal", body.wallet) if body.wallet is not None else None,
        scopes=tuple(body.scopes),
        days=body.days,
        within=tuple(sorted(call.api_key.scopes)),
        prefix=token.prefix,
        digest=token.digest,
    )
    if answer["outcome"] == "requested":
        return {**answer, "first_half": first_half(call.app.master, command_key(answer["approval"]))}
    answer = _placed(call, answer)
    if call.approved:
        return answer if answer["replayed"] else {**answer, "second_half": token.text.rpartition("_")[2][len(half) :]}
    return _with_token(answer, token.text)


@routes.reads("/keys", _KEEPERS, owned=False)
def list_keys(call: Call, limit: Limit = PAGE_MAX, after: After = None) -> dict[str, Any]:
    """列出密钥 The organisation's keys; the operator sees all. Secrets are kept nowhere"""
    place, caller = typed_place(after, int, str), call.caller
    behind = None if place is None else (place[0], place_id(place[1]))
    found = service.keys(call.app.connection, organisation_seen(caller), behind, limit + 1, merchant=caller.merchant)
    return part(found, lambda one: (one.created_us, one.id.hex()), limit, key_document)


@routes.writes("/keys/{api_key}/rotate", _KEEPERS, example={"grace_hours": 24})
def rotate_key(call: Call, api_key: PathText, body: Rotation) -> dict[str, Any]:
    """轮换密钥 Give a key a new secret, shown once; the old one still counts for the grace"""
    target = _key(call, api_key)
    token = new_token(target.prefix)
    answer = call.act(
        Kind.ROTATE_KEY,
        RotateKey,
        api_key=target.id,
        days=body.days,
        grace_hours=body.grace_hours,
        within=tuple(sorted(call.api_key.scopes)),
        digest=token.digest,
    )
    call.serving.keys.forget(target.prefix)
    return _with_token(_placed(call, answer), token.text)


@routes.writes("/keys/{api_key}/revoke", _KEEPERS)
def revoke_key(call: Call, api_key: PathText) -> dict[str, Any]:
    """撤销密钥 Revoke a key: it lets nobody in from now on"""
    target = _key(call, api_key)
    answer = call.act(Kind.REVOKE_KEY, RevokeKey, api_key=target.id)
    call.serving.keys.forget(target.prefix)
    return _placed(call, answer)


@log_routes.reads("/audit", READERS & {Role.OPERATOR, Role.ISSUER, Role.REGULATOR, Role.MERCHANT}, owned=False)
def list_audit(
    call: Call,
    limit: Limit = PAGE_MAX,
    after: After = None,
    person: Annotated[str | None, Field(max_length=80)] = None,
    operation: Annotated[str | None, Field(max_length=80)] = None,
) -> dict[str, Any]:
    """操作日志 Who called what and what came of it, the latest first; a merchant sees what its own keys did"""
    filters = audit.Filters(
        organisation=organisation_seen(call.caller),
        merchant=call.caller.merchant,
        person=person,
        operation=operation,
    )
    cursor = identity("aud", after) if after is not None else None
    found = audit.list_page(call.app.connection, cursor, filters, limit + 1)
    items = [_noted(one) for one in found[:limit]]
    return {"items": items, "next": public("aud", found[limit - 1].id) if len(found) > limit else None}


def _noted(one: audit.AuditRow) -> dict[str, Any]:
    return {
        "at": instant(one.at_us),
        "role": one.role,
        "person": one.person,
        "key": one.key_prefix,
        "operation": one.operation,
        "object": one.object,
        "outcome": one.outcome,
        "request_id": one.request,
    }


def _key(call: Call, text: str) -> ApiKey:
    """The key with an id or public handle, if it is of the caller's organisation, and of its merchant."""
    connection = call.app.connection
    found = (
        service.key_named(connection, identity("key", text))
        if text.startswith("key_")
        else service.find_key(connection, text)
    )
    if found is None:
        raise Problem(NOT_FOUND)
    call.objects.kept(found.organisation, found.merchant)
    return found


def _placed(call: Call, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with its organisation as outsiders name it: by code, empty for the operator."""
    codes = {number: code for code, (number, _) in call.objects.catalogue.organisations.items()}
    return answer | {"organisation": codes.get(answer["organisation"], "")}


def _with_token(answer: dict[str, Any], token: str) -> dict[str, Any]:
    """The answer with the token, if it is the one that counts now."""
    fresh = answer["outcome"] == "effect" and not answer["replayed"] and not answer["dry_run"]
    return {**answer, "token": token} if fresh else answer
