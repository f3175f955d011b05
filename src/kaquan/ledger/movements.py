"""The kinds of commands that move money, by the number that postings carry.

The numbers are those of `commands.model.Kind`, which stands above this capability; a test compares the two.
"""

from enum import IntEnum


class Movement(IntEnum):
    """Stored in `posting.kind`."""

    SELL = 10
    TOP_UP = 11
    PAY = 20
    CAPTURE = 22
    REFUND = 25
    REVERSE = 26
    GRANT_REWARD = 30
    EXPIRE_LOT = 31
    CANCEL_PLAN = 33
    SETTLE = 40
    RELEASE_RESERVE = 41
    PAY_IN_FUND = 51
    PAY_OUT_FUND = 52
    CLAIM = 60
    VOID_VOUCHER = 61
    EXPIRE_VOUCHER = 62
    ISSUE_VOUCHER = 65
    CLAIM_BY_CODE = 66
    AWARD = 75
    PAY_REFERRAL = 82
    UNDO_REFERRAL = 83
    FOLLOW_REFERRAL = 84
    OPEN_PACKETS = 86
    END_PACKETS = 88
    CLOSE_CARD = 151
    PAY_OUT_CLOSING = 152
    TRANSFER_CARD = 154
    RECEIVE_CARD = 155
    REACTIVATE_CARD = 156
    RECOGNISE_BREAKAGE = 157
    PAY_PARTNER = 160
    WRITE_OFF_DEBT = 161


_NAMES = {movement.value: movement.name.lower() for movement in Movement}


def movement_name(kind: int) -> str:
    """`pay`, `top_up`, …; `kind-<number>` for one that this version does not know."""
    return _NAMES.get(kind, f"kind-{kind}")
