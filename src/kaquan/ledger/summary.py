"""What happened, in a few numbers: the table of the demo, which `tests/support/readd.py` adds up again."""

from typing import Any

import msgspec
import psycopg

from kaquan.kernel.money import Money
from kaquan.ledger.store import QUERIES, one_row


class Totals(msgspec.Struct, frozen=True):
    """Amounts in fen since the beginning. Sold and topped up count the value put on cards, of whatever kind.

    Spent is what cards paid, before refunds. Nothing is lost on a card: sold + topped up + rebates granted + refunded
    − spent − clawed back − expired − owed to holders outside cards = outstanding, of which `held_fen` is reserved by
    open authorizations. Discounts are what vouchers took off, paid by funds or borne by the merchant; what of the
    merchant's own came back is `discounts_unborne_fen`. Promised + promised again after a refund − paid to merchants
    − put on cards − freed = `promised_fen`, what funds have promised and not paid yet. Settled is what merchants were
    paid; fees and what was held back come off before it.
    """

    cards_sold: int
    cards_sold_fen: Money
    topped_up_fen: Money
    topped_up_subsidy_fen: Money
    spent_principal_fen: Money
    spent_bonus_fen: Money
    spent_subsidy_fen: Money
    rebates_granted_fen: Money
    rebates_clawed_back_fen: Money
    bonus_expired_fen: Money
    subsidy_expired_fen: Money
    owed_to_holders_fen: Money
    held_fen: Money
    refunded_fen: Money
    discounts_funded_fen: Money
    discounts_borne_fen: Money
    discounts_returned_fen: Money
    discounts_unborne_fen: Money
    vouchers_promised_fen: Money
    vouchers_promised_again_fen: Money
    vouchers_on_cards_fen: Money
    vouchers_freed_fen: Money
    funds_paid_in_fen: Money
    funds_paid_out_fen: Money
    promised_fen: Money
    fees_fen: Money
    settled_fen: Money
    held_back_fen: Money
    released_fen: Money
    outstanding_principal_fen: Money
    outstanding_bonus_fen: Money
    outstanding_subsidy_fen: Money


def totals(connection: psycopg.Connection[Any], program: int | None = None) -> Totals:
    """The totals of one program, or of all."""
    return msgspec.convert(one_row(connection, QUERIES.summary, {"program": program}), Totals)
