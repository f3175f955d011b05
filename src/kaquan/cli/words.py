"""How facts are told on the command line: names of states in both languages, amounts, instants."""

from datetime import datetime
from typing import Any

from kaquan.cli.labels import LABELS, Words
from kaquan.kernel import clock, money
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Language

VALUES: dict[str, Words] = {
    "closing": ("退卡中", "being returned"),
    "receive_card": ("卡到账", "cards received"),
    "transfer_card": ("转让", "cards passed on"),
    "reactivate_card": ("激活", "cards made valid again"),
    "recognise_breakage": ("未使用收入", "breakage recognised"),
    "remind_idle": ("闲置提醒", "idle cards told"),
    "asked": ("待结清", "asked for"),
    "bank": ("银行账户", "a bank account"),
    "owed": ("待付款", "owed"),
    "issuer_cause": ("发行方原因", "issuer's cause"),
    "holder_cause": ("持卡人原因", "holder's cause"),
    "not_active": ("未激活", "not active yet"),
    "cooling_off": ("冷静期", "time to withdraw"),
    "cooling_off_unused": ("冷静期内未使用", "unused, in time"),
    "passed_on": ("已转让", "passed on"),
    "original": ("原路退回", "the way it came"),
    "cash": ("现金", "cash"),
    "close_card": ("退卡结清", "cards closed"),
    "pay_out_closing": ("退卡付款", "returned cards paid"),
    "note_overdue": ("退卡逾期提示", "overdue returns told"),
    "on_card": ("回到卡上", "to the card"),
    "on_card_anew": ("回到卡上，重新计有效期", "to the card, anew"),
    "payer": ("归还出资人", "to its payer"),
    "owed_to_holder": ("应退持卡人", "owed to the holder"),
    "voucher": ("券", "voucher"),
    "outside": ("场外支付", "outside"),
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
    "pay_partner": ("分账款转入结算", "partners paid"),
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
    "removed": ("已停用", "removed"),
    "returned": ("已退回", "returned"),
    "forfeited": ("已收回", "forfeited"),
    "listed": ("名单已锁定", "listed"),
    "revealed": ("已公布种子", "revealed"),
    "stopped": ("已停用", "stopped"),
    "claim": ("领券", "claim"),
    "claim_by_code": ("凭码领券", "claim by code"),
    "issue_voucher": ("发券", "voucher issued"),
    "award": ("中签发券", "award"),
    "void_voucher": ("券作废", "voucher voided"),
    "expire_voucher": ("券过期", "vouchers expired"),
    "drip": ("按月返还", "monthly plan"),
    "open": ("开放", "opened"),
    "packets": ("红包", "packets"),
    "pause_stock": ("券批次熔断", "stocks paused by their breaker"),
    "pledged": ("后付承诺", "pledged"),
    "prepaid": ("预付", "prepaid"),
    "raise": ("追加", "raised"),
    "referral": ("邀请", "referral"),
    "stock": ("券批次", "stock"),
    "stop": ("停止", "stopped"),
    "sweep_fund": ("资金归集", "funds swept"),
    "exchange": ("兑换券", "exchange"),
    "instant": ("立减券", "instant"),
    "percent": ("折扣券", "percent"),
    "threshold": ("满减券", "threshold"),
    "pay_in_fund": ("资金户入金", "fund paid in"),
    "pay_out_fund": ("资金户退回", "fund paid out"),
    "cancelled": ("已取消", "cancelled"),
    "clawed_back": ("已追回", "clawed back"),
    "done": ("已发完", "done"),
    "earned": ("待发放", "earned"),
    "lapsed": ("已失效", "lapsed"),
    "over_cap": ("已达上限", "over the cap"),
    "paid": ("已发放", "paid"),
    "pending": ("待首充", "pending"),
    "invitee": ("受邀人", "invitee"),
    "inviter": ("邀请人", "inviter"),
    "grant_drip": ("按月返还", "months of plans granted"),
    "cancel_plan": ("取消返还计划", "plans cancelled"),
    "earn_referral": ("邀请判定", "referrals judged"),
    "pay_referral": ("邀请发放", "referrals paid"),
    "undo_referral": ("邀请作废", "referrals undone"),
    "follow_referral": ("邀请人一侧", "inviters' sides"),
    "open_packets": ("红包开池", "pools opened"),
    "end_packets": ("红包池结束", "pools ended"),
    "requested": ("待批准", "requested"),
    "rejected": ("已退回", "rejected"),
    "executed": ("已执行", "executed"),
    "revoked": ("已吊销", "revoked"),
    "raise_stock": ("追加券批次", "raise a stock"),
    "issue_key": ("签发密钥", "issue a key"),
    "operator": ("运营方", "operator"),
    "issuer": ("发行方", "issuer"),
    "merchant": ("商户", "merchant"),
    "cashier": ("收银", "cashier"),
    "holder": ("持卡人", "holder"),
    "funder": ("出资方", "funder"),
    "regulator": ("监管方", "regulator"),
    "system": ("系统", "system"),
    "delivered": ("已送达", "delivered"),
    "given_up": ("已放弃", "given up"),
    "waiting": ("待送达", "waiting"),
    "covered": ("足额", "covered"),
    "not_kept": ("未在此存管", "not kept here"),
    "warned": ("预警", "warned"),
    "short": ("不足", "short"),
    "sales_stopped": ("已停售", "sales stopped"),
    "entered": ("待复核", "entered"),
    "confirmed": ("已生效", "confirmed"),
    "not_in_books": ("账上没有", "not in the books"),
    "not_at_bank": ("银行没有", "not at the bank"),
    "balance": ("余额不符", "balance differs"),
    "matched": ("已相符", "matched"),
    "explained": ("已说明", "explained"),
    "top_ups": ("收款", "taken"),
    "quarter_end": ("上季末余额", "end of last quarter"),
    "outstanding": ("当前余额", "outstanding"),
    "entrusted": ("代持资金", "held for others"),
    "assess_custody": ("存管日终核对", "days of custody checked"),
    "lift_stop": ("恢复销售", "sales that go on"),
    "release_custody": ("释放存管资金", "release from custody"),
}

