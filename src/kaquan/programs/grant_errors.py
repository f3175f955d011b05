"""Every reason to refuse what a program gives away, and who pays for it. `programs.errors` passes them on."""

from kaquan.kernel.refusal import RefusalCode

GRANT_CODE_TWICE = RefusalCode(
    code="program_code_twice",
    status=422,
    zh="{term}：代码“{code}”重复",
    en="{term}: the code {code} is used twice",
    remedy_zh="每一项请用不同的代码",
    remedy_en="Give each a code of its own",
)
FUNDING_OF_NOTHING = RefusalCode(
    code="program_funding_of_nothing",
    status=422,
    zh="{term}：没有券批次“{stock}”；返还计划、红包和邀请由其券批次的出资方承担",
    en="{term}: there is no stock {stock}; plans, packets and referrals are paid for by who pays for their stock",
    remedy_zh="请填写券批次的代码，或 rebate、presale",
    remedy_en="Name a stock, or rebate or presale",
)
FUNDING_BONUS = RefusalCode(
    code="program_bonus_by_merchant",
    status=422,
    zh="{term}：{of} 不能由商户自担：赠金到账时没有商户",
    en="{term}: {of} can't be borne by the merchant: when it is granted there is none",
    remedy_zh="请由资金户出资，或删去该条由发行方承担",
    remedy_en="Let a fund pay for it, or remove the line: then the issuer does",
)
FUNDING_TWICE = RefusalCode(
    code="program_funding_twice",
    status=422,
    zh="{term}：资金户“{fund}”为同一券批次出资两次",
    en="{term}: the fund {fund} pays for the same stock twice",
    remedy_zh="请合并为一项",
    remedy_en="Make them one",
)
FUNDING_SHARES = RefusalCode(
    code="program_funding_shares",
    status=422,
    zh="券批次“{stock}”的出资比例合计 {sum_bps} 基点，应为 {whole_bps}",
    en="The shares of who pays for the stock {stock} add up to {sum_bps} basis points, not {whole_bps}",
    remedy_zh='请使出资比例合计为 100%；商户自担写 fund = "merchant"',
    remedy_en='Let them add up to the whole; write fund = "merchant" for what the merchant bears',
)
STOCK_RATE = RefusalCode(
    code="program_stock_rate",
    status=422,
    zh="{term}：{kind} 券的 rate_bps 不能是 {rate_bps}",
    en="{term}: a voucher of the kind {kind} can't have a rate_bps of {rate_bps}",
    remedy_zh="折扣券须大于 0，其他券须为 0",
    remedy_en="Above 0 for percent vouchers, 0 for all others",
)
STOCK_GOODS = RefusalCode(
    code="program_stock_without_goods",
    status=422,
    zh="{term}：兑换券须列出可兑换的商品",
    en="{term}: an exchange voucher names the goods it is for",
    remedy_zh="请填写 goods",
    remedy_en="Fill in goods",
)
STOCK_THRESHOLD = RefusalCode(
    code="program_stock_threshold",
    status=422,
    zh="{term}：满减券门槛 {min_order_fen} 元须高于面额 {face_fen} 元",
    en="{term}: a threshold voucher of {face_fen} yuan asks for an order of more than that, not {min_order_fen}",
    remedy_zh="请提高门槛；无门槛请用立减券（instant）",
    remedy_en="Raise the threshold; without one the kind is instant",
)
STOCK_WINDOW = RefusalCode(
    code="program_stock_window",
    status=422,
    zh="{term}：“{earlier}”须早于“{later}”，且都是真实的时间",
    en="{term}: {earlier} must come before {later}, and both must exist",
    remedy_zh="请更正领取时间、最迟有效日或时段",
    remedy_en="Correct the claim window, the last day or the hours",
)
STOCK_BUDGET = RefusalCode(
    code="program_stock_budget_small",
    status=422,
    zh="{term} 为 {budget_fen} 元，不足一张面额 {face_fen} 元的券",
    en="{term} is {budget_fen} yuan, not enough for one voucher of {face_fen}",
    remedy_zh="请提高预算，或写 0",
    remedy_en="Raise it, or write 0",
)
STOCK_TOP_UP = RefusalCode(
    code="program_top_up_by_merchant",
    status=422,
    zh="充值券“{stock}”不能由商户自担：充值时没有商户",
    en="The top-up voucher {stock} can't be borne by the merchant: a top-up has none",
    remedy_zh="请由资金户出资",
    remedy_en="Let a fund pay for it",
)
STOCK_TERM_UNREAD = RefusalCode(
    code="program_stock_term_unread",
    status=422,
    zh="{term}：充值券用不到这一项",
    en="{term}: nothing reads this of a top-up voucher",
    remedy_zh="请去掉这一项",
    remedy_en="Leave it out",
)
STOCK_WITHOUT_CARD = RefusalCode(
    code="program_top_up_without_card",
    status=422,
    zh="{term}：本活动不售卡，充值券“{stock}”无卡可充",
    en="{term}: the program sells no cards, so there is none that the voucher {stock} could top up",
    remedy_zh="请改用立减券（instant），或写上 presale.offers",
    remedy_en="Make it instant, or add presale.offers",
)
GRANT_STOCK = RefusalCode(
    code="program_grant_without_stock",
    status=422,
    zh="{term}：没有券批次“{stock}”",
    en="{term}: there is no stock {stock}",
    remedy_zh="请填写本活动券批次的代码",
    remedy_en="Name a stock of this program",
)
PACKETS_FIT = RefusalCode(
    code="program_packets_do_not_fit",
    status=422,
    zh="{term}：{count} 个红包共 {total_fen} 元，单个 {min_fen} 到 {max_fen} 元，无法拆分，或超出券批次“{stock}”",
    en="{term}: {count} packets of {min_fen} to {max_fen} yuan can't hold {total_fen}, or outgrow the stock {stock}",
    remedy_zh="请使总额在最少与最多之间，且个数、总额、单个最多不超过券批次的总数、预算、面额",
    remedy_en="Keep the total between least and most, and all within the stock's count, budget and face",
)
GRANT_HAND_OUT = RefusalCode(
    code="program_grant_hand_out",
    status=422,
    zh="{term}：券批次“{stock}”的发放方式是 {hand_out}，不能由系统发放",
    en="{term}: the stock {stock} is handed out by {hand_out}, not granted by the program",
    remedy_zh="请把该券批次的 hand_out 改为 grant，或另设一个券批次",
    remedy_en="Set its hand_out to grant, or name another stock",
)
GRANT_LIMITED = RefusalCode(
    code="program_grant_limited",
    status=422,
    zh="{term}：系统发放的券批次“{stock}”不适用 {limit}",
    en="{term}: {limit} does not apply to the stock {stock}, which the program grants by itself",
    remedy_zh="请删去该项；次数由返还计划、邀请或红包自己的上限约束",
    remedy_en="Remove it: the limits of the plan, the referral or the packets bind",
)
GRANT_ENDS = RefusalCode(
    code="program_grant_ends",
    status=422,
    zh="{term}：按月返还的券批次“{stock}”不得设最迟有效日（{not_after}）",
    en="{term}: the stock {stock} of a monthly plan can't have a last day ({not_after})",
    remedy_zh="请删去 not_after，用 valid_days 规定每张券的有效期",
    remedy_en="Remove not_after; valid_days says how long each voucher counts",
)
PLAN_FITS = RefusalCode(
    code="program_plan_does_not_fit",
    status=422,
    zh="{term}：一个计划要 {wanted} 张券，券批次“{stock}”只有 {count} 张",
    en="{term}: one plan takes {wanted} vouchers, and the stock {stock} has {count}",
    remedy_zh="请减少月数或每月张数，或增加发行总数",
    remedy_en="Grant fewer, or issue more",
)
