"""How an operation is declared: its address, who may ask for it, under which scope, an example that is executed."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from typing import Annotated, Any, get_type_hints

import msgspec
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, BeforeValidator, WithJsonSchema
from starlette.concurrency import run_in_threadpool

from kaquan.api.authorization import allows
from kaquan.api.calls import Asked, Call, outside_key
from kaquan.api.errors import API_KEY_MISSING, ROLE_NOT_ALLOWED
from kaquan.api.problems import Problem, Words
from kaquan.api.serving import Serving
from kaquan.identity.model import Key
from kaquan.kernel.caller import Role

PREFIX = "/v1"
_BEARER = HTTPBearer(auto_error=False, scheme_name="api_key", description="API key: kq_live_…")

KEY_MEANING = (
    "The caller's id of this wish, a UUID of version 7 at best. Repeat it to retry, with the same API key: nothing "
    "happens twice. Required unless `dry_run`."
)
DRY_RUN_MEANING = "Decide only: nothing moves, nothing is recorded, the id stays free."

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=64,
        description=KEY_MEANING,
        examples=["0199d3a4-8a51-7c1e-9a7b-0d3c5b1f2a10"],
    ),
]


def _true_or_false(given: Any) -> bool:
    """`true` or `false` and no third word: what is misread as "for real" moves money."""
    if given not in ("true", "false", True, False):
        raise ValueError("true or false")
    return given in ("true", True)


DryRun = Annotated[
    bool,
    BeforeValidator(_true_or_false),
    WithJsonSchema({"type": "boolean"}),
    Query(description=DRY_RUN_MEANING),
]
AcceptLanguage = Annotated[
    str | None, Header(alias="Accept-Language", max_length=200, description="`zh` or `en`: the language of words.")
]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an operation beside its code.

    `example` is a body with `$names` of objects, which a test fills and sends. `made` says what a path's object must
    be for that, when not just any; `prepare` which operation comes before. `owned`: it names something of somebody's.
    `second`: it may wait for a second person, and then answers 202.
    `also`: another media type of the answer, beside JSON.
    """

    name: str
    method: str
    path: str
    summary: str
    scope: str
    roles: frozenset[Role]
    example: Mapping[str, Any] | None = None
    query: Mapping[str, str] = {}
    made: str = ""
    prepare: str = ""
    second: bool = False
    owned: bool = True
    also: str = ""


BODY = "body"
"""What every operation calls its body."""

OPERATIONS: dict[str, Operation] = {}
"""Every operation by its name."""


ENDPOINTS: dict[str, tuple[Callable[..., Any], type[BaseModel] | None]] = {}
"""The function of every operation with the model of its body: what a second person approved is asked for again."""


class Opening(msgspec.Struct, frozen=True):
    """Who was let in, and how the request asks. It holds no connection yet: only the thread that works on it does."""

    serving: Serving
    key: Key
    words: Words
    wish: str | None
    dry_run: bool
    path: Mapping[str, str]


def opened(operation: Operation) -> Callable[..., Awaitable[Opening]]:
    """A dependency that lets in who may ask for the operation."""

    async def opening(
        request: Request,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)] = None,
        accept_language: AcceptLanguage = None,
    ) -> Opening:
        serving: Serving = request.app.state.serving
        request.state.operation = operation.name
        if bearer is None:
            raise Problem(API_KEY_MISSING)
        key = serving.known_key(bearer.credentials)
        if key is None:
            key = await run_in_threadpool(serving.key, bearer.credentials)
        return Opening(
            serving,
            admitted(key, operation),
            request.state.words,
            request.headers.get("idempotency-key"),
            request.query_params.get("dry_run") == "true",
            request.path_params,
        )

    return opening


def admitted(key: Key, operation: Operation) -> Key:
    """The key, if it may ask for the operation. Raises `Problem`."""
    if key.caller.role not in operation.roles or not allows(key.scopes, operation.scope):
        raise Problem(ROLE_NOT_ALLOWED, {"role": key.caller.role.value, "scope": operation.scope})
    return key


