"""Refusals about statements of the bank."""

from kaquan.kernel.refusal import RefusalCode

STATEMENT_NUMBER = RefusalCode(
    "custody_statement_number",
    status=400,
    zh="请写明对账单编号，最多 {length_max} 个字符",
    en="Give the statement's number, at most {length_max} characters",
    remedy_zh="请照抄银行的编号；没有编号的用日期",
    remedy_en="Copy the bank's number; where there is none, the day",
    burns=False,
)
STATEMENT_KNOWN = RefusalCode(
    "custody_statement_known",
    status=409,
    zh="对账单 {number} 已经登记过（{day}，余额 {closing_fen} 元）",
    en="The statement {number} is known already ({day}, {closing_fen} yuan)",
    remedy_zh="无需重复登记",
    remedy_en="There is nothing to do",
)
STATEMENT_ACCOUNT = RefusalCode(
    "custody_statement_account",
    status=422,
    zh="对账单是账户 {account_no} 的，存管专户是 {expected}",
    en="The statement is of the account {account_no}; custody lies in {expected}",
    remedy_zh="请核对文件或活动规则 custody.account_no",
    remedy_en="Check the file, or custody.account_no in the terms",
)
STATEMENT_DAY = RefusalCode(
    "custody_statement_day",
    status=422,
    zh="对账单截至 {day}：那一天还没有结束，或已有更晚的对账单（{last}）",
    en="The statement ends on {day}: that day is not over, or a later statement is known ({last})",
    remedy_zh="请按日期顺序登记",
    remedy_en="Bring statements in the order of their days",
)
STATEMENT_GAP = RefusalCode(
    "custody_statement_gap",
    status=422,
    zh="期初 {opening_fen} 元，与上一份对账单（{last}）的期末 {closing_fen} 元不符：中间缺了一份",
    en="It opens with {opening_fen} yuan, the one before ({last}) closed with {closing_fen}: one is missing between",
    remedy_zh="请先登记缺的那一份",
    remedy_en="Bring the missing one first",
    retryable=True,
)
STATEMENT_SUM = RefusalCode(
    "custody_statement_sum",
    status=422,
    zh="期初 {opening_fen} 元加各笔 {entries_fen} 元，不等于期末 {closing_fen} 元",
    en="{opening_fen} yuan and entries of {entries_fen} do not add up to {closing_fen}",
    remedy_zh="文件不完整：请向银行重新下载",
    remedy_en="The file is not whole: ask the bank for it again",
)
STATEMENT_UNKNOWN = RefusalCode(
    "custody_statement_unknown",
    status=404,
    zh="没有编号为 {number} 的待复核对账单",
    en="No statement {number} waits to be looked at",
    remedy_zh="请核对编号",
    remedy_en="Check the number",
    burns=False,
)
STATEMENT_FILE = RefusalCode(
    "custody_statement_file",
    status=400,
    zh="不是可用的 camt.053 对账单：{detail}",
    en="Not a camt.053 statement that can be used: {detail}",
    remedy_zh="请从银行下载 camt.053 文件（人民币账户）",
    remedy_en="Ask the bank for a camt.053 file of an account in CNY",
    burns=False,
)
DISCREPANCY_UNKNOWN = RefusalCode(
    "custody_discrepancy_unknown",
    status=404,
    zh="没有这笔未了结的差错",
    en="There is no such open discrepancy",
    remedy_zh="请用 kaquan custody discrepancies 查看",
    remedy_en="See kaquan custody discrepancies",
    burns=False,
)
DISCREPANCY_REASON = RefusalCode(
    "custody_discrepancy_reason",
    status=400,
    zh="请写明原因，最多 {length_max} 个字符",
    en="Give a reason of at most {length_max} characters",
    remedy_zh="请补充原因",
    remedy_en="Add a reason",
    burns=False,
)
