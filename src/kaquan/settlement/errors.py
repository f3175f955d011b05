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
    zh="没有这个活动，或该商户不在活动的受理范围内",
    en="There is no such program, or the merchant is not in the group that accepts it",
    remedy_zh="请核对活动与商户编号",
    remedy_en="Check the program's and the merchant's id",
    burns=False,
)
PERIOD_INVALID = RefusalCode(
    "period_invalid",
    status=400,
    zh="结算期必须是一个自然月，以当月最后一天表示：{period_end} 不是月末",
    en="A settlement period is a calendar month, named by its last day: {period_end} is none",
    remedy_zh="请改用当月最后一天",
    remedy_en="Give the last day of the month",
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
