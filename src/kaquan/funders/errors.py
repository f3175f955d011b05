"""Refusals about funds and their money."""

from kaquan.kernel.refusal import RefusalCode

FUND_UNKNOWN = RefusalCode(
    "fund_unknown",
    status=404,
    zh="没有资金户“{fund}”",
    en="There is no fund {fund}",
    remedy_zh="请核对代码，或先用 kaquan funder register 登记",
    remedy_en="Check the code, or register the fund first with kaquan funder register",
    burns=False,
)
FUND_BOOK = RefusalCode(
    "fund_book_unknown",
    status=422,
    zh="机构“{book}”没有在此建账，资金户无处记账",
    en="The organisation {book} keeps no book here, so a fund can't be kept in it",
    remedy_zh="请填写建账机构的代码",
    remedy_en="Name an organisation that keeps a book",
    burns=False,
)
FUND_SOURCE = RefusalCode(
    "fund_source",
    status=422,
    zh="资金户的钱只能在自有账户或财政专户，持卡人的存管资金不能用于优惠",
    en="A fund's money lies in the operating or the fiscal account; holders' money in custody pays no discounts",
    remedy_zh="来源请填 operating 或 fiscal",
    remedy_en="Give operating or fiscal as its source",
)
FUND_AMOUNT = RefusalCode(
    "fund_amount",
    status=400,
    zh="金额须大于零，且不超过 {most_fen} 元",
    en="The amount must be above zero and at most {most_fen} yuan",
    remedy_zh="请更正金额",
    remedy_en="Correct the amount",
    burns=False,
)
FUND_REFERENCE = RefusalCode(
    "fund_reference",
    status=400,
    zh="请填写银行流水号或文件号，最多 {length_max} 个字符",
    en="Give the bank's reference or the document's number, at most {length_max} characters",
    remedy_zh="请补充凭证号",
    remedy_en="Add the reference",
    burns=False,
)
FUND_FREE = RefusalCode(
    "fund_not_free",
    status=422,
    zh="资金户“{fund}”可退回 {free_fen} 元：另有 {kept_fen} 元留给已开放的券批次",
    en="The fund {fund} can give back {free_fen} yuan; {kept_fen} yuan are kept for stocks that are open",
    remedy_zh="请减少金额，或先停止用不完的券批次",
    remedy_en="Give back less, or stop stocks that will not be used up",
    retryable=True,
)
NOTHING_TO_SWEEP = RefusalCode(
    "nothing_to_sweep",
    status=409,
    zh="资金户“{fund}”没有待归集的退回资金",
    en="Nothing has come back to the fund {fund} since it was last swept",
    remedy_zh="无需处理",
    remedy_en="There is nothing to do",
    burns=False,
)
