"""What goes wrong, as RFC 9457 problem details: a stable code, facts, the way out, in the language asked for."""

from collections.abc import Mapping
from typing import Any

import msgspec

from kaquan.documents.answers import refusal_document
from kaquan.kernel.refusal import Fact, Language, Refusal, RefusalCode

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 1

KEY_MISSING = RefusalCode(
    "unauthorized",
    status=401,
    zh="请求没有带有效的 API 密钥",
    en="The request carries no valid API key",
    remedy_zh="用请求头 Authorization: Bearer kq_live_… 给出密钥；密钥由 kaquan keys issue 签发，可能已过期或已撤销",
    remedy_en="Send Authorization: Bearer kq_live_…; kaquan keys issue makes a key; it may be expired or revoked",
    burns=False,
)
FORBIDDEN = RefusalCode(
    "forbidden",
    status=403,
    zh="角色“{role}”或密钥的权限范围不允许这项操作，需要 {scope}",
    en="The role {role}, or the scopes of this key, do not allow this; it needs {scope}",
    remedy_zh="请用有此权限的密钥",
    remedy_en="Use a key that may",
    burns=False,
)
NOT_FOUND = RefusalCode(
    "not_found",
    status=404,
    zh="没有这个对象，或不在您的范围内",
    en="There is no such thing, or it is not yours to see",
    remedy_zh="请核对编号",
    remedy_en="Check the id",
    burns=False,
)
PATH_UNKNOWN = RefusalCode(
    "path_unknown",
    status=404,
    zh="没有这个地址",
    en="There is nothing at this address",
    remedy_zh="接口说明见 /v1/openapi.json",
    remedy_en="/v1/openapi.json describes what there is",
    burns=False,
)
METHOD_WRONG = RefusalCode(
    "method_not_allowed",
    status=405,
    zh="这个地址不接受这种方法",
    en="This address does not take this method",
    remedy_zh="接口说明见 /v1/openapi.json",
    remedy_en="/v1/openapi.json describes what there is",
    burns=False,
)
REQUEST_INVALID = RefusalCode(
    "request_invalid",
    status=400,
    zh="请求不符合接口说明：{where}",
    en="The request does not fit the description of the interface: {where}",
    remedy_zh="请按 details 逐项更正后，用同一个请求号重试",
    remedy_en="Correct what details tells and retry with the same id",
    burns=False,
)
IDEMPOTENCY_KEY_MISSING = RefusalCode(
    "idempotency_key_missing",
    status=400,
    zh="改变状态的请求必须带请求头 Idempotency-Key",
    en="A request that changes something must carry the header Idempotency-Key",
    remedy_zh="每次操作用一个新的 UUID（第 7 版最好）；重试时用同一个，结果不会重复",
    remedy_en="Use a fresh UUID (version 7 is best) for each wish, the same for its retries: nothing happens twice",
    burns=False,
)
BODY_TOO_LARGE = RefusalCode(
    "body_too_large",
    status=413,
    zh="请求体超过 {bytes_max} 字节",
    en="The body has more than {bytes_max} bytes",
    remedy_zh="请分成几次请求",
    remedy_en="Split it into several requests",
    burns=False,
)
BODY_TOO_SLOW = RefusalCode(
    "body_too_slow",
    status=408,
    zh="请求体在 {seconds} 秒内没有到齐",
    en="The body did not arrive within {seconds} seconds",
    remedy_zh="请用同一个请求号重试",
    remedy_en="Retry with the same id",
    retryable=True,
    burns=False,
)
TOO_MANY = RefusalCode(
    "too_many_requests",
    status=429,
    zh="请求过于频繁，请 {wait_seconds} 秒后再试",
    en="Too many requests: wait {wait_seconds} seconds",
    remedy_zh="按 Retry-After 等待后，用同一个请求号重试",
    remedy_en="Wait as Retry-After says, then retry with the same id",
    retryable=True,
    burns=False,
)
BUSY = RefusalCode(
    "busy",
    status=503,
    zh="系统正忙，请求没有进入处理",
    en="Too much is waiting; the request was not taken in",
    remedy_zh="按 Retry-After 等待后，用同一个请求号重试",
    remedy_en="Wait as Retry-After says, then retry with the same id",
    retryable=True,
    burns=False,
)
UNAVAILABLE = RefusalCode(
    "unavailable",
    status=503,
    zh="数据库没有应答，是否已生效尚不知道",
    en="The database did not answer; whether it took effect is not known",
    remedy_zh="用同一个请求号重试：已生效的会得到同样的结果，不会重复",
    remedy_en="Retry with the same id: what took effect gives the same answer, nothing happens twice",
    retryable=True,
    burns=False,
)
FAULT = RefusalCode(
    "fault",
    status=500,
    zh="程序内部出错，操作没有完成",
    en="Something broke on our side; the operation was not completed",
    remedy_zh="请把 request_id 告诉运营方；可以用同一个请求号重试",
    remedy_en="Tell the operator the request_id; you can retry with the same id",
    retryable=True,
    burns=False,
)


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
