"""What goes wrong, as RFC 9457 problem details: a stable code, facts, the way out, in the language asked for."""

from collections.abc import Mapping
from typing import Any

import msgspec

from kaquan.documents.answers import refusal_document
from kaquan.kernel.refusal import Fact, Language, Refusal, RefusalCode

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 1


class Problem(Exception):
    """Ends a request with problem details. `more` adds members, `retry_seconds` the header Retry-After."""

    def __init__(
        self,
        code: RefusalCode,
        facts: Mapping[str, Fact] | None = None,
        more: Mapping[str, Any] | None = None,
        retry_seconds: int | None = None,
    ) -> None:
        super().__init__(code.code)
        self.refusal = Refusal(code, facts or {})
        self.more = dict(more or {})
        self.retry_seconds = retry_seconds

    @classmethod
    def of(cls, refusal: Refusal, **more: Any) -> "Problem":
        """The problem that a refusal is."""
        return cls(refusal.code, refusal.facts, more)


class Words(msgspec.Struct, frozen=True):
    """In which language a request is answered, and the name under which it stands in the log."""

    language: Language
    request_id: str


def document(problem: Problem, words: Words) -> dict[str, Any]:
    """The problem details of a problem."""
    told = refusal_document(problem.refusal, words.language)
    detail, code = told.pop("message"), told.pop("code")
    status = problem.refusal.code.status
    return {
        "type": f"urn:kaquan:problem:{code}",
        "title": detail,
        "status": status,
        "detail": f"{detail}。{told['remedy']}" if words.language == "zh" else f"{detail}. {told['remedy']}",
        "code": code,
        **{name: given for name, given in told.items() if given is not None},
        "request_id": words.request_id,
        **problem.more,
    }


def headers(problem: Problem) -> dict[str, str]:
    """The headers that go with a problem."""
    told: dict[str, str] = {}
    wait = problem.retry_seconds
    if wait is None and problem.refusal.code.status in (429, 503):
        wait = int(problem.refusal.facts.get("wait_seconds", RETRY_SECONDS))
    if wait is not None:
        told["retry-after"] = str(wait)
    if problem.refusal.code.status == 401:
        told["www-authenticate"] = "Bearer"
    return told


def encoded(problem: Problem, words: Words) -> bytes:
    """The body of the answer."""
    return msgspec.json.encode(document(problem, words))
