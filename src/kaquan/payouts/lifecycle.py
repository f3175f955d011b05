"""The life of a payout. Pure.

    instructed ─ sent ─┬─ confirmed ─ returned ─┐
        ↑              └─ failed ───────────────┤
        └────────────── told again, same number ┘

A payout that failed or came back is told to the bank again under the same number with the next attempt, so the bank's
own check for doubles and ours see one payout. One whose whole amount a dispute holds is withheld: what is released is
paid with the merchant's next settlement.
"""

from collections.abc import Mapping
from enum import IntEnum

from kaquan.ledger.chart import Account, Source


class PayoutState(IntEnum):
    """Stored."""

    INSTRUCTED = 1
    SENT = 2
    CONFIRMED = 3
    FAILED = 4
    RETURNED = 5
    WITHHELD = 6

    @property
    def word(self) -> str:
        """As machines read it."""
        return self.name.lower()


WORDS_ZH = {
    PayoutState.INSTRUCTED: "待发送",
    PayoutState.SENT: "已发送",
    PayoutState.CONFIRMED: "已到账",
    PayoutState.FAILED: "失败待重发",
    PayoutState.RETURNED: "退汇待重发",
    PayoutState.WITHHELD: "争议扣留",
}
"""The states as a clerk reads them in Chinese."""

TRANSITIONS: Mapping[PayoutState, frozenset[PayoutState]] = {
    PayoutState.INSTRUCTED: frozenset({PayoutState.SENT, PayoutState.CONFIRMED, PayoutState.WITHHELD}),
    PayoutState.SENT: frozenset({PayoutState.CONFIRMED, PayoutState.FAILED}),
    PayoutState.CONFIRMED: frozenset({PayoutState.RETURNED}),
    PayoutState.FAILED: frozenset({PayoutState.INSTRUCTED, PayoutState.CONFIRMED, PayoutState.WITHHELD}),
    PayoutState.RETURNED: frozenset({PayoutState.INSTRUCTED, PayoutState.WITHHELD}),
    PayoutState.WITHHELD: frozenset(),
}
"""What may follow what; `payout_may` says the same in the database. Confirmed without having been sent again is one
that failed by the bank's word, and that a person found paid after all."""

TOLD = frozenset({PayoutState.INSTRUCTED, PayoutState.SENT})
"""On its way to the bank: its money is in merchant.payout."""

WAITING = frozenset({PayoutState.FAILED, PayoutState.RETURNED})
"""Waits to be told again: its money is in merchant.waiting, owed and never lost."""

BANKS = {
    Source.CUSTODY: Account.BANK_CUSTODY,
    Source.OPERATING: Account.BANK_OPERATING,
    Source.FISCAL: Account.BANK_FISCAL,
}
"""The bank account that pays, by the source of the money."""


def account_of(state: PayoutState, source: Source) -> Account:
    """Where the money of a payout in this state lies; of a confirmed one, out of which bank account it went.

    Raises `KeyError` for one that is withheld: a dispute has its money.
    """
    if state in TOLD:
        return Account.MERCHANT_PAYOUT
    if state in WAITING:
        return Account.MERCHANT_WAITING
    return {PayoutState.CONFIRMED: BANKS[source]}[state]
