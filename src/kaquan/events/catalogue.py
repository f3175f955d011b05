"""Every event: `subject.what_happened.vN`, its meaning and what it names. The door refuses what is not here.

An event has no data of its own: the journal row names the command that made it, and what it carries are ids out of
the command's answer. Its consumers ask for the rest, so they never see personal data or amounts by the way. Pure.
"""

from typing import Any, NamedTuple

from kaquan.kernel.clock import instant
from kaquan.kernel.ids import PREFIXES, Id, public

CODED = ("fund", "organisation", "program", "stock")
"""Things that are named outside by the code that their owner gave them."""

EVENT_PREFIX = "evt"


class Event(NamedTuple):
    """What an event means in Chinese and English, and the things that its data names."""

    zh: str
    en: str
    carries: tuple[str, ...]


EVENTS: dict[str, Event] = {
    "organisation.registered.v1": Event("机构已登记", "an organisation was registered", ("organisation",)),
    "merchant.registered.v1": Event("商户已登记", "a merchant was registered", ("merchant",)),
    "merchant.enrolled.v1": Event("商户已入驻活动", "a merchant takes part in a program", ("merchant", "program")),
    "merchant.suspended.v1": Event(
        "商户已暂停受理", "a merchant takes part in a program no longer", ("merchant", "program")
    ),
    "merchant.bank_bound.v1": Event(
        "商户已绑定收款账户", "a merchant is to be paid to another account", ("merchant",)
    ),
    "merchant.bank_verified.v1": Event(
        "商户收款账户已核验", "the account of a merchant was proved to be its own", ("merchant",)
    ),
    "store.registered.v1": Event("门店已登记", "a store was registered", ("store",)),
    "program.opened.v1": Event("活动已开办", "a program was opened", ("program",)),
    "program.amended.v1": Event("活动条款有新版本", "a program got a new version of its terms", ("program",)),
    "program.drafted.v1": Event("活动草稿已保存", "a draft of a program was kept", ("program",)),
    "program.submitted.v1": Event("活动已提交审批", "a program waits for its approval", ("program",)),
    "program.approved.v1": Event("活动已获批准", "a second person approved a program", ("program",)),
    "program.rejected.v1": Event("活动已退回", "what waited for an approval was not approved", ("program",)),
    "program.scheduled.v1": Event("活动已定开始日期", "the day on which a program starts was set", ("program",)),
    "program.started.v1": Event("活动已开始", "a program began to sell", ("program",)),
    "program.paused.v1": Event("活动已暂停", "a program sells and grants nothing for now", ("program",)),
    "program.resumed.v1": Event("活动已恢复", "a program sells and grants again", ("program",)),
    "program.ended.v1": Event("活动已结束", "a program sells nothing any more", ("program",)),
    "program.closed.v1": Event("活动已关闭", "a program that owed nothing any more was closed", ("program",)),
    "program.amendment_proposed.v1": Event(
        "活动修改已提出", "new terms of a program wait for their approval", ("program",)
    ),
    "holder.registered.v1": Event("持卡人已登记", "a wallet was opened", ("wallet",)),
    "holder.identified.v1": Event("持卡人已实名", "who holds a wallet was put on record", ()),
    "card.sold.v1": Event("卡已售出", "a card was sold", ("card",)),
    "card.topped_up.v1": Event("卡已充值", "a card was topped up", ("card",)),
    "card.frozen.v1": Event("卡已冻结", "a card was frozen", ("card",)),
    "card.unfrozen.v1": Event("卡已解冻", "a card was unfrozen", ("card",)),
    "card.reported_lost.v1": Event("卡已挂失", "a card was reported lost", ("card",)),
    "card.replaced.v1": Event("卡已补发", "a lost card got a new number", ("card",)),
    "closing.requested.v1": Event(
        "已申请退卡", "a holder returns a card or a purchase: the legal clock starts", ("card", "closing")
    ),
    "closing.cancelled.v1": Event("退卡申请已撤销", "a holder keeps a card after all", ("card", "closing")),
    "closing.paid.v1": Event("退卡款已支付", "what was owed for a returned card was paid", ("card", "closing")),
    "closing.overdue.v1": Event(
        "退卡已逾期", "the legal deadline of a returned card passed before it was paid", ("card", "closing")
    ),
    "card.closed.v1": Event(
        "卡已退", "a card was closed, and its holder is owed what it came to", ("card", "closing")
    ),
    "card.passed_on.v1": Event("卡已转出", "a holder passed a registered card on to another", ("card",)),
    "card.received.v1": Event("卡已转入", "a card that was passed on arrived with its new number", ("card",)),
    "card.reactivated.v1": Event("过期卡已激活", "an expired bearer card is valid again", ("card",)),
    "card.idle.v1": Event("卡已闲置", "a card has lain unused: remind its holder", ("card",)),
    "card.breakage_recognised.v1": Event(
        "已确认未使用收入", "what was left of an expired bearer card counts as income", ("card",)
    ),
    "purchase.returned.v1": Event(
        "购买已退回", "one purchase on a card was undone, and its holder is owed it", ("card", "closing")
    ),
    "payment.authorized.v1": Event("预授权成功", "value was held for a payment", ("payment", "merchant")),
    "payment.captured.v1": Event("付款成功", "a payment took its money", ("payment", "merchant")),
    "payment.voided.v1": Event("预授权已撤销", "an authorization was given up", ("payment", "merchant")),
    "payment.expired.v1": Event("预授权已过期", "an authorization ran out", ("payment", "merchant")),
    "payment.refunded.v1": Event("已退款", "a payment was refunded", ("payment", "refund", "merchant")),
    "payment.reversed.v1": Event(
        "已冲正", "a payment was undone by its order number", ("payment", "refund", "merchant")
    ),
    "order.barred.v1": Event("订单已作废", "an order that took nothing may never be paid", ("merchant",)),
    "reward.granted.v1": Event("返利已到账", "a rebate became a bonus lot", ("payment",)),
    "reward.lapsed.v1": Event("返利已失效", "a rebate lapsed, for its card had been closed", ("payment",)),
    "lot.expired.v1": Event("赠金已过期", "what was left of a lot expired", ("lot",)),
    "custody.deposited.v1": Event("存管资金已存入", "money was deposited into custody", ("program",)),
    "custody.released.v1": Event("存管资金已释放", "money left custody", ("program",)),
    "custody.covered.v1": Event("日终存管足额", "a day ended with enough in custody", ("program",)),
    "custody.warned.v1": Event("日终存管接近应存额", "a day ended with hardly enough in custody", ("program",)),
    "custody.short.v1": Event("日终存管不足", "a day ended with too little in custody", ("program",)),
    "custody.statement_entered.v1": Event(
        "存管对账单已登记，待复核", "a statement of the custody bank waits to be looked at", ("program",)
    ),
    "custody.statement_confirmed.v1": Event(
        "存管对账单已生效", "a statement of the custody bank counts", ("program",)
    ),
    "custody.statement_rejected.v1": Event(
        "存管对账单已退回", "a statement of the custody bank was not agreed to", ("program",)
    ),
    "custody.discrepancy_explained.v1": Event(
        "存管差错已说明", "a difference between bank and books was explained", ("program",)
    ),
    "program.sales_stopped.v1": Event(
        "存管不足，已停止售卡和充值", "sales stopped for want of money in custody", ("program",)
    ),
    "program.sales_resumed.v1": Event("存管补足，已恢复销售", "sales go on: custody is covered", ("program",)),
    "fund.registered.v1": Event("资金户已登记", "a fund was registered", ("fund",)),
    "fund.paid_in.v1": Event("资金户已入金或追加承诺", "money came in for a fund, or more was pledged", ("fund",)),
    "fund.paid_out.v1": Event("资金户余额已退回", "free money of a fund went back to its party", ("fund",)),
    "fund.swept.v1": Event("退回资金已归集", "what came back to a fund can be promised again", ("fund",)),
    "stock.opened.v1": Event("券批次已开放", "a stock of vouchers was opened", ("stock", "program")),
    "stock.paused.v1": Event("券批次已暂停", "a stock hands out none for now", ("stock", "program")),
    "stock.resumed.v1": Event("券批次已恢复", "a stock hands out again", ("stock", "program")),
    "stock.stopped.v1": Event("券批次已停止", "a stock hands out no more", ("stock", "program")),
    "stock.raised.v1": Event("券批次已追加", "a stock grew to what its terms say", ("stock", "program")),
    "voucher.issued.v1": Event("券已发放", "a voucher was handed out", ("voucher",)),
    "voucher.codes_added.v1": Event("券码已导入", "codes that are worth a voucher were brought in", ()),
    "voucher.codes_opened.v1": Event("一批券码已启用", "a batch of codes counts from now on", ("batch",)),
    "voucher.codes_stopped.v1": Event("一批券码已停用", "a batch of codes counts no more", ("batch",)),
    "draw.opened.v1": Event("摇号已开始报名", "a draw opened, and its seed is committed", ("draw",)),
    "draw.entered.v1": Event("已报名摇号", "somebody takes part in a draw", ("draw", "entry")),
    "draw.ended.v1": Event("摇号报名已截止", "a draw takes no more entries", ("draw",)),
    "draw.listed.v1": Event("摇号名单已锁定", "the list of a draw's entries is committed", ("draw",)),
    "draw.revealed.v1": Event("摇号种子已公布", "the seed of a draw is known, and with it every place", ("draw",)),
    "voucher.reserved.v1": Event("券已占用", "a voucher was reserved for an order", ("voucher",)),
    "voucher.released.v1": Event("券占用已释放", "a reservation of a voucher was given up", ("voucher",)),
    "voucher.voided.v1": Event("券已作废", "a voucher was taken from its holder", ("voucher",)),
    "voucher.expired.v1": Event("券已过期", "a voucher expired, and its money is free again", ("voucher",)),
    "plan.granted.v1": Event("返还计划本月已发放", "a month of a plan was granted", ("plan",)),
    "plan.cancelled.v1": Event("返还计划已取消", "a plan grants nothing more", ("plan",)),
    "referral.accepted.v1": Event("已接受邀请", "an invitation was accepted", ("referral",)),
    "referral.earned.v1": Event("邀请已达标", "the invitee's first purchase earned a referral", ("referral",)),
    "referral.lapsed.v1": Event("邀请未达标", "the invitee's first purchase was too small", ("referral",)),
    "referral.paid.v1": Event(
        "邀请奖励可发放", "the first purchase has stayed, and a referral is paid", ("referral",)
    ),
    "referral.undone.v1": Event("邀请已追回", "the first purchase was undone, and so is its referral", ("referral",)),
    "invitation.recorded.v1": Event("邀请人已登记", "the inviter's side knows of a referral", ("invitation",)),
    "invitation.paid.v1": Event("邀请人已得奖励", "the inviter got her voucher", ("invitation",)),
    "invitation.capped.v1": Event("邀请人已达上限", "the inviter had all that she may get", ("invitation",)),
    "invitation.lapsed.v1": Event("邀请未得奖励", "the inviter gets nothing for an invitation", ("invitation",)),
    "invitation.undone.v1": Event("邀请人奖励已追回", "the inviter's voucher was taken back", ("invitation",)),
    "packets.opened.v1": Event("红包池已开放", "a pool of packets was opened", ("pool",)),
    "packet.opened.v1": Event("红包已领取", "a packet was opened", ("pool", "voucher")),
    "packets.ended.v1": Event("红包池已结束", "a pool of packets ended and was revealed", ("pool",)),
    "books.closed.v1": Event("账簿已关账", "the books of some days were closed", ()),
    "settlement.settled.v1": Event(
        "商户已结算", "a merchant's period was settled", ("settlement", "merchant", "program")
    ),
    "settlement.closed.v1": Event(
        "结算期已关账", "all merchants of a program are settled for a period", ("program",)
    ),
    "payout.source_named.v1": Event("付款账户已登记", "the bank account that pays merchants was named", ()),
    "payout.file_opened.v1": Event("打款文件已列出", "a file of payouts was listed", ("payout_file",)),
    "payout.file_made.v1": Event("打款文件已生成", "a file of payouts was made", ("payout_file",)),
    "payout.sent.v1": Event("打款已列入文件", "the bank was told to pay", ("payout", "merchant", "program")),
    "payout.confirmed.v1": Event("打款已到账", "the bank paid", ("payout", "merchant", "program")),
    "payout.failed.v1": Event("打款失败", "the bank could not pay", ("payout", "merchant", "program")),
    "payout.returned.v1": Event("打款退汇", "what the bank paid came back", ("payout", "merchant", "program")),
    "payout.reissued.v1": Event("打款重发", "the bank is to be told again", ("payout", "merchant", "program")),
    "payout.result_repeated.v1": Event(
        "银行重复告知", "the bank said what was known", ("payout", "merchant", "program")
    ),
    "dispute.opened.v1": Event(
        "争议已提出", "an amount is disputed and held back", ("dispute", "merchant", "program")
    ),
    "dispute.answered.v1": Event("商户已答复争议", "the merchant answered", ("dispute", "merchant", "program")),
    "dispute.resolved.v1": Event(
        "争议已了结", "a dispute was decided, what was held goes back", ("dispute", "merchant", "program")
    ),
    "payout.exception_opened.v1": Event("打款差错", "what the bank said fits nothing", ()),
    "payout.exception_explained.v1": Event("打款差错已说明", "a line of the bank was explained", ()),
    "debt.written_off.v1": Event(
        "商户欠款已核销", "what a merchant owed was written off by two persons", ("merchant", "program")
    ),
    "partner.paid.v1": Event(
        "分账款已转入待结算",
        "what a partner has of merchants comes with its next settlement",
        ("merchant", "program"),
    ),
    "reserve.released.v1": Event(
        "保证金已释放", "what a settlement held back was released", ("settlement", "merchant", "program")
    ),
    "statement.made.v1": Event(
        "对账单已出具", "a statement of a merchant, a fund or a wallet was made", ("statement",)
    ),
    "endpoint.added.v1": Event("回调地址已添加", "an address for webhooks was added", ("endpoint",)),
    "endpoint.changed.v1": Event("回调地址已修改", "an address for webhooks was changed", ("endpoint",)),
    "endpoint.removed.v1": Event("回调地址已移除", "an address for webhooks was removed", ("endpoint",)),
    "endpoint.secret_rotated.v1": Event("回调密钥已更换", "an address for webhooks has a new secret", ("endpoint",)),
    "endpoint.stopped.v1": Event("回调地址已停用", "an address for webhooks said that it is gone", ("endpoint",)),
    "api_key.issued.v1": Event("API 密钥已签发", "somebody may call from outside", ("api_key",)),
    "api_key.rotated.v1": Event("API 密钥已轮换", "an API key got a new secret", ("api_key",)),
    "api_key.revoked.v1": Event("API 密钥已吊销", "an API key lets nobody in any more", ("api_key",)),
    "approval.requested.v1": Event("已申请批准", "something waits for a second person", ("approval",)),
    "approval.approved.v1": Event("申请已获批准", "a second person approved a request", ("approval",)),
    "approval.rejected.v1": Event("申请已退回", "a second person rejected a request", ("approval",)),
    "approval.executed.v1": Event("申请已执行", "what was approved was executed", ("approval",)),
    "device.added.v1": Event("付款码设备已添加", "a device may show payment codes", ()),
    "device.removed.v1": Event("付款码设备已停用", "the codes of a device count no more", ()),
}


def version(name: str) -> int:
    """The number of the form of an event's data: what a receiver wrote for one number goes on working."""
    return int(name.rpartition(".v")[2])


def event_id(effect: Id) -> str:
    """`evt_…`: an effect is one event, so it has one name however often it is told."""
    return public(EVENT_PREFIX, effect)


def message(name: str, at_us: int, data: dict[str, str]) -> dict[str, Any]:
    """What is told of an event, in the form of Standard Webhooks."""
    at = instant(at_us).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"type": name, "timestamp": at, "data": data}


def example(name: str) -> dict[str, Any]:
    """What a receiver gets of an event, with ids that were never used."""
    born = bytes.fromhex("0196eb1f1a007000800000000000")
    data = {}
    for number, thing in enumerate(EVENTS[name].carries):
        identity = born + number.to_bytes(2, "big")
        data[thing] = _CODES[thing] if thing in CODED else public(PREFIXES[thing], identity)
    return message(name, 1_747_713_600_000_000, data)


_CODES = {"fund": "city", "organisation": "jingxi", "program": "jingxika", "stock": "off-10"}
