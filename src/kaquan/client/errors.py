"""What a call can end with instead of an answer. No text and no repr holds a token, or a body that was sent."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec


class KaquanError(Exception):
    """A call without its answer. `key` is its idempotency key (none for a look), `request_id` its name in the
    server's log, `attempts` how often it was sent."""

    def __init__(self, told: str, *, key: str | None = None, request_id: str = "", attempts: int = 1) -> None:
        super().__init__(told)
        self.key = key
        self.request_id = request_id
        self.attempts = attempts


class Unanswered(KaquanError):
    """All attempts are over. `problem` is what the last one heard, if anything."""

    def __init__(self, told: str, *, problem: "Problem | None" = None, **about: Any) -> None:
        super().__init__(told, **about)
        self.problem = problem


class Unreachable(Unanswered):
    """No answer, and surely no effect: it was never taken in, or it was a look. Ask again later."""


class Unknown(Unanswered):
    """No answer, and perhaps an effect. The same call with the same `key` tells later, and nothing happens twice.

    `problem` may also be one that says nothing of the attempts before it, such as a token that was revoked meanwhile.
    """


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Problem details (RFC 9457) as the server sends them. `replayed` is there when the door decided."""

    code: str
    status: int
    title: str = ""
    facts: Mapping[str, Any] = {}
    remedy: str = ""
    article: str | None = None
    retryable: bool = False
    replayed: bool | None = None
    request_id: str = ""
    details: Sequence[Any] = ()


class Problem(KaquanError):
    """The server said no: `code` is stable, `facts` are those of the case, `remedy` the way out in words.

    `retryable`: the same wish may succeed later, under a new key. `replayed`: it was refused before under this key;
    `decided`: the door decided it, rather than somebody before the door.
    `article` is that of the law, when the law said no.
    """

    def __init__(self, told: Told, *, key: str | None = None, request_id: str = "", attempts: int = 1) -> None:
        super().__init__(
            f"{told.code}: {told.title}" if told.title else told.code,
            key=key,
            request_id=told.request_id or request_id,
            attempts=attempts,
        )
        self.told = told
        self.code = told.code
        self.status = told.status
        self.title = told.title
        self.facts = dict(told.facts)
        self.remedy = told.remedy
        self.article = told.article
        self.retryable = told.retryable
        self.replayed = bool(told.replayed)
        self.decided = told.replayed is not None
        self.details = list(told.details)


class Refused(Problem):
    """A no: nothing moved. `decided`: the same key will hear the same; else it may be asked again."""


class Invalid(Problem):
    """The request does not fit the interface; `details` tells field by field. Correct it; the key is still free."""


class Unauthorized(Problem):
    """The token lets nobody in: unknown, expired or revoked."""


class Forbidden(Problem):
    """The token's role or scopes do not allow it."""


class NotFound(Problem):
    """There is no such thing, or it is not yours."""


_BY_STATUS: Mapping[int, type[Problem]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    405: Invalid,
    413: Invalid,
    431: Invalid,
}


def problem_of(told: Told, **about: Any) -> Problem:
    """The exception that problem details are."""
    return _BY_STATUS.get(told.status, Refused)(told, **about)
