"""Refusals about rewards and expiry."""

from kaquan.kernel.refusal import RefusalCode

REWARD_NOT_WAITING = RefusalCode(
    "reward_not_waiting",
    status=409,
    zh="这笔返利不在待发状态",
    en="This rebate is not waiting to be granted",
    remedy_zh="无需处理",
    remedy_en="There is nothing to do",
)
REWARD_NOT_DUE = RefusalCode(
    "reward_not_due",
    status=422,
    zh="退款期结束后才发放返利：{due} 起",
    en="The rebate is granted when the refund window has ended: from {due}",
    remedy_zh="到期后自动发放",
    remedy_en="It is granted by itself when due",
    retryable=True,
)
REWARD_PROGRAM_PAUSED = RefusalCode(
    "reward_program_paused",
    status=422,
    zh="“{program}”{state_zh}，返利暂不发放",
    en="{program} is {state}: no rebate is granted for now",
    remedy_zh="活动恢复后自动发放",
    remedy_en="It is granted by itself once the program is resumed",
    retryable=True,
)
LOT_NOT_EXPIRED = RefusalCode(
    "lot_not_expired",
    status=422,
    zh="这笔资金尚未到期，或已无可收回的余额",
    en="This lot has not expired, or has nothing left to take back",
    remedy_zh="无需处理",
    remedy_en="There is nothing to do",
    retryable=True,
)
