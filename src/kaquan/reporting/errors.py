"""Refusals about statements."""

from kaquan.kernel.refusal import RefusalCode

PARTY_UNKNOWN = RefusalCode(
    "statement_party_unknown",
    status=404,
    zh="没有这个商户、资金户或钱包",
    en="There is no such merchant, fund or wallet",
    remedy_zh="请核对代码或编号",
    remedy_en="Check the code or id",
    burns=False,
)
NOT_OVER = RefusalCode(
    "statement_not_over",
    status=409,
    zh="{until} 还没有过完，对账单只能出到已结束的一天",
    en="{until} is not over: a statement ends with a day that is",
    remedy_zh="请等这一天结束（北京时间零点）后再出，或选更早的一天",
    remedy_en="Wait until the day has ended in Shanghai, or choose an earlier day",
    retryable=True,
    burns=False,
)
MADE = RefusalCode(
    "statement_made",
    status=409,
    zh="已有对账单出到 {made_to}（第 {number} 号），不能再出到 {until}",
    en="Statement {number} already goes to {made_to}; none can be made up to {until}",
    remedy_zh="请查看已有的对账单；要更正的事项会列入下一期",
    remedy_en="Look at the statement that was made; what has to be corrected stands in the next one",
    burns=False,
)
TOO_LONG = RefusalCode(
    "statement_too_long",
    status=422,
    zh="这一期有 {lines} 行，超过一份对账单的上限 {lines_max} 行",
    en="The period has {lines} lines, more than the {lines_max} of one statement",
    remedy_zh="请把期间分短，如按月或按周出",
    remedy_en="Make it for a shorter period, such as a month or a week",
    burns=False,
)
UNTIED = RefusalCode(
    "statement_untied",
    status=500,
    zh="对账单与账本相差 {difference_fen} 元（{account}），没有出具",
    en="The statement and the books differ by {difference_fen} yuan ({account}): it was not made",
    remedy_zh="请运行 kaquan ledger proofs 查明差异；账目相符之前不出对账单",
    remedy_en="Run kaquan ledger proofs and find out why; no statement is made until the books agree",
    retryable=True,
    burns=False,
)
UNKNOWN = RefusalCode(
    "statement_unknown",
    status=404,
    zh="没有这份对账单",
    en="There is no such statement",
    remedy_zh="用 kaquan statements list 查看已出的对账单",
    remedy_en="kaquan statements list shows the statements that were made",
    burns=False,
)
