"""Refusals about cards."""

from kaquan.kernel.refusal import RefusalCode

CARD_UNKNOWN = RefusalCode(
    "card_unknown",
    status=404,
    zh="没有这张卡",
    en="There is no such card",
    remedy_zh="请核对卡号",
    remedy_en="Check the card's number or id",
    burns=False,
)
CARD_FROZEN = RefusalCode(
    "card_frozen",
    status=422,
    zh="这张卡已冻结，不能付款",
    en="This card is frozen and can't pay",
    remedy_zh="请联系发卡方解冻后再试",
    remedy_en="Ask the issuer to unfreeze it, then try again",
    retryable=True,
)
CARD_LOST = RefusalCode(
    "card_lost",
    status=422,
    zh="这张卡已挂失，不能使用",
    en="This card was reported lost and can't be used",
    remedy_zh="请用补发的新卡；如已找到，请先补卡",
    remedy_en="Use the replacement; have the card replaced if there is none yet",
    retryable=True,
)
CARD_CLOSED = RefusalCode(
    "card_closed",
    status=422,
    zh="这张卡已退卡或转出，不能再使用",
    en="This card was returned or passed on and can't be used any more",
    remedy_zh="请使用其他卡；退卡款项由发行方付给持卡人",
    remedy_en="Use another card; what a returned card held is paid to its holder by the issuer",
)
CARD_CLOSING = RefusalCode(
    "card_closing",
    status=422,
    zh="这张卡正在办理退卡，暂停使用",
    en="This card is being returned and can't be used",
    remedy_zh="请使用其他卡，或先撤销退卡申请",
    remedy_en="Use another card, or cancel the request to return it",
    retryable=True,
)
CARD_NUMBER_REPLACED = RefusalCode(
    "card_number_replaced",
    status=422,
    zh="这个卡号已停用，卡已补发新号",
    en="This number is no longer valid: the card was replaced and has a new one",
    remedy_zh="请用补发的新卡付款；捡到的旧卡请交还发卡方",
    remedy_en="Pay with the new card; return an old one that was found to the issuer",
)
CARD_NOT_FROZEN = RefusalCode(
    "card_not_frozen",
    status=409,
    zh="这张卡没有冻结，无需解冻",
    en="This card is not frozen",
    remedy_zh="无需处理",
    remedy_en="There is nothing to do",
)
CARD_ALREADY_FROZEN = RefusalCode(
    "card_already_frozen",
    status=409,
    zh="这张卡已经冻结",
    en="This card is frozen already",
    remedy_zh="无需处理",
    remedy_en="There is nothing to do",
)
CARD_NOT_LOST = RefusalCode(
    "card_not_lost",
    status=409,
    zh="这张卡没有挂失，不能补卡",
    en="This card was not reported lost, so it can't be replaced",
    remedy_zh="请先挂失",
    remedy_en="Report it lost first",
)
CARD_BEARER = RefusalCode(
    "card_bearer",
    status=422,
    zh="不记名卡不能挂失",
    en="A bearer card can't be reported lost",
    remedy_zh="不记名卡请像现金一样保管；可以冻结后由发卡方核实",
    remedy_en="A bearer card is like cash; it can be frozen while the issuer looks into it",
)
BALANCE_INSUFFICIENT = RefusalCode(
    "balance_insufficient",
    status=422,
    zh="余额不足：可用 {available_fen} 元，还差 {missing_fen} 元",
    en="Not enough on the card: {available_fen} yuan available, {missing_fen} yuan missing",
    remedy_zh="请充值、换一张卡，或减少金额",
    remedy_en="Top up, use another card, or pay less",
    retryable=True,
)
VALUE_NOT_ACTIVE = RefusalCode(
    "value_not_active",
    status=422,
    zh="卡内金额尚未激活，{active_from} 起可用",
    en="The card's value is not active yet; it can be spent from {active_from}",
    remedy_zh="请在激活后再付款",
    remedy_en="Pay after it has become active",
    retryable=True,
)
CARD_BALANCE_ABOVE_MAX = RefusalCode(
    "card_balance_above_max",
    status=422,
    zh="卡内余额将达到 {balance_fen} 元，超过本活动上限 {max_fen} 元",
    en="The card would hold {balance_fen} yuan, more than the program's {max_fen}",
    remedy_zh="请减少金额，或先使用部分余额",
    remedy_en="Choose a smaller amount, or spend from the card first",
    retryable=True,
)
