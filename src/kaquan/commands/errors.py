"""Refusals of the door itself."""

from kaquan.kernel.refusal import RefusalCode

KEY_REUSED = RefusalCode(
    "key_reused",
    status=409,
    zh="这个请求号已经用于另一笔内容不同的请求",
    en="This id was used before, for a request with other content",
    remedy_zh="同一次操作重试时内容必须完全相同；新的操作请换一个请求号",
    remedy_en="Repeat the very same content when you retry; use a new id for a new wish",
    burns=False,
)
CONTENT_INVALID = RefusalCode(
    "content_invalid",
    status=400,
    zh="请求中有无法保存的字符或过大的数字",
    en="The request has characters or a number that can't be kept",
    remedy_zh="请更正后用同一个请求号重试",
    remedy_en="Correct it and retry with the same id",
    burns=False,
)
KEY_INVALID = RefusalCode(
    "key_invalid",
    status=400,
    zh="请求号必须是 1 到 {length_max} 个字符",
    en="An id must have between 1 and {length_max} characters",
    remedy_zh="请用 UUID(第 7 版最好)作请求号",
    remedy_en="Use a UUID (version 7 is best) as the id",
    burns=False,
)
