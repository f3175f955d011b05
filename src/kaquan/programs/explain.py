"""The terms in plain sentences, Chinese and English: what a clerk reads out and a card holder agrees to."""

from kaquan.kernel.money import ZERO, Money, share, text
from kaquan.kernel.refusal import Language
from kaquan.law.model import Binding, Law
from kaquan.law.rules import balance_max
from kaquan.programs.explain_custody import kept_in_custody
from kaquan.programs.explain_leaving import leaving
from kaquan.programs.explain_merchants import merchants, platform_en, platform_zh
from kaquan.programs.explain_refunds import refunding
from kaquan.programs.explain_stocks import given, subsidies
from kaquan.programs.phrases import Sentence, count_of, percent
from kaquan.programs.terms import Band, ProgramTerms, Rebate, Spending

_STEP = Money(10_000)  # examples of marginal bands look 100.00 yuan past the start of the band

_CLASSES: dict[str, Sentence] = {
    "single_purpose_group": ("集团发卡企业", "a group issuer"),
    "single_purpose_brand": ("品牌发卡企业", "a brand issuer"),
    "single_purpose_scale": ("规模发卡企业", "an issuer of scale"),
    "single_purpose_other": ("其他发卡企业", "an issuer of the remaining kind"),
    "multi_purpose_licensed": ("持牌支付机构", "a licensed payment institution"),
    "voucher_only": ("发券机构", "an issuer of vouchers"),
    "fiscal_subsidy": ("财政补贴承办机构", "an agent of public subsidies"),
}
_KINDS: dict[str, Sentence] = {
    "multi_purpose_licensed": ("多用途预付卡", "a multi-purpose prepaid card"),
    "voucher_only": ("消费券活动，不收预付款，", "a program of vouchers that takes nothing in advance,"),
    "fiscal_subsidy": ("政府消费券活动，不收预付款，", "a program of public vouchers that takes nothing in advance,"),
}
"""What the program is to its holders; a class that is not here issues single-purpose prepaid cards."""

_BURN: dict[str, Sentence] = {
    "principal_first": ("支付时先扣本金，再扣赠金。", "A payment takes principal first, then bonus."),
    "bonus_first": ("支付时先扣赠金，再扣本金。", "A payment takes bonus first, then principal."),
    "pro_rata": (
        "支付时按余额比例同时扣本金和赠金。",
        "A payment takes principal and bonus in proportion to their balances.",
    ),
    "earliest_expiry": (
        "支付时先扣最早到期的部分，永久有效的最后扣。",
        "A payment takes what expires first; what never expires comes last.",
    ),
}

_LATER: Sentence = (
    "活动规则以后的改动不影响已售出的卡；已批准的活动只能直接收紧，放宽须由另一人批准。",
    "Later changes do not touch cards already sold; an approved program is only tightened at once, and what promises "
    "more is approved by a second person.",
)


def explain(terms: ProgramTerms, law: Law, language: Language) -> list[str]:
    """The terms, sentence by sentence, in the order of the file. `law` is the law of a day."""
    sentences = [
        *_who(terms, law),
        *held(terms, law),
        *_sale(terms),
        *withdrawal(terms, law),
        *paying(terms),
        *rebated(terms, law),
        *leaving(terms, law),
        *given(terms),
        *merchants(terms),
        *kept_in_custody(terms, law),
        *opined(terms),
        _LATER,
    ]
    return [zh if language == "zh" else en for zh, en in sentences]


def examples(rebate: Rebate) -> list[tuple[Money, Money]]:
    """Orders and what they earn, for the first band that pays: on the edge and beside it."""
    for position, band in enumerate(rebate.bands):
        if band.rate_bps == 0:
            continue
        if rebate.mode == "whole" and band.from_fen > 0:
            earned = min(share(band.from_fen, band.rate_bps), rebate.cap_fen)
            return [(band.from_fen, earned), (Money(band.from_fen - 1), ZERO)]
        later = rebate.bands[position + 1 :]
        inside = 1 if rebate.mode == "whole" else 0  # the next band's first fen already pays its own rate
        step = min(_STEP, Money(later[0].from_fen - band.from_fen - inside)) if later else _STEP
        earned = min(share(step, band.rate_bps), rebate.cap_fen)
        edge = [(band.from_fen, ZERO)] if band.from_fen > 0 else []
        return [(Money(band.from_fen + step), earned), *edge]
    return []


def kind_of(terms: ProgramTerms) -> Sentence:
    """What the program is to its holders."""
    return _KINDS.get(terms.program.legal_class, ("单用途预付卡", "a single-purpose prepaid card"))


