"""The words of the command line in both languages: labels of facts, names of states."""

from datetime import datetime
from typing import Any

from kaquan.kernel import clock, money
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Language

Words = tuple[str, str]
"""The same words in Chinese and in English."""

LABELS: dict[str, Words] = {
    "account": ("科目", "Account"),
    "account_name": ("科目名称", "Side"),
    "account_no": ("收款账号", "Account"),
    "active_at": ("可用时间", "Spendable from"),
    "added": ("新增", "Added"),
    "after": ("之后", "After"),
    "amount_fen": ("金额", "Amount"),
    "at": ("时间", "At"),
    "available_fen": ("可用余额", "Available"),
    "awarded": ("已发券", "Vouchers given"),
    "balance_fen": ("余额", "Balance"),
    "bank": ("开户行", "Bank"),
    "batch": ("券码批次", "Batch of codes"),
    "before": ("之前", "Before"),
    "bank_state": ("收款账户", "Bank account"),
    "bonus_fen": ("其中赠金", "From bonus"),
    "book": ("账簿", "Book"),
    "books": ("账簿数", "Books"),
    "captured_fen": ("已扣款", "Taken"),
    "card": ("卡", "Card"),
    "card_fen": ("由卡支付", "By card"),
    "carried_fen": ("上期结转", "Carried over"),
    "carry_fen": ("结转下期", "Carried on"),
    "clawback_fen": ("追回返利", "Rebate taken back"),
    "clawback_short_fen": ("未能追回", "Rebate not recovered"),
    "closes_at": ("报名截止", "Entries end"),
    "code": ("代码", "Code"),
    "commitment": ("种子承诺", "Commitment of the seed"),
    "contract": ("合同摘要", "Contract"),
    "count": ("笔数", "Count"),
    "credit": ("贷方", "Credit"),
    "credits_fen": ("贷方发生", "Credits"),
    "cut": ("切点", "Cut"),
    "data_dir": ("数据目录", "Data folder"),
    "debit": ("借方", "Debit"),
    "debits_fen": ("借方发生", "Debits"),
    "differing": ("不符", "Differing"),
    "discount_fen": ("优惠", "Discount"),
    "draw": ("摇号", "Draw"),
    "due_from_fen": ("应收", "Due from others"),
    "due_to_fen": ("应付", "Due to others"),
    "effect": ("影响", "Effect"),
    "effects": ("生效指令", "Effects"),
    "entries": ("报名数", "Entries"),
    "entry": ("报名编号", "Entry"),
    "expires_at": ("到期", "Expires"),
    "face_fen": ("面值", "Face value"),
    "fee_fen": ("手续费", "Fee"),
    "fund": ("资金户", "Fund"),
    "fund_fen": ("出资", "Pays"),
    "goods": ("商品", "Goods"),
    "granted_fen": ("发放", "Granted"),
    "gross_fen": ("交易额", "Gross"),
    "group": ("所属商户组", "Group"),
    "held_back_fen": ("留存", "Held back"),
    "held_fen": ("预授权占用", "Held"),
    "held_until_at": ("占用至", "Held until"),
    "holder": ("持卡人", "Holder"),
    "home": ("安装目录", "Home"),
    "id": ("编号", "Id"),
    "id_number": ("证件号码", "Identity number"),
    "identified": ("已登记身份", "Identified"),
    "instructed_fen": ("指令", "Instructed"),
    "issuer": ("发行方", "Issuer"),
    "key": ("请求号", "Key"),
    "kind": ("种类", "Kind"),
    "known": ("原已存在", "Known before"),
    "law_pack": ("适用法规", "Law"),
    "leaves": ("存证叶", "Leaves"),
    "line": ("行", "Line"),
    "list_digest": ("名单摘要", "Digest of the list"),
    "lots": ("资金批次", "Lots"),
    "lots_below": ("为负的批次", "Lots below zero"),
    "meaning": ("含义", "Meaning"),
    "merchant": ("商户", "Merchant"),
    "migration": ("迁移", "Migration"),
    "migration_state": ("状态", "State"),
    "miscounted": ("重计或漏计", "Miscounted"),
    "missing_fen": ("还差", "Missing"),
    "moved_at": ("扣款时间", "Taken at"),
    "movement": ("事项", "Event"),
    "name": ("名称", "Name"),
    "net_fen": ("净额", "Net"),
    "number": ("卡号", "Card number"),
    "offers": ("档位", "Offers"),
    "open_fen": ("未结算", "Not settled"),
    "open_holds": ("预授权", "Authorizations"),
    "opens_at": ("报名开始", "Entries begin"),
    "order_no": ("订单号", "Order"),
    "other": ("对方账簿", "Other book"),
    "outstanding_fen": ("卡内余额", "On cards"),
    "outside_fen": ("场外支付", "Outside"),
    "owner": ("归属", "Owner"),
    "owners": ("账户", "Owners"),
    "owners_below": ("为负的账户", "Owners below zero"),
    "paid_fen": ("实付", "Paid"),
    "pay_on": ("打款日", "Pay on"),
    "payable_fen": ("应付商户", "Payable"),
    "payables": ("应付账户", "Payables"),
    "payment": ("支付编号", "Payment"),
    "payments": ("支付", "Payments"),
    "payments_differing": ("不符的支付", "Payments differing"),
    "period_end": ("账期截止", "Period to"),
    "pending_bank_fen": ("待绑卡", "Waits for bank"),
    "person": ("办理人", "Person"),
    "phone": ("手机号", "Phone"),
    "place": ("名次", "Place"),
    "platforms": ("受理平台", "Platforms"),
    "posted_fen": ("入账", "Posted"),
    "principal_fen": ("其中本金", "From principal"),
    "program": ("活动", "Program"),
    "proof": ("凭证", "Proof"),
    "reason": ("原因", "Reason"),
    "rebate_cancelled_fen": ("取消待发返利", "Rebate cancelled"),
    "rebate_fen": ("待发返利", "Rebate to come"),
    "rebuilt_fen": ("重算", "Rebuilt"),
    "refund": ("退款编号", "Refund"),
    "refundable_until": ("可退款至", "Refundable until"),
    "refunded_fen": ("已退款", "Refunded"),
    "refunds": ("退款", "Refunds"),
    "refunds_fen": ("退款", "Refunds"),
    "refused": ("被拒绝", "Refused"),
    "registered": ("记名卡", "Registered"),
    "released_fen": ("释放", "Released"),
    "reserve_fen": ("保证金", "Reserve"),
    "reserved_fen": ("留存保证金", "Held back"),
    "returned": ("已退", "Returned"),
    "rewards": ("返利", "Rebates"),
    "rows": ("汇总行", "Rows"),
    "seats": ("名额", "Seats"),
    "seed": ("种子", "Seed"),
    "settlements": ("结算", "Settlements"),
    "shares_differing": ("不符的扣款明细", "Shares differing"),
    "source": ("资金来源", "Paid from"),
    "starts_on": ("开始日期", "Starts on"),
    "state": ("状态", "State"),
    "step": ("步骤", "Step"),
    "stock": ("券批次", "Stock"),
    "store": ("门店", "Store"),
    "stored_fen": ("账面", "Stored"),
    "stores": ("门店数", "Stores"),
    "subsidy_fen": ("消费券补贴", "Subsidy"),
    "term": ("规则项", "Term"),
    "terms": ("条款编号", "Terms"),
    "terms_version": ("条款版本", "Terms version"),
    "transfer": ("转账编号", "Transfer"),
    "transfers": ("转账", "Transfers"),
    "unsettled_fen": ("未与商户结清", "Not settled"),
    "used": ("已用", "Used"),
    "used_fen": ("已抵扣", "Taken off"),
    "valid_at": ("生效", "Counts from"),
    "version": ("版本", "Version"),
    "voucher": ("券", "Voucher"),
    "waiting": ("待批准版本", "Waiting"),
    "waiting_rewards": ("待发返利", "Rebates to come"),
    "vouchers_usable": ("可再用的券", "Vouchers usable again"),
    "wallet": ("钱包", "Wallet"),
    "why": ("说明", "Why"),
    "without_command": ("没有对应指令", "Without a command"),
    "without_effect": ("多余的存证叶", "Without an effect"),
    "without_leaf": ("缺存证叶", "Without a leaf"),
    "won": ("中签", "Won"),
    "work": ("事项", "Work"),
}

