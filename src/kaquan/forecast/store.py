"""Past traffic in the database."""

from typing import Any

import psycopg

from kaquan.db.queries import load
from kaquan.forecast.model import PastOrder, Purchase, Traffic
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.programs.catalogue import Catalogue

QUERIES = load(__package__)

EVENTS_MAX = 2_000_000
"""Purchases, and orders, that one forecast looks at: what a laptop goes through in some minutes."""


def traffic(
    connection: psycopg.Connection[Any], catalogue: Catalogue, program: int, since_us: int, until_us: int
) -> Traffic:
    """What happened in a program from one instant to another."""
    span = {"program": program, "since": since_us, "until": until_us, "most": EVENTS_MAX}
    purchases = [
        Purchase(at_us, Id(wallet.bytes), Money(face))
        for at_us, wallet, face in connection.execute(QUERIES.purchases, span)
    ]
    orders = [
        PastOrder(
            at_us,
            Id(wallet.bytes),
            catalogue.merchants[Id(merchant.bytes)].code,
            catalogue.store_codes[store.bytes] if store else None,
            Money(amount),
        )
        for at_us, wallet, merchant, store, amount in connection.execute(QUERIES.orders, span)
    ]
    return Traffic(tuple(purchases), tuple(orders))
