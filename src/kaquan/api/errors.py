"""Refusals of the door outside itself, before anything is asked of the rules."""

from kaquan.kernel.refusal import RefusalCode

API_KEY_MISSING = RefusalCode(
    "api_key_missing",
    status=401,
    zh="请求没有带有效的 API 密钥",
    en="The request carries no valid API key",
    remedy_zh="用请求头 Authorization: Bearer kq_live_… 给出密钥；密钥由 kaquan keys issue 签发，可能已过期或已撤销",
    remedy_en="Send Authorization: Bearer kq_live_…; kaquan keys issue makes a key; it may be expired or revoked",
    burns=False,
)
ROLE_NOT_ALLOWED = RefusalCode(
    "role_not_allowed",
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
METHOD_NOT_ALLOWED = RefusalCode(
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
TOO_MANY_REQUESTS = RefusalCode(
    "too_many_requests",
    status=429,
    zh="请求过于频繁，请 {wait_seconds} 秒后再试",
    en="Too many requests: wait {wait_seconds} seconds",
    remedy_zh="按 Retry-After 等待后，用同一个请求号重试",
    remedy_en="Wait as Retry-After says, then retry with the same id",
    retryable=True,
    burns=False,
)
TOO_BUSY = RefusalCode(
    "too_busy",
    status=503,
    zh="系统正忙，请求没有进入处理",
    en="Too much is waiting; the request was not taken in",
    remedy_zh="按 Retry-After 等待后，用同一个请求号重试",
    remedy_en="Wait as Retry-After says, then retry with the same id",
    retryable=True,
    burns=False,
)
ANSWER_UNKNOWN = RefusalCode(
    "answer_unknown",
    status=503,
    zh="数据库没有应答，是否已生效尚不知道",
    en="The database did not answer; whether it took effect is not known",
    remedy_zh="用同一个请求号重试：已生效的会得到同样的结果，不会重复",
    remedy_en="Retry with the same id: what took effect gives the same answer, nothing happens twice",
    retryable=True,
    burns=False,
)
INTERNAL_FAULT = RefusalCode(
    "internal_fault",
    status=500,
    zh="程序内部出错，操作没有完成",
    en="Something broke on our side; the operation was not completed",
    remedy_zh="请把 request_id 告诉运营方；可以用同一个请求号重试",
    remedy_en="Tell the operator the request_id; you can retry with the same id",
    retryable=True,
    burns=False,
)
KEY_RESERVED = RefusalCode(
    "idempotency_key_reserved",
    status=400,
    zh="请求号不能以 {prefix} 开头",
    en="An id may not begin with {prefix}",
    remedy_zh="请用 UUID 作请求号",
    remedy_en="Use a UUID as the id",
    burns=False,
)
