"""How an operation is declared: its address, who may ask for it, under which scope, an example that is executed."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from typing import Annotated, Any, get_type_hints

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, BeforeValidator, WithJsonSchema

from kaquan.api.admission import WISH_LENGTH_MAX, Opening, let_in
from kaquan.api.calls import Asked, Call
from kaquan.api.operations import BODY, ENDPOINTS, PREFIX, Operation, declare
from kaquan.kernel.caller import Role

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
        max_length=WISH_LENGTH_MAX,
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


def opened(operation: Operation) -> Callable[..., Awaitable[Opening]]:
    """A dependency that lets in who may ask for the operation. What it names is for the description."""

    async def opening(
        request: Request,
        _: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)] = None,
        accept_language: AcceptLanguage = None,
    ) -> Opening:
        return await let_in(request, operation)

    return opening


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
        def declared(endpoint: Callable[..., Any]) -> Callable[..., Any]:
            operation = declare(
                Operation(
                    name=endpoint.__name__,
                    method=method,
                    path=PREFIX + path,
                    summary=(endpoint.__doc__ or "").strip().partition("\n")[0],
                    scope=scope,
                    roles=roles,
                    **about,
                )
            )
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

        return declared


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
