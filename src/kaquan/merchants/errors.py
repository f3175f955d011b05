"""Refusals about organisations, merchants and stores."""

from kaquan.kernel.refusal import RefusalCode

CODE_TAKEN = RefusalCode(
    "code_taken",
    status=409,
    zh="代码“{code}”已被使用",
    en="The code {code} is taken",
    remedy_zh="请换一个代码",
    remedy_en="Choose another code",
    retryable=True,
)
CODE_INVALID = RefusalCode(
    "code_invalid",
    status=400,
    zh="代码只能用小写字母、数字和连字符，1 到 {length_max} 个字符",
    en="A code has 1 to {length_max} lower-case letters, digits and hyphens",
    remedy_zh="请更正代码",
    remedy_en="Correct the code",
    burns=False,
)
ORGANISATION_UNKNOWN = RefusalCode(
    "organisation_unknown",
    status=404,
    zh="没有机构“{code}”",
    en="There is no organisation {code}",
    remedy_zh="请先登记机构",
    remedy_en="Register the organisation first",
    burns=False,
)
