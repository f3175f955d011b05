"""Every event: `subject.what_happened.vN`, with its meaning. The door refuses to write one that is not here.

An event carries no data of its own: the journal row names the command that made it, and the command's answer
tells the rest. Its consumers therefore never see personal data.
"""

EVENTS: dict[str, tuple[str, str]] = {
    "organisation.registered.v1": ("机构已登记", "an organisation was registered"),
    "merchant.registered.v1": ("商户已登记", "a merchant was registered"),
    "store.registered.v1": ("门店已登记", "a store was registered"),
    "program.opened.v1": ("活动已开办", "a program was opened"),
    "program.amended.v1": ("活动条款有新版本", "a program got a new version of its terms"),
    "holder.registered.v1": ("持卡人已登记", "a wallet was opened"),
    "holder.identified.v1": ("持卡人已实名", "who holds a wallet was put on record"),
    "card.sold.v1": ("卡已售出", "a card was sold"),
    "card.topped_up.v1": ("卡已充值", "a card was topped up"),
    "card.frozen.v1": ("卡已冻结", "a card was frozen"),
    "card.unfrozen.v1": ("卡已解冻", "a card was unfrozen"),
    "card.reported_lost.v1": ("卡已挂失", "a card was reported lost"),
    "card.replaced.v1": ("卡已补发", "a lost card got a new number"),
    "payment.authorized.v1": ("预授权成功", "value was held for a payment"),
    "payment.captured.v1": ("付款成功", "a payment took its money"),
    "payment.voided.v1": ("预授权已撤销", "an authorization was given up"),
    "payment.expired.v1": ("预授权已过期", "an authorization ran out"),
    "payment.refunded.v1": ("已退款", "a payment was refunded"),
    "payment.reversed.v1": ("已冲正", "a payment was undone by its order number"),
    "order.barred.v1": ("订单已作废", "an order that took nothing may never be paid"),
    "reward.granted.v1": ("返利已到账", "a rebate became a bonus lot"),
    "lot.expired.v1": ("赠金已过期", "what was left of a lot expired"),
    "voucher.issued.v1": ("券已发放", "a voucher was handed out"),
    "voucher.reserved.v1": ("券已占用", "a voucher was reserved for an order"),
    "voucher.released.v1": ("券占用已释放", "a reservation of a voucher was given up"),
    "voucher.voided.v1": ("券已作废", "a voucher was taken from its holder"),
    "voucher.expired.v1": ("券已过期", "a voucher expired, and its money is free again"),
    "settlement.settled.v1": ("商户已结算", "a merchant's period was settled"),
    "reserve.released.v1": ("保证金已释放", "what a settlement held back was released"),
}