VALUES: dict[str, Words] = {
    "active": ("正常", "active"),
    "authorized": ("已预授权", "authorized"),
    "bonus": ("赠金", "bonus"),
    "bound": ("已绑定，未核验", "bound, not verified"),
    "captured": ("已扣款", "captured"),
    "closed": ("已关闭", "closed"),
    "close_period": ("结算期关账", "periods closed"),
    "custody": ("存管", "custody"),
    "enrolled": ("已入驻", "enrolled"),
    "expired": ("已过期", "expired"),
    "fiscal": ("财政", "fiscal"),
    "frozen": ("已冻结", "frozen"),
    "live": ("有效", "live"),
    "lost": ("已挂失", "lost"),
    "nothing_taken": ("没有扣款", "nothing taken"),
    "operating": ("自有", "operating"),
    "principal": ("本金", "principal"),
    "refunded": ("已退款", "refunded"),
    "registered": ("已登记", "registered"),
    "sold": ("已售出", "sold"),
    "subsidy": ("补贴", "subsidy"),
    "suspended": ("已暂停", "suspended"),
    "topped_up": ("已充值", "topped up"),
    "authorize": ("预授权", "authorize"),
    "capture": ("预授权完成", "capture"),
    "expire_hold": ("预授权过期释放", "holds released"),
    "expire_lot": ("赠金到期", "bonus expired"),
    "grant_reward": ("返利到账", "rebates granted"),
    "missing": ("未绑定", "none bound"),
    "none": ("-", "-"),
    "partly_refunded": ("已部分退款", "partly refunded"),
    "pay": ("支付", "pay"),
    "refund": ("退款", "refund"),
    "release_reserve": ("保证金释放", "reserve released"),
    "reverse": ("冲正", "reverse"),
    "sell": ("售卡", "sell"),
    "settle": ("结算", "settle"),
    "top_up": ("充值", "top up"),
    "verified": ("已核验", "verified"),
    "voided": ("已撤销", "voided"),
    "draft": ("草稿", "draft"),
    "review": ("待批准", "in review"),
    "approved": ("已批准", "approved"),
    "running": ("进行中", "running"),
    "paused": ("已暂停", "paused"),
    "ended": ("已结束", "ended"),
    "amend": ("收紧", "tightened"),
    "approve": ("批准", "approved"),
    "close": ("关闭", "closed"),
    "end": ("结束", "ended"),
    "pause": ("暂停", "paused"),
    "propose": ("提出修改", "amendment proposed"),
    "reject": ("退回", "rejected"),
    "resume": ("恢复", "resumed"),
    "schedule": ("定开始日期", "start set"),
    "start": ("开始", "started"),
    "start_program": ("活动开始", "programs started"),
    "submit": ("提交", "submitted"),
    "issued": ("可用", "usable"),
    "held": ("占用中", "held"),
    "redeemed": ("已核销", "redeemed"),
    "returned": ("已退回", "returned"),
    "listed": ("名单已锁定", "listed"),
    "revealed": ("已公布种子", "revealed"),
    "stopped": ("已停用", "stopped"),
    "claim": ("领券", "claim"),
    "claim_by_code": ("凭码领券", "claim by code"),
    "issue_voucher": ("发券", "voucher issued"),
    "award": ("中签发券", "award"),
    "void_voucher": ("券作废", "voucher voided"),
    "expire_voucher": ("券过期", "vouchers expired"),
}

