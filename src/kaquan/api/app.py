"""The application that a server runs: routes, problems, health, figures, within the gate."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from kaquan.api import (
    accounting,
    approvals,
    bulk,
    cards,
    closings,
    codes,
    devices,
    draws,
    funds,
    holders,
    keys,
    leaving,
    ledger,
    merchants,
    metrics,
    openapi,
    packets,
    payments,
    plans,
    problems,
    program_steps,
    programs,
    referrals,
    settlements,
    spending,
    statements,
    stocks,
    vouchers,
    webhooks,
)
from kaquan.api.authorization import allows
from kaquan.api.errors import (
    API_KEY_MISSING,
    INTERNAL_FAULT,
    METHOD_NOT_ALLOWED,
    PATH_UNKNOWN,
    REQUEST_INVALID,
    ROLE_NOT_ALLOWED,
)
from kaquan.api.express import Express
from kaquan.api.gate import Gate
from kaquan.api.limits import BURST, RATE, Rates
from kaquan.api.problems import Problem, Words
from kaquan.api.serving import LOOKERS_MAX, Serving

ROUTES = (
    payments.routes,
    cards.routes,
    holders.routes,
    vouchers.routes,
    devices.routes,
    codes.claim_routes,
    codes.routes,
    programs.routes,
    program_steps.routes,
    stocks.routes,
    draws.routes,
    packets.routes,
    closings.routes,
    leaving.routes,
    plans.routes,
    referrals.routes,
    merchants.routes,
    funds.routes,
    settlements.routes,
    statements.routes,
    ledger.routes,
    accounting.routes,
    approvals.routes,
    keys.routes,
    keys.log_routes,
    webhooks.routes,
    bulk.routes,
)
_DETAILS_MAX = 50  # faults of one body that are told: an answer must not be larger than what it answers
LOCAL = frozenset({"127.0.0.1", "::1"})


def build(serving: Serving) -> Gate:
    """The ASGI application around an open `Serving`."""
    app = routed()
    app.state.serving = serving
    language, rates = serving.settings.lang, Rates(RATE, BURST)
    gate = Gate(app, language, rates, serving.keys.recognises)
    gate.express = Express(serving, language, rates).take
    return gate


def routed() -> FastAPI:
    """All routes, ready to be described; to be served they need `state.serving`."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=_life, redirect_slashes=False)
    app.router.routes.extend(spending.ROUTES)
    for routes in ROUTES:
        app.include_router(routes.router)
    for path, endpoint in _HEALTH.items():
        app.add_api_route(path, endpoint, include_in_schema=False)
    app.openapi = lambda: openapi.describe(app)  # type: ignore[method-assign]
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _fault)
    return app


@asynccontextmanager
async def _life(_: FastAPI) -> AsyncIterator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = 2 * LOOKERS_MAX
    yield


async def _healthz() -> dict[str, str]:
    """The process lives, however busy all its threads are."""
    return {"status": "ok"}


async def _readyz(request: Request) -> dict[str, str]:
    """The database answers, and payments find a connection. 503 otherwise."""
    serving: Serving = request.app.state.serving
    await anyio.to_thread.run_sync(_looked, serving, limiter=serving.hot_threads)
    return {"status": "ok"}


def _looked(serving: Serving) -> None:
    with serving.looking(hot=True) as app:
        app.door.at()


def _metrics(request: Request) -> Response:
    """Figures for Prometheus: to this machine, or to a key of scope reports:read."""
    serving: Serving = request.app.state.serving
    through_proxy = "x-forwarded-for" in request.headers or "forwarded" in request.headers
    if request.client is None or request.client.host not in LOCAL or through_proxy:
        token = request.headers.get("authorization", "").partition(" ")[2]
        if not token:
            raise Problem(API_KEY_MISSING)
        key = serving.key(token)
        if not allows(key.scopes, "reports:read"):
            raise Problem(ROLE_NOT_ALLOWED, {"role": key.caller.role.value, "scope": "reports:read"})
    metrics.WAITING.set(serving.committer.waiting())
    return Response(metrics.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _description(request: Request) -> Response:
    """The description of the interface."""
    return JSONResponse(request.app.openapi())


_HEALTH: dict[str, Callable[..., Any]] = {
    "/healthz": _healthz,
    "/readyz": _readyz,
    "/metrics": _metrics,
    "/v1/openapi.json": _description,
}


def _words(request: Request) -> Words:
    words: Words = request.state.words
    return words


def _answer(request: Request, problem: Problem) -> Response:
    content = problems.encoded(problem, _words(request))
    return Response(content, problem.refusal.code.status, problems.headers(problem), media_type=problems.MEDIA_TYPE)


def _problem(request: Request, raised: Any) -> Response:
    return _answer(request, raised)


def _invalid(request: Request, raised: Any) -> Response:
    """What pydantic found, field by field, without what was sent: it may be personal."""
    details = [
        {"field": ".".join(str(step) for step in one["loc"]), "message": str(one["msg"])}
        for one in raised.errors()[:_DETAILS_MAX]
    ]
    where = ", ".join(dict.fromkeys(one["field"] for one in details))[:200]
    return _answer(request, Problem(REQUEST_INVALID, {"where": where}, {"details": details}))


def _fault(request: Request, _: Any) -> Response:
    """What broke on our side. It is raised again, so the gate logs it."""
    return _answer(request, Problem(INTERNAL_FAULT))


def _http(request: Request, raised: Any) -> Response:
    match raised.status_code:
        case 404:
            return _answer(request, Problem(PATH_UNKNOWN))
        case 405:
            response = _answer(request, Problem(METHOD_NOT_ALLOWED))
            response.headers.update(raised.headers or {})
            return response
    return _answer(request, Problem(REQUEST_INVALID, {"where": "body"}))
