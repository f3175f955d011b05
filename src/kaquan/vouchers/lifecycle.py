"""The life of a voucher, as a table: state × operation → state. The database enforces the same table."""

from typing import Literal

from kaquan.vouchers.model import VoucherState

Operation = Literal["hold", "release", "redeem", "undo", "return_part", "return", "expire", "void", "forfeit"]

WORDS_ZH = {
    VoucherState.ISSUED: "可用",
    VoucherState.HELD: "占用中",
    VoucherState.REDEEMED: "已核销",
    VoucherState.EXPIRED: "已过期",
    VoucherState.VOIDED: "已作废",
    VoucherState.RETURNED: "已退回",
    VoucherState.FORFEITED: "已收回",
}
"""The states as a cashier reads them in Chinese."""

TRANSITIONS: dict[tuple[VoucherState, Operation], VoucherState] = {
    (VoucherState.ISSUED, "hold"): VoucherState.HELD,
    (VoucherState.ISSUED, "redeem"): VoucherState.REDEEMED,
    (VoucherState.ISSUED, "expire"): VoucherState.EXPIRED,
    (VoucherState.ISSUED, "void"): VoucherState.VOIDED,
    (VoucherState.HELD, "hold"): VoucherState.HELD,
    (VoucherState.HELD, "release"): VoucherState.ISSUED,
    (VoucherState.HELD, "redeem"): VoucherState.REDEEMED,
    (VoucherState.HELD, "expire"): VoucherState.EXPIRED,
    (VoucherState.HELD, "void"): VoucherState.VOIDED,
    (VoucherState.REDEEMED, "undo"): VoucherState.ISSUED,
    (VoucherState.REDEEMED, "return_part"): VoucherState.REDEEMED,
    (VoucherState.REDEEMED, "return"): VoucherState.RETURNED,
    (VoucherState.REDEEMED, "forfeit"): VoucherState.FORFEITED,
    (VoucherState.FORFEITED, "return_part"): VoucherState.FORFEITED,
    (VoucherState.FORFEITED, "return"): VoucherState.RETURNED,
}


def after(state: int, operation: Operation) -> VoucherState | None:
    """The state that an operation leads to, or None when it is not possible from here."""
    return TRANSITIONS.get((VoucherState(state), operation))
