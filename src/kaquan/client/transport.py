"""One call: sent, repeated under the same key while its outcome is not known, ended by an answer or an error."""

import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx2
import msgspec

from kaquan.client.errors import Problem, Told, Unanswered, Unknown, Unreachable, problem_of
from kaquan.client.keys import new_key
from kaquan.client.retries import Patience

CONNECT_SECONDS = 5.0
LEAST_SECONDS = 0.05  # for an attempt that begins when the time is nearly up
ANSWER_BYTES_MAX = 64 * 1024 * 1024
RETRIED = frozenset({408, 429, 500, 502, 503, 504})
NOT_TAKEN_IN = frozenset({"too_busy", "too_many_requests", "body_too_slow"})
"""Codes by which our server says that a request was not taken in."""

_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent. `moves`: it may have an effect. Its repr holds no body: it may be personal."""

    method: str
    path: str
    content: bytes | None = None
    query: Mapping[str, str] = {}
    key: str | None = None
    dry_run: bool = False
    moves: bool = False

    def __repr__(self) -> str:
        """Method and path."""
        return f"Request({self.method} {self.path})"


class _Silence(msgspec.Struct, frozen=True):
    """An attempt without an answer that ends the call: why, whether it may have taken effect, what to wait for."""

    why: str
    perhaps: bool
    wait_seconds: int | None = None
    problem: Problem | None = None


class Transport:
    """Connections to one server, under one token. Thread-safe."""

    def __init__(
        self,
        server: str,
        token: str,
        *,
        timeout_seconds: float,
        language: str,
        proxy: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        address = urlsplit(server)
        if address.scheme not in ("http", "https") or not address.hostname or address.username or address.query:
            raise ValueError("a server's address is like https://cards.example.com, without a name and password")
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise ValueError("a token is one printable ASCII word")
        self.server = server.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._http = httpx2.Client(
            headers={
                "accept": "application/json",
                "accept-language": language,
                "authorization": f"Bearer {token}",
                "user-agent": "kaquan-client",
            },
            verify=tls or True,
            proxy=proxy,
            trust_env=False,  # a .netrc would take the token's place
            follow_redirects=False,  # a token goes nowhere else
        )

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def send(self, request: Request, patience: Patience) -> dict[str, Any]:
        """The answer's document. Raises `KaquanError`."""
        request_id = new_key()
        while True:
            patience.attempts += 1
            heard = self._attempt(request, request_id, patience)
            if not isinstance(heard, _Silence | Problem):
                return heard
            about = {"key": request.key, "request_id": request_id, "attempts": patience.attempts}
            if isinstance(heard, Problem):
                raise ended(heard, patience)
            patience.perhaps = patience.perhaps or (heard.perhaps and request.moves and not request.dry_run)
            if not patience.wait(heard.wait_seconds):
                raise _given_up(heard, patience, about)

    def _attempt(self, request: Request, request_id: str, patience: Patience) -> dict[str, Any] | _Silence | Problem:
        headers = {"x-request-id": request_id}
        if request.content is not None:
            headers["content-type"] = "application/json"
        if request.key is not None:
            headers["idempotency-key"] = request.key
        limit = max(min(self._timeout_seconds, patience.left_seconds()), LEAST_SECONDS)
        try:
            with self._http.stream(
                request.method,
                self.server + request.path,
                params={**request.query, **({"dry_run": "true"} if request.dry_run else {})},
                content=request.content,
                headers=headers,
                timeout=httpx2.Timeout(limit, connect=min(limit, CONNECT_SECONDS)),
            ) as response:
                content = _whole(response, patience)
        except _NOT_SENT as trouble:
            return _Silence(type(trouble).__name__, perhaps=False)
        except (httpx2.TransportError, httpx2.DecodingError) as trouble:
            return _Silence(type(trouble).__name__, perhaps=True)
        if content is None:
            return _Silence("the answer was too long or too slow", perhaps=True)
        about = {"key": request.key, "request_id": request_id, "attempts": patience.attempts}
        return _heard(response, content, about)


def _whole(response: httpx2.Response, patience: Patience) -> bytes | None:
    """The body; none when it is too large, or does not end in time."""
    parts, size = [], 0
    for part in response.iter_bytes():
        size += len(part)
        if size > ANSWER_BYTES_MAX or patience.left_seconds() < 0:
            return None
        parts.append(part)
    return b"".join(parts)


def _heard(response: httpx2.Response, content: bytes, about: dict[str, Any]) -> dict[str, Any] | _Silence | Problem:
    """An answer of the server, or something that is none."""
    status = response.status_code
    if 200 <= status < 300:
        document = _decoded(content, dict[str, Any])
        return document if document is not None else _Silence("the answer was not readable", perhaps=True)
    told = _decoded(content, Told)
    if status in RETRIED or told is None:
        taken_in = told is None or (told.replayed is None and told.code not in NOT_TAKEN_IN)
        problem = problem_of(told, **about) if told is not None else None
        return _Silence(f"the server answered {status}", taken_in, _asked(response), problem)
    return problem_of(msgspec.structs.replace(told, status=status), **about)


def _decoded(content: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _asked(response: httpx2.Response) -> int | None:
    """The seconds of Retry-After. A date is not read: clocks differ."""
    given = response.headers.get("retry-after", "").strip()
    return int(given) if given.isdecimal() and given.isascii() and len(given) < 8 else None


def ended(problem: Problem, patience: Patience) -> Problem | Unknown:
    """What a problem means. After an attempt that may have taken effect, only what the door decided settles it."""
    if not patience.perhaps or problem.decided:
        return problem
    about = {"key": problem.key, "request_id": problem.request_id, "attempts": problem.attempts}
    return Unknown(f"perhaps it took effect, perhaps not; last heard {problem}", problem=problem, **about)


def _given_up(heard: _Silence, patience: Patience, about: dict[str, Any]) -> Unanswered:
    told = f"{heard.why}, after {patience.attempts} attempts"
    if patience.perhaps:
        return Unknown(f"perhaps it took effect, perhaps not: {told}", problem=heard.problem, **about)
    return Unreachable(f"nothing happened: {told}", problem=heard.problem, **about)
