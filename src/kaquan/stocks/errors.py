"""Refusals about opening stocks, and about their life."""

from kaquan.kernel.refusal import RefusalCode

STOCK_NOT_IN_TERMS = RefusalCode(
    "stock_not_in_terms",
    status=422,
    zh="活动“{program}”的规则里没有券批次“{stock}”",
    en="The terms of the program {program} name no stock {stock}",
    remedy_zh="请核对代码，或先修改活动规则",
    remedy_en="Check the code, or amend the program first",
    burns=False,
)
STOCK_EXISTS = RefusalCode(
    "stock_exists",
    status=409,
    zh="券批次“{stock}”已经开放过",
    en="The stock {stock} was opened already",
    remedy_zh="无需再次开放；规则提高后用 kaquan stock raise 追加",
    remedy_en="There is nothing to open; after its terms were raised, kaquan stock raise adds to it",
)
STOCK_FUND_BOOK = RefusalCode(
    "stock_fund_elsewhere",
    status=422,
    zh="资金户“{fund}”不在本活动的账簿中",
    en="The fund {fund} is kept in another book than the program's",
    remedy_zh="请在发行方的账簿中登记资金户",
    remedy_en="Register a fund in the issuer's book",
)
STOCK_NOT_COVERED = RefusalCode(
    "stock_not_covered",
    status=422,
    zh="券批次“{stock}”最多需要资金户“{fund}”{wanted_fen} 元，可用只有 {free_fen} 元",
    en="The stock {stock} may need {wanted_fen} yuan of the fund {fund}, which has {free_fen} free",
    remedy_zh="请先入金，或减少发行量，或在规则中写 shared_budget = true（先领先得）",
    remedy_en="Pay in first, or make the stock smaller, or say shared_budget = true in its terms",
    retryable=True,
)
STOCK_BUDGET_MIXED = RefusalCode(
    "stock_budget_mixed",
    status=422,
    zh="资金户“{fund}”已供券批次“{other}”使用：专款与共用（shared_budget）不能混在一个资金户",
    en="The fund {fund} serves the stock {other}: what is kept whole and what is shared (shared_budget) can't lie in "
    "one fund",
    remedy_zh="请另立资金户，或让两者的 shared_budget 一致",
    remedy_en="Use another fund, or give both the same shared_budget",
)
STOCK_STATE = RefusalCode(
    "stock_state",
    status=409,
    zh="券批次“{stock}”{state_zh}，不能这样办理",
    en="The stock {stock} is {state}; this is not possible",
    remedy_zh="请用 kaquan stock show 查看它的状态",
    remedy_en="See its state with kaquan stock show",
)
STOCK_REASON = RefusalCode(
    "stock_reason",
    status=400,
    zh="请写明原因，最多 {length_max} 个字符",
    en="Give a reason of at most {length_max} characters",
    remedy_zh="请补充原因",
    remedy_en="Add a reason",
    burns=False,
)
STOCK_MOVED = RefusalCode(
    "stock_moved",
    status=409,
    zh="券批次“{stock}”现有总数 {count} 张、总预算 {budget_fen} 元，与您看到的不同",
    en="The stock {stock} has {count} vouchers and {budget_fen} yuan in all by now, which is not what you saw",
    remedy_zh="请再次查看后办理",
    remedy_en="Look at it again, then decide",
    retryable=True,
)
STOCK_NOT_HIGHER = RefusalCode(
    "stock_not_higher",
    status=422,
    zh="现行规则没有提高券批次“{stock}”的总数或预算",
    en="The terms in force give the stock {stock} no more than it has",
    remedy_zh="请先修改活动规则；减少发行量请停止发放",
    remedy_en="Amend the program first; to hand out less, stop the stock",
    retryable=True,
)
