"""Refusals about settlements and reserves.

The id of a settlement follows from program, merchant and period, so hardly any of these burns it: the same period
is asked for again, under the same id, once the reason has gone.
"""

from kaquan.kernel.refusal import RefusalCode

TERMS_CHANGED = RefusalCode(
    "settlement_terms_changed",
    status=409,
    zh="活动规则已变更，预览所用的是第 {previewed} 号规则，现行的是第 {current} 号",
    en="The program's terms have changed: the preview used terms {previewed}, in force are terms {current}",
    remedy_zh="请重新预览后再结算",
    remedy_en="Preview again, then settle",
    retryable=True,
    burns=False,
)
MERCHANT_NOT_IN_PROGRAM = RefusalCode(
    "settlement_merchant_unknown",
    status=404,
    zh="没有这个活动，或该商户不受理本活动，也没有待结算的交易",
    en="There is no such program, or the merchant neither accepts it nor has anything to come",
    remedy_zh="请核对活动与商户编号",
    remedy_en="Check the program's and the merchant's id",
    burns=False,
)
PERIOD_INVALID = RefusalCode(
    "period_invalid",
    status=400,
    zh="{period_end} 不是本活动结算期的最后一天",
    en="{period_end} is not the last day of a settlement period of the program",
    remedy_zh="按月结算写月末，按周结算写周日，逐日结算写当日",
    remedy_en="Give the last day of the month, the Sunday of the week, or the day, as the cycle asks",
    burns=False,
)
PERIOD_NOT_OVER = RefusalCode(
    "period_not_over",
    status=409,
    zh="结算期尚未结束，{cut_at} 日切之后才能结算",
    en="The period is not over: it can be settled after the cut-off at {cut_at}",
    remedy_zh="请在日切之后再结算",
    remedy_en="Settle after the cut-off",
    retryable=True,
    burns=False,
)
PERIOD_SETTLED = RefusalCode(
    "period_settled",
    status=409,
    zh="该商户已结算至 {settled_to}，这一期不会再付一次",
    en="The merchant is settled up to {settled_to}; the period is not paid twice",
    remedy_zh="无需处理；之后到账的交易计入下一期",
    remedy_en="There is nothing to do; entries that came later are counted in the next period",
)
PERIOD_CLOSED = RefusalCode(
    "period_closed",
    status=409,
    zh="本活动已关账至 {closed_to}",
    en="The program's periods are closed up to {closed_to}",
    remedy_zh="无需处理",
    remedy_en="There is nothing to do",
    burns=False,
)
PERIOD_OPEN = RefusalCode(
    "period_open",
    status=409,
    zh="还有 {merchants} 家商户在本期有款未结算，不能关账",
    en="{merchants} merchants have something left in the period, so it cannot be closed",
    remedy_zh="请先结算这些商户",
    remedy_en="Settle them first",
    retryable=True,
    burns=False,
)
CUT_STALE = RefusalCode(
    "cut_stale",
    status=409,
    zh="预览早于该商户最近一次结算，已经过期",
    en="The preview is older than the merchant's latest settlement",
    remedy_zh="请重新预览后再结算",
    remedy_en="Preview again, then settle",
    retryable=True,
    burns=False,
)
CALENDAR_HORIZON = RefusalCode(
    "calendar_horizon",
    status=409,
    zh="工作日历只到 {horizon}，无法确定 {day} 之后的付款日",
    en="The business calendar ends on {horizon}; the pay day from {day} on is not known",
    remedy_zh="国务院公布放假安排后，在日历补充文件中加上这一年，再结算",
    remedy_en="Add the year to the calendar's overlay file when it is announced, then settle",
    retryable=True,
    burns=False,
)
DEBT_NONE = RefusalCode(
    "debt_none",
    status=409,
    zh="{merchant} 在本活动没有欠款，或已核销",
    en="{merchant} owes nothing in the program, or it was written off already",
    remedy_zh="请用 settle owing 查看欠款",
    remedy_en="See kaquan settle owing for who owes",
    burns=False,
)
DEBT_TWO_PERSONS = RefusalCode(
    "debt_two_persons",
    status=403,
    zh="核销欠款须由两人办理，并写明理由（1 到 {length_max} 个可见字符）",
    en="A debt is written off by two persons, with a reason of 1 to {length_max} printable characters",
    remedy_zh="请写明办理人、另一位批准人和理由",
    remedy_en="Name who acts, another person who approves, and why",
    burns=False,
)
PARTNER_NOTHING = RefusalCode(
    "partner_nothing",
    status=409,
    zh="{partner} 在本活动没有可付的分账款，余额 {balance_fen} 元",
    en="{partner} has no shares to be paid in the program; its balance is {balance_fen} yuan",
    remedy_zh="负余额由以后的分账抵扣",
    remedy_en="A negative balance is offset by the shares that follow",
    retryable=True,
    burns=False,
)
RESERVE_UNKNOWN = RefusalCode(
    "reserve_unknown",
    status=404,
    zh="这次结算没有冻结保证金",
    en="Nothing was held back from this settlement",
    remedy_zh="请核对结算编号",
    remedy_en="Check the settlement's id",
    burns=False,
)
RESERVE_NOT_DUE = RefusalCode(
    "reserve_not_due",
    status=409,
    zh="保证金 {release_on} 才能释放",
    en="The reserve is released on {release_on}, not before",
    remedy_zh="请到期后再释放",
    remedy_en="Release it when it is due",
    retryable=True,
    burns=False,
)
RESERVE_RELEASED = RefusalCode(
    "reserve_released",
    status=409,
    zh="这笔保证金已经释放",
    en="This reserve has been released already",
    remedy_zh="无需处理",
    remedy_en="There is nothing to do",
)
