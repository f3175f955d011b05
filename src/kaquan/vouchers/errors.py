"""Why a voucher does not count, or is not handed out."""

from kaquan.kernel.refusal import RefusalCode

VOUCHER_UNKNOWN = RefusalCode(
    "voucher_unknown",
    status=404,
    zh="没有这张券，或它不属于这个持卡人",
    en="There is no such voucher, or it is not this holder's",
    remedy_zh="请核对券号和持卡人",
    remedy_en="Check the voucher's id and whose it is",
    burns=False,
)
VOUCHER_STATE = RefusalCode(
    "voucher_state",
    status=409,
    zh="这张券{state_zh}，不能这样办理",
    en="The voucher is {state}; this is not possible any more",
    remedy_zh="请换一张可用的券，或不用券支付",
    remedy_en="Use another voucher, or pay without one",
)
VOUCHER_EXPIRED = RefusalCode(
    "voucher_expired",
    status=422,
    zh="这张券已于 {expired} 过期",
    en="The voucher expired at {expired}",
    remedy_zh="请换一张可用的券，或不用券支付",
    remedy_en="Use another voucher, or pay without one",
)
VOUCHER_NOT_YET = RefusalCode(
    "voucher_not_yet_valid",
    status=422,
    zh="这张券从 {valid_from} 起可用",
    en="The voucher counts from {valid_from} on",
    remedy_zh="请到时再用，或换一张券",
    remedy_en="Use it then, or use another voucher now",
    retryable=True,
)
VOUCHER_NOT_TODAY = RefusalCode(
    "voucher_not_today",
    status=422,
    zh="这张券只在每周这几天可用：{weekdays}（1 为星期一）",
    en="The voucher counts only on these days of the week: {weekdays} (1 is Monday)",
    remedy_zh="请在可用的日子使用，或换一张券",
    remedy_en="Use it on one of those days, or use another voucher now",
    retryable=True,
)
VOUCHER_NOT_NOW = RefusalCode(
    "voucher_not_now",
    status=422,
    zh="这张券只在每天 {hours} 可用",
    en="The voucher counts only at {hours} each day",
    remedy_zh="请在可用的时段使用，或换一张券",
    remedy_en="Use it in those hours, or use another voucher now",
    retryable=True,
)
VOUCHER_HELD = RefusalCode(
    "voucher_held",
    status=409,
    zh="这张券正被另一笔订单占用，{held_until} 前不可用",
    en="Another order holds the voucher until {held_until}",
    remedy_zh="请先取消那笔订单，或等它到期，或换一张券",
    remedy_en="Give the other order up, wait until its hold ends, or use another voucher",
    retryable=True,
)
VOUCHER_NOT_HERE = RefusalCode(
    "voucher_not_here",
    status=422,
    zh="这张券（{stock}）不能在本店使用",
    en="Vouchers of {stock} do not count in this store",
    remedy_zh="请在券面列出的商户使用，或换一张券",
    remedy_en="Use it in one of the places it names, or use another voucher",
)
VOUCHER_GOODS = RefusalCode(
    "voucher_goods_not_covered",
    status=422,
    zh="订单中没有这张券适用的商品（{goods}）",
    en="Nothing in the order is of the goods that the voucher is for ({goods})",
    remedy_zh="请在订单明细中列出适用商品，或换一张券",
    remedy_en="List goods it is for in the order's lines, or use another voucher",
)
VOUCHER_THRESHOLD = RefusalCode(
    "voucher_threshold_not_reached",
    status=422,
    zh="未满 {min_order_fen} 元，还差 {missing_fen} 元",
    en="The voucher counts from {min_order_fen} yuan on; {missing_fen} yuan are missing",
    remedy_zh="请凑满金额，或不用这张券",
    remedy_en="Add goods, or pay without this voucher",
)
VOUCHER_TOPS_UP = RefusalCode(
    "voucher_tops_up_only",
    status=422,
    zh="这张券（{stock}）只能用于充值",
    en="Vouchers of {stock} only top up cards",
    remedy_zh="请用它给卡充值",
    remedy_en="Top up a card with it",
)
VOUCHER_PAYS = RefusalCode(
    "voucher_pays_only",
    status=422,
    zh="这张券（{stock}）不能用于充值",
    en="Vouchers of {stock} do not top up cards",
    remedy_zh="请在支付时使用",
    remedy_en="Use it for a payment",
)
VOUCHERS_TOO_MANY = RefusalCode(
    "vouchers_too_many",
    status=422,
    zh="一单最多用 {most} 张券，这里有 {count} 张",
    en="At most {most} vouchers count for one order; these are {count}",
    remedy_zh="请少用几张券",
    remedy_en="Use fewer vouchers",
)
VOUCHER_EXCLUSIVE = RefusalCode(
    "voucher_exclusive",
    status=422,
    zh="这张券（{stock}）不能与其他券同用",
    en="Vouchers of {stock} count only alone",
    remedy_zh="请单独使用它，或不用它",
    remedy_en="Use it alone, or leave it out",
)
VOUCHER_CATEGORY = RefusalCode(
    "voucher_category_used",
    status=422,
    zh="同类的券（{category}）一单只能用一张",
    en="Only one voucher of the category {category} counts for an order",
    remedy_zh="请只留一张",
    remedy_en="Keep one of them",
)
VOUCHER_NO_EFFECT = RefusalCode(
    "voucher_no_effect",
    status=422,
    zh="这张券（{stock}）在这笔订单上没有可减的金额",
    en="The voucher of {stock} finds nothing left to take off this order",
    remedy_zh="请去掉这张券",
    remedy_en="Leave it out",
)
VOUCHER_PERSON_DAY = RefusalCode(
    "voucher_person_day_limit",
    status=422,
    zh="这种券（{stock}）每人每天最多用 {limit} 张，今天已用 {used} 张",
    en="At most {limit} vouchers of {stock} count for one person a day; today it was {used}",
    remedy_zh="请改天使用，或不用券支付",
    remedy_en="Use it another day, or pay without it",
    retryable=True,
)
VOUCHER_NOT_EXPIRED = RefusalCode(
    "voucher_not_expired",
    status=409,
    zh="这张券没有到期，或已不再可用",
    en="The voucher has not expired, or is not usable any more anyway",
    remedy_zh="到期后由定时任务办理",
    remedy_en="The timetable does it when the time has come",
    burns=False,
)
STOCK_UNKNOWN = RefusalCode(
    "stock_unknown",
    status=404,
    zh="活动 {program} 没有开放中的券批次 {stock}",
    en="The program {program} has no opened stock {stock}",
    remedy_zh="请核对代码，或先开放该批次",
    remedy_en="Check the codes, or open the stock first",
    burns=False,
)
STOCK_NOT_CLAIMED = RefusalCode(
    "stock_not_claimed",
    status=422,
    zh="券批次 {stock} 不能直接领取",
    en="Vouchers of {stock} are not handed out by claim",
    remedy_zh="请按活动规则凭码、摇号或由系统发放获得",
    remedy_en="They come by code, by draw, or are granted by the program",
)
STOCK_CLOSED = RefusalCode(
    "stock_closed",
    status=409,
    zh="券批次 {stock} 当前不发放",
    en="The stock {stock} hands out no vouchers at present",
    remedy_zh="请等它恢复，或参加其他活动",
    remedy_en="Wait until it runs again, or try another program",
    retryable=True,
)
CLAIM_NOT_YET = RefusalCode(
    "claim_not_yet",
    status=409,
    zh="{claim_from} 开始领取",
    en="Claims open at {claim_from}",
    remedy_zh="请到时再来",
    remedy_en="Come back then",
    retryable=True,
)
CLAIM_OVER = RefusalCode(
    "claim_over",
    status=409,
    zh="领取已于 {claim_until} 截止",
    en="Claims ended at {claim_until}",
    remedy_zh="请参加其他活动",
    remedy_en="Try another program",
)
STOCK_SOLD_OUT = RefusalCode(
    "stock_sold_out",
    status=409,
    zh="券批次 {stock} 已领完",
    en="All vouchers of {stock} are handed out",
    remedy_zh="请参加其他活动",
    remedy_en="Try another program",
)
STOCK_DAY_SOLD_OUT = RefusalCode(
    "stock_day_sold_out",
    status=409,
    zh="券批次 {stock} 今天的份额已领完",
    en="Today's vouchers of {stock} are handed out",
    remedy_zh="请明天再来",
    remedy_en="Come back tomorrow",
    retryable=True,
)
BUDGET_EXHAUSTED = RefusalCode(
    "budget_exhausted",
    status=409,
    zh="出资方资金户 {fund} 的预算不足以承诺 {wanted_fen} 元",
    en="The fund {fund} has not enough budget left to promise {wanted_fen} yuan",
    remedy_zh="请等出资方追加预算",
    remedy_en="Wait until its funder adds to it",
    retryable=True,
)
RESERVE_MINUTES = RefusalCode(
    "reserve_minutes_out_of_range",
    status=400,
    zh="占用时长应为 1 到 {minutes_max} 分钟",
    en="A voucher is reserved for 1 to {minutes_max} minutes",
    remedy_zh="请改用较短的时长",
    remedy_en="Reserve it for a shorter time",
    burns=False,
)
VOUCHER_TWICE = RefusalCode(
    "voucher_named_twice",
    status=400,
    zh="同一张券写了两次",
    en="The same voucher is named twice",
    remedy_zh="请只写一次",
    remedy_en="Name it once",
    burns=False,
)
CLAIM_PERSON_LIMIT = RefusalCode(
    "claim_person_limit",
    status=409,
    zh="每人最多领取 {limit} 张，已领满",
    en="One person gets at most {limit}, and this person has them",
    remedy_zh="请参加其他活动",
    remedy_en="Try another program",
)
CLAIM_PERSON_DAY_LIMIT = RefusalCode(
    "claim_person_day_limit",
    status=409,
    zh="每人每天最多领取 {limit} 张，今天已领满",
    en="One person gets at most {limit} a day, and has today's",
    remedy_zh="请明天再来",
    remedy_en="Come back tomorrow",
    retryable=True,
)
CLAIM_PHONE_LIMIT = RefusalCode(
    "claim_phone_limit",
    status=409,
    zh="每个手机号最多领取 {limit} 张，已领满",
    en="One phone number gets at most {limit}, and this one has them",
    remedy_zh="请参加其他活动",
    remedy_en="Try another program",
)
CLAIM_DEVICE_LIMIT = RefusalCode(
    "claim_device_limit",
    status=409,
    zh="每台设备最多领取 {limit} 张，已领满",
    en="One device gets at most {limit}, and this one has them",
    remedy_zh="请参加其他活动",
    remedy_en="Try another program",
)
CLAIM_PAYEE_LIMIT = RefusalCode(
    "claim_payee_limit",
    status=409,
    zh="每个支付账户最多领取 {limit} 张，已领满",
    en="One payment account gets at most {limit}, and this one has them",
    remedy_zh="请参加其他活动",
    remedy_en="Try another program",
)
CLAIM_DEVICE_MISSING = RefusalCode(
    "claim_device_missing",
    status=400,
    zh="券批次 {stock} 按设备限领，请告知设备",
    en="The stock {stock} counts by device: tell which it is",
    remedy_zh="请在请求中附上设备摘要",
    remedy_en="Send the digest of the device",
    burns=False,
)
CLAIM_PAYEE_MISSING = RefusalCode(
    "claim_payee_missing",
    status=400,
    zh="券批次 {stock} 按支付账户限领，请告知账户",
    en="The stock {stock} counts by payment account: tell which it is",
    remedy_zh="请在请求中附上支付账户摘要",
    remedy_en="Send the digest of the payment account",
    burns=False,
)
CLAIM_IN_FLIGHT = RefusalCode(
    "claim_in_flight",
    status=409,
    zh="同一限额内的另一笔领取正在办理",
    en="Another claim under the same limit is being decided",
    remedy_zh="请 {wait_seconds} 秒后重试",
    remedy_en="Try again in {wait_seconds} seconds",
    retryable=True,
    burns=False,
)
CLAIM_TAKEN_OVER = RefusalCode(
    "claim_taken_over",
    status=409,
    zh="这笔领取没有及时到达，名额已让给他人",
    en="The claim did not arrive in time, and its place was given away",
    remedy_zh="请用新的请求号重新领取",
    remedy_en="Claim again under a new id",
    retryable=True,
)
STOCK_NOT_ISSUED = RefusalCode(
    "stock_not_issued",
    status=422,
    zh="券批次 {stock} 凭码或摇号发放，不能由运营人员直接发放",
    en="Vouchers of {stock} come by code or by draw, and are not issued by hand",
    remedy_zh="请改用领取或系统发放的批次",
    remedy_en="Use a stock that is handed out by claim or grant",
)
CODE_NOT_VALID = RefusalCode(
    "code_not_valid",
    status=404,
    zh="这个券码无效",
    en="This code is not valid",
    remedy_zh="请核对券码；刚刚提交过的，请一分钟后再试",
    remedy_en="Check the code; if you have just sent it, try again in a minute",
    retryable=True,
    burns=False,
)
STOCK_NOT_BY_CODE = RefusalCode(
    "stock_not_by_code",
    status=422,
    zh="券批次 {stock} 不凭码发放",
    en="Vouchers of {stock} are not handed out by code",
    remedy_zh="请选择凭码发放的批次",
    remedy_en="Choose a stock that is handed out by code",
)
CODE_BATCH_UNKNOWN = RefusalCode(
    "code_batch_unknown",
    status=404,
    zh="没有这批券码",
    en="There is no such batch of codes",
    remedy_zh="请核对批次编号",
    remedy_en="Check the batch's id",
    burns=False,
)
CODE_BATCH_STOPPED = RefusalCode(
    "code_batch_stopped",
    status=409,
    zh="这批券码已停用",
    en="The batch of codes is stopped already",
    remedy_zh="无需再停用",
    remedy_en="There is nothing to stop",
)
VOUCHER_NOT_BEST = RefusalCode(
    "voucher_not_best",
    status=422,
    zh="没有用这张券：另一种组合多省 {saves_more_fen} 元",
    en="Not used: another combination takes {saves_more_fen} yuan more off",
    remedy_zh="如要用它，请在付款时指明这张券",
    remedy_en="Name it when you pay, if you want to use it all the same",
)
VOUCHER_SPARED = RefusalCode(
    "voucher_spared",
    status=422,
    zh="没有用这张券：不用它一样省，留待下次",
    en="Not used: as much comes off without it; it is kept for another time",
    remedy_zh="如要用它，请在付款时指明这张券",
    remedy_en="Name it when you pay, if you want to use it all the same",
)
VOUCHER_NOT_SEARCHED = RefusalCode(
    "voucher_not_searched",
    status=422,
    zh="可用的券太多，只比较了最有希望的 {searched} 种，其中没有这张",
    en="There are too many vouchers that count: only the {searched} most promising kinds were compared, not this one",
    remedy_zh="如要用它，请在付款时指明这张券",
    remedy_en="Name it when you pay, if you want to use it all the same",
)
