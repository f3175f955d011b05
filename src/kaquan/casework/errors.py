"""Refusals about disputes."""

from kaquan.kernel.refusal import RefusalCode

DISPUTE_UNKNOWN = RefusalCode(
    "dispute_unknown",
    status=404,
    zh="没有这起争议，或没有所争议的支付、打款",
    en="There is no such dispute, or not the payment or payout that it is about",
    remedy_zh="请核对编号",
    remedy_en="Check the id",
    burns=False,
)
DISPUTE_TEXT = RefusalCode(
    "dispute_text_missing",
    status=400,
    zh="请写明理由，1 到 {length_max} 个字符",
    en="Say why, in 1 to {length_max} characters",
    remedy_zh="请补上理由",
    remedy_en="Give the reason",
    burns=False,
)
DISPUTE_AMOUNT = RefusalCode(
    "dispute_amount",
    status=409,
    zh="争议金额须大于零，最多 {most_fen}",
    en="The disputed amount is above zero and at most {most_fen}",
    remedy_zh="请按支付未退的部分或打款的金额填写",
    remedy_en="Dispute what of the payment is not refunded, or what the payout pays",
    retryable=True,
)
DISPUTE_OPEN = RefusalCode(
    "dispute_open",
    status=409,
    zh="这笔支付或打款已有未决的争议",
    en="A dispute about this payment or payout is open already",
    remedy_zh="请等它有结果，或在其中补充",
    remedy_en="Wait for its outcome, or add to it",
    retryable=True,
)
DISPUTE_CLOSED = RefusalCode(
    "dispute_closed",
    status=409,
    zh="这起争议已经了结",
    en="The dispute is resolved already",
    remedy_zh="无需处理",
    remedy_en="There is nothing to do",
)
DISPUTE_REFUND = RefusalCode(
    "dispute_refund_missing",
    status=409,
    zh="支持持卡人要先退款：争议以来已退 {refunded_fen}，争议 {disputed_fen}",
    en="For the holder, the payment is refunded first: {refunded_fen} of {disputed_fen} came back since then",
    remedy_zh="请先退款，再了结争议",
    remedy_en="Refund the payment, then resolve the dispute",
    retryable=True,
)
DISPUTE_SIDE = RefusalCode(
    "dispute_side",
    status=409,
    zh="打款的争议没有持卡人一方，更正另行入账，扣留的款仍归商户",
    en="A dispute about a payout has no holder: a correction is booked by itself, what was held is the merchant's",
    remedy_zh="请以商户一方了结，并写明更正",
    remedy_en="Resolve it for the merchant, and say how it was corrected",
    retryable=True,
)
