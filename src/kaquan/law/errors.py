"""What the law refuses. `article` names the field of the pack; the facts carry its words in both languages."""

from kaquan.kernel.refusal import RefusalCode

REGISTERED_BALANCE_ABOVE_MAX = RefusalCode(
    code="law_registered_balance_above_max",
    status=422,
    zh="记名卡余额将达到 {balance_fen} 元，超过法定限额 {max_fen} 元（{article_zh}）",
    en="The registered card would hold {balance_fen} yuan, more than the legal limit of {max_fen} ({article_en})",
    remedy_zh="请减少金额，或使用部分余额后再试",
    remedy_en="Choose a smaller amount, or spend from the card first",
    retryable=True,
    article="registered_balance_max_fen",
)
BEARER_BALANCE_ABOVE_MAX = RefusalCode(
    code="law_bearer_balance_above_max",
    status=422,
    zh="不记名卡余额将达到 {balance_fen} 元，超过法定限额 {max_fen} 元（{article_zh}）",
    en="The bearer card would hold {balance_fen} yuan, more than the legal limit of {max_fen} ({article_en})",
    remedy_zh="请减少金额，或改办限额更高的记名卡",
    remedy_en="Choose a smaller amount, or a registered card, whose limit is higher",
    retryable=True,
    article="bearer_balance_max_fen",
)
REGISTERED_IDENTITY_MISSING = RefusalCode(
    code="law_registered_identity_missing",
    status=422,
    zh="购买或充值记名卡须登记身份，持卡人尚未登记（{article_zh}）",
    en="A registered card is sold or topped up only to an identified person, and this holder is not ({article_en})",
    remedy_zh="请先登记持卡人的姓名与证件号码",
    remedy_en="Record the holder's name and identity number first",
    retryable=True,
    article="registered_identity_from_fen",
)
BEARER_IDENTITY_MISSING = RefusalCode(
    code="law_bearer_identity_missing",
    status=422,
    zh="一次购买不记名卡 {amount_fen} 元，达到 {from_fen} 元须登记身份（{article_zh}）",
    en="Bearer cards for {amount_fen} yuan at once: from {from_fen} yuan the buyer is identified ({article_en})",
    remedy_zh="请先登记购卡人的姓名与证件号码",
    remedy_en="Record the buyer's name and identity number first",
    retryable=True,
    article="bearer_identity_from_fen",
)
