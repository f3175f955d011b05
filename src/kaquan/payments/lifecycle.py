"""The life of a payment, as a table: state × operation → state. The database enforces the same table."""

from enum import IntEnum
from typing import Literal

Operation = Literal["capture", "void", "expire", "refund", "refund_part"]


class PaymentState(IntEnum):
    """Stored."""

    AUTHORIZED = 1
    CAPTURED = 2
    VOIDED = 3
    EXPIRED = 4
    REFUNDED = 5
    PARTLY_REFUNDED = 6


WORDS_ZH = {
    PaymentState.AUTHORIZED: "已预授权",
    PaymentState.CAPTURED: "已扣款",
    PaymentState.VOIDED: "已撤销",
    PaymentState.EXPIRED: "已过期",
    PaymentState.REFUNDED: "已退款",
    PaymentState.PARTLY_REFUNDED: "已部分退款",
}
"""The states as a cashier reads them in Chinese."""

TRANSITIONS: dict[tuple[PaymentState, Operation], PaymentState] = {
    (PaymentState.AUTHORIZED, "capture"): PaymentState.CAPTURED,
    (PaymentState.AUTHORIZED, "void"): PaymentState.VOIDED,
    (PaymentState.AUTHORIZED, "expire"): PaymentState.EXPIRED,
    (PaymentState.CAPTURED, "refund"): PaymentState.REFUNDED,
    (PaymentState.CAPTURED, "refund_part"): PaymentState.PARTLY_REFUNDED,
    (PaymentState.PARTLY_REFUNDED, "refund"): PaymentState.REFUNDED,
    (PaymentState.PARTLY_REFUNDED, "refund_part"): PaymentState.PARTLY_REFUNDED,
}


def after(state: int, operation: Operation) -> PaymentState | None:
    """The state that an operation leads to, or None when it is not possible from here."""
    return TRANSITIONS.get((PaymentState(state), operation))
