"""Sentences about what a program agrees with its merchants."""

from kaquan.kernel.money import Money, share, text
from kaquan.programs.partners import Acceptance, Reserve, Settlement
from kaquan.programs.phrases import Sentence, count_of, percent
from kaquan.programs.terms import ProgramTerms

_SAMPLE = Money(100_000)  # examples of the merchant's side speak of 1,000.00 yuan
_WEEKDAYS: tuple[Sentence, ...] = (
    ("周一", "Monday"),
    ("周二", "Tuesday"),
    ("周三", "Wednesday"),
    ("周四", "Thursday"),
    ("周五", "Friday"),
    ("周六", "Saturday"),
    ("周日", "Sunday"),
)


def _nth(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def merchants(terms: ProgramTerms) -> list[Sentence]:
    """When merchants are paid, what it costs them, what is held back."""
    settlement, reserve = terms.settlement, terms.reserve
    fee = text(share(_SAMPLE, settlement.fee_bps))
    rate, cut_off = percent(settlement.fee_bps), settlement.cut_off
    when_zh, when_en = _cycle(settlement)
    bank = [
        (
            "款项只打到已核验的银行账户；未核验的照常结算，款项不会丢失，留待核验后的下一次结算打出。",
            "Only a verified bank account is paid. Without one, merchants are settled all the same, and what they "
            "are due is kept for the next settlement after the proof.",
        )
    ]
    sentences = [
        (
            f"{when_zh}；每日 {cut_off} 日切，此刻起的交易计入次日（北京时间）。",
            f"{when_en}; from {cut_off} (Beijing time) a payment counts for the next day.",
        ),
        *(bank if settlement.requires_verified_bank else []),
        (
            f"商户手续费 {rate}：每 {text(_SAMPLE)} 元收 {fee} 元。",
            f"The merchant pays a fee of {rate}: {fee} yuan on {text(_SAMPLE)}.",
        ),
        *_fee(settlement),
        *_shares(settlement),
        *_payout(settlement),
    ]
    return [*sentences, *_reserve(reserve)]


def _fee(settlement: Settlement) -> list[Sentence]:
    """Tiers, and the tax in the fee."""
    found = [
        (
            f"当月净交易额满 {text(tier.from_fen)} 元，全月按 {percent(tier.rate_bps)} 收取：满档时为 "
            f"{text(share(tier.from_fen, tier.rate_bps))} 元。",
            f"From {text(tier.from_fen)} yuan of a month's trade net of refunds all of it pays "
            f"{percent(tier.rate_bps)}: {text(share(tier.from_fen, tier.rate_bps))} yuan at that point.",
        )
        for tier in settlement.fee_tiers
    ]
    if found:
        found.append(
            (
                "平时按已达到的档计提，月末按全月所在的档多退少补。",
                "During the month the fee is accrued at the tier reached so far; at its end the difference to the "
                "tier of the whole is taken or given back.",
            )
        )
    if settlement.fee_vat_bps:
        rate = percent(settlement.fee_vat_bps)
        found.append(
            (
                f"手续费为含税价，其中增值税税率 {rate}，税额按全月手续费一次取整。",
                f"The fee includes value-added tax at {rate}, rounded once for all fees of a month.",
            )
        )
    return found


def _shares(settlement: Settlement) -> list[Sentence]:
    """What partners get."""
    found = []
    for one in settlement.sharing:
        most_zh = f"，从一家商户累计最多 {text(one.cap_fen)} 元" if one.cap_fen else ""
        most_en = f", at most {text(one.cap_fen)} yuan of one merchant in all" if one.cap_fen else ""
        found.append(
            (
                f"商户净额（扣除退款和手续费）的 {percent(one.share_bps)} 分给 {one.partner}{most_zh}；"
                "分账后退款，按同一比例退回。",
                f"Of a merchant's net after refunds and fee {percent(one.share_bps)} go to {one.partner}{most_en}; "
                "of a refund after that the same share comes back.",
            )
        )
    return found


def _payout(settlement: Settlement) -> list[Sentence]:
    """Least payout, own stores, debts."""
    found = []
    if settlement.min_payout_fen:
        least = text(settlement.min_payout_fen)
        found.append(
            (
                f"不足 {least} 元不打款，结转到下一期。",
                f"Less than {least} yuan is not paid out but carried to the next period.",
            )
        )
    if settlement.own_stores == "internal":
        found.append(
            (
                "发行方自营门店内部划拨，不经银行打款。",
                "The issuer's own stores are settled by a transfer inside, without a bank.",
            )
        )
    days = settlement.owing_alarm_days
    found.append(
        (
            f"退款多于交易的商户欠款结转，从以后各期抵扣；超过 {days} 天报警，核销须两人。",
            "What a merchant owes after more refunds than trade is carried and taken from the next periods; after "
            f"{count_of(days, 'day')} it raises an alarm, and only two persons write it off.",
        )
    )
    return found


def _reserve(reserve: Reserve) -> list[Sentence]:
    """What is held back, up to what, and when it comes back."""
    if reserve.rate_bps == 0:
        return [("不冻结保证金。", "Nothing is held back as a reserve.")]
    held, back = percent(reserve.rate_bps), count_of(reserve.release_days, "day")
    reserved = (
        f"每次结算净额的 {held} 冻结为保证金，{reserve.release_days} 天后释放给商户。",
        f"Of each net settlement {held} is held back as a reserve and released to the merchant after {back}.",
    )
    found = [reserved]
    found += [
        (
            f"其中 {percent(step.share_bps)} 在 {step.after_days} 天后提前释放。",
            f"Of it {percent(step.share_bps)} are released already after {count_of(step.after_days, 'day')}.",
        )
        for step in reserve.steps
    ]
    if reserve.cap_fen:
        most = text(reserve.cap_fen)
        found.append((f"一家商户最多冻结 {most} 元。", f"At most {most} yuan of one merchant are held back."))
    if reserve.covers_negative:
        found.append(
            (
                "商户净额为负时，先从其保证金中扣抵。",
                "A negative net of a merchant is first covered by what is held back from it.",
            )
        )
    return found


def _cycle(settlement: Settlement) -> Sentence:
    """When merchants are paid for what."""
    days, weekday, day = settlement.days, settlement.weekday, settlement.monthly_day
    match settlement.cycle:
        case "t_plus":
            return (
                f"每日交易实时清分，在其后第 {days} 个工作日打款（T+{days}）",
                f"Each day's trade is cleared at once and paid on the {_nth(days)} working day after it (T+{days})",
            )
        case "d_plus":
            return (
                f"每日交易实时清分，{days} 天后打款（D+{days}），遇休息日顺延到下一个工作日",
                f"Each day's trade is cleared at once and paid {count_of(days, 'day')} later (D+{days}), "
                "or on the next working day",
            )
        case "weekly":
            name_zh, name_en = _WEEKDAYS[weekday - 1]
            return (
                f"每{name_zh}结算上周一至周日的交易，遇休息日顺延到下一个工作日",
                f"Merchants are settled each {name_en} for the week before, Monday to Sunday, "
                "or on the next working day",
            )
        case "monthly":
            return (
                f"每月 {day} 日结算上月交易，遇休息日顺延到下一个工作日",
                f"Merchants are settled on day {day} of each month for the month before, or on the next working day",
            )


def platform_zh(one: Acceptance) -> str:
    """Where a platform's stores are, in Chinese."""
    return f"商户组 {one.platform} " if one.merchants == "all" else f"商户组 {one.platform} 中已入驻的商户"


def platform_en(one: Acceptance) -> str:
    """Where a platform's stores are, in English."""
    return one.platform if one.merchants == "all" else f"the enrolled merchants of {one.platform}"
