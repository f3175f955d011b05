"""What the parts of a statement are called in Chinese and English.

Whoever adds an account, a movement or a column need not come here: what has no words is shown by its name.
"""

from collections.abc import Mapping

from kaquan.kernel.refusal import Language
from kaquan.ledger.chart import CHART

Words = tuple[str, str]

TITLES: Mapping[str, Words] = {
    "merchant": ("商户对账单", "Merchant statement"),
    "funder": ("出资方对账单", "Funder statement"),
    "holder": ("持卡人对账单", "Holder statement"),
}
PARTIES: Mapping[str, Words] = {
    "merchant": ("商户", "Merchant"),
    "funder": ("资金户", "Fund"),
    "holder": ("钱包", "Wallet"),
}
SECTIONS: Mapping[str, Words] = {
    "accounts": ("账户余额", "Balances"),
    "payable": ("应付商户：收支明细", "Merchant payable: what moved it"),
    "beside": ("保证金与打款：收支明细", "Reserve and payouts: what moved them"),
    "discounts": ("优惠由谁出资", "Discounts by who funds them"),
    "settlements": ("按账期结算", "Settlements by period"),
    "settlement_lines": ("结算明细与依据", "Settlements line by line"),
    "days": ("按日汇总", "Day by day"),
    "budget": ("预算收支", "What the budget did"),
    "stocks": ("按券批次", "By stock of vouchers"),
    "free": ("可用预算：收支明细", "Free budget: what moved it"),
    "promised": ("已承诺：收支明细", "Promised: what moved it"),
    "owed": ("后付与备查：收支明细", "Receivable and pledge: what moved them"),
    "sweeps": ("归集", "Sweeps"),
    "movements": ("收支明细", "Movements"),
    "kinds": ("期末余额构成", "Closing balance by kind"),
}
COLUMNS: Mapping[str, Words] = {
    "program": ("活动", "Program"),
    "account": ("科目", "Account"),
    "opening_fen": ("期初余额", "Opening"),
    "in_fen": ("增加", "In"),
    "out_fen": ("减少", "Out"),
    "closing_fen": ("期末余额", "Closing"),
    "ledger_fen": ("账本重算", "Recounted"),
    "movement": ("事项", "What happened"),
    "contra": ("对方科目", "Other side"),
    "fund": ("资金户", "Fund"),
    "funded_by": ("出资方", "Funded by"),
    "count": ("笔数", "Count"),
    "discount_fen": ("优惠", "Discount"),
    "returned_fen": ("退回", "Returned"),
    "net_fen": ("净额", "Net"),
    "period_end": ("账期末", "Period end"),
    "pay_on": ("打款日", "Paid on"),
    "gross_fen": ("支付", "Payments"),
    "refunds_fen": ("退款", "Refunds"),
    "carried_fen": ("上期结转", "Carried in"),
    "released_fen": ("退还保证金", "Released"),
    "fee_fen": ("手续费", "Fee"),
    "tax_fen": ("税费", "Tax"),
    "shared_fen": ("分账", "Shared"),
    "fees_fen": ("手续费等", "Fees etc."),
    "reserved_fen": ("保证金", "Reserve"),
    "paid_fen": ("打款", "Paid out"),
    "carry_fen": ("结转下期", "Carried out"),
    "pending_bank_fen": ("待绑卡", "Waiting"),
    "pending_minimum_fen": ("不足起结", "Too little"),
    "drawn_fen": ("保证金抵扣", "Drawn"),
    "written_off_fen": ("核销", "Written off"),
    "transferred_fen": ("内部划拨", "Transferred"),
    "day": ("日期", "Day"),
    "payments": ("支付笔数", "Payments no."),
    "other_fen": ("其他", "Other"),
    "balance_fen": ("余额", "Balance"),
    "paid_in_fen": ("入金", "Paid in"),
    "paid_out_fen": ("退回出资方", "Paid back"),
    "promised_fen": ("承诺", "Promised"),
    "freed_fen": ("释放", "Freed"),
    "used_fen": ("支付商户", "Used"),
    "on_cards_fen": ("充入卡内", "Put on cards"),
    "stock": ("券批次", "Stock"),
    "swept_fen": ("重新可用", "Promisable again"),
    "card": ("卡号尾号", "Card ending"),
    "expires_on": ("到期日", "Last day"),
    "line": ("项目", "Line"),
    "source": ("资金来源", "Money"),
    "rule": ("依据", "By which rule"),
    "amount_fen": ("金额", "Amount"),
    "at": ("时间", "Time"),
    "merchant": ("商户", "Merchant"),
    "order_no": ("订单号", "Order"),
    "principal_fen": ("本金", "Principal"),
    "bonus_fen": ("赠金", "Bonus"),
    "subsidy_fen": ("补贴", "Subsidy"),
    "outside_fen": ("卡外支付", "Outside"),
}
MOVEMENTS: Mapping[str, Words] = {
    "sell": ("售卡", "card sold"),
    "top_up": ("充值", "top-up"),
    "pay": ("支付", "payment"),
    "capture": ("预授权完成", "capture"),
    "refund": ("退款", "refund"),
    "reverse": ("冲正", "reversal"),
    "grant_reward": ("返利到账", "rebate granted"),
    "expire_lot": ("到期", "expired"),
    "cancel_plan": ("返还计划取消", "plan cancelled"),
    "settle": ("结算", "settlement"),
    "record_payout_result": ("银行结果", "said by the bank"),
    "reissue_payout": ("打款重发", "payout told again"),
    "explain_exception": ("打款差错说明", "payout exception explained"),
    "open_dispute": ("争议扣留", "held for a dispute"),
    "resolve_dispute": ("争议了结", "dispute resolved"),
    "release_reserve": ("退还保证金", "reserve released"),
    "pay_in_fund": ("入金", "paid in"),
    "pay_out_fund": ("退回出资方", "paid back"),
    "claim": ("领券", "voucher claimed"),
    "void_voucher": ("收回券", "voucher voided"),
    "expire_voucher": ("券到期", "voucher expired"),
    "issue_voucher": ("发券", "voucher issued"),
    "claim_by_code": ("兑换码领券", "claimed by code"),
    "award": ("中签发券", "awarded by draw"),
    "pay_referral": ("邀请奖励", "referral paid"),
    "undo_referral": ("邀请奖励收回", "referral undone"),
    "follow_referral": ("邀请奖励结清", "referral followed up"),
    "open_packets": ("红包池开放", "packets opened"),
    "end_packets": ("红包池结束", "packets ended"),
    "close_card": ("退卡", "card returned"),
    "transfer_card": ("过户转出", "card passed on"),
    "receive_card": ("过户转入", "card received"),
    "reactivate_card": ("过期卡激活", "card made valid again"),
    "recognise_breakage": ("未使用余额转收入", "idle balance taken as income"),
    "pay_out_closing": ("退卡打款", "paid out for a returned card"),
}
LINES: Mapping[str, Words] = {
    **{name.removesuffix("_fen"): words for name, words in COLUMNS.items() if name.endswith("_fen")},
    "fee_accrued": ("手续费计提", "fee accrued"),
    "fee_trued_up": ("手续费月末补差", "fee trued up"),
    "fee_late": ("上月手续费补差", "fee of an earlier month trued up"),
    "tax": ("其中增值税", "tax in it"),
    "partner_paid": ("分账收入", "share received as a partner"),
    "disputed": ("争议扣留与解除", "held back for disputes, or free again"),
}
SOURCES: Mapping[str, Words] = {
    "custody": ("存管", "custody"),
    "operating": ("自有", "operating"),
    "fiscal": ("财政", "fiscal"),
    "none": ("", ""),
}
_ENGLISH: Mapping[str, str] = {
    "card.principal": "card principal",
    "card.bonus": "card bonus",
    "card.subsidy": "card subsidy",
    "funder.budget": "free budget",
    "funder.committed": "promised budget",
    "funder.receivable": "receivable from funder",
    "funder.pledge": "pledge (memo)",
    "merchant.payable": "merchant payable",
    "merchant.reserve": "merchant reserve",
    "merchant.payout": "payout on its way",
    "merchant.waiting": "payout to be sent again",
    "merchant.disputed": "held for a dispute",
    "partner.payable": "payable to partners",
    "clearing.transfer": "on its way to another wallet",
    "holder.refund": "owed to the holder outside cards",
    "fee.income": "fee",
    "tax.payable": "VAT",
    "breakage.income": "breakage",
    "store.transfer": "transfer to own stores",
    "merchant.discount": "own discount (memo)",
    "merchant.discount_borne": "own discount (memo, other side)",
}
ACCOUNTS = frozenset(info.name for info in CHART.values())
_ZH_ACCOUNTS = {info.name: info.zh for info in CHART.values()}


def word(known: Mapping[str, Words], name: str, language: Language) -> str:
    """What something is called; its own name, spelled out, when nobody has named it."""
    found = known.get(name)
    if found is None:
        return name.removesuffix("_fen").replace("_", " ")
    return found[0] if language == "zh" else found[1]


def account(name: str, language: Language) -> str:
    """What an account is called."""
    if language == "zh":
        return _ZH_ACCOUNTS.get(name, name)
    return _ENGLISH.get(name, name.replace(".", " ").replace("_", " "))
