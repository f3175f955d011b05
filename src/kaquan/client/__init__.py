"""The Python SDK: the door outside as typed calls, retried with the same id. Imports nothing else of Kaquan.

    with Client("https://cards.example.com", token) as client:
        order = NewPayment(merchant="mall-1", amount_fen=1_230, order_no="0001", card=number)
        paid = client.payments.create(order)

Amounts are whole fen. Every call that changes something carries an idempotency key: yours, or a fresh one. When
the answer stays away, the call is repeated under the same key, so that nothing happens twice; when it stays away for
good, `Unknown` holds the key to ask with later.
"""

from kaquan.client.answers import Card, Effect, Fen, Holder, Line, NewPayment, Payment, Quote, Voucher
from kaquan.client.client import Client
from kaquan.client.errors import (
    Forbidden,
    Invalid,
    KaquanError,
    NotFound,
    Problem,
    Refused,
    Unauthorized,
    Unknown,
    Unreachable,
)
from kaquan.client.keys import new_key
from kaquan.client.retries import Retries

__all__ = [
    "Card",
    "Client",
    "Effect",
    "Fen",
    "Forbidden",
    "Holder",
    "Invalid",
    "KaquanError",
    "Line",
    "NewPayment",
    "NotFound",
    "Payment",
    "Problem",
    "Quote",
    "Refused",
    "Retries",
    "Unauthorized",
    "Unknown",
    "Unreachable",
    "Voucher",
    "new_key",
]
