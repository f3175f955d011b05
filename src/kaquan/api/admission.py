"""Who is let in: the token becomes a key, the key may ask for the operation, the wish has an id of the caller's."""

from collections.abc import Mapping
from typing import Any

import anyio.to_thread
import msgspec
from starlette.requests import Request

from kaquan.api.authorization import allows
from kaquan.api.calls import outside_key
from kaquan.api.errors import API_KEY_MISSING, REQUEST_INVALID, ROLE_NOT_ALLOWED
from kaquan.api.operations import Operation
from kaquan.api.problems import Problem, Words
from kaquan.api.serving import Serving
from kaquan.identity.model import Key

WISH_LENGTH_MAX = 64


class Opening(msgspec.Struct, frozen=True):
    """Who was let in, and how the request asks. It holds no connection yet: only the thread that works on it does."""

    serving: Serving
    key: Key
    words: Words
    wish: str | None
    dry_run: bool
    path: Mapping[str, Any]


async def let_in(request: Request, operation: Operation, *, hot: bool = False) -> Opening:
    """Whoever may ask for the operation; `hot`: looked up where payments wait for nobody. Raises `Problem`."""
    request.state.operation = operation.name
    serving: Serving = request.app.state.serving
    token = bearer(request.headers.get("authorization", ""))
    if token is None:
        raise Problem(API_KEY_MISSING)
    key = serving.known_key(token)
    if key is None:
        threads = serving.hot_threads if hot else None
        key = await anyio.to_thread.run_sync(lambda: serving.key(token, hot=hot), limiter=threads)
    return Opening(
        serving,
        admitted(key, operation),
        request.state.words,
        _wish(request.headers.get("idempotency-key")) if operation.method != "GET" else None,
        _flag(request.query_params.get("dry_run")) if operation.method != "GET" else False,
        request.path_params,
    )


def admitted(key: Key, operation: Operation) -> Key:
    """The key, if it may ask for the operation. Raises `Problem`."""
    if key.caller.role not in operation.roles or not allows(key.scopes, operation.scope):
        raise Problem(ROLE_NOT_ALLOWED, {"role": key.caller.role.value, "scope": operation.scope})
    return key


def bearer(authorization: str) -> str | None:
    """The token of the header Authorization; None when it has none."""
    scheme, _, token = authorization.partition(" ")
    return token if scheme.lower() == "bearer" else None


def _wish(given: str | None) -> str | None:
    return None if given is None else wish_of(given)


def wish_of(given: str) -> str:
    """The id of a wish, as a caller gave it. Raises `Problem`."""
    if not 1 <= len(given) <= WISH_LENGTH_MAX:
        raise Problem(REQUEST_INVALID, {"where": "Idempotency-Key"})
    return outside_key(given)


def _flag(given: str | None) -> bool:
    if given not in (None, "true", "false"):
        raise Problem(REQUEST_INVALID, {"where": "dry_run"})
    return given == "true"
