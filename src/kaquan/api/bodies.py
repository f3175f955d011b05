"""Bodies of the hot endpoints, read by msgspec: what they do not name is refused, and a string is no number."""

from typing import Annotated

import msgspec

from kaquan.commands.execute import BATCH_MAX
from kaquan.payments.model import AMOUNT_MAX, LINES_MAX, ORDER_NO_LENGTH_MAX

VOUCHERS_MAX = 20

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
AmountFen = Annotated[int, msgspec.Meta(ge=1, le=AMOUNT_MAX, description="Whole fen (分), above zero.")]


class LineBody(msgspec.Struct, forbid_unknown_fields=True):
    """A line of an order; the lines sum to the amount."""

    goods: Text
    amount_fen: AmountFen


class PaymentBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An order to pay, at once or (`capture` false) by an authorization.

    Named is one of: the `card` that is shown, by its number (its `crd_…` for the operator and holders); the payment
    `code` on a phone; or a `wallet`, whose vouchers and what is paid outside pay it all.
    """

    merchant: Text
    amount_fen: AmountFen
    order_no: Annotated[str, msgspec.Meta(min_length=1, max_length=ORDER_NO_LENGTH_MAX)]
    card: Text | None = None
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=40)] | None = None
    wallet: Text | None = None
    store: Text | None = None
    vouchers: Annotated[list[Text], msgspec.Meta(max_length=VOUCHERS_MAX)] = []
    outside_fen: Annotated[int, msgspec.Meta(ge=0, le=AMOUNT_MAX, description="Paid in cash or another app.")] = 0
    lines: Annotated[list[LineBody], msgspec.Meta(max_length=LINES_MAX)] = []
    capture: bool = True


class KeyedPayment(PaymentBody, forbid_unknown_fields=True, kw_only=True):
    """A payment of a batch, with its own id."""

    idempotency_key: Text


class BatchBody(msgspec.Struct, forbid_unknown_fields=True):
    """Payments of one batch. Each is decided for itself: one that is refused stops no other."""

    payments: Annotated[list[KeyedPayment], msgspec.Meta(min_length=1, max_length=2 * BATCH_MAX)]


class ClaimBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A voucher of a stock, for a wallet. What is told of device and payment account counts towards limits."""

    wallet: Text
    program: Text
    stock: Text
    device: Annotated[str, msgspec.Meta(max_length=256)] | None = None
    payee: Annotated[str, msgspec.Meta(max_length=256)] | None = None
