"""How a hot operation is served: plain ASGI, a msgspec body, threads and connections that only payments use."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kaquan.api.admission import let_in
from kaquan.api.calls import wish_id
from kaquan.api.errors import REQUEST_INVALID
from kaquan.api.operations import PREFIX, Operation, declare
from kaquan.api.problems import Problem, Words
from kaquan.api.serving import Serving
from kaquan.identity.model import Key
from kaquan.kernel.caller import Caller, Role

BODIES: dict[str, type[msgspec.Struct]] = {}
"""The body of each hot operation, by its name."""


class HotCall(msgspec.Struct):
    """A hot request: who asks, under which id (`outside_key`'s when it came from outside), in which language."""

    serving: Serving
    key: Key
    words: Words
    idempotency_key: str | None
    dry_run: bool
    take: Callable[[int], None]

    @property
    def caller(self) -> Caller:
        """Who asks."""
        return self.key.caller

    def wish(self) -> str:
        """The id of the wish. Raises `Problem` when there is none."""
        return wish_id(self.idempotency_key, self.dry_run)


Endpoint = Callable[[HotCall, Any], Awaitable[tuple[int, Any, Mapping[str, str]]]]


async def threaded(serving: Serving, work: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """Work that waits, in one of the threads that only payments and claims use."""
    return await anyio.to_thread.run_sync(partial(work, *given, **named), limiter=serving.hot_threads)


def hot(
    endpoint: Endpoint, body: type[msgspec.Struct], path: str, scope: str, roles: frozenset[Role], **about: Any
) -> Route:
    """Declare a hot operation: its address, who may ask for it, its body."""
    name = getattr(endpoint, "__name__", "")
    operation = declare(
        Operation(
            name=name,
            method="POST",
            path=PREFIX + path,
            summary=(endpoint.__doc__ or "").strip(),
            scope=scope,
            roles=roles,
            **about,
        )
    )
    BODIES[name] = body
    return Route(operation.path, _asgi(operation, endpoint), methods=["POST"], name=name)


def _asgi(operation: Operation, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        opening = await let_in(request, operation, hot=True)
        call = HotCall(opening.serving, opening.key, opening.words, opening.wish, opening.dry_run, request.state.take)
        body = _body(await request.body(), BODIES[operation.name])
        status, content, headers = await endpoint(call, body)
        return Response(msgspec.json.encode(content), status, headers, "application/json")

    return answer


def _body(content: bytes, kind: type[msgspec.Struct]) -> msgspec.Struct:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        told = [{"field": "body", "message": str(wrong)}]
    raise Problem(REQUEST_INVALID, {"where": "body"}, {"details": told})
