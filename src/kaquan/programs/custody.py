"""Terms on custody (存管): how much of what holders prepaid lies at a bank, and what happens when it does not.

What the law asks stands in its packs; rules here are what the issuer promises besides. Of all of them the strictest
counts, never their sum.
"""

from typing import Annotated, Literal

import msgspec

from kaquan.kernel.money import ZERO, Money, Rate
from kaquan.programs.meaning import NAME_MAX, Meaning, bps, choice, code, fen, name, span

RULES_MAX = 10  # a regulator reads them on one page
GUARANTEES_MAX = 10  # more papers than that and nobody can say what stands
PERIOD_DAYS_MAX = 366  # a year of top-ups; for all of them write 0
WARN_BPS_MAX = 20_000  # twice the requirement: a warning above that would always be on
GRACE_DAYS_MAX = 30  # a month in which sales go on without their cover would be no stop
REFERENCE_MAX = 80  # characters of a document's number
ACCOUNT_NO = r"[0-9]{8,32}|"
DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"

Base = Literal["top_ups", "quarter_end", "outstanding"]


class CustodyRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[custody.rules]]`: a share of some amount that the issuer keeps in custody, beside what the law asks."""

    code: Annotated[str, code("规则代码", "code of the rule", key=True)]
    base: Annotated[
        Base,
        choice(
            "计算基数：top_ups 一段时间的售卡与充值收款，quarter_end 上季度末本金余额，outstanding 当前本金余额",
            "what is counted: money taken for sales and top-ups in a time (top_ups), the principal that holders had "
            "at the end of the last quarter (quarter_end), the principal that they have now (outstanding)",
        ),
    ]
    rate_bps: Annotated[Rate, bps("存管比例", "share of it that lies in custody", looser=-1)]
    period_days: Annotated[
        int,
        span(
            "top_ups：计算最近多少天的收款，含当天；0 表示全部；其他基数不填",
            "top_ups: days that are counted, today included; 0 for all there ever were; unused by the other bases",
            "days",
            0,
            PERIOD_DAYS_MAX,
            looser=-1,
            endless=True,
        ),
    ] = 0
    less_redeemed: Annotated[
        bool,
        choice(
            "top_ups：是否扣除同期已核销的本金",
            "top_ups: whether the principal that was used in the same time is taken off",
            looser=1,
        ),
    ] = False
    less_guarantees: Annotated[
        bool, choice("是否扣除有效的保函、保险", "whether guarantees in force are taken off", looser=1)
    ] = False


class Guarantee(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[custody.guarantees]]`: a bank's guarantee or an insurance that stands for money in custody where allowed."""

    reference: Annotated[str, Meaning("保函或保单编号", "number of the document", "text", 1, REFERENCE_MAX, key=True)]
    by: Annotated[str, name("出具机构", "who gave it")]
    amount_fen: Annotated[Money, fen("担保金额", "amount that it stands for", 1, looser=1)]
    valid_from: Annotated[str, Meaning("生效日", "first day on which it stands", "YYYY-MM-DD", pattern=DAY)]
    valid_until: Annotated[str, Meaning("到期日（含）", "last day on which it stands", "YYYY-MM-DD", pattern=DAY)]


class Custody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[custody]`: the account at a bank in which prepaid money lies, and what follows when there is too little."""

    bank: Annotated[
        str, Meaning("存管银行；没有则留空", "the bank that keeps the account; empty for none", "text", 0, NAME_MAX)
    ] = ""
    account_no: Annotated[
        str,
        Meaning(
            "存管专户账号；没有则留空，不做每日核对",
            "number of the account; empty for none, and then no day is checked",
            "8 to 32 digits",
            pattern=ACCOUNT_NO,
        ),
    ] = ""
    rules: Annotated[
        tuple[CustodyRule, ...],
        span("法规之外自行承诺的存管规则", "rules beside the law's", "items", 0, RULES_MAX, looser=-1),
    ] = ()
    guarantees: Annotated[
        tuple[Guarantee, ...], span("保函与保险", "guarantees and insurances", "items", 0, GUARANTEES_MAX, looser=1)
    ] = ()
    warn_bps: Annotated[
        int,
        span(
            "实存低于应存的多少基点时预警",
            "cover, in basis points of what is required, below which a warning is given",
            "bps",
            10_000,
            WARN_BPS_MAX,
            looser=-1,
        ),
    ] = 10_500
    on_shortfall: Annotated[
        Literal["alarm", "stop_sale"],
        choice(
            "不足时：alarm 只报警，stop_sale 宽限期后停止售卡和充值",
            "with too little: only an alarm, or no sale and no top-up once the grace is over (stop_sale)",
        ),
    ] = "stop_sale"
    grace_days: Annotated[
        int,
        span(
            "停售前的宽限天数，自首个不足日起算；0 表示当日",
            "days from the first one that is short until sales stop; 0 for that day itself",
            "days",
            0,
            GRACE_DAYS_MAX,
            looser=1,
        ),
    ] = 0
    lift: Annotated[
        Literal["automatic", "two_persons"],
        choice(
            "补足后恢复销售：automatic 自动，two_persons 须两人办理",
            "once it is covered again: sales go on by themselves (automatic), or when two persons say so",
        ),
    ] = "automatic"
    release: Annotated[
        Literal["never", "with_redemption"],
        choice(
            "存管资金的释放：never 不释放，with_redemption 随核销释放超出应存的部分",
            "what leaves custody: nothing (never), or what is above the requirement, up to what was redeemed",
        ),
    ] = "never"

    issuer_revenue_fen: Annotated[
        Money,
        fen(
            "发行方上一年度主营业务收入；不填按 0 计，从严",
            "the issuer's main revenue of last year; 0 where it is not told, which is the strictest",
            looser=1,
        ),
    ] = ZERO
    issuer_first_year: Annotated[
        bool,
        choice(
            "发行方开业是否不满一年，或商场为租户发卡",
            "whether the issuer is in its first year of business, or a mall that issues for its tenants",
            looser=-1,
        ),
    ] = False

    @property
    def kept(self) -> bool:
        """Whether there is an account, so that each day is checked."""
        return bool(self.account_no)


DEFAULT_CUSTODY = Custody()
"""What counts where a file says nothing of it: no account, so no day is checked."""
