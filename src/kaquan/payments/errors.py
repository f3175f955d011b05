"""Refusals about payments."""

from kaquan.kernel.refusal import RefusalCode

AMOUNT_INVALID = RefusalCode(
    "amount_invalid",
    status=400,
    zh="金额必须在 0.01 元与 {amount_max_fen} 元之间",
    en="The amount must be between 0.01 and {amount_max_fen} yuan",
    remedy_zh="请更正金额",
    remedy_en="Correct the amount",
    burns=False,
)
ORDER_NO_INVALID = RefusalCode(
    "order_no_invalid",
    status=400,
    zh="商户订单号必须是 1 到 {length_max} 个可显示的字符",
    en="The merchant's order number must have between 1 and {length_max} printable characters",
    remedy_zh="请更正订单号",
    remedy_en="Correct the order number",
    burns=False,
)
MERCHANT_UNKNOWN = RefusalCode(
    "merchant_unknown",
    status=404,
    zh="没有这家商户",
    en="There is no such merchant",
    remedy_zh="请核对商户的代码或编号（merchant list 列出商户）",
    remedy_en="Check the merchant's code or id (merchant list shows them)",
    burns=False,
)
STORE_UNKNOWN = RefusalCode(
    "store_unknown",
    status=404,
    zh="这家商户没有这家门店",
    en="The merchant has no such store",
    remedy_zh="请核对门店代码；新门店用 store register 登记",
    remedy_en="Check the store's code; store register adds a new one",
    burns=False,
)
MERCHANT_NOT_ACCEPTING = RefusalCode(
    "merchant_not_accepting",
    status=422,
    zh="“{program}”只能在受理本活动的门店使用，本店不在范围内",
    en="{program} can be spent only at the stores that accept it; this store is not one of them",
    remedy_zh="请换用其他付款方式",
    remedy_en="Pay in another way",
)
ORDER_PAID = RefusalCode(
    "order_paid",
    status=409,
    zh="这个订单号已经付过款：{payment}",
    en="This order number has been paid already: {payment}",
    remedy_zh="请先查询原付款（payment show）；新的消费请用新的订单号",
    remedy_en="Look up the earlier payment (payment show); a new sale needs a new order number",
)
ORDER_REVERSED = RefusalCode(
    "order_reversed",
    status=409,
    zh="这个订单已被冲正，不能再付款",
    en="This order was reversed and can't be paid any more",
    remedy_zh="请用新的订单号重新收款",
    remedy_en="Take the payment again under a new order number",
)
ORDER_IN_FLIGHT = RefusalCode(
    "order_in_flight",
    status=503,
    zh="这个订单的另一笔付款正在处理",
    en="Another payment for this order is under way",
    remedy_zh="请等 {wait_seconds} 秒，用同一个请求号重试，或先查询订单",
    remedy_en="Wait {wait_seconds} seconds and retry with the same id, or look the order up first",
    retryable=True,
    burns=False,
)
ORDER_TAKEN_OVER = RefusalCode(
    "order_taken_over",
    status=409,
    zh="这笔付款没有按时到达，订单已由另一笔付款完成",
    en="This payment did not arrive in time; the order went to another payment",
    remedy_zh="没有扣款，无需处理",
    remedy_en="Nothing was taken; there is nothing to do",
)
PAYMENT_UNKNOWN = RefusalCode(
    "payment_unknown",
    status=404,
    zh="没有这笔付款",
    en="There is no such payment",
    remedy_zh="请核对付款编号",
    remedy_en="Check the payment's id",
    burns=False,
)
PAYMENT_STATE = RefusalCode(
    "payment_state",
    status=409,
    zh="这笔付款的状态是“{state_zh}”，不能做这个操作",
    en="The payment is {state}: this can't be done with it",
    remedy_zh="请先查询付款的状态",
    remedy_en="Look up the payment's state first",
)
CAPTURE_EXCEEDS_HOLD = RefusalCode(
    "capture_exceeds_hold",
    status=422,
    zh="完成金额超过预授权金额 {authorized_fen} 元",
    en="The capture is more than the {authorized_fen} yuan that were authorized",
    remedy_zh="请按不超过预授权的金额完成，超出部分另行收款",
    remedy_en="Capture at most the authorized amount; take the rest as another payment",
)
HOLD_EXPIRED = RefusalCode(
    "hold_expired",
    status=422,
    zh="预授权已于 {expired_at} 过期，金额已退回可用余额",
    en="The authorization expired at {expired_at}; its value is available again",
    remedy_zh="请重新收款",
    remedy_en="Take a new payment",
)
HOLD_NOT_EXPIRED = RefusalCode(
    "hold_not_expired",
    status=422,
    zh="预授权尚未到期",
    en="The authorization has not expired yet",
    remedy_zh="到期后自动释放；现在释放请撤销",
    remedy_en="It is released by itself when it expires; void it to release it now",
    retryable=True,
)
REFUND_WINDOW_OVER = RefusalCode(
    "refund_window_over",
    status=422,
    zh="退款期为 {window_days} 天，已于 {window_end} 结束",
    en="The refund window of {window_days} days ended at {window_end}",
    remedy_zh="请联系发行方办理逾期退款",
    remedy_en="Ask the issuer for a late refund",
)
LATE_REFUND_FORBIDDEN = RefusalCode(
    "late_refund_forbidden",
    status=403,
    zh="只有发行方或运营方可以办理逾期退款",
    en="Only the issuer or the operator may grant a late refund",
    remedy_zh="请联系发行方",
    remedy_en="Ask the issuer",
    burns=False,
)
ORDER_LINES = RefusalCode(
    "order_lines_invalid",
    status=400,
    zh="订单明细最多 {lines_max} 行，商品编码不超过 64 个字符，每行金额大于 0，合计等于订单金额 {amount_fen} 元；"
    "这里合计 {lines_fen} 元",
    en="An order has at most {lines_max} lines above zero, with codes of at most 64 characters, that sum to "
    "{amount_fen} yuan; these sum to {lines_fen}",
    remedy_zh="请更正明细",
    remedy_en="Correct the lines",
    burns=False,
)
OUTSIDE_INVALID = RefusalCode(
    "outside_exceeds_order",
    status=422,
    zh="场外支付 {outside_fen} 元，超过用券后应付的 {due_fen} 元",
    en="{outside_fen} yuan were paid outside, but after the vouchers only {due_fen} are due",
    remedy_zh="请更正场外支付的金额",
    remedy_en="Correct the amount that was paid outside",
)
ORDER_NOT_COVERED = RefusalCode(
    "order_not_covered",
    status=422,
    zh="没有卡付款，还差 {missing_fen} 元",
    en="No card pays, and {missing_fen} yuan are missing",
    remedy_zh="请用卡支付余下的金额，或记录场外支付",
    remedy_en="Let a card pay the rest, or tell what was paid outside",
)
PAYER_MISSING = RefusalCode(
    "payer_missing",
    status=400,
    zh="请指明付款的卡、付款码，或用券的钱包，只指明其一",
    en="Tell which card pays, or a payment code, or whose wallet the vouchers are in: one of these",
    remedy_zh="请指明卡或付款码，或同时指明钱包和券",
    remedy_en="Name a card or a payment code, or a wallet together with vouchers",
    burns=False,
)
REFUND_EXCEEDS = RefusalCode(
    "refund_exceeds_payment",
    status=422,
    zh="这笔订单还可退 {left_fen} 元的商品",
    en="Goods worth {left_fen} yuan of this order can still be returned",
    remedy_zh="请更正退款金额",
    remedy_en="Correct the amount",
)
REFUND_LINES = RefusalCode(
    "refund_lines_invalid",
    status=422,
    zh="订单没有这样的明细行，或已退过，或已按金额部分退款",
    en="The order has no such lines, or they have come back, or it was refunded in part by amount before",
    remedy_zh="请核对明细行号，或按金额退款",
    remedy_en="Check the lines' numbers, or refund by amount",
)
REFUND_COUNT = RefusalCode(
    "refund_count_reached",
    status=422,
    zh="这笔订单已部分退款 {count_max} 次，不能再部分退款",
    en="This order was refunded in part {count_max} times: that is the most",
    remedy_zh="请把余下的一次退尽",
    remedy_en="Refund all that is left at once",
)
REFUND_CARD_FROZEN = RefusalCode(
    "refund_card_frozen",
    status=422,
    zh="付款的卡已冻结，本活动规定解冻前不退款",
    en="The card that paid is frozen, and the program refunds nothing to it until it is unfrozen",
    remedy_zh="请联系发行方解冻后再退",
    remedy_en="Have the issuer unfreeze the card, then refund",
    retryable=True,
)
