"""Every reason to refuse a step in a program's life. `programs.errors` passes them on."""

from kaquan.kernel.refusal import RefusalCode

PERSON_MISSING = RefusalCode(
    code="program_person_missing",
    status=400,
    zh="没有说明由谁办理，或名称不是 1 到 {length_max} 个可见字符",
    en="It is not said who acts, or the name is not 1 to {length_max} printable characters",
    remedy_zh="请写明办理人和批准人的姓名或工号（命令行：--as、--approved-by）",
    remedy_en="Name the persons who act and approve, by name or staff number (command line: --as, --approved-by)",
    burns=False,
)
SECOND_PERSON = RefusalCode(
    code="program_second_person_needed",
    status=403,
    zh="活动“{program}”须由提交人以外的另一人批准",
    en="{program} is approved by another person than the one who submitted it",
    remedy_zh="请另一位有权人批准",
    remedy_en="Ask somebody else who may approve",
    retryable=True,
)
PROGRAM_STATE = RefusalCode(
    code="program_state",
    status=409,
    zh="活动“{program}”的状态是“{state_zh}”，不能做这个操作",
    en="{program} is {state}: this can't be done with it",
    remedy_zh="用 program list 查看状态，用 program history 查看经过",
    remedy_en="Run program list for its state and program history for how it came there",
    retryable=True,
)
NOTHING_WAITS = RefusalCode(
    code="program_nothing_waits",
    status=409,
    zh="活动“{program}”没有待批准的内容",
    en="Nothing of {program} waits for an approval",
    remedy_zh="无需处理",
    remedy_en="There is nothing to do",
    retryable=True,
)
PROPOSAL_WAITS = RefusalCode(
    code="program_proposal_waits",
    status=409,
    zh="活动“{program}”已有一份修改待批准（将成为第 {version} 版）",
    en="An amendment of {program} waits for its approval already (to be version {version})",
    remedy_zh="请先批准或退回（program approve、program reject）",
    remedy_en="Approve or reject it first (program approve, program reject)",
    retryable=True,
)
PROPOSAL_STALE = RefusalCode(
    code="program_proposal_stale",
    status=409,
    zh="待批准的不是您所看的内容，或者它所依据的条款已有新版本（现行第 {version} 版）",
    en="What waits is not what you read, or the terms it was written against have changed (now version {version})",
    remedy_zh="请重新查看；条款已变的，退回后重新提出",
    remedy_en="Read it again; if the terms have changed, reject it and have it proposed anew",
    retryable=True,
)
LOOSENING = RefusalCode(
    code="program_loosening_needs_approval",
    status=422,
    zh="活动开办后只能直接收紧；以下 {count} 处是放宽或无法判断：{terms}",
    en="Once approved, a program is only tightened at once; {count} of the changes promise more or can't be judged: "
    "{terms}",
    remedy_zh="请用 program propose 提出，由另一人批准",
    remedy_en="Propose it (program propose) and have it approved by a second person",
)
STARTS_LATER = RefusalCode(
    code="program_starts_later",
    status=422,
    zh="活动“{program}”定于 {starts_on} 开始，不能提前",
    en="{program} starts on {starts_on}, not before",
    remedy_zh="到日自动开始；要改日期，请用 program start --on",
    remedy_en="It starts by itself on that day; set another with program start --on",
    retryable=True,
)
STILL_OWES = RefusalCode(
    code="program_still_owes",
    status=409,
    zh="活动“{program}”尚不能关闭：卡内余额 {outstanding_fen} 元，预授权 {open_holds} 笔，"
    "订单（含用了本活动的券、由其他活动的卡付的）可退款至 {refundable_until}，待发返利 {waiting_rewards} 笔，"
    "待发邀请奖励 {open_referrals} 笔，"
    "未与商户结清 {unsettled_fen} 元，出资方已承诺 {promised_fen} 元",
    en="{program} can't be closed yet: {outstanding_fen} yuan on cards, {open_holds} authorizations, "
    "orders that may be refunded until {refundable_until} (also those that cards of other programs paid with its "
    "vouchers), {waiting_rewards} rebates and {open_referrals} referrals to come, {unsettled_fen} "
    "yuan not settled with merchants, {promised_fen} promised by funders",
    remedy_zh="等余额用完或退清、返利到账、结算完毕后再关闭",
    remedy_en="Close it when value is spent or returned, rebates have arrived and merchants are settled",
    retryable=True,
)
REASON_INVALID = RefusalCode(
    code="program_reason_invalid",
    status=400,
    zh="原因不能为空，且最多 {length_max} 个可见字符",
    en="The reason is not empty and has at most {length_max} printable characters",
    remedy_zh="请写明原因",
    remedy_en="Say why",
    burns=False,
)
