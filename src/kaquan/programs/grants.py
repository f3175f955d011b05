"""What a program gives away, as frozen data: vouchers, monthly plans, referrals, packets, and who pays for each.

These are groups of `programs.terms.ProgramTerms`; like all terms they carry meaning, unit and limits.
"""

from typing import Annotated, Literal

import msgspec

from kaquan.kernel.money import ZERO, Money, Rate
from kaquan.programs.meaning import Meaning, bps, choice, code, fen, name, span

STOCKS_MAX = 50  # a holder's list of kinds of vouchers that still fits a page
FUNDING_MAX = 200  # four funders for each stock
PLANS_MAX = 20  # monthly plans and packet pools of one program
COUNT_MAX = 1_000_000_000  # the largest stock that the big rails sell
PERSON_MAX = 100  # more vouchers of a kind for one person is a payroll, not a program
VALID_DAYS_MAX = 3_660  # ten years: no promise of a program outlives this
MONTHS_MAX = 36  # a monthly plan of three years
HOURS_MAX = 720  # 30 days
MINUTES_MAX = 43_200  # 30 days
PACKET_MAX = 1_000_000  # fen: ten thousand yuan; more at random is a lottery
ORDER_MAX = 1_000  # places in the order of application
MERCHANT = "merchant"
"""As a fund: the merchant bears the discount himself and is credited the net amount (免充值)."""

BONUSES = ("rebate", "presale")
"""What may be funded besides stocks: the rebate, and what a purchase puts on top of its price."""

INSTANT = r"(|[0-9]{4}-[0-9]{2}-[0-9]{2} ([01][0-9]|2[0-3]):[0-5][0-9])"
DAY = r"(|[0-9]{4}-[0-9]{2}-[0-9]{2})"
WEEKDAYS = r"(|[1-7]{1,7})"
HOURS = r"(|([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00))"
CODES = r"(|[A-Za-z0-9_-]{1,40}(,[A-Za-z0-9_-]{1,40}){0,49})"

StockKind = Literal["threshold", "percent", "instant", "exchange", "top_up"]
HandOut = Literal["claim", "code", "draw", "grant"]


def limit(zh: str, en: str, most: int = COUNT_MAX) -> Meaning:
    """A number of vouchers or uses; 0 means no limit."""
    return span(f"{zh}；0 表示不限", f"{en}; 0 means no limit", "items", 0, most, looser=1, endless=True)


