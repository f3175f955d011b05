"""`ProgramTerms`: every promise of a program, as frozen data.

Each field carries its meaning, unit and limits (`programs.meaning`). `programs.compiler` checks the limits,
all at once and with facts; the decoder does not, it would stop at the first.
"""

from hashlib import sha256
from typing import Annotated, Literal

import msgspec

from kaquan.kernel.money import ZERO, Money, Rate
from kaquan.kernel.refusal import Fault
from kaquan.programs.custody import DEFAULT_CUSTODY, Custody
from kaquan.programs.grants import (
    FUNDING_MAX,
    PLANS_MAX,
    STOCKS_MAX,
    Drip,
    Funding,
    PacketPool,
    Referral,
    Stock,
)
from kaquan.programs.leaving import DEFAULT_CLOSING, ClosingTerms, Region
from kaquan.programs.meaning import CODE, NAME_MAX, Meaning, bps, choice, code, fen, name, span
from kaquan.programs.partners import ACCEPTANCE_MAX, PROMISE_DAYS_MAX, Acceptance, Reserve, Settlement

OFFERS_MAX = 20  # a price list that a holder reads on one phone screen
BANDS_MAX = 10  # a ladder that one sentence per step still explains
SALE_DAYS_MAX = 90  # a presale that delivers later than a quarter is a different product
WINDOW_DAYS_MAX = 365  # refunds beyond a year meet closed books
REFUNDS_MAX = 1_000  # as many refunds of one payment as are shown of it
HOLD_MINUTES_MAX = 43_200  # 30 days: the longest an authorization may tie up a holder's money
CARD_DAY_MAX = 10_000  # more payments of one card a day than a till can take
VOUCHERS_MAX = 20  # more vouchers for one order than a cashier can explain
LAW_PACKS_MAX = 4  # national, licensed, regional, convention: more would contradict each other
OPINIONS_MAX = 10  # a program that stands on more opinions than articles should not be opened
REFERENCE_MAX = 80  # characters of a document's number
NOTE_MAX = 200  # characters: what an opinion says in a sentence or two
DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"

LegalClass = Literal[
    "single_purpose_group",
    "single_purpose_brand",
    "single_purpose_scale",
    "single_purpose_other",
    "multi_purpose_licensed",
    "voucher_only",
    "fiscal_subsidy",
]
WITHOUT_PRINCIPAL = ("voucher_only", "fiscal_subsidy")
"""Classes whose programs take nothing in advance."""
RefundOrder = Literal["pro_rata", "first_paid_first", "last_paid_first"]
BurnOrder = Literal["principal_first", "bonus_first", "pro_rata", "earliest_expiry"]


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[program]`: what the program is called, who answers for it, and under which law."""

    code: Annotated[str, code("活动代码", "code of the program", fixed=True)]
    name_zh: Annotated[str, name("中文名称", "name in Chinese")]
    name_en: Annotated[str, name("英文名称", "name in English")]
    archetype: Annotated[
        Literal["closed_loop", "open_alliance", "hybrid"],
        choice(
            "业务形态：自营闭环、开放联盟、混合",
            "shape: the issuer's own group accepts, unrelated groups do, or both",
            fixed=True,
        ),
    ]
    legal_class: Annotated[
        LegalClass,
        choice(
            "法律类别：单用途（集团、品牌、规模、其他）、多用途持牌、纯券、财政补贴",
            "legal class: single-purpose (group, brand, scale, other), multi-purpose with a licence, vouchers only, "
            "fiscal subsidy",
            fixed=True,
        ),
    ]
    law_packs: Annotated[
        tuple[str, ...],
        Meaning(
            "适用的法规包，从严适用",
            "law packs that judge the program; of each rule the strictest applies",
            "codes",
            1,
            LAW_PACKS_MAX,
            looser=-1,
            pattern=CODE,
        ),
    ]
    licence: Annotated[
        str,
        Meaning(
            "持牌机构的支付业务许可证编号；没有则留空",
            "number of the institution's payment licence; empty for none",
            "text",
            0,
            NAME_MAX,
        ),
    ] = ""
    issuer: Annotated[str, code("发行方的机构代码", "organisation code of the issuer", fixed=True)]
    region: Annotated[
        Region,
        choice(
            "发行地区（ISO 3166-2），须列出该地区的法规包；没有地区法规则留空",
            "region of the issuer (ISO 3166-2), whose law pack is named too; empty where none is shipped",
            fixed=True,
        ),
    ] = ""


class CardTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[card]`: what one card is and how much it may hold."""

    registered: Annotated[bool, choice("是否记名卡", "whether the card is registered to a named holder", fixed=True)]
    balance_max_fen: Annotated[
        Money,
        fen(
            "单卡余额上限，本金与赠金合计",
            "most that one card may hold, principal and bonus together",
            1,
            looser=1,
        ),
    ]
    principal_valid_days: Annotated[
        int,
        span(
            "本金有效期，自激活日起算；0 表示永久有效",
            "days the principal stays valid after activation; 0 means for ever",
            "days",
            0,
            PROMISE_DAYS_MAX,
            looser=1,
            endless=True,
        ),
    ] = 0


class Offer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[presale.offers]]`: pay `paid_fen`, get `face_fen`. What is paid is principal, the rest bonus."""

    face_fen: Annotated[Money, fen("面额", "face value", 1, key=True)]
    paid_fen: Annotated[Money, fen("售价", "price the holder pays", 1, looser=-1)]


