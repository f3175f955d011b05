"""What a program gives away, in plain sentences: vouchers, plans, referrals, packets, and who pays for them."""

from collections.abc import Iterator, Sequence

from kaquan.kernel.money import WHOLE, text
from kaquan.programs.explain_refunds import voucher_after_refund
from kaquan.programs.grants import MERCHANT, Drip, Funding, PacketPool, Referral, Stock
from kaquan.programs.liability import supply
from kaquan.programs.phrases import Sentence, count_of, percent
from kaquan.programs.terms import ProgramTerms

_HANDED: dict[str, Sentence] = {
    "claim": ("领取", "claimed"),
    "code": ("凭码领取", "claimed by code"),
    "draw": ("摇号抽取", "drawn by lot"),
    "grant": ("由活动发放", "granted by the program"),
}


_BONUSES: dict[str, Sentence] = {
    "rebate": ("返利", "the rebate"),
    "presale": ("充值赠送", "what a purchase puts on top of its price"),
}
"""What may be funded besides stocks."""


def given(terms: ProgramTerms) -> list[Sentence]:
    """Every stock with who pays for it, then what hands them out without a claim."""
    names = {stock.code: (stock.name_zh, stock.name_en) for stock in terms.stocks}
    sentences: list[Sentence] = []
    for stock in terms.stocks:
        sentences += [_what(stock), _supplied(stock), _counted(stock)]
        sentences += [*voucher_after_refund(stock), *_limited(stock)]
        sentences.append(_funded([each for each in terms.funding if each.of == stock.code]))
    sentences += [_plan(one, names) for one in terms.drips]
    sentences += [_referral(one, names) for one in terms.referrals]
    sentences += [_packets(one, names) for one in terms.packets]
    for of, what in _BONUSES.items():
        if paying := [each for each in terms.funding if each.of == of]:
            sentences.append(_funded(paying, what))
    return sentences


def _what(stock: Stock) -> Sentence:
    face, least = text(stock.face_fen), text(stock.min_order_fen)
    zh, en = {
        "threshold": (f"满 {least} 元减 {face} 元", f"{face} yuan off an order from {least} yuan on"),
        "percent": (
            f"满 {least} 元减 {percent(stock.rate_bps)}，最多 {face} 元",
            f"{percent(stock.rate_bps)} off an order from {least} yuan on, at most {face}",
        ),
        "instant": (f"立减 {face} 元", f"{face} yuan off at once"),
        "exchange": (
            f"兑换 {stock.goods}，最多抵 {face} 元",
            f"good for {stock.goods}, worth at most {face} yuan",
        ),
        "top_up": _tops_up(face, least if stock.min_order_fen else ""),
    }[stock.kind]
    return f"券“{stock.name_zh}”（{stock.code}）：{zh}。", f"Voucher {stock.name_en} ({stock.code}): {en}."


def _tops_up(face: str, least: str) -> Sentence:
    if least:
        return (
            f"购卡或充值的价款满 {least} 元，抵 {face} 元",
            f"pays {face} yuan of a card or top-up that costs {least} or more",
        )
    return (
        f"为卡充值 {face} 元，或抵购卡、充值的价款",
        f"puts {face} yuan on a card, or pays that part of a card or top-up",
    )


def _supplied(stock: Stock) -> Sentence:
    count, budget = supply(stock)
    zh, en = _HANDED[stock.hand_out]
    window_zh = f"，{stock.claim_from or '即日'} 至 {stock.claim_until or '发完'}" if _windowed(stock) else ""
    window_en = f", from {stock.claim_from or 'now'} until {stock.claim_until or 'none is left'}"
    day_zh = f"，每日最多 {stock.day_count:,} 张" if stock.day_count else ""
    day_en = f", at most {stock.day_count:,} a day" if stock.day_count else ""
    shared_zh = "；与其他券共用资金，先领先得" if stock.shared_budget else ""
    shared_en = "; it shares its funds with others, first come first served" if stock.shared_budget else ""
    return (
        f"共 {count:,} 张，最多 {text(budget)} 元，{zh}{window_zh}{day_zh}{shared_zh}。",
        f"There are {count_of(count, 'voucher')}, {text(budget)} yuan at most, {en}"
        f"{window_en if _windowed(stock) else ''}{day_en}{shared_en}.",
    )


def _windowed(stock: Stock) -> bool:
    return bool(stock.claim_from or stock.claim_until)


def _counted(stock: Stock) -> Sentence:
    """When and where it counts."""
    wait_zh = f"领取 {stock.wait_days} 天后生效，" if stock.wait_days else ""
    wait_en = f"{count_of(stock.wait_days, 'day')} after it is handed out, " if stock.wait_days else ""
    zh = [f"{wait_zh}有效 {stock.valid_days} 天"]
    en = [f"{wait_en}it counts for {count_of(stock.valid_days, 'day')}"]
    for told, words_zh, words_en in (
        (stock.not_after, "最迟到", "until"),
        (stock.weekdays, "限每周（1 为星期一）", "on weekdays (1 is Monday)"),
        (stock.hours, "限每天", "at"),
        (stock.goods if stock.kind != "exchange" else "", "限商品", "for goods"),
        (stock.places, "限商户或门店", "at"),
    ):
        if told:
            zh.append(f"{words_zh} {told}")
            en.append(f"{words_en} {told}")
    return "，".join(zh) + "。", (", ".join(en) + ".")[:1].upper() + (", ".join(en) + ".")[1:]


