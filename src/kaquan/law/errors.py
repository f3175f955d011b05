"""What the law refuses: of a sale or top-up (`law_…`), and of a program's terms (`program_…`).

`article` names the rule of the pack; the facts carry the article's words in both languages.
"""

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
CREDIT_CARD_REFUSED = RefusalCode(
    code="law_credit_card_refused",
    status=422,
    zh="不得使用信用卡购买预付卡或者充值（{article_zh}）",
    en="A card is not bought or topped up with a credit card ({article_en})",
    remedy_zh="请改用其他付款方式",
    remedy_en="Pay in another way",
    retryable=True,
    article="credit_card_allowed",
)
PERSON_CASH_ABOVE_MAX = RefusalCode(
    code="law_person_cash_above_max",
    status=422,
    zh="个人一次付款 {amount_fen} 元，达到 {from_fen} 元不得使用现金（{article_zh}）",
    en="{amount_fen} yuan at once: from {from_fen} yuan a person does not pay in cash ({article_en})",
    remedy_zh="请改用银行转账",
    remedy_en="Pay by bank transfer",
    retryable=True,
    article="person_non_cash_from_fen",
)
ORGANISATION_CASH_ABOVE_MAX = RefusalCode(
    code="law_organisation_cash_above_max",
    status=422,
    zh="单位一次付款 {amount_fen} 元，达到 {from_fen} 元不得使用现金（{article_zh}）",
    en="{amount_fen} yuan at once: from {from_fen} yuan an organisation does not pay in cash ({article_en})",
    remedy_zh="请从单位账户转账",
    remedy_en="Transfer it from the organisation's account",
    retryable=True,
    article="organisation_non_cash_from_fen",
)
BUDGET_OVERRUN = RefusalCode(
    code="law_budget_overrun",
    status=422,
    zh="将使用 {amount_fen} 元，超过预算剩余的 {left_fen} 元（{article_zh}）",
    en="{amount_fen} yuan would be spent, more than the {left_fen} yuan left of the budget ({article_en})",
    remedy_zh="请先追加预算，或减少金额",
    remedy_en="Add to the budget first, or spend less",
    retryable=True,
    article="budget_overrun_allowed",
)
PRINCIPAL_EXPIRES = RefusalCode(
    code="program_principal_expires",
    status=422,
    zh="记名卡的本金不得设有效期，文件写的是 {valid_days} 天（{article_zh}）",
    en="The principal of a registered card never expires; the file says {valid_days} days ({article_en})",
    remedy_zh="请删去 card.principal_valid_days 或写 0",
    remedy_en="Remove card.principal_valid_days or set it to 0",
    article="registered_valid_days",
)
PRINCIPAL_EXPIRES_EARLY = RefusalCode(
    code="program_principal_expires_early",
    status=422,
    zh="不记名卡的有效期不得少于 {law_days} 天，文件写的是 {valid_days} 天（{article_zh}）",
    en="A bearer card must stay valid for at least {law_days} days; the file says {valid_days} ({article_en})",
    remedy_zh="请改为 0（永久有效）或不少于法定天数",
    remedy_en="Set it to 0 (for ever) or to at least the law's days",
    article="bearer_valid_days_min",
)
REGISTERED_BALANCE_ABOVE_LAW = RefusalCode(
    code="program_registered_balance_above_law",
    status=422,
    zh="记名卡余额上限 {balance_max_fen} 元超过法定限额 {law_max_fen} 元（{article_zh}）",
    en="A registered card may hold {law_max_fen} yuan by law; the file says {balance_max_fen} ({article_en})",
    remedy_zh="请降到法定限额以内",
    remedy_en="Lower the limit to the law's",
    article="registered_balance_max_fen",
)
BEARER_BALANCE_ABOVE_LAW = RefusalCode(
    code="program_bearer_balance_above_law",
    status=422,
    zh="不记名卡余额上限 {balance_max_fen} 元超过法定限额 {law_max_fen} 元（{article_zh}）",
    en="A bearer card may hold {law_max_fen} yuan by law; the file says {balance_max_fen} ({article_en})",
    remedy_zh="请降到法定限额以内",
    remedy_en="Lower the limit to the law's",
    article="bearer_balance_max_fen",
)
BONUS_VALID_TOO_LONG = RefusalCode(
    code="program_bonus_valid_above_law",
    status=422,
    zh="返利赠金（或过期后退回的赠金）有效期 {valid_days} 天，超过规定的 {law_days} 天（{article_zh}）",
    en="The rebate, or bonus that came back after it expired, would stay valid for {valid_days} days, more than the "
    "{law_days} allowed ({article_en})",
    remedy_zh="请缩短有效期",
    remedy_en="Shorten the validity",
    article="bonus_valid_days_max",
)
VOUCHER_VALID_TOO_LONG = RefusalCode(
    code="program_voucher_valid_above_law",
    status=422,
    zh="{term}：券有效期 {valid_days} 天，超过规定的 {law_days} 天（{article_zh}）",
    en="{term}: a voucher would stay valid for {valid_days} days, more than the {law_days} allowed ({article_en})",
    remedy_zh="请缩短有效期",
    remedy_en="Shorten the validity",
    article="voucher_valid_days_max",
)
COOLING_OFF_TOO_SHORT = RefusalCode(
    code="program_cooling_off_below_law",
    status=422,
    zh="冷静期 {cooling_off_days} 天，少于法定的 {law_days} 天（{article_zh}）",
    en="The cooling-off time of {cooling_off_days} days is shorter than the law's {law_days} ({article_en})",
    remedy_zh="请不少于法定天数",
    remedy_en="Give at least the law's days",
    article="cooling_off_days_min",
)
NETWORK_OPEN = RefusalCode(
    code="program_network_open",
    status=422,
    zh="{legal_class} 卡只能在发卡企业、本集团或同一品牌内使用，文件写的形态是 {archetype}（{article_zh}）",
    en="A card of the class {legal_class} is spent only at the issuer, its group or one brand; the file says "
    "{archetype} ({article_en})",
    remedy_zh="请改为 closed_loop，或由持牌机构以 multi_purpose_licensed 发行，或改发不含预付价值的券",
    remedy_en="Make it closed_loop, let a licensed institution issue it as multi_purpose_licensed, or issue vouchers "
    "that hold no prepaid value",
    article="open_network_allowed",
)
LICENCE_MISSING = RefusalCode(
    code="program_licence_missing",
    status=422,
    zh="{legal_class} 类活动须由持有支付业务许可证的机构开办，文件没有写许可证编号（{article_zh}）",
    en="A program of the class {legal_class} is run by a licensed institution, and the file names no licence "
    "({article_en})",
    remedy_zh="请在 program.licence 写上许可证编号；没有许可证就不能跨商户储值",
    remedy_en="Write the licence's number in program.licence; without one no value is stored for unrelated merchants",
    article="licence_required",
)
DISCOUNT_REFUSED = RefusalCode(
    code="program_discount_refused",
    status=422,
    zh="{term}：面额 {face_fen} 元只收 {paid_fen} 元，不是等值转换（{article_zh}）",
    en="{term}: {face_fen} yuan of value for {paid_fen} yuan is no conversion of 1 to 1 ({article_en})",
    remedy_zh="请按面额收款、以消费券让利，或在 opinions 中登记书面法律意见",
    remedy_en="Sell at face value and give vouchers instead, or record a legal opinion under opinions",
    article="discount_allowed",
)
BONUS_REFUSED = RefusalCode(
    code="program_bonus_refused",
    status=422,
    zh="{term}：返利以赠金存入多用途预付卡，属于给余额付收益（{article_zh}）",
    en="{term}: a rebate paid into a multi-purpose card is a yield on what it holds ({article_en})",
    remedy_zh="请清空 rebate.bands、以消费券或转账返利，或在 opinions 中登记书面法律意见",
    remedy_en="Empty rebate.bands and give vouchers or a bank transfer, or record a legal opinion under opinions",
    article="bonus_allowed",
)
PRINCIPAL_REFUSED = RefusalCode(
    code="program_principal_refused",
    status=422,
    zh="{legal_class} 类活动不收预付款，文件却有 {count} 档售卡或充值金额（{article_zh}）",
    en="A program of the class {legal_class} takes nothing in advance; the file has {count} amounts for sale and "
    "top-up ({article_en})",
    remedy_zh="请写 presale.offers = []，或改为预付卡类活动",
    remedy_en="Write presale.offers = [], or make it a program of prepaid cards",
    article="principal_allowed",
)
