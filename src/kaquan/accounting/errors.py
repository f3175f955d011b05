"""Refusals of accounting. None of them burns the id: the same wish is right once its reason has gone."""

from kaquan.kernel.refusal import RefusalCode

DAY_OPEN = RefusalCode(
    "accounting_day_open",
    status=409,
    zh="{day} 还没有关账，这一天的账还可能变",
    en="The books of {day} are not closed: what is in that day may still change",
    remedy_zh="先用 kaquan accounting close 关账到 {through}，再导出",
    remedy_en="Close the books through {through} with kaquan accounting close, then export",
    retryable=True,
    burns=False,
)
DAY_NOT_OVER = RefusalCode(
    "accounting_day_not_over",
    status=409,
    zh="{day} 还没有结束，不能关账",
    en="{day} is not over, so its books cannot be closed",
    remedy_zh="最晚只能关到昨天；北京时间零点之后再关 {day}",
    remedy_en="Close through yesterday at the latest; close {day} after midnight in Shanghai",
    retryable=True,
    burns=False,
)
DAY_CLOSED = RefusalCode(
    "accounting_day_closed",
    status=409,
    zh="账已经关到 {closed_to}，关过的账不会再变",
    en="The books are closed through {closed_to} already, and never change again",
    remedy_zh="直接导出即可；要更正，请做一笔新的交易",
    remedy_en="Export them as they are; to correct something, make a new transfer",
    burns=False,
)
DAY_BUSY = RefusalCode(
    "accounting_day_busy",
    status=409,
    zh="要关账的日子里还有 {postings} 条分录，其先后尚未确定：有较早开始的数据库操作没有结束",
    en="{postings} postings of the days to be closed are not final: an operation that began before them still runs",
    remedy_zh="稍等片刻再关账",
    remedy_en="Wait a moment and close again",
    retryable=True,
    burns=False,
)
PERIOD_WRONG = RefusalCode(
    "accounting_period_wrong",
    status=400,
    zh="期间从 {since} 到 {until}，须从早到晚且不超过 {days_max} 天",
    en="The period from {since} to {until} must run forward and have at most {days_max} days",
    remedy_zh="改正起止日期，或分年导出",
    remedy_en="Correct the days, or export year by year",
    burns=False,
)
BOOK_UNKNOWN = RefusalCode(
    "accounting_book_unknown",
    status=404,
    zh="没有账簿 {book}",
    en="There is no book {book}",
    remedy_zh="账簿以机构代码命名；用 kaquan ledger balances 查看有哪些",
    remedy_en="A book has its organisation's code; kaquan ledger balances shows which there are",
    burns=False,
)
ACCOUNT_UNMAPPED = RefusalCode(
    "accounting_account_unmapped",
    status=409,
    zh="账簿 {book}（{kind}）的科目 {account} 没有对应的会计科目，没有导出任何内容",
    en="Account {account} of book {book} ({kind}) has no accounting title, so nothing was exported",
    remedy_zh='在对照文件里加一条 [[title]]，account = "{account}"',
    remedy_en='Add a [[title]] with account = "{account}" to the mapping file',
    burns=False,
)
KIND_UNCLEAR = RefusalCode(
    "accounting_kind_unclear",
    status=409,
    zh="账簿 {book} 下的活动属于不同类别（{kinds}），无法判断按哪一类主体记账",
    en="The programs of book {book} are of several kinds ({kinds}), so it is not clear by which titles it is kept",
    remedy_zh='在对照文件里写明：[[book]] code = "{book}"，kind 取其一',
    remedy_en='Say it in the mapping file: [[book]] code = "{book}", with one of these as its kind',
    burns=False,
)
MAPPING_WRONG = RefusalCode(
    "accounting_mapping_wrong",
    status=400,
    zh="科目对照文件有误：{problem}",
    en="The mapping file is wrong: {problem}",
    remedy_zh="按 docs/guides/accounting.zh.md 的格式改正",
    remedy_en="Correct it as docs/guides/accounting.md describes",
    burns=False,
)
MEMO_MIXED = RefusalCode(
    "accounting_memo_mixed",
    status=409,
    zh="对照文件把一借一贷拆到了表内和表外，表外相差 {difference_fen} 元",
    en="The mapping puts one side of an entry on the balance sheet, the other beside it: {difference_fen} yuan",
    remedy_zh="承诺额度（pledged）的预算、已承诺、备查科目须同在表外",
    remedy_en="A pledged fund's budget, commitment and pledge must all be memo titles",
    burns=False,
)
