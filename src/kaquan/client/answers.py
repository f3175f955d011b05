"""Answers as frozen structs. What a struct does not name, and what later versions add, is in `facts`."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

Fen = int
"""An amount of money in whole fen (分), CNY."""

Read = TypeVar("Read", bound="Answer")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer; `facts` holds everything that has no name of its own here."""

    facts: Mapping[str, Any] = {}


class Effect(Answer, frozen=True, kw_only=True):
    """Something took effect. `replayed`: it had done so before under this key. `key` is the idempotency key.

    `outcome` is `requested`, and nothing has happened yet, when it takes a second person (`facts["approval"]`).
    """

    outcome: str = "effect"
    key: str = ""
    replayed: bool = False
    dry_run: bool = False
    state: str = ""


class Payment(Effect, frozen=True, kw_only=True):
    """A payment, by its public id `pay_…`: what was ordered, and who paid what of it.

    `state` is `captured`, `authorized`, `voided`, `expired`, `partly_refunded`, `refunded`, or `nothing_taken` for an
    order that was reversed before it was paid. `amount_fen` of a refund is what came back.
    """

    payment: str = ""
    merchant: str = ""
    order_no: str = ""
    amount_fen: Fen = 0
    discount_fen: Fen = 0
    outside_fen: Fen = 0
    captured_fen: Fen | None = None
    refunded_fen: Fen | None = None
    released_fen: Fen | None = None
    refund: str | None = None
    discounts: Sequence[Mapping[str, Any]] = ()


class Quote(Answer, frozen=True, kw_only=True):
    """What an order would cost whom. `best` are the vouchers that save most; `vouchers` tells of each why not."""

    amount_fen: Fen = 0
    discount_fen: Fen = 0
    outside_fen: Fen = 0
    best: Sequence[str] = ()
    vouchers: Sequence[Mapping[str, Any]] = ()


class Card(Effect, frozen=True, kw_only=True):
    """A card `crd_…` with its number. Balances are told when it is shown, `face_fen`, `paid_fen` when it is sold."""

    card: str = ""
    number: str = ""
    program: str = ""
    wallet: str = ""
    available_fen: Fen | None = None
    balance_fen: Fen | None = None
    held_fen: Fen | None = None
    face_fen: Fen | None = None
    paid_fen: Fen | None = None


class Voucher(Effect, frozen=True, kw_only=True):
    """A voucher `vch_…`. Instants are UTC in ISO 8601."""

    voucher: str = ""
    stock: str = ""
    program: str = ""
    wallet: str = ""
    face_fen: Fen | None = None
    used_fen: Fen | None = None
    valid_at: str | None = None
    expires_at: str | None = None


class Holder(Effect, frozen=True, kw_only=True):
    """A holder's wallet `wal_…`; who holds it is not told."""

    wallet: str = ""
    identified: bool | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an order; the lines sum to the order's amount."""

    goods: str
    amount_fen: Fen


class NewPayment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order to pay, at once or (`capture` false) by an authorization.

    Named is one of: the `card` that is shown, by its number; the payment `code` on a phone; a `wallet`, whose
    vouchers and what is paid outside pay it all. `key` is the payment's own id; a fresh one is made when it is empty.
    """

    merchant: str
    amount_fen: Fen
    order_no: str
    card: str | None = None
    code: str | None = None
    wallet: str | None = None
    store: str | None = None
    vouchers: Sequence[str] = ()
    outside_fen: Fen = 0
    lines: Sequence[Line] = ()
    capture: bool = True
    key: str = ""

    def body(self) -> dict[str, Any]:
        """As it is sent, without its key."""
        sent: dict[str, Any] = msgspec.to_builtins(self)
        sent.pop("key", None)
        return sent

    def __repr__(self) -> str:
        """Without the card number and the code, which are as good as money."""
        return f"NewPayment(merchant={self.merchant!r}, order_no={self.order_no!r}, amount_fen={self.amount_fen})"


def read(document: Mapping[str, Any], kind: type[Read], **more: Any) -> Read:
    """A document as a struct. Raises `msgspec.ValidationError` when a field is of another type."""
    named = {name: given for name, given in document.items() if name in kind.__struct_fields__ and name != "facts"}
    facts = {name: given for name, given in document.items() if name not in named}
    return msgspec.convert({**named, **more, "facts": facts}, kind)
