"""Refusals about sales and top-ups."""

from kaquan.kernel.refusal import RefusalCode

PROGRAM_NOT_SELLING = RefusalCode(
    "program_not_selling",
    status=422,
    zh="“{program}”已停止售卡和充值",
    en="{program} no longer sells cards or takes top-ups",
    remedy_zh="已售出的卡仍可使用",
    remedy_en="Cards already sold can still be spent",
    retryable=True,
)
OFFER_UNKNOWN = RefusalCode(
    "offer_unknown",
    status=422,
    zh="没有面值 {face_fen} 元的档位;可选:{offers}",
    en="There is no offer with a face value of {face_fen} yuan; there are: {offers}",
    remedy_zh="请选择列出的档位",
    remedy_en="Choose one of the offers",
    retryable=True,
)
CARD_BALANCE_ABOVE_MAX = RefusalCode(
    "card_balance_above_max",
    status=422,
    zh="卡内余额将达到 {balance_fen} 元,超过本活动上限 {max_fen} 元",
    en="The card would hold {balance_fen} yuan, more than the program's {max_fen}",
    remedy_zh="请减少金额,或先使用部分余额",
    remedy_en="Choose a smaller amount, or spend from the card first",
    retryable=True,
)
CHANNEL_UNKNOWN = RefusalCode(
    "channel_unknown",
    status=400,
    zh="没有支付渠道“{channel}”",
    en="There is no payment channel {channel}",
    remedy_zh="可用渠道:{channels}",
    remedy_en="Channels: {channels}",
    burns=False,
)
