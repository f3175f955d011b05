"""What a program agrees with its merchants, as frozen data: who accepts, when they are paid, what is held back.

These are groups of `programs.terms.ProgramTerms`; like all terms they carry meaning, unit and limits.
"""

from typing import Annotated, Literal

import msgspec

from kaquan.kernel.money import Rate
from kaquan.programs.meaning import Meaning, bps, choice, code, span

MONTHLY_DAY_MAX = 28  # every month has a 28th, so no month goes unsettled
SETTLE_DAYS_MAX = 90  # a merchant who waits longer than a quarter for the money of a day is lending it
ACCEPTANCE_MAX = 20  # platforms that a holder can still be told on one page
CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"
PROMISE_DAYS_MAX = 3660  # ten years: no promise of a program outlives this
Cycle = Literal["t_plus", "d_plus", "weekly", "monthly"]
UNUSED = 0
"""What a term of another cycle says."""


class Acceptance(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[acceptance]]`: a platform (a merchant group) whose merchants, all or some, accept what the program sells."""

    platform: Annotated[
        str, code("平台（商户组）的机构代码", "organisation code of the platform or merchant group", key=True)
    ]
    merchants: Annotated[
        Literal["all", "enrolled"],
        choice(
            "all 为该平台全部商户，enrolled 只限已入驻本活动的商户",
            "all of the platform's merchants, or only those enrolled in the program",
        ),
    ]


class Settlement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[settlement]`: when merchants are paid and what it costs them."""

    cycle: Annotated[
        Cycle,
        choice(
            "结算周期：t_plus 逐日 T+n（工作日），d_plus 逐日 D+n（自然日），weekly 每周，monthly 每月",
            "cycle: each day n working days later (t_plus) or n calendar days later (d_plus), once a week, "
            "once a month",
        ),
    ]
    days: Annotated[
        int,
        span(
            "t_plus、d_plus：交易日之后几天打款，遇休息日顺延；其他周期不填",
            "t_plus, d_plus: days from a day's trade until it is paid; a day off moves it to the next working day",
            "days",
            1,
            SETTLE_DAYS_MAX,
            unused=UNUSED,
        ),
    ] = UNUSED
    weekday: Annotated[
        int,
        span(
            "weekly：周几结算上周一至周日的交易（1 为周一），遇休息日顺延；其他周期不填",
            "weekly: day on which the week before, Monday to Sunday, is settled (1 is Monday); a day off moves it on",
            "day of week",
            1,
            7,
            unused=UNUSED,
        ),
    ] = UNUSED
    monthly_day: Annotated[
        int,
        span(
            "monthly：每月几日结算上月交易，遇休息日顺延；其他周期不填",
            "monthly: day on which the month before is settled; a day off moves it to the next working day",
            "day of month",
            1,
            MONTHLY_DAY_MAX,
            unused=UNUSED,
        ),
    ] = UNUSED
    cut_off: Annotated[
        str,
        Meaning(
            "日切时刻，此刻起的交易计入次日",
            "time of day from which a payment counts for the next day",
            "HH:MM",
            pattern=CLOCK,
        ),
    ]
    calendar: Annotated[
        Literal["Asia/Shanghai"], choice("日期与工作日所用时区", "time zone of dates and working days")
    ]
    fee_bps: Annotated[Rate, bps("商户手续费率", "fee the merchant pays", looser=-1)]
    requires_verified_bank: Annotated[
        bool,
        choice(
            "是否只打款到已核验的银行账户；未核验的照常结算，款项留待核验后的下一次结算打出",
            "whether only a verified bank account is paid; without one, merchants are settled all the same, and what "
            "they are due waits for the next settlement after the proof",
            looser=-1,
        ),
    ] = False


class Reserve(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[reserve]`: what is held back from each settlement as the merchant's security, and for how long."""

    rate_bps: Annotated[Rate, bps("保证金比例，按每次结算净额", "share of each net settlement held back", looser=-1)]
    release_days: Annotated[
        int,
        span(
            "保证金冻结天数，自结算日起算，期满释放",
            "days from the settlement until what was held back is released",
            "days",
            0,
            PROMISE_DAYS_MAX,
            looser=-1,
        ),
    ]
