"""Refusals about payouts, the bank's files and what the bank says."""

from kaquan.kernel.refusal import RefusalCode

PAYOUT_UNKNOWN = RefusalCode(
    "payout_unknown",
    status=404,
    zh="没有这笔打款",
    en="There is no such payout",
    remedy_zh="请核对打款编号",
    remedy_en="Check the payout's number",
    burns=False,
)
PAYOUT_STATE = RefusalCode(
    "payout_state",
    status=409,
    zh="这笔打款{state_zh}，不能这样办",
    en="The payout is {state}, so this can't be done",
    remedy_zh="请查看打款的经过：只有失败或退汇的才能重发",
    remedy_en="Look at what happened to it: only what failed or came back is told again",
    retryable=True,
)
PAYOUT_QUESTIONED = RefusalCode(
    "payout_questioned",
    status=409,
    zh="这笔打款有 {questions} 条差错未说明，银行可能已付，暂不发送",
    en="{questions} exceptions about the payout are open: the bank may have paid it, so it is not sent",
    remedy_zh="请先说明差错",
    remedy_en="Explain the exceptions first",
    retryable=True,
)
PAYOUT_ACCOUNT = RefusalCode(
    "payout_account",
    status=409,
    zh="商户“{merchant}”没有可用的收款账户，打款先等着",
    en="The merchant {merchant} has no account that may be paid to; the payout waits",
    remedy_zh="请绑定并核验商户的账户，再做下一份文件",
    remedy_en="Bind and verify the merchant's account, then make the next file",
    retryable=True,
)
PAYOUT_REASON = RefusalCode(
    "payout_reason_missing",
    status=400,
    zh="请写明原因，1 到 {length_max} 个字符",
    en="Say why, in 1 to {length_max} characters",
    remedy_zh="请补上原因",
    remedy_en="Give a reason",
    burns=False,
)
PAYING_BOOK_UNKNOWN = RefusalCode(
    "payout_book_unknown",
    status=404,
    zh="机构“{organisation}”没有在此建账",
    en="The organisation {organisation} keeps no book here",
    remedy_zh="请核对机构代码",
    remedy_en="Check the organisation's code",
    burns=False,
)
SOURCE_INVALID = RefusalCode(
    "payout_source_invalid",
    status=400,
    zh="付款账户不完整：资金来源为 custody、operating 或 fiscal，户名、开户行和账号都要填",
    en="The account is incomplete: its source is custody, operating or fiscal, with name, bank and number",
    remedy_zh="请更正",
    remedy_en="Correct it",
    burns=False,
)
SOURCE_MISSING = RefusalCode(
    "payout_source_missing",
    status=409,
    zh="还没有登记付款账户（{source}），不能生成打款文件",
    en="No bank account is named that pays for {source}, so there can be no file",
    remedy_zh="请先用 kaquan payouts account 登记",
    remedy_en="Name it first with kaquan payouts account",
    burns=False,
)
NOTHING_DUE = RefusalCode(
    "payout_nothing_due",
    status=409,
    zh="截至 {until} 没有要从这个账户打的款",
    en="Nothing is due from this account by {until}",
    remedy_zh="无需处理",
    remedy_en="There is nothing to do",
    burns=False,
)
FILE_UNKNOWN = RefusalCode(
    "payout_file_unknown",
    status=404,
    zh="没有这份打款文件",
    en="There is no such file of payouts",
    remedy_zh="请核对文件编号",
    remedy_en="Check the file's id",
    burns=False,
)
FILE_UNFINISHED = RefusalCode(
    "payout_file_unfinished",
    status=409,
    zh="文件还有 {left} 笔未定，尚不能生成",
    en="{left} payouts of the file are not decided yet",
    remedy_zh="请用同一请求号重新生成，已做的不会重复",
    remedy_en="Make the file again under the same key: what is done is not repeated",
    retryable=True,
    burns=False,
)
FILE_MADE = RefusalCode(
    "payout_file_made",
    status=409,
    zh="这份文件已经生成",
    en="The file is made already",
    remedy_zh="请直接下载，每次都是同样的内容",
    remedy_en="Fetch it: it is the same each time",
    burns=False,
)
RESULT_FILE_INVALID = RefusalCode(
    "payout_result_invalid",
    status=400,
    zh="读不懂这份回盘文件：{why}",
    en="The bank's file can't be read: {why}",
    remedy_zh="请用银行导出的原文件：pain.002，或带表头的 CSV（UTF-8 或 GBK）",
    remedy_en="Use the file as the bank gave it: pain.002, or CSV with headings in UTF-8 or GBK",
    burns=False,
)
EXCEPTION_UNKNOWN = RefusalCode(
    "payout_exception_unknown",
    status=404,
    zh="没有这条差错",
    en="There is no such exception",
    remedy_zh="请核对差错编号",
    remedy_en="Check the exception's id",
    burns=False,
)
EXCEPTION_EXPLAINED = RefusalCode(
    "payout_exception_explained",
    status=409,
    zh="这条差错已经说明",
    en="The exception is explained already",
    remedy_zh="无需处理",
    remedy_en="There is nothing to do",
)
EXCEPTION_NOT_PAID = RefusalCode(
    "payout_exception_not_paid",
    status=409,
    zh="这条差错不能认作已付：{why_zh}",
    en="The exception can't be taken as paid: {why}",
    remedy_zh="请核对银行流水；另有原因的，选“不予认可”并写明",
    remedy_en="Check the bank's statement; if something else explains it, dismiss it and say so",
    retryable=True,
)
EXCEPTION_ONE_PERSON = RefusalCode(
    "payout_exception_one_person",
    status=403,
    zh="差错要两个人说明，{person}不能自己同意自己",
    en="An exception is explained by two persons: {person} can't agree with himself",
    remedy_zh="请另一位同事同意",
    remedy_en="Let a colleague agree",
    burns=False,
)