class Funding(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[funding]]`: a fund pays a share of a stock's vouchers. The shares of one stock add up to the whole.

    Plans, referrals and packets hand out vouchers of a stock, and are paid for by who pays for it.
    """

    of: Annotated[
        str,
        code(
            "为哪一项出资：券批次的代码；rebate 为返利，presale 为充值赠送",
            "what is paid for: the code of a stock; rebate; presale: what a purchase puts on top of its price",
            key=True,
        ),
    ]
    fund: Annotated[
        str,
        code("资金户代码；merchant 表示商户自担", "code of the fund; merchant means the merchant bears it", key=True),
    ]
    share_bps: Annotated[Rate, bps("承担比例", "share that it pays")]


class Stock(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[stocks]]`: vouchers of one kind: what one is worth, how many there are, who may have it, where it counts."""

    code: Annotated[str, code("券批次代码", "code of the stock", key=True)]
    name_zh: Annotated[str, name("中文名称", "name in Chinese")]
    name_en: Annotated[str, name("英文名称", "name in English")]
    kind: Annotated[
        StockKind,
        choice(
            "满减、折扣、立减、兑换、充值",
            "threshold: off from an amount on; percent: a share off; instant: off at once; exchange: goods for free; "
            "top_up: value on a card",
        ),
    ]
    face_fen: Annotated[
        Money,
        fen(
            "面额：最多抵扣多少；折扣券为其封顶额",
            "most that one voucher takes off, or puts on a card; of percent vouchers their cap",
            1,
            looser=1,
        ),
    ]
    min_order_fen: Annotated[
        Money, fen("门槛：适用商品满多少可用", "least amount of eligible goods for which it counts", looser=-1)
    ] = ZERO
    rate_bps: Annotated[
        Rate, bps("折扣券减免比例，其他券为 0", "share that a percent voucher takes off", looser=1)
    ] = Rate(0)
    # How many there are
    count: Annotated[int, span("发行总数", "vouchers in all", "items", 1, COUNT_MAX, looser=1)]
    day_count: Annotated[int, limit("每日最多发放", "most that are handed out a day")] = 0
    budget_fen: Annotated[
        Money,
        fen("总预算；0 表示总数乘面额", "most that all may cost; 0 means count times face", looser=1, endless=True),
    ] = ZERO
    day_budget_fen: Annotated[
        Money,
        fen("每日预算；0 表示不限", "most that may be promised a day; 0 means no limit", looser=1, endless=True),
    ] = ZERO
    shared_budget: Annotated[
        bool,
        choice(
            "与其他券批次共用资金户余额，先领先得；否则开放时须有足额资金",
            "shares what its funds hold with other stocks, first come first served; "
            "otherwise all of it is there before it opens",
            looser=-1,
        ),
    ] = False
    # Who may have one
    hand_out: Annotated[
        HandOut,
        choice(
            "发放方式：领取（含抢券）、凭码、摇号、系统发放",
            "how it is handed out: claim (also a rush), by code, by draw, granted by the program",
        ),
    ] = "claim"
    person_total: Annotated[int, limit("每人最多领取", "most that one person gets", PERSON_MAX)] = 0
    person_day: Annotated[int, limit("每人每日最多领取", "most that one person gets a day", PERSON_MAX)] = 0
    phone_total: Annotated[int, limit("每个手机号最多领取", "most that one phone number gets", PERSON_MAX)] = 0
    device_total: Annotated[int, limit("每台设备最多领取", "most that one device gets", PERSON_MAX)] = 0
    payee_total: Annotated[int, limit("每个支付账户最多领取", "most that one payment account gets", PERSON_MAX)] = 0
    claim_from: Annotated[
        str,
        Meaning(
            "开始领取的时刻（北京时间）；空表示立即",
            "from when it can be claimed",
            "YYYY-MM-DD HH:MM",
            pattern=INSTANT,
        ),
    ] = ""
    claim_until: Annotated[
        str,
        Meaning("截止领取的时刻；空表示不限", "until when it can be claimed", "YYYY-MM-DD HH:MM", pattern=INSTANT),
    ] = ""
    # When it counts
    wait_days: Annotated[int, span("领取后等待几天生效", "days after the claim until it counts", "days", 0, 30)] = 0
    valid_days: Annotated[
        int,
        span(
            "生效后有效几天",
            "days it counts, from the day on which it begins to",
            "days",
            1,
            VALID_DAYS_MAX,
            looser=1,
        ),
    ]
    not_after: Annotated[
        str, Meaning("最迟有效日；空表示不限", "last day on which any counts", "YYYY-MM-DD", pattern=DAY)
    ] = ""
    weekdays: Annotated[
        str,
        Meaning(
            "可用的星期（1 为星期一）；空表示每天",
            "days of the week on which it counts, 1 is Monday",
            "1-7",
            pattern=WEEKDAYS,
        ),
    ] = ""
    hours: Annotated[
        str,
        Meaning("每天可用的时段；空表示全天", "hours of the day in which it counts", "HH:MM-HH:MM", pattern=HOURS),
    ] = ""
    # Where and for what it counts
    goods: Annotated[
        str,
        Meaning(
            "适用商品编码（逗号分隔，前缀匹配）；空表示全部",
            "goods it counts for, by prefix; all when empty",
            "codes",
            pattern=CODES,
        ),
    ] = ""
    places: Annotated[
        str,
        Meaning(
            "适用商户或门店代码（逗号分隔）；空表示全部",
            "merchants or stores where it counts; all when empty",
            "codes",
            pattern=CODES,
        ),
    ] = ""
    use_person_day: Annotated[int, limit("每人每日最多使用", "most that one person uses a day", PERSON_MAX)] = 0
    # Together with others
    category: Annotated[str, code("叠加类别：同类每单一张", "category: one of each counts for an order")] = "voucher"
    exclusive: Annotated[bool, choice("是否不与其他券同用", "whether it counts only alone", looser=-1)] = False
    rank: Annotated[int, span("计算次序，小的在前", "place in the order of application", "place", 0, ORDER_MAX)] = 100
    # When the order changes
    below_threshold: Annotated[
        Literal["keep", "drop"],
        choice(
            "完成金额低于门槛时：保留或放弃优惠", "when a smaller capture falls below the threshold: keep or drop it"
        ),
    ] = "drop"
    partial_refund: Annotated[
        Literal["keep", "reprice"],
        choice(
            "部分退款时：按比例退，或按余额重新计价",
            "in a partial refund: give back in proportion, or price the rest anew",
        ),
    ] = "keep"
    after_refund: Annotated[
        Literal["reusable", "proportional", "reissue", "never"],
        choice(
            "退款后：一次全额退款则有效期内可再用；此外按退回的部分另给一张；此外退尽时补发一张；一律作废",
            "after a refund: usable again until it expires when all comes back at once; besides, a voucher for what "
            "came back of it; besides, a new one once all has come back; gone",
        ),
    ] = "reusable"
    breaker_hour_count: Annotated[
        int,
        limit(
            "熔断：一小时内核销超过多少张自动暂停",
            "breaker: pauses the stock when more than this are redeemed in an hour",
        ),
    ] = 0


class Drip(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[drips]]`: a sale or top-up starts a plan that grants vouchers of a stock month after month (按月返还).

    Of several that it reaches, the one that asks for most.
    """

    code: Annotated[str, code("按月返还计划代码", "code of the monthly plan", key=True)]
    stock: Annotated[str, code("发放哪个券批次", "stock that it grants")]
    from_face_fen: Annotated[Money, fen("充值满多少开始计划", "least face value that starts a plan", looser=-1)]
    months: Annotated[int, span("共几个月", "how many months", "months", 1, MONTHS_MAX, looser=1)]
    each_month: Annotated[int, span("每月几张", "vouchers a month", "items", 1, 10, looser=1)] = 1


