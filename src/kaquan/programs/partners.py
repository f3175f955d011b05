"""What a program agrees with its merchants, as frozen data: who accepts, when they are paid, what is held back.

These are groups of `programs.terms.ProgramTerms`; like all terms they carry meaning, unit and limits.
"""

from typing import Annotated, Literal

import msgspec

from kaquan.kernel.money import ZERO, Money, Rate
from kaquan.programs.meaning import Meaning, bps, choice, code, fen, span

MONTHLY_DAY_MAX = 28  # every month has a 28th, so no month goes unsettled
SETTLE_DAYS_MAX = 90  # a merchant who waits longer than a quarter for the money of a day is lending it
ACCEPTANCE_MAX = 20  # platforms that a holder can still be told on one page
CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"
PROMISE_DAYS_MAX = 3660  # ten years: no promise of a program outlives this
TIERS_MAX = 10  # more steps of a fee than a merchant can check by hand
SHARES_MAX = 20  # partners per receiver list of the rails' profit sharing
STEPS_MAX = 12  # a release for each month of a year
OWING_DAYS = 30  # a month: what a merchant owes longer than this is for a person to look at
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


class FeeTier(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[settlement.fee_tiers]]`: from a month's trade of `from_fen` (included) all of it pays `rate_bps`."""

    from_fen: Annotated[
        Money,
        fen(
            "当月净交易额达到多少起（含）适用本档",
            "a month's trade net of refunds from which (included) the tier applies",
            1,
            key=True,
        ),
    ]
    rate_bps: Annotated[Rate, bps("本档费率，适用于全月交易", "fee on all of the month's trade", looser=-1)]


class PartnerShare(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[settlement.sharing]]`: what of a merchant's trade, net of refunds and fee, goes to a partner (分账)."""

    partner: Annotated[
        str,
        code(
            "分账接收方的商户代码；打款到其绑定的账户",
            "merchant code of the partner, who is paid to the bank account bound there",
            key=True,
        ),
    ]
    share_bps: Annotated[Rate, bps("分账比例，按商户净额", "share of the merchant's net")]
    cap_fen: Annotated[
        Money,
        fen(
            "从一家商户最多分得多少；0 表示不封顶",
            "the most that the partner gets of one merchant in all; 0 means no limit",
            endless=True,
        ),
    ] = ZERO


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
    fee_tiers: Annotated[
        tuple[FeeTier, ...],
        span(
            "按月净交易额分档的费率：平时按已达到的档计提，月末按全月所在的档补差；未达第一档按 fee_bps",
            "tiers of the fee by a month's trade: accrued at the tier reached so far, trued up at the month's end to "
            "the tier of the whole; below the first it is fee_bps",
            "items",
            0,
            TIERS_MAX,
        ),
    ] = ()
    fee_vat_bps: Annotated[
        Rate,
        bps("手续费所含增值税税率（价税合计）", "rate of the value-added tax that the fee includes"),
    ] = Rate(0)
    min_payout_fen: Annotated[
        Money,
        fen(
            "起结金额：不足则结转，并入下期打款；0 表示不限",
            "least amount that is paid out: less is carried and paid with what follows; 0 means any",
            looser=-1,
        ),
    ] = ZERO
    sharing: Annotated[
        tuple[PartnerShare, ...],
        span("分账接收方", "partners who share in each merchant's net", "items", 0, SHARES_MAX),
    ] = ()
    own_stores: Annotated[
        Literal["bank", "internal"],
        choice(
            "发行方自营门店的结算：bank 照常打款，internal 内部划拨，不经银行",
            "how the issuer's own stores are settled: bank pays them like others, internal books a transfer without "
            "a bank",
        ),
    ] = "bank"
    owing_alarm_days: Annotated[
        int,
        span(
            "商户欠款超过多少天报警",
            "days after which a merchant that owes raises an alarm",
            "days",
            0,
            PROMISE_DAYS_MAX,
        ),
    ] = OWING_DAYS


class ReleaseStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[reserve.steps]]`: a part of what a settlement held back that is released before the rest."""

    after_days: Annotated[
        int,
        span(
            "结算日之后多少天释放",
            "days from the settlement until the part is released",
            "days",
            1,
            PROMISE_DAYS_MAX,
            key=True,
        ),
    ]
    share_bps: Annotated[Rate, bps("释放的比例", "share that is released", looser=1)]


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
    cap_fen: Annotated[
        Money,
        fen(
            "一家商户的保证金最多冻结多少；0 表示不封顶",
            "the most that is held back from one merchant at a time; 0 means no limit",
            endless=True,
        ),
    ] = ZERO
    covers_negative: Annotated[
        bool,
        choice(
            "商户净额为负时，是否先从其保证金中扣抵",
            "whether a merchant's negative net draws on what is held back from it first",
        ),
    ] = False
    steps: Annotated[
        tuple[ReleaseStep, ...],
        span(
            "分次释放，其余到 release_days 释放",
            "parts released earlier; the rest after release_days",
            "items",
            0,
            STEPS_MAX,
        ),
    ] = ()
