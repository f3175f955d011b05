"""Sentences about what a program agrees with its merchants."""

from kaquan.kernel.money import Money, share, text
from kaquan.programs.partners import Acceptance, Settlement
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
    ]
    if reserve.rate_bps == 0:
        return [*sentences, ("不冻结保证金。", "Nothing is held back as a reserve.")]
    held, back = percent(reserve.rate_bps), count_of(reserve.release_days, "day")
    reserved = (
        f"每次结算净额的 {held} 冻结为保证金，{reserve.release_days} 天后释放给商户。",
        f"Of each net settlement {held} is held back as a reserve and released to the merchant after {back}.",
    )
    return [*sentences, reserved]


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