class Routes:
    """The operations on one kind of object."""

    def __init__(self, resource: str, tag: str) -> None:
        self.router = APIRouter(prefix=PREFIX, tags=[tag])
        self._resource = resource

    def reads(self, path: str, roles: frozenset[Role], **about: Any) -> Callable[..., Any]:
        """Declare a look (GET)."""
        return self._declare("GET", path, f"{self._resource}:read", roles, about)

    def tries(self, path: str, roles: frozenset[Role], **about: Any) -> Callable[..., Any]:
        """Declare a look that takes a body (POST): nothing moves."""
        return self._declare("POST", path, f"{self._resource}:read", roles, about)

    def writes(self, path: str, roles: frozenset[Role], **about: Any) -> Callable[..., Any]:
        """Declare a change (POST), with an idempotency key and a dry run."""
        return self._declare("POST", path, f"{self._resource}:write", roles, about, changes=True)

    def _declare(
        self,
        method: str,
        path: str,
        scope: str,
        roles: frozenset[Role],
        about: Mapping[str, Any],
        *,
        changes: bool = False,
    ) -> Callable[..., Any]:
        def declare(endpoint: Callable[..., Any]) -> Callable[..., Any]:
            operation = Operation(
                name=endpoint.__name__,
                method=method,
                path=PREFIX + path,
                summary=(endpoint.__doc__ or "").strip().partition("\n")[0],
                scope=scope,
                roles=roles,
                **about,
            )
            if OPERATIONS.setdefault(operation.name, operation) is not operation:
                raise ValueError(f"operation declared twice: {operation.name}")
            ENDPOINTS[operation.name] = (endpoint, _body_of(endpoint))
            self.router.add_api_route(
                path,
                _as_route(endpoint, operation, changes),
                methods=[method],
                operation_id=operation.name,
                summary=operation.summary,
                description=inspect.cleandoc(endpoint.__doc__ or "").partition("\n")[2].strip(),
            )
            return endpoint

        return declare


def _as_route(endpoint: Callable[..., Any], operation: Operation, changes: bool) -> Callable[..., Any]:
    """The endpoint as FastAPI sees it: the call is a dependency; a change has its header and its query parameter."""
    signature = inspect.signature(endpoint, eval_str=True)
    first, *own = signature.parameters.values()
    opener = Annotated[Opening, Depends(opened(operation))]
    added = [first.replace(annotation=opener, kind=inspect.Parameter.KEYWORD_ONLY)]
    if changes:
        more = (("idempotency_key", IdempotencyKey, None), ("dry_run", DryRun, False))
        added += [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
            for name, annotation, default in more
        ]

    def route(**given: Any) -> Any:
        for name in ("idempotency_key", "dry_run"):
            given.pop(name, None)
        opening: Opening = given.pop(first.name)
        with opening.serving.looking() as app:
            call = Call(opening.serving, app, opening.key, opening.words, wish=opening.wish, dry_run=opening.dry_run)
            call.asked = asked(operation, given)
            logged = changes and not opening.dry_run
            with call.noted(operation.name, opening.path) if logged else nullcontext():
                if changes and opening.wish is not None:
                    outside_key(opening.wish)
                content = endpoint(call, **given)
        return content if isinstance(content, Response) else JSONResponse(content, call.status, call.headers)

    route.__name__ = endpoint.__name__
    route.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in (*own, *added)]
    )
    return route


def asked(operation: Operation, given: Mapping[str, Any]) -> Asked:
    """What was asked for: names and a body."""
    bodies = [one.model_dump(mode="json") for one in given.values() if isinstance(one, BaseModel)]
    path = {name: one for name, one in given.items() if isinstance(one, str)}
    return Asked(operation.name, path, bodies[0] if bodies else {})


def _body_of(endpoint: Callable[..., Any]) -> type[BaseModel] | None:
    hint = get_type_hints(endpoint).get(BODY)
    return hint if isinstance(hint, type) and issubclass(hint, BaseModel) else None
