"""The order registry: one merchant's order number is paid by one payment.

The claim stands in the merchant's own bucket and is made before the payment is decided. Another payment may
take an order over when its claimant was refused, gave its authorization up, or did not arrive in time; in
the last case the claimant's id is burnt first, so that it can never take effect late.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg

from kaquan.commands.model import Entry
from kaquan.commands.tombstones import bury
from kaquan.db.wire import INT2, TEXT, UUID, column, decode
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id, bucket_of, public
from kaquan.kernel.refusal import Refusal
from kaquan.payments import errors
from kaquan.payments.lifecycle import PaymentState
from kaquan.payments.store import QUERIES

GRACE_SECONDS = 30  # a claimant that has not been decided by then is taken for lost; tills time out sooner
_OVER = (PaymentState.VOIDED, PaymentState.EXPIRED)


def claim(cursor: psycopg.Cursor[Any], entries: Sequence[Entry], at: datetime, dry_run: bool) -> dict[bytes, Refusal]:
    """Claim each payment's order number. Gives a refusal for every payment that may not take effect for it."""
    wanted = [entry for entry in entries if entry.command.order_no]
    if not wanted:
        return {}
    if dry_run:
        return _look(cursor.connection, wanted)
    at_us = microseconds(at)
    holders = _claims(cursor, wanted, at_us)
    if not holders:
        return {}
    refusals: dict[bytes, Refusal] = {}
    for entry, (holder, reversed_, claimed_us) in zip(wanted, holders, strict=True):
        if reversed_:
            refusals[entry.id] = Refusal(errors.ORDER_REVERSED)
        elif holder != entry.id and (refusal := _contend(cursor, entry, holder, claimed_us, at_us)):
            refusals[entry.id] = refusal
    return refusals


def _claims(cursor: psycopg.Cursor[Any], wanted: Sequence[Entry], at_us: int) -> list[tuple[bytes, int, int]]:
    """(command, reversed, claimed at) of each order; empty when all were free and are now claimed."""
    merchants = [entry.command.merchant for entry in wanted]
    labels = [bucket_of(merchant) for merchant in merchants]
    row = cursor.execute(
        QUERIES.claim_orders,
        (
            column(INT2, sorted(set(labels))),
            at_us,
            False,
            column(INT2, labels),
            column(UUID, merchants),
            column(TEXT, [entry.command.order_no for entry in wanted]),
            column(UUID, [entry.id for entry in wanted]),
        ),
        prepare=True,
    ).fetchone()
    if row is None:
        raise RuntimeError("claim_orders gave no row")
    return list(zip(*(decode(value) for value in row), strict=True))


def _look(connection: psycopg.Connection[Any], wanted: Sequence[Entry]) -> dict[bytes, Refusal]:
    refusals: dict[bytes, Refusal] = {}
    for entry in wanted:
        found = find(connection, entry.command.merchant, entry.command.order_no)
        if found is None:
            continue
        holder, reversed_ = found
        if reversed_:
            refusals[entry.id] = Refusal(errors.ORDER_REVERSED)
        elif holder != entry.id and not _is_free(connection, entry, holder):
            refusals[entry.id] = Refusal(errors.ORDER_PAID, {"payment": public("pay", holder)})
    return refusals


def _contend(cursor: psycopg.Cursor[Any], entry: Entry, holder: bytes, claimed_us: int, at_us: int) -> Refusal | None:
    connection = cursor.connection
    free = _is_free(connection, entry, holder)
    if free is False:
        return Refusal(errors.ORDER_PAID, {"payment": public("pay", holder)})
    waited = (at_us - claimed_us) // 1_000_000
    if free is None:
        if waited < GRACE_SECONDS:
            return Refusal(errors.ORDER_IN_FLIGHT, {"wait_seconds": GRACE_SECONDS - waited})
        if not bury(connection, Id(holder), errors.ORDER_TAKEN_OVER.code, at_us):
            return Refusal(errors.ORDER_IN_FLIGHT, {"wait_seconds": 1})
    taken = connection.execute(
        QUERIES.take_claim,
        {
            "command": entry.id.hex(),
            "at": at_us,
            "held_by": holder.hex(),
            **_key(entry.command.merchant, entry.command.order_no),
        },
    )
    return None if taken.rowcount == 1 else Refusal(errors.ORDER_IN_FLIGHT, {"wait_seconds": 1})


def _is_free(connection: psycopg.Connection[Any], entry: Entry, holder: bytes) -> bool | None:
    """Whether the claimant gave the order up; None when it has not been decided."""
    row = connection.execute(QUERIES.claimant, {"bucket": bucket_of(holder), "id": holder.hex()}).fetchone()
    if row is None:
        return None
    outcome, state, order_no, merchant = row
    if outcome != 0 or state in _OVER:
        return True
    same = order_no == entry.command.order_no and merchant.bytes == entry.command.merchant
    return not same  # its key was used for another order before, so this claim never took effect


def find(connection: psycopg.Connection[Any], merchant: Id, order_no: str) -> tuple[bytes, bool] | None:
    """(command, reversed) of the claim on an order number, or None."""
    row = connection.execute(QUERIES.claim, _key(merchant, order_no)).fetchone()
    return None if row is None else (row[0].bytes, row[1])


def bar(connection: psycopg.Connection[Any], merchant: Id, order_no: str, command: Id, at_us: int) -> Id | None:
    """Bar an order number for ever. Gives the command that held it before, or None when nobody did."""
    cursor = connection.execute(
        QUERIES.claim_barred, {"at": at_us, "command": command.hex(), **_key(merchant, order_no)}
    )
    if cursor.rowcount == 1:
        return None
    connection.execute(QUERIES.bar_order, _key(merchant, order_no))
    found = find(connection, merchant, order_no)
    if found is None or found[0] == command:
        return None
    return Id(found[0])


def _key(merchant: Id, order_no: str) -> dict[str, Any]:
    return {"bucket": bucket_of(merchant), "merchant": merchant.hex(), "order_no": order_no}
