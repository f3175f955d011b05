"""The outermost layer: request ids, languages, body limits, rates, metrics, and an answer whatever happens.

What `api.express` takes on never comes here.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Any

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from kaquan.api import limits, metrics, problems
from kaquan.api.errors import INTERNAL_FAULT, REQUEST_INVALID, TOO_BUSY
from kaquan.api.limits import Room
from kaquan.api.problems import Problem, Words
from kaquan.commands.trouble import told
from kaquan.kernel import clock, ids
from kaquan.kernel.refusal import Language

log = structlog.get_logger()
_REQUEST_ID = b"x-request-id"
_REQUESTS = ids.public("req", os.urandom(16))[:-8]
_COUNT = count()
"""Requests of this process are told apart by their number; the names tell nothing else."""


class Gate:
    """ASGI middleware around everything. `rates` limits by API key, or by address.

    `recognises`: whether a token is that of a key, as far as memory knows. Whoever only names another's key counts
    by address: nobody uses up what is another's.
    """

    def __init__(
        self,
        app: ASGIApp,
        language: Language,
        rates: limits.Rates,
        recognises: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._app = app
        self._language = language
        self._rates = rates
        self._recognises = recognises
        self.express: Callable[..., bool] | None = None  # `api.express.Express.take`
        self._everybody, self._strangers = Room(limits.BODIES_BYTES_MAX), Room(limits.STRANGERS_BYTES_MAX)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        words = words_of(headers, self._language)
        scope.setdefault("state", {})["words"] = words
        answer = _Answer(send, words)
        started = clock.seconds()
        metrics.begun()
        try:
            await self._let_through(scope, headers, receive, answer.send)
        except Problem as problem:
            await answer.problem(problem)
        except Exception as fault:
            log.error("request.fault", request_id=words.request_id, error=told(fault))
            await answer.problem(Problem(INTERNAL_FAULT))
        finally:
            name = scope["state"].get("operation", "other")
            metrics.ended(words.request_id, name, answer.status, clock.seconds() - started)

    async def _let_through(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, send: Send) -> None:
        """A request within what its caller may take, with its whole body. Raises `Problem`."""
        token = headers.get(b"authorization", b"").decode("latin-1").rpartition(" ")[2]
        known = self._recognises(token)
        take = partial(self._rates.take, token.rpartition("_")[0] if known else _address(scope))
        take(1)
        scope["state"]["take"] = take
        length = headers.get(b"content-length", b"").decode("latin-1") or None
        with (self._everybody if known else self._strangers).share() as bytes_taken:
            content = await limits.body(receive, length, bytes_taken)
            _without_nul(scope, content)
            await self._app(scope, limits.replayed(content, receive), send)


async def too_busy(scope: Scope, _: Receive, send: Send) -> None:
    """The application for those for whom there is no room: told so, and sent away."""
    answer = _Answer(send, words_of(dict(scope["headers"]), "zh"))
    await answer.problem(Problem(TOO_BUSY), [(b"connection", b"close")])


class _Answer:
    """Sends an answer with its request id, once."""

    def __init__(self, send: Send, words: Words) -> None:
        self._send = send
        self._words = words
        self.status = 0

    async def send(self, message: Any) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            added = [(_REQUEST_ID, self._words.request_id.encode()), (b"cache-control", b"no-store")]
            message = {**message, "headers": [*message.get("headers", ()), *added]}
        await self._send(message)

    async def problem(self, problem: Problem, more: Sequence[tuple[bytes, bytes]] = ()) -> None:
        """Send a problem, with `more` headers, unless an answer is on its way already."""
        if self.status:
            return
        content = problems.encoded(problem, self._words)
        told = {"content-type": problems.MEDIA_TYPE, "content-length": str(len(content)), **problems.headers(problem)}
        encoded = [*((name.encode(), value.encode()) for name, value in told.items()), *more]
        await self.send({"type": "http.response.start", "status": problem.refusal.code.status, "headers": encoded})
        await self._send({"type": "http.response.body", "body": content})


def _without_nul(scope: Scope, content: bytes) -> None:
    """Raises `Problem` for U+0000, however it is spelt: no text of ours has one, and the database takes none."""
    if "\0" in scope["path"] or b"%00" in scope["query_string"] or holds_nul(content):
        raise Problem(REQUEST_INVALID, {"where": "U+0000"})


def holds_nul(content: bytes) -> bool:
    """Whether a body spells U+0000."""
    return b"\\u0000" in content


def words_of(headers: Mapping[bytes, bytes], fallback: Language) -> Words:
    """The language that a request asks for, and its name."""
    return Words(_language(headers, fallback), _request_id(headers))


def _language(headers: Mapping[bytes, bytes], fallback: Language) -> Language:
    for wish in headers.get(b"accept-language", b"").decode("latin-1").lower().split(","):
        if wish.strip().startswith("zh"):
            return "zh"
        if wish.strip().startswith("en"):
            return "en"
    return fallback


def _request_id(headers: Mapping[bytes, bytes]) -> str:
    given = headers.get(_REQUEST_ID, b"").decode("latin-1")
    if 0 < len(given) <= 64 and given.isascii() and given.replace("-", "").replace("_", "").isalnum():
        return given
    return f"{_REQUESTS}{next(_COUNT):08x}"


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else "unknown"