class Referral(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[referrals]]`: who brings a new holder gets vouchers once the first top-up has stayed (邀请返现)."""

    code: Annotated[str, code("邀请活动代码", "code of the referral", key=True)]
    first_face_fen: Annotated[
        Money, fen("受邀人首次充值至少多少", "least face value of the invitee's first top-up", looser=-1)
    ]
    kept_days: Annotated[
        int, span("首充保留几天不退才发放", "days the first top-up must stay", "days", 0, 365, looser=-1)
    ]
    inviter_stock: Annotated[str, code("发给邀请人的券批次", "stock for the inviter")]
    invitee_stock: Annotated[
        str,
        Meaning("发给受邀人的券批次；空表示不发", "stock for the invitee; none when empty", "codes", pattern=CODES),
    ] = ""
    inviter_day: Annotated[int, limit("邀请人每日最多", "most that one inviter gets a day", PERSON_MAX)] = 0
    inviter_total: Annotated[int, limit("邀请人总共最多", "most that one inviter gets in all", PERSON_MAX)] = 0


class PacketPool(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[packets]]`: random packets (拼手气红包) as vouchers of a stock: split, shuffled and committed beforehand."""

    code: Annotated[str, code("红包池代码", "code of the packet pool", key=True)]
    stock: Annotated[str, code("以哪个券批次发放", "stock whose vouchers they are")]
    total_fen: Annotated[Money, fen("总金额", "what all packets hold together", 1, looser=1)]
    count: Annotated[int, span("个数", "packets", "items", 1, 1_000_000)]
    min_fen: Annotated[Money, fen("单个最少", "least that one holds", 1)]
    max_fen: Annotated[Money, Meaning("单个最多", "most that one holds", "fen", 1, PACKET_MAX)]
    claim_hours: Annotated[
        int, span("多少小时内未领完则退回", "hours until what is left goes back", "hours", 1, HOURS_MAX, looser=1)
    ]
    person_day: Annotated[int, limit("每人每日最多领取", "most that one person opens a day", PERSON_MAX)] = 0