_WORDED = frozenset(
    {
        "basis",
        "route",
        "state",
        "bank_state",
        "inviter_state",
        "side",
        "step",
        "kind",
        "mode",
        "cause",
        "part",
        "party",
        "goes",
        "payer",
        "source",
        "movement",
        "work",
        "role",
        "wanted",
        "level",
        "base",
    }
)
"""The facts whose values are words of ours; all others are names that somebody chose."""

_OPEN: Words = ("开放", "open")
"""The state; `VALUES` has the word for the step of that name."""
_YES: Words = ("是", "yes")
_NO: Words = ("否", "no")
_NEVER: Words = ("永久", "never")


LINES: dict[str, Words] = {
    "carried": ("上期结转", "carried over"),
    "gross": ("交易", "trade"),
    "refunds": ("退款", "refunds"),
    "released": ("保证金释放", "reserve released"),
    "partner_paid": ("分账收入", "share received as a partner"),
    "disputed": ("争议扣留与解除", "held back for disputes, or free again"),
    "written_off": ("欠款核销", "debt written off"),
    "drawn": ("保证金抵扣", "drawn from reserve"),
    "fee_accrued": ("手续费计提", "fee accrued"),
    "fee_trued_up": ("手续费月末补差", "fee trued up"),
    "fee_late": ("上月手续费补差", "fee of an earlier month trued up"),
    "tax": ("其中增值税", "tax in it"),
    "shared": ("分账", "share of a partner"),
    "reserved": ("冻结保证金", "held back"),
    "paid": ("打款", "paid"),
    "transferred": ("内部划拨", "transferred inside"),
    "pending_bank": ("待绑卡", "waits for a bank account"),
    "pending_minimum": ("不足起结金额", "below the least payout"),
    "carry": ("结转下期", "carried on"),
}
"""The lines of a settlement."""


def line_words(line: str) -> Words:
    """What a line of a settlement is called."""
    return LINES[line]


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
    if name.endswith("state") and given == "open":
        return pick(_OPEN, language)
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
