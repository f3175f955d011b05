"""Terms on leaving: returning a card, passing it on, making it valid again, and cards that lie unused."""

from typing import Annotated, Literal

import msgspec

from kaquan.kernel.money import ZERO, Money, Rate
from kaquan.programs.meaning import bps, fen, span

PAY_DAYS_MAX = 60  # a refund that takes longer than two months is a dispute
IDLE_DAYS_MAX = 3_650  # ten years: beyond it nobody is reminded of anything

Region = Literal["", "CN-BJ", "CN-SH", "CN-JS", "CN-ZJ"]
"""Where a program is run, by ISO 3166-2; empty where no regional pack is shipped."""


class ClosingTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[closing]`: what becomes of a card that its holder returns, passes on, or leaves lying."""

    pay_days: Annotated[
        int,
        span(
            "退卡：申请后多少天内付款；法律更短的从法律",
            "days from the request until a returned card is paid out; the law's days where they are fewer",
            "days",
            1,
            PAY_DAYS_MAX,
            looser=-1,
        ),
    ] = 15
    fee_bps: Annotated[
        Rate,
        bps(
            "持卡人原因退卡的违约金，占应退金额的比例；冷静期内、未激活或发行方原因不收",
            "break cost of who returns a card for a cause of her own, of what is left to her; none while she may "
            "withdraw, before activation, or for the issuer's cause",
            looser=-1,
        ),
    ] = Rate(0)
    transfer_fee_fen: Annotated[Money, fen("记名卡转让收费", "fee for passing a registered card on", looser=-1)] = (
        ZERO
    )
    reactivation_fee_fen: Annotated[
        Money, fen("过期不记名卡激活收费", "fee for making an expired bearer card valid again", looser=-1)
    ] = ZERO
    idle_days: Annotated[
        int,
        span(
            "多少天没有变动视为闲置，并提醒一次；0 表示不提醒",
            "days without a movement after which a card counts as idle and its holder is reminded once; 0 for never",
            "days",
            0,
            IDLE_DAYS_MAX,
        ),
    ] = 180


DEFAULT_CLOSING = ClosingTerms()
"""What counts where a file says nothing of it."""
