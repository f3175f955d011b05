"""Refusals about sales, top-ups, and cards that are returned."""

from kaquan.kernel.refusal import RefusalCode

PHONE_UNKNOWN = RefusalCode(
    "phone_unknown",
    status=404,
    zh="这个手机号没有登记",
    en="No holder is registered with this phone number",
    remedy_zh="请核对手机号，或先用 holder register 登记持卡人",
    remedy_en="Check the number, or register the holder first: holder register",
    burns=False,
)
PROGRAM_NOT_SELLING = RefusalCode(
    "program_not_selling",
    status=422,
    zh="“{program}”{state_zh}，不售卡，也不能充值",
    en="{program} is {state}: it sells no cards and takes no top-ups",
    remedy_zh="已售出的卡仍可使用",
    remedy_en="Cards already sold can still be spent",
    retryable=True,
)
SALES_STOPPED = RefusalCode(
    "sales_stopped",
    status=422,
    zh="“{program}”存管不足，暂停售卡和充值：应存 {required_fen} 元，实存 {covered_fen} 元，差 {missing_fen} 元"
    "（{article_zh}）",
    en="{program} sells no cards and takes no top-ups: {required_fen} yuan must lie in custody, {covered_fen} do, "
    "{missing_fen} are lacking ({article_en})",
    remedy_zh="已售出的卡照常使用；发行方补足存管资金后恢复销售",
    remedy_en="Cards already sold are spent as before; sales go on when the issuer has deposited what is lacking",
    retryable=True,
)
OFFER_UNKNOWN = RefusalCode(
    "offer_unknown",
    status=422,
    zh="没有面值 {face_fen} 元的档位；可选：{offers}",
    en="There is no offer with a face value of {face_fen} yuan; there are: {offers}",
    remedy_zh="请选择列出的档位",
    remedy_en="Choose one of the offers",
    retryable=True,
)
CHANNEL_UNKNOWN = RefusalCode(
    "channel_unknown",
    status=400,
    zh="没有支付渠道“{channel}”",
    en="There is no payment channel {channel}",
    remedy_zh="可用渠道：{channels}",
    remedy_en="Channels: {channels}",
    burns=False,
)
VOUCHER_OF_OTHER_PROGRAM = RefusalCode(
    "voucher_of_other_program",
    status=422,
    zh="这张券只能给活动“{program}”的卡充值",
    en="This voucher only tops up cards of the program {program}",
    remedy_zh="请用于该活动的卡",
    remedy_en="Use it for a card of that program",
)
VOUCHER_VALUE_TOO_LATE = RefusalCode(
    "voucher_value_too_late",
    status=422,
    zh="充值要到 {active_from} 才生效，而这张券的钱最迟用到 {not_after}",
    en="What is bought counts from {active_from}, but this voucher's money counts until {not_after} at the latest",
    remedy_zh="请去掉这张券，或只用券充值（即时生效）",
    remedy_en="Leave it out, or top up with the voucher alone, which counts at once",
)
CLOSING_UNKNOWN = RefusalCode(
    "closing_unknown",
    status=404,
    zh="没有这个退卡申请",
    en="There is no such request to return a card",
    remedy_zh="请核对申请编号，或先提交退卡申请",
    remedy_en="Check its number, or ask for the card to be returned first",
    burns=False,
)
CLOSING_STATE = RefusalCode(
    "closing_state",
    status=409,
    zh="这个退卡申请{state_zh}，不能这样办理",
    en="This request is {state}: that can't be done now",
    remedy_zh="请查看申请的当前状态",
    remedy_en="Look at the state of the request",
)
CLOSING_CAUSE = RefusalCode(
    "closing_cause",
    status=400,
    zh="退卡原因须为：{causes}",
    en="The cause is one of: {causes}",
    remedy_zh="发行方原因填 issuer，持卡人原因填 holder",
    remedy_en="issuer where the issuer is the cause, holder where the holder is",
    burns=False,
)
CLOSING_HELD = RefusalCode(
    "closing_held",
    status=409,
    zh="卡上有预授权占用 {held_fen} 元，暂不能结清",
    en="Authorizations hold {held_fen} yuan on the card: it can't be closed yet",
    remedy_zh="请先完成或撤销预授权，或等其到期",
    remedy_en="Capture or void them first, or wait until they lapse",
    retryable=True,
)
CLOSING_BEARER = RefusalCode(
    "closing_bearer",
    status=422,
    zh="不记名卡不能退卡换钱（{article_zh}）",
    en="A bearer card is not returned for money ({article_en})",
    remedy_zh="请继续使用卡内余额",
    remedy_en="Spend what is on it",
    article="bearer_refund_allowed",
)
CLOSING_COST_REFUSED = RefusalCode(
    "closing_cost_refused",
    status=422,
    zh="不得扣除费用 {cost_fen} 元：{why_zh}",
    en="{cost_fen} yuan of costs can't be kept: {why_en}",
    remedy_zh="请不扣费用办理；扣除须有法律允许，并写明凭证",
    remedy_en="Close without costs; the law must allow them, and a document must show them",
)
PURCHASE_NOT_WITHDRAWABLE = RefusalCode(
    "purchase_not_withdrawable",
    status=422,
    zh="这笔购买已过冷静期，不能单独退回",
    en="The time to withdraw from this purchase is over: it can't be returned by itself",
    remedy_zh="可以申请退卡",
    remedy_en="The whole card can be returned",
)
PURCHASE_UNKNOWN = RefusalCode(
    "purchase_unknown",
    status=404,
    zh="卡上没有这笔购买",
    en="The card has no such purchase",
    remedy_zh="请核对售卡或充值的编号",
    remedy_en="Check the number of the sale or top-up",
    burns=False,
)
PAYOUT_NAME_DIFFERS = RefusalCode(
    "payout_name_differs",
    status=422,
    zh="收款账户户名与持卡人不一致",
    en="The account is not in the name of the card's holder",
    remedy_zh="请提供与持卡人同名的账户",
    remedy_en="Ask for an account in the holder's own name",
    retryable=True,
)
PAYOUT_PAYEE_MISSING = RefusalCode(
    "payout_payee_missing",
    status=422,
    zh="付到银行账户或付现金，须登记收款人姓名；不记名卡还须登记证件号码",
    en="Paid to an account or in cash, the payee's name is recorded; for a bearer card the identity number too",
    remedy_zh="请补充收款人信息",
    remedy_en="Tell who is paid",
    retryable=True,
)
PAYOUT_CASH_ABOVE_MAX = RefusalCode(
    "payout_cash_above_max",
    status=422,
    zh="应付 {amount_fen} 元，超过 {max_fen} 元不得付现金（{article_zh}）",
    en="{amount_fen} yuan are owed: above {max_fen} nothing is paid in cash ({article_en})",
    remedy_zh="请付到与持卡人同名的银行账户",
    remedy_en="Pay to a bank account in the holder's name",
    retryable=True,
    article="refund_cash_max_fen",
)
PAYOUT_REFERENCE_MISSING = RefusalCode(
    "payout_reference_missing",
    status=400,
    zh="请写明付款凭证号，最多 {length_max} 个字符",
    en="Name the receipt of the payment, in at most {length_max} characters",
    remedy_zh="银行回单号、支付流水号或收据号均可",
    remedy_en="The bank's or app's receipt number will do",
    burns=False,
)
CLOSING_NOT_OVERDUE = RefusalCode(
    "closing_not_overdue",
    status=409,
    zh="这个退卡申请没有逾期，或已经提示过",
    en="This request is not overdue, or that was told already",
    remedy_zh="无需处理",
    remedy_en="There is nothing to do",
)
TRANSFER_BEARER = RefusalCode(
    "transfer_bearer",
    status=422,
    zh="不记名卡无须过户，直接交付即可",
    en="A bearer card needs no transfer: it is handed over",
    remedy_zh="请把卡交给对方",
    remedy_en="Hand over the card",
)
TRANSFER_TO_SELF = RefusalCode(
    "transfer_to_self",
    status=422,
    zh="这张卡已经在该持卡人名下",
    en="The card is in that holder's name already",
    remedy_zh="请核对受让人的钱包编号",
    remedy_en="Check the receiver's wallet",
)
TRANSFER_UNKNOWN = RefusalCode(
    "transfer_unknown",
    status=404,
    zh="没有转给该钱包的这次转让",
    en="There is no such transfer to this wallet",
    remedy_zh="请核对转让编号和钱包",
    remedy_en="Check the transfer and the wallet",
    burns=False,
)
TRANSFER_ARRIVED = RefusalCode(
    "transfer_arrived",
    status=409,
    zh="这次转让已经到账",
    en="This transfer has arrived already",
    remedy_zh="无需处理",
    remedy_en="There is nothing to do",
)
CARD_NOT_EXPIRED = RefusalCode(
    "card_not_expired",
    status=409,
    zh="卡内没有过期的本金",
    en="No principal on the card has expired",
    remedy_zh="无需激活",
    remedy_en="There is nothing to make valid again",
)
CARD_NOT_IDLE = RefusalCode(
    "card_not_idle",
    status=409,
    zh="这张卡没有闲置，或已经提醒过",
    en="The card is not idle, or its holder was reminded already",
    remedy_zh="无需处理",
    remedy_en="There is nothing to do",
)
BREAKAGE_EVIDENCE = RefusalCode(
    "breakage_evidence",
    status=400,
    zh="请写明依据文件的编号，最多 {length_max} 个字符",
    en="Name the document that shows why, in at most {length_max} characters",
    remedy_zh="如审计报告或会议决议的文号",
    remedy_en="Such as an auditor's report or a resolution",
    burns=False,
)
BREAKAGE_ONE_PERSON = RefusalCode(
    "breakage_one_person",
    status=422,
    zh="确认未使用收入须由另一人批准",
    en="A second person approves what counts as income",
    remedy_zh="请写明批准人，不能是经办人自己",
    remedy_en="Name who approved it: somebody else than who asks",
    burns=False,
)
BREAKAGE_REGISTERED = RefusalCode(
    "breakage_registered",
    status=422,
    zh="记名卡的余额永远不能确认为收入",
    en="What is left of a registered card never becomes income",
    remedy_zh="请提醒持卡人使用或退卡",
    remedy_en="Remind the holder to spend it, or to return the card",
)
BREAKAGE_NO_LAW = RefusalCode(
    "breakage_no_law",
    status=422,
    zh="适用的法规包没有允许确认未使用收入",
    en="No law pack of the program lets idle money count as income",
    remedy_zh="余额继续作为负债",
    remedy_en="It stays a liability",
)
BREAKAGE_EARLY = RefusalCode(
    "breakage_early",
    status=422,
    zh="过期且无变动未满 {days} 天，最早 {due} 才能确认（{article_zh}）",
    en="It has not lain expired and unmoved for {days} days; the earliest is {due} ({article_en})",
    remedy_zh="请到期后再办理",
    remedy_en="Wait until then",
    retryable=True,
    article="breakage_idle_days_min",
)
