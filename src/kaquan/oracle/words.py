"""What the oracle says: every reason in Chinese and English."""

from kaquan.oracle.model import Reason

_WORDS: dict[str, tuple[str, str]] = {
    # Why nothing comes back
    "payment_state": ("这笔付款的状态是“{state}”，没有可退的", "The payment is {state}: nothing of it can come back"),
    "refund_window_over": (
        "退款期已于 {window_end} 结束；发行方或运营方可以逾期办理",
        "The refund window ended at {window_end}; the issuer or the operator may refund late",
    ),
    "late_refund_forbidden": (
        "只有发行方或运营方可以逾期办理",
        "Only the issuer or the operator may refund after the window",
    ),
    "refund_card_frozen": (
        "卡已冻结，条款规定解冻前不退",
        "The card is frozen, and the terms refund nothing to it until it is unfrozen",
    ),
    "refund_exceeds_payment": ("还可退的商品只值 {left} 元", "Goods worth {left} yuan can still come back, no more"),
    "refund_lines_invalid": (
        "没有这样的明细行，或已退过，或订单已按金额退过",
        "There are no such lines, or they have come back, or the order was refunded by amount before",
    ),
    "refund_count_reached": (
        "部分退款已满 {count_max} 次，只能退尽余下的",
        "It was refunded in part {count_max} times, which is the most: only all that is left may come back",
    ),
    # Why so much comes back, and there
    "all_left": ("退尽余下的：各方收回尚未退回的部分", "All that is left: each gets what has not come back yet"),
    "in_proportion": (
        "按各方付款的比例退，累计取整到分",
        "Each gives back in proportion to what he paid, rounded from the beginning",
    ),
    "first_paid_first": ("先付的先退", "What paid first comes back first"),
    "last_paid_first": ("后付的先退", "What paid last comes back first"),
    "by_line": ("券退回它在这些行上抵扣的部分", "A voucher gives back what it took off these lines"),
    "repriced": (
        "券按余下的商品重新计价，多抵的部分退回出资方",
        "Vouchers are priced anew on the goods that stay; what they would not take off goes back to their funders",
    ),
    "late": ("逾期，由发行方或运营方办理", "After the window, by the issuer or the operator"),
    "window": ("在退款期内", "Within the refund window"),
    "card_frozen": ("卡已冻结：退回的仍受冻结", "The card is frozen: what comes back stays frozen"),
    "card_closed": (
        "卡已退：本金转为应退持卡人，赠金和补贴归还出资人",
        "The card was closed: principal is owed to the holder, bonus and subsidy go back to their payers",
    ),
    "principal_expired": (
        "本金批次已过期：本金转为应退持卡人",
        "The principal's lot has expired: what comes back is owed to the holder",
    ),
    "principal_kept": (
        "本金批次已过期：退回的本金留在卡上，不没收",
        "The principal's lot has expired: what comes back stays on the card and is not taken",
    ),
    "grant_expired": (
        "赠金或补贴已过期：归还出资人",
        "Bonus or subsidy has expired: it goes back to who paid for it",
    ),
    "grant_again": (
        "赠金或补贴已过期：再有效 {days} 天",
        "Bonus or subsidy has expired: it counts again for {days} days",
    ),
    "cash": (
        "场外支付由商户退，从不退成卡内余额",
        "What was paid outside the merchant returns; it never becomes card value",
    ),
    "settled": (
        "商户本期已结算：从下次结算扣除，不足则结转为负",
        "The merchant's period is settled: the next settlement deducts it, or carries it on below zero",
    ),
    "set_off": (
        "卡欠出资人已花掉的返利：退回的赠金先抵",
        "The card owes a payer a rebate that was spent: bonus that comes back is set off first",
    ),
    "rebate_cancelled": (
        "返利尚未到账：按余单重算",
        "The rebate has not been granted yet: it becomes what the rest earns",
    ),
    "rebate_clawed": (
        "返利已到账：多发的从赠金追回，不足的记为卡的欠款",
        "The rebate was granted: what is too much is taken from bonus, and what is missing is owed by the card",
    ),
    # What becomes of a voucher
    "voucher_again": ("一次退尽且未过期：券可再用", "All comes back at once and in time: the voucher counts again"),
    "voucher_in_place": ("条款规定另给一张券", "The terms give another voucher in its place"),
    "voucher_no_budget": (
        "本可再用，但出资方预算不足：作废",
        "It would count again, but its funders have no budget left: it is over",
    ),
    "voucher_over": ("券不再可用，其款退回出资方", "The voucher is over, and its money is its funders' again"),
    "voucher_taken": ("券已被收回：只退其款", "The voucher was taken back before: only its money returns"),
    "voucher_used": ("部分退款：券仍为已用", "A partial refund: the voucher stays used"),
}


def reason(code: str, **facts: object) -> Reason:
    """The words of a code with its facts."""
    zh, en = _WORDS[code]
    return Reason(code, zh.format(**facts), en.format(**facts))
