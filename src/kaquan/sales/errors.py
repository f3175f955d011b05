"""Refusals about sales and top-ups."""

from kaquan.kernel.refusal import RefusalCode

PHONE_UNKNOWN = RefusalCode(
    "phone_unknown",
    status=404,
    zh="这个手机号没有登记",
    en="No holder is registered with this phone number",
    remedy_zh="请核对手机号，或先用 holder register 登记持卡人",
    remedy_en="Check the number, or register the holder first: holder register",
    burns=False,
)
PROGRAM_NOT_SELLING = RefusalCode(
    "program_not_selling",
    status=422,
    zh="“{program}”{state_zh}，不售卡，也不能充值",
    en="{program} is {state}: it sells no cards and takes no top-ups",
    remedy_zh="已售出的卡仍可使用",
    remedy_en="Cards already sold can still be spent",
    retryable=True,
)
OFFER_UNKNOWN = RefusalCode(
    "offer_unknown",
    status=422,
    zh="没有面值 {face_fen} 元的档位；可选：{offers}",
    en="There is no offer with a face value of {face_fen} yuan; there are: {offers}",
    remedy_zh="请选择列出的档位",
    remedy_en="Choose one of the offers",
    retryable=True,
)
CHANNEL_UNKNOWN = RefusalCode(
    "channel_unknown",
    status=400,
    zh="没有支付渠道“{channel}”",
    en="There is no payment channel {channel}",
    remedy_zh="可用渠道：{channels}",
    remedy_en="Channels: {channels}",
    burns=False,
)
VOUCHER_OF_OTHER_PROGRAM = RefusalCode(
    "voucher_of_other_program",
    status=422,
    zh="这张券只能给活动“{program}”的卡充值",
    en="This voucher only tops up cards of the program {program}",
    remedy_zh="请用于该活动的卡",
    remedy_en="Use it for a card of that program",
)
VOUCHER_VALUE_TOO_LATE = RefusalCode(
    "voucher_value_too_late",
    status=422,
    zh="充值要到 {active_from} 才生效，而这张券的钱最迟用到 {not_after}",
    en="What is bought counts from {active_from}, but this voucher's money counts until {not_after} at the latest",
    remedy_zh="请去掉这张券，或只用券充值（即时生效）",
    remedy_en="Leave it out, or top up with the voucher alone, which counts at once",
)