_WORDED = frozenset({"state", "bank_state", "step", "kind", "source", "movement", "work"})
"""The facts whose values are words of ours; all others are names that somebody chose."""

_YES: Words = ("是", "yes")
_NO: Words = ("否", "no")
_NEVER: Words = ("永久", "never")


def pick(words: Words, language: Language) -> str:
    """The words in one language."""
    return words[0] if language == "zh" else words[1]


def label(name: str, language: Language) -> str:
    """What a fact is called; its own name when nobody has named it."""
    return pick(LABELS.get(name, (name, name)), language)


def value(name: str, given: Any, language: Language) -> str:
    """A fact as people read it: yuan with two decimals, Shanghai time, words for states."""
    if isinstance(given, bool):
        return pick(_YES if given else _NO, language)
    if name == "expires_at" and given is None:
        return pick(_NEVER, language)
    if given is None:
        return "-"
    if name.endswith("_fen"):
        return money.text(Money(given))
    if name == "at" or name.endswith("_at"):
        return _shown(given)
    if name in _WORDED and given in VALUES:
        return pick(VALUES[given], language)
    return str(given)


def _shown(given: str) -> str:
    """An instant in Shanghai time; what names no zone was written for people already."""
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        return given
    return given if at.tzinfo is None else clock.shown(at)