class Presale(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[presale]`: what is sold and topped up, for how much, and from when it can be spent."""

    activation_days: Annotated[
        int,
        span(
            "售出后多少天激活可用；0 表示立即",
            "days from sale until the value can be spent; 0 means at once",
            "days",
            0,
            SALE_DAYS_MAX,
            looser=-1,
        ),
    ]
    cooling_off_days: Annotated[
        int,
        span(
            "冷静期：付款后多少天内可无理由退回本金，由发行方办理",
            "days from payment in which the holder may withdraw; the issuer carries it out and returns the principal",
            "days",
            0,
            SALE_DAYS_MAX,
            looser=1,
        ),
    ]
    offers: Annotated[
        tuple[Offer, ...], span("售卡与充值档位", "amounts for sale and top-up", "items", 0, OFFERS_MAX, looser=1)
    ]


class Spending(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[spending]`: how a payment takes value from a card."""

    burn_order: Annotated[
        BurnOrder,
        choice(
            "扣款顺序：先本金、先赠金、按比例、先到期先用",
            "which lots pay first: principal, bonus, in proportion, or earliest expiry",
        ),
    ]
    hold_minutes: Annotated[
        int,
        span(
            "预授权有效时长，到时自动释放",
            "minutes an authorization holds value before it lapses by itself",
            "minutes",
            1,
            HOLD_MINUTES_MAX,
        ),
    ]
    one_payment_per_order: Annotated[
        bool,
        choice("一个商户订单号只能支付一次", "one merchant order number is paid at most once", looser=-1),
    ]
    vouchers_max: Annotated[
        int,
        span("一单最多用几张券", "most vouchers that count for one order", "items", 0, VOUCHERS_MAX, looser=1),
    ] = 5
    card_day_count: Annotated[
        int,
        span(
            "每张卡每日最多支付笔数；0 表示不限",
            "most payments of a card a day; 0 means no limit",
            "items",
            0,
            CARD_DAY_MAX,
            looser=1,
            endless=True,
        ),
    ] = 0
    card_day_fen: Annotated[
        Money,
        fen(
            "每张卡每日最多支付金额；0 表示不限",
            "most that a card pays a day; 0 means no limit",
            looser=1,
            endless=True,
        ),
    ] = ZERO


class Band(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[rebate.bands]]`: from `from_fen` (included) an order earns `rate_bps`."""

    from_fen: Annotated[Money, fen("起点金额（含）", "order amount from which the band counts", key=True)]
    rate_bps: Annotated[Rate, bps("返利比例", "share given back", looser=1)]


class Rebate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[rebate]`: what an order earns as bonus, granted when the refund window of the order has ended."""

    base: Annotated[
        Literal["order"], choice("计算基数：每单净额，扣除退款", "base: each order by itself, net of refunds")
    ]
    mode: Annotated[
        Literal["whole", "marginal"],
        choice(
            "whole 按整单金额计，marginal 只计各档之内的部分",
            "whole: the band reached pays on the whole order; marginal: each band pays on its own part",
        ),
    ]
    bands: Annotated[
        tuple[Band, ...],
        span(
            "返利档位，从低到高；空表示不返利",
            "bands, ascending; none means no rebate",
            "items",
            0,
            BANDS_MAX,
        ),
    ]
    cap_fen: Annotated[Money, fen("每单返利上限", "most that one order earns", 1, looser=1)]
    valid_days: Annotated[
        int,
        span(
            "返利赠金有效期，自到账日起算",
            "days the rebate stays valid after it is granted",
            "days",
            1,
            PROMISE_DAYS_MAX,
            looser=1,
        ),
    ]
    clawback_allow_negative: Annotated[
        bool,
        choice(
            "追回返利时能否把余额扣成负数；卡余额不得为负，只能为 false",
            "whether a clawback may push a balance below zero; a card has a floor of zero, so only false",
            looser=-1,
        ),
    ] = False


class RefundTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[refund]`: how long and how often a paid order may be refunded, what comes back first, and where it lands."""

    window_days: Annotated[
        int,
        span(
            "退款期：支付后多少天内可退款",
            "days from payment in which an order may be refunded",
            "days",
            0,
            WINDOW_DAYS_MAX,
            looser=1,
        ),
    ]
    count_max: Annotated[
        int,
        span(
            "一单最多部分退款几次；退尽余下的不计，0 表示不限",
            "most partial refunds of one order; one of all that is left always goes, 0 means no limit",
            "times",
            0,
            REFUNDS_MAX,
            looser=1,
            endless=True,
        ),
    ] = 0
    order: Annotated[
        RefundOrder,
        choice(
            "部分退款时卡上各批次与场外支付的先后：按比例、先付先退、后付先退",
            "what comes back first in a partial refund, of the card's lots and what was paid outside: in proportion, "
            "what paid first, what paid last",
        ),
    ] = "pro_rata"
    frozen_card: Annotated[
        Literal["accept", "refuse"],
        choice(
            "卡冻结时的退款：退回卡中仍受冻结，或解冻前不退",
            "a refund to a frozen card: it goes there and stays frozen, or waits until the card is unfrozen",
        ),
    ] = "accept"
    expired_principal: Annotated[
        Literal["card", "holder"],
        choice(
            "本金批次过期后退回的本金：留在卡内，或转为应退持卡人",
            "principal that comes back after its lot expired: it stays on the card, or is owed to the holder",
        ),
    ] = "card"
    expired_grant_days: Annotated[
        int,
        span(
            "赠金或补贴过期后退回的，再给几天有效期；0 表示退回出资人",
            "days that bonus or subsidy counts again when it comes back after its lot expired; 0 means it goes back "
            "to who paid for it",
            "days",
            0,
            PROMISE_DAYS_MAX,
            looser=1,
        ),
    ] = 0


class Opinion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[opinions]]`: a legal opinion on record that allows, from its day on, what an article would refuse."""

    rule: Annotated[str, code("法规包中条目的编号", "id of the article in the law pack", key=True)]
    reference: Annotated[str, Meaning("意见书文号", "number of the document", "text", 1, REFERENCE_MAX, key=True)]
    by: Annotated[str, name("出具人", "who gave it")]
    on: Annotated[str, Meaning("出具日期", "day it was given", "YYYY-MM-DD", pattern=DAY)]
    note_zh: Annotated[str, Meaning("中文摘要", "summary in Chinese", "text", 0, NOTE_MAX)]
    note_en: Annotated[str, Meaning("英文摘要", "summary in English", "text", 0, NOTE_MAX)]


class ProgramTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All terms of one version of a program. A decision stores the version that judged it."""

    program: Identity
    acceptance: Annotated[
        tuple[Acceptance, ...], span("受理平台", "platforms that accept", "items", 1, ACCEPTANCE_MAX, looser=1)
    ]
    card: CardTerms
    presale: Presale
    spending: Spending
    rebate: Rebate
    refund: RefundTerms
    settlement: Settlement
    reserve: Reserve
    custody: Custody = DEFAULT_CUSTODY
    funding: Annotated[
        tuple[Funding, ...],
        span("谁为哪一项出多少", "who pays how much of what is given", "items", 0, FUNDING_MAX),
    ] = ()
    stocks: Annotated[tuple[Stock, ...], span("券批次", "stocks of vouchers", "items", 0, STOCKS_MAX, looser=1)] = ()
    drips: Annotated[tuple[Drip, ...], span("按月返还计划", "monthly plans", "items", 0, PLANS_MAX, looser=1)] = ()
    referrals: Annotated[tuple[Referral, ...], span("邀请活动", "referrals", "items", 0, PLANS_MAX, looser=1)] = ()
    packets: Annotated[tuple[PacketPool, ...], span("红包池", "packet pools", "items", 0, PLANS_MAX, looser=1)] = ()
    opinions: Annotated[
        tuple[Opinion, ...],
        span("已登记的法律意见", "legal opinions on record", "items", 0, OPINIONS_MAX, looser=1),
    ] = ()
    closing: ClosingTerms = DEFAULT_CLOSING


def to_json(terms: ProgramTerms) -> bytes:
    """The canonical form: keys sorted, no spaces, UTF-8. Store it as text: `jsonb` would write it anew."""
    return msgspec.json.encode(terms, order="sorted")


def from_json(stored: bytes | str) -> ProgramTerms:
    """The terms of a stored version. Raises `Fault` when they cannot be read: we wrote them ourselves."""
    try:
        return msgspec.json.decode(stored, type=ProgramTerms)
    except msgspec.MsgspecError as error:
        raise Fault(f"stored terms cannot be read: {error}") from error


def fingerprint(terms: ProgramTerms) -> bytes:
    """SHA-256 of the canonical form: equal terms, equal fingerprint."""
    return sha256(to_json(terms)).digest()
