"""Refusals by what a card did lately."""

from kaquan.kernel.refusal import RefusalCode

CARD_DAY_COUNT = RefusalCode(
    "card_day_count",
    status=422,
    zh="这张卡今天已支付 {used} 笔，每日最多 {limit} 笔（撤销和退款的也算）",
    en="The card has paid {used} times today, of at most {limit} a day; voided and refunded payments count",
    remedy_zh="请换一张卡或其他付款方式，次日零点恢复",
    remedy_en="Pay with another card or in another way; the count starts anew at midnight",
)
CARD_DAY_AMOUNT = RefusalCode(
    "card_day_amount",
    status=422,
    zh="这张卡今天已支付 {used_fen} 元，每日最多 {limit_fen} 元，还可支付 {left_fen} 元（撤销和退款的也算）",
    en="The card has paid {used_fen} yuan today, of at most {limit_fen} a day: {left_fen} yuan are left; voided and "
    "refunded payments count",
    remedy_zh="请少付一些，或其余部分用其他方式支付，次日零点恢复",
    remedy_en="Pay less with the card, or the rest in another way; the count starts anew at midnight",
)