def _limited(stock: Stock) -> Iterator[Sentence]:
    """How many one person, phone, device, payment account may have."""
    limits = [
        (stock.person_total, "每人最多领 {} 张", "{} a person"),
        (stock.person_day, "每人每日最多领 {} 张", "{} a person and day"),
        (stock.phone_total, "每个手机号最多 {} 张", "{} a phone number"),
        (stock.device_total, "每台设备最多 {} 张", "{} a device"),
        (stock.payee_total, "每个支付账户最多 {} 张", "{} a payment account"),
        (stock.use_person_day, "每人每日最多用 {} 张", "{} used a person and day"),
    ]
    told = [(zh.format(most), en.format(most)) for most, zh, en in limits if most]
    if told:
        yield "，".join(zh for zh, _ in told) + "。", "At most " + ", ".join(en for _, en in told) + "."


def _funded(funding: Sequence[Funding], what: Sentence = ("优惠", "the discount")) -> Sentence:
    """Who pays what share."""
    zh, en = [], []
    for each in funding:
        share = percent(each.share_bps) if each.share_bps != WHOLE else ""
        merchant = each.fund == MERCHANT
        zh.append(f"{'商户' if merchant else each.fund}承担 {share or '全部'}")
        en.append(f"{'the merchant' if merchant else each.fund} pays {share or 'all of it'}")
    return f"{what[0]}由" + "，".join(zh) + "。", f"Of {what[1]} {', '.join(en)}."


def subsidies(terms: ProgramTerms) -> Iterator[Sentence]:
    """What top-up vouchers put on a card."""
    if any(stock.kind == "top_up" for stock in terms.stocks):
        yield (
            "充值券充入的是补贴：出资方的钱，不可提现；有效天数与券相同，自生效日起算，到期未用的退回出资方；"
            "计入卡的余额上限，支付时与赠金一样对待，退款退回原补贴。",
            "Top-up vouchers put a subsidy on the card: their funders' money, never paid out. It counts for as many "
            "days as the voucher, from the day on which it begins to, and goes back to its funders when it expires. "
            "It is part of what the card may hold, a payment takes it as it takes bonus, and a refund puts it back.",
        )


def _plan(one: Drip, names: dict[str, Sentence]) -> Sentence:
    zh, en = names[one.stock]
    start = text(one.from_face_fen)
    return (
        f"充值或购卡满 {start} 元，之后 {one.months} 个月每月发 {one.each_month} 张“{zh}”，预算在充值时锁定。",
        f"A sale or top-up of {start} yuan or more grants {one.each_month} of {en} a month for "
        f"{count_of(one.months, 'month')}; the money is promised at the top-up.",
    )


def _referral(one: Referral, names: dict[str, Sentence]) -> Sentence:
    zh, en = names[one.inviter_stock]
    invitee = names.get(one.invitee_stock)
    also_zh = f"，受邀人得“{invitee[0]}”" if invitee else ""
    also_en = f", and who was invited {invitee[1]}," if invitee else ""
    first = text(one.first_face_fen)
    return (
        f"邀请新人首次充值满 {first} 元且 {one.kept_days} 天内未退，邀请人得“{zh}”{also_zh}{_caps_zh(one)}。",
        f"Who invites somebody gets {en}{also_en} once a first top-up of {first} yuan has stayed for "
        f"{count_of(one.kept_days, 'day')}{_caps_en(one)}.",
    )


def _caps_zh(one: Referral) -> str:
    day = f"，每天最多 {one.inviter_day} 次" if one.inviter_day else ""
    return day + (f"，总共最多 {one.inviter_total} 次" if one.inviter_total else "")


def _caps_en(one: Referral) -> str:
    day = f", at most {one.inviter_day} times a day" if one.inviter_day else ""
    return day + (f", at most {one.inviter_total} times in all" if one.inviter_total else "")


def _packets(one: PacketPool, names: dict[str, Sentence]) -> Sentence:
    zh, en = names[one.stock]
    total, least, most = text(one.total_fen), text(one.min_fen), text(one.max_fen)
    person_zh = f"，每人每天最多 {one.person_day} 个" if one.person_day else ""
    person_en = f"; at most {one.person_day} a day for one person" if one.person_day else ""
    return (
        f"拼手气红包 {one.count:,} 个共 {total} 元，单个 {least} 到 {most} 元，以“{zh}”发放，"
        f"{one.claim_hours} 小时内未领完则退回{person_zh}。",
        f"{count_of(one.count, 'random packet')} of {least} to {most} yuan hold {total} yuan together, as {en}; "
        f"what is left after {count_of(one.claim_hours, 'hour')} goes back{person_en}.",
    )
