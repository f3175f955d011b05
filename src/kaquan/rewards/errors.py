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
GRANTS_PAUSED = RefusalCode(
    "grants_paused",
    status=422,
    zh="“{program}”暂停中，应发放的待恢复后补发",
    en="{program} is paused: what is due is granted when it goes on",
    remedy_zh="恢复活动或券批次后自动发放",
    remedy_en="It is granted by itself after the program or the stock is resumed",
    retryable=True,
)
PLAN_UNKNOWN = RefusalCode(
    "plan_unknown",
    status=404,
    zh="没有这个返还计划",
    en="There is no such monthly plan",
    remedy_zh="请用 plan list 查看卡的返还计划",
    remedy_en="See the card's plans with plan list",
    burns=False,
)
PLAN_STATE = RefusalCode(
    "plan_state",
    status=409,
    zh="这个返还计划{state_zh}，不能取消",
    en="The plan is {state} and can't be cancelled",
    remedy_zh="无需处理",
    remedy_en="There is nothing to do",
)
PLAN_MONTH = RefusalCode(
    "plan_month_granted",
    status=409,
    zh="第 {month} 个月不能发放：已发 {given} 个月，按顺序每月一次",
    en="Month {month} can't be granted: {given} are granted, each once and in order",
    remedy_zh="无需处理",
    remedy_en="There is nothing to do",
)
PLAN_NOT_DUE = RefusalCode(
    "plan_not_due",
    status=422,
    zh="下一个月从 {due} 起发放",
    en="The next month is granted from {due} on",
    remedy_zh="到期后自动发放",
    remedy_en="It is granted by itself when due",
    retryable=True,
)
INVITE_UNKNOWN = RefusalCode(
    "invite_unknown",
    status=404,
    zh="邀请码不存在",
    en="There is no such invite code",
    remedy_zh="请核对邀请码：十位，不含 0、1、I、L、O",
    remedy_en="Check the code: ten letters and digits, none of them 0, 1, I, L or O",
    burns=False,
)
INVITE_OWN = RefusalCode(
    "invite_own",
    status=422,
    zh="不能接受自己的邀请",
    en="Nobody invites herself",
    remedy_zh="请使用他人的邀请码",
    remedy_en="Use somebody else's code",
)
INVITE_USED = RefusalCode(
    "invite_used",
    status=409,
    zh="这个持卡人已接受过邀请；同一人、同一设备、同一支付账户只能被邀请一次",
    en="This holder was invited already: a person, a device and a payment account are invited once",
    remedy_zh="可直接购卡或充值",
    remedy_en="She may buy a card or top one up all the same",
)
INVITE_NOT_NEW = RefusalCode(
    "invite_not_new",
    status=422,
    zh="邀请只面向“{program}”的新持卡人",
    en="Only holders who are new to {program} can be invited",
    remedy_zh="请在首次购卡前接受邀请",
    remedy_en="Accept the invitation before the first purchase",
)
REFERRAL_NONE = RefusalCode(
    "referral_none",
    status=422,
    zh="“{program}”没有进行中的邀请活动",
    en="{program} runs no referral now",
    remedy_zh="请选择有邀请活动的活动",
    remedy_en="Choose a program that has one",
    retryable=True,
)
REFERRAL_UNKNOWN = RefusalCode(
    "referral_unknown",
    status=404,
    zh="没有这条邀请记录",
    en="There is no such referral",
    remedy_zh="请用 referral list 查看",
    remedy_en="See referral list",
    burns=False,
)
REFERRAL_STATE = RefusalCode(
    "referral_state",
    status=409,
    zh="这条邀请{state_zh}，不能这样办理",
    en="The referral is {state}; this is not possible",
    remedy_zh="无需处理",
    remedy_en="There is nothing to do",
)
REFERRAL_NOT_BOUGHT = RefusalCode(
    "referral_not_bought",
    status=422,
    zh="受邀人还没有购卡或充值",
    en="The invitee has not bought anything yet",
    remedy_zh="首次购卡或充值后自动判定",
    remedy_en="It is judged by itself after her first purchase",
    retryable=True,
)
REFERRAL_NOT_DUE = RefusalCode(
    "referral_not_due",
    status=422,
    zh="首充保留到 {due} 后才发放",
    en="It is paid when the first purchase has stayed until {due}",
    remedy_zh="到期后自动发放",
    remedy_en="It is paid by itself when due",
    retryable=True,
)
REFERRAL_NOT_FOLLOWED = RefusalCode(
    "referral_not_recorded",
    status=503,
    zh="邀请人一侧尚未登记这条邀请",
    en="The inviter's side has not recorded the invitation yet",
    remedy_zh="稍后自动办理",
    remedy_en="It is done by itself shortly",
    retryable=True,
    burns=False,
)
REFERRAL_FOLLOWED = RefusalCode(
    "referral_followed",
    status=409,
    zh="邀请人一侧已与受邀人一侧一致",
    en="The inviter's side is in line with the invitee's",
    remedy_zh="无需处理",
    remedy_en="There is nothing to do",
)
INVITER_DAY = RefusalCode(
    "inviter_day_limit",
    status=422,
    zh="邀请人今天已领 {limit} 次邀请奖励",
    en="The inviter was paid {limit} times today",
    remedy_zh="次日自动发放",
    remedy_en="It is paid by itself on another day",
    retryable=True,
)
PACKETS_UNKNOWN = RefusalCode(
    "packets_unknown",
    status=404,
    zh="没有这个红包池",
    en="There is no such pool of packets",
    remedy_zh="请核对红包池编号，或活动中红包池的代码",
    remedy_en="Check the pool's id, or its code in the program",
    burns=False,
)
PACKETS_OPEN = RefusalCode(
    "packets_open",
    status=409,
    zh="红包池 {code} 已开放，结束后才能再开",
    en="The pool {code} is open: another can be opened when it has ended",
    remedy_zh="请等它结束",
    remedy_en="Wait until it ends",
    retryable=True,
)
PACKETS_OVER = RefusalCode(
    "packets_over",
    status=422,
    zh="红包池已于 {ended} 结束",
    en="The pool ended at {ended}",
    remedy_zh="请等下一次",
    remedy_en="Wait for the next one",
)
PACKETS_NOT_OVER = RefusalCode(
    "packets_not_over",
    status=422,
    zh="红包池到 {ends} 才结束",
    en="The pool ends at {ends}",
    remedy_zh="到期后自动结束",
    remedy_en="It ends by itself when due",
    retryable=True,
)
PACKETS_GONE = RefusalCode(
    "packets_gone",
    status=422,
    zh="红包已领完",
    en="All packets are taken",
    remedy_zh="请等下一次",
    remedy_en="Wait for the next one",
)
PACKETS_PERSON_DAY = RefusalCode(
    "packets_person_day",
    status=422,
    zh="今天已领 {limit} 个红包",
    en="{limit} packets were opened today, which is the limit",
    remedy_zh="请明天再领",
    remedy_en="Come again tomorrow",
    retryable=True,
)
