"""Payments in the database."""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from kaquan.cards.service import card_rows, lot_rows
from kaquan.commands.loading import buckets, call_load, known_commands
from kaquan.commands.model import Entry
from kaquan.db.queries import load
from kaquan.db.wire import INT2, UUID, column
from kaquan.kernel.ids import Id, bucket_of
from kaquan.payments.model import Payment, PaymentFacts
from kaquan.quotas.service import tallies_only
from kaquan.rewards.model import Reward
from kaquan.vouchers.service import voucher_rows

QUERIES = load(__package__)

# The columns of a load function's answer, in the order of the fields of `Payment` and `Reward`.
_PAYMENT = (
    "id",
    "version",
    "card",
    "wallet",
    "merchant",
    "terms",
    "program",
    "state",
    "amount",
    "captured",
    "refunded",
    "at",
    "moved_at",
    "expires_at",
    "outside",
    "allocation",
    "discounts",
    "returned",
    "lines",
)
_REWARD = ("id", "version", "state", "amount", "cut", "granted", "due_at", "terms", "lot")


def load_payments(
    cursor: psycopg.Cursor[Any], entries: Sequence[Entry], payments: Sequence[Id], lock: bool
) -> PaymentFacts:
    """The payments a batch addresses, with their rewards, cards and all lots of those cards."""
    commands = [entry.id for entry in entries]
    wanted = sorted(set(payments))
    labels = sorted({bucket_of(identity) for identity in (*commands, *wanted)})
    if lock:
        addressed = (column(INT2, labels), column(INT2, buckets(wanted)), column(UUID, wanted))
        cursor.execute(QUERIES.lock_payments, addressed, prepare=True)
    facts = call_load(
        cursor,
        QUERIES.load_payments,
        (
            labels[0],
            column(INT2, labels),
            column(INT2, buckets(commands)),
            column(UUID, commands),
            column(INT2, buckets(wanted)),
            column(UUID, wanted),
        ),
    )
    columns = zip(*(facts[f"payment_{name}"] for name in _PAYMENT), facts["payment_order_no"], strict=True)
    rewards = zip(*(facts[f"reward_{name}"] for name in _REWARD), strict=True)
    return PaymentFacts(
        commands=known_commands(facts),
        cards=card_rows(facts),
        lots=lot_rows(facts),
        payments={row[0]: _payment(row) for row in columns},
        rewards={row[0]: Reward(*row) for row in rewards},
        vouchers=voucher_rows(facts) if facts["voucher_id"] else {},
        quotas=tallies_only(facts),
        decided=dict(zip(facts["decided_id"], facts["decided_outcome"], strict=True)),
    )


def _payment(row: tuple[Any, ...]) -> Payment:
    values: tuple[Any, ...] = (*row[:-1], row[-1].decode())
    return Payment(*values)


def load_refunds(cursor: psycopg.Cursor[Any], facts: PaymentFacts) -> None:
    """How many refunds the loaded payments have had, and what their cards owe to payers of rebates.

    Read after the payments and cards: whoever adds to either meanwhile changes a version that was read before.
    """
    payments, cards = sorted(map(Id, facts.payments)), sorted(map(Id, facts.cards))
    asked = [part for ids in (payments, cards) for part in (column(INT2, buckets(ids)), column(UUID, ids))]
    for counted, identity, payer, number in cursor.execute(QUERIES.refunds_so_far, asked, prepare=True).fetchall():
        if counted:
            facts.refunds[identity] = number
        else:
            facts.owed[identity, payer] = number


def payment(connection: psycopg.Connection[Any], identity: Id) -> Any | None:
    """One payment for display, or None."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        key = {"bucket": bucket_of(identity), "id": identity.hex()}
        return cursor.execute(QUERIES.payment, key).fetchone()


def refunds_of(connection: psycopg.Connection[Any], payment: Id) -> list[Any]:
    """The refunds of a payment for display, the first first."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        key = {"bucket": bucket_of(payment), "payment": payment.hex()}
        return cursor.execute(QUERIES.refunds, key).fetchall()


def holds_due(connection: psycopg.Connection[Any], at_us: int, most: int) -> list[Id]:
    """Up to `most` authorizations whose time is up."""
    rows = connection.execute(QUERIES.holds_due, {"at": at_us, "most": most})
    return [Id(row[0].bytes) for row in rows]


def rewards_due(connection: psycopg.Connection[Any], at_us: int, most: int) -> list[tuple[Id, Id]]:
    """(payment, card) of up to `most` rebates whose refund window has ended."""
    rows = connection.execute(QUERIES.rewards_due, {"at": at_us, "most": most})
    return [(Id(row[0].bytes), Id(row[1].bytes)) for row in rows]