def _who(terms: ProgramTerms, law: Law) -> list[Sentence]:
    program = terms.program
    class_zh, class_en = _CLASSES[program.legal_class]
    kind_zh, kind_en = kind_of(terms)
    licence_zh = f"（支付业务许可证 {program.licence}）" if program.licence else ""
    licence_en = f" (payment licence {program.licence})" if program.licence else ""
    packs_zh = "；".join(f"{pack.title_zh}，第 {pack.version} 版" for pack in law.packs)
    packs_en = "; ".join(f"{pack.title_en}, version {pack.version}" for pack in law.packs)
    return [
        (
            f"{program.name_zh}（{program.code}）是 {program.issuer}{licence_zh} 以{class_zh}身份发行的{kind_zh}，"
            f"只能在{'、'.join(platform_zh(one) for one in terms.acceptance)}的门店使用。",
            f"{program.name_en} ({program.code}) is {kind_en} of {program.issuer}{licence_en}, {class_en}; "
            f"it is accepted only in the stores of {', '.join(platform_en(one) for one in terms.acceptance)}.",
        ),
        (f"适用法规，从严适用：{packs_zh}。", f"It is judged by the strictest of: {packs_en}."),
    ]


def held(terms: ProgramTerms, law: Law) -> list[Sentence]:
    """How much a card holds and for how long."""
    card, most = terms.card, text(terms.card.balance_max_fen)
    limit = balance_max(card.registered, law)
    kind_zh, kind_en = ("记名卡", "registered") if card.registered else ("不记名卡", "bearer")
    validity = law.registered_valid_days if card.registered else law.bearer_valid_days_min
    days = card.principal_valid_days
    lasting = (
        ("本金永久有效", "The principal never expires")
        if days == 0
        else (
            f"本金自激活日起 {days} 天内有效",
            f"The principal stays valid for {count_of(days, 'day')} after activation",
        )
    )
    return [
        _under(
            limit,
            f"本卡为{kind_zh}，本金与赠金合计最多 {most} 元",
            f"It is a {kind_en} card and holds at most {most} yuan, principal and bonus together",
        ),
        _under(validity, *lasting),
    ]


def _sale(terms: ProgramTerms) -> list[Sentence]:
    presale = terms.presale
    if not presale.offers:
        return [("不售卡，不充值，不收预付款。", "No card is sold or topped up, and nothing is paid in advance.")]
    sentences = []
    for offer in presale.offers:
        paid, face = text(offer.paid_fen), text(offer.face_fen)
        bonus = text(Money(offer.face_fen - offer.paid_fen))
        rest_zh = "全部为本金" if offer.paid_fen == offer.face_fen else f"其中本金 {paid} 元，赠金 {bonus} 元"
        rest_en = "all of it principal" if offer.paid_fen == offer.face_fen else f"{paid} principal and {bonus} bonus"
        sentences.append(
            (f"付 {paid} 元得 {face} 元面值，{rest_zh}。", f"Pay {paid} yuan, get {face} yuan: {rest_en}.")
        )
    wait = presale.activation_days
    if wait == 0:
        sentences.append(("售卡或充值后立即可用。", "What is bought can be spent at once."))
    else:
        sentences.append(
            (
                f"售卡或充值 {wait} 天后激活，激活后才能使用。",
                f"What is bought can be spent {count_of(wait, 'day')} after the sale.",
            )
        )
    return sentences


def withdrawal(terms: ProgramTerms, law: Law) -> list[Sentence]:
    """How long a holder may withdraw after paying."""
    cooling = terms.presale.cooling_off_days
    if not terms.presale.offers:
        return []
    if cooling == 0:
        return [("付款后不设冷静期。", "There is no time to withdraw after paying.")]
    return [
        _under(
            law.cooling_off_days_min,
            f"付款后 {cooling} 天内，持卡人可无理由退回本金：向发行方提出，由发行方办理",
            f"Within {count_of(cooling, 'day')} of paying, the holder may withdraw and gets the principal back: "
            "it is asked of the issuer, who carries it out",
        )
    ]


def paying(terms: ProgramTerms) -> list[Sentence]:
    """How a payment takes value, and how it is refunded."""
    spending = terms.spending
    hold_zh, hold_en = _span(spending.hold_minutes)
    once = (
        ("同一商户订单号只能支付一次。", "One merchant order number is paid at most once.")
        if spending.one_payment_per_order
        else ("同一商户订单号可以多次支付。", "One merchant order number may be paid several times.")
    )
    hold = (
        f"预授权最长 {hold_zh}，到时未完成则自动释放。",
        f"An authorization lasts at most {hold_en} and then lapses by itself.",
    )
    return [_BURN[spending.burn_order], hold, once, *_day_limits(spending), *refunding(terms), *subsidies(terms)]


