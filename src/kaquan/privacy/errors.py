"""What is refused about personal data. No fact carries a value: refusals are kept, and personal data is not."""

from kaquan.kernel.refusal import Fault, RefusalCode


class SealBroken(Fault):
    """Sealed bytes that this key does not open: another key, another person or field, or altered bytes."""


PHONE_INVALID = RefusalCode(
    code="phone_invalid",
    status=422,
    zh="手机号码不是有效的中国大陆手机号",
    en="The phone number is not a mobile number of mainland China",
    remedy_zh="请填写以 1 开头的 11 位手机号，可带 +86",
    remedy_en="Give 11 digits that start with 1, with or without +86",
    retryable=True,
)
ID_NUMBER_INVALID = RefusalCode(
    code="id_number_invalid",
    status=422,
    zh="证件号码无效：位数、字符、出生日期或校验码不对",
    en="The identity number is not valid: its length, characters, birth date or check digit is wrong",
    remedy_zh="请对照证件核对；居民身份证为 18 位",
    remedy_en="Compare it with the document; a resident identity card has 18 characters",
    retryable=True,
)
NAME_INVALID = RefusalCode(
    code="name_invalid",
    status=422,
    zh="姓名为空、过长或含有不可显示的字符",
    en="The name is empty, too long, or has characters that cannot be shown",
    remedy_zh="请填写证件上的姓名，最多 {length_max} 个字",
    remedy_en="Give the name as on the document, at most {length_max} characters",
    retryable=True,
)