def _day_limits(spending: Spending) -> list[Sentence]:
    """What a card may pay a day, of what is limited."""
    said: list[Sentence] = []
    if spending.card_day_count:
        said.append(
            (
                f"一张卡每日最多支付 {spending.card_day_count} 笔，撤销和退款的也算。",
                f"A card makes at most {count_of(spending.card_day_count, 'payment')} a day, voided and "
                "refunded ones included.",
            )
        )
    if spending.card_day_fen:
        most = text(spending.card_day_fen)
        said.append(
            (
                f"一张卡每日最多支付 {most} 元，撤销和退款的也算。",
                f"A card pays at most {most} yuan a day, voided and refunded payments included.",
            )
        )
    return said


def rebated(terms: ProgramTerms, law: Law) -> list[Sentence]:
    """What orders earn."""
    rebate, window = terms.rebate, terms.refund.window_days
    paying = examples(rebate)
    if not paying:
        return [("消费不返利。", "Orders earn no rebate.")]
    arrives = (
        (f"返利在支付满 {window} 天、退款期结束后", f"It arrives {count_of(window, 'day')} after payment")
        if window
        else ("返利在支付后", "It arrives upon payment")
    )
    bands = [_band(rebate, band) for band in rebate.bands]
    cap = text(rebate.cap_fen)
    return [
        (
            f"每单按扣除退款后的净额返利：{'；'.join(zh for zh, _ in bands)}；每单最多返 {cap} 元。",
            f"Each order, net of refunds, earns a rebate: {'; '.join(en for _, en in bands)}; "
            f"at most {cap} yuan an order.",
        ),
        (
            f"例如：{'，'.join(_earned_zh(order, earned) for order, earned in paying)}。",
            f"For example: {'; '.join(_earned_en(order, earned) for order, earned in paying)}.",
        ),
        _under(
            law.bonus_valid_days_max,
            f"{arrives[0]}以赠金到账，到账后 {rebate.valid_days} 天内有效",
            f"{arrives[1]}, when refunds are over, as bonus, and stays valid for "
            f"{count_of(rebate.valid_days, 'day')}",
        ),
        (
            "追回返利只扣剩余赠金，卡余额不会变成负数；不足的部分，以后退回本卡的赠金先予抵扣。",
            "A rebate is taken back only from the bonus that is left; a card never falls below zero. What is missing "
            "is set off against bonus that later refunds return to the card.",
        ),
    ]


def _band(rebate: Rebate, band: Band) -> Sentence:
    start, rate = text(band.from_fen), percent(band.rate_bps)
    if rebate.mode == "whole":
        return (f"满 {start} 元，整单返 {rate}", f"from {start} yuan, {rate} of the whole order")
    return (f"{start} 元以上的部分返 {rate}", f"{rate} of the part above {start} yuan")


def opined(terms: ProgramTerms) -> list[Sentence]:
    """Legal opinions that allow what an article would refuse."""
    return [
        (
            f"关于条目 {opinion.rule}，{opinion.by} 于 {opinion.on} 出具法律意见 {opinion.reference}"
            + (f"：{opinion.note_zh}" if opinion.note_zh else "")
            + "。",
            f"On the article {opinion.rule}, {opinion.by} gave the legal opinion {opinion.reference} on {opinion.on}"
            + (f": {opinion.note_en}" if opinion.note_en else "")
            + ".",
        )
        for opinion in terms.opinions
    ]


def _under(article: Binding | None, zh: str, en: str) -> Sentence:
    """A sentence with the article that binds it, if one does."""
    if article is None:
        return f"{zh}。", f"{en}."
    return f"{zh}。（依据：{article.article.article_zh}）", f"{en}. (Basis: {article.article.article_en})"


def _earned_zh(order: Money, earned: Money) -> str:
    return f"{text(order)} 元的订单" + (f"返 {text(earned)} 元" if earned else "不返")


def _earned_en(order: Money, earned: Money) -> str:
    return f"an order of {text(order)} yuan earns " + (f"{text(earned)}" if earned else "nothing")


def _span(minutes: int) -> Sentence:
    """Minutes in the largest unit that divides them."""
    if minutes % 1440 == 0:
        return f"{minutes // 1440} 天", count_of(minutes // 1440, "day")
    if minutes % 60 == 0:
        return f"{minutes // 60} 小时", count_of(minutes // 60, "hour")
    return f"{minutes} 分钟", count_of(minutes, "minute")
