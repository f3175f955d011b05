"""What the simulation reads, and what it does beside the door: it moves the clock, and forgets a town."""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import psycopg
from psycopg.rows import dict_row

from kaquan.commands.model import Kind
from kaquan.db.queries import load
from kaquan.kernel.clock import EPOCH, instant
from kaquan.kernel.money import Money

QUERIES = load(__package__)

LOCK_WAIT = "10s"
"""How long forgetting waits for others to leave the database."""


class Details(msgspec.Struct, frozen=True):
    """Beside the ledger's totals of a program, or of all: how often things happened, what waits. Amounts in fen.

    `closed_cards_fen` was taken from cards that were returned. Owed to holders outside cards is what those came to,
    and refunds that could not stay on a card (`refunded_outside_fen`).
    `payable_fen` is earned by merchants and not settled yet, of it `waiting_fen` because there is no verified bank
    account; `reserve_fen` is held back and not released yet. Refunds gave back all of an order at once, or a part of
    it; clawed back are rebates that were granted before, and referrals, paid or not.
    """

    topped_up: int
    topped_up_with_vouchers: int
    lots_expired: int
    reserves_released: int
    closed_cards_fen: Money
    refunded_outside_fen: Money
    paid_to_holders_fen: Money
    owed_holders_fen: Money
    disputed_fen: Money
    payable_fen: Money
    reserve_fen: Money
    payments: int
    payments_with_vouchers: int
    payments_without_card: int
    holds: int
    holds_voided: int
    holds_expired: int
    refunds_full: int
    refunds_partial: int
    reversals: int
    vouchers: int
    vouchers_used: int
    vouchers_returned: int
    vouchers_expired: int
    vouchers_taken_back: int
    vouchers_open: int
    rebates_waiting: int
    rebates_waiting_fen: Money
    rebates_granted: int
    rebates_cancelled: int
    rebates_clawed_back: int
    packets: int
    packets_fen: Money
    plans: int
    plan_months: int
    plans_running: int
    referrals: int
    referrals_paid: int
    referrals_clawed_back: int
    closings: int
    closings_issuer: int
    closings_kept: int
    closings_open: int
    closings_unpaid: int
    closings_unpaid_fen: Money
    cards_closed: int
    payouts: int
    payouts_waiting: int
    payouts_sent: int
    payouts_confirmed: int
    payouts_failed: int
    payouts_returned: int
    payouts_again: int
    payouts_open: int
    payouts_open_fen: Money
    disputes: int
    disputes_merchant: int
    disputes_holder: int
    disputes_open: int
    disputes_open_fen: Money
    settlements: int
    settlements_paid: int
    settlements_waiting: int
    merchants_waiting: int
    waiting_fen: Money


class Count(NamedTuple):
    """Commands of a kind: how many took effect, how many were refused."""

    effective: int
    refused: int


def set_clock(connection: psycopg.Connection[Any], offset_us: int) -> None:
    """Let installation time be system time plus so many microseconds."""
    connection.execute(QUERIES.set_clock, {"clock_offset_us": offset_us})


def latest(connection: psycopg.Connection[Any]) -> datetime:
    """When the latest decision was made; long ago when none was."""
    row = connection.execute(QUERIES.latest).fetchone()
    return EPOCH if row is None or row[0] is None else instant(row[0])


def organisations(connection: psycopg.Connection[Any]) -> list[str]:
    """The codes of all organisations."""
    return [row[0] for row in connection.execute(QUERIES.organisations)]


def refusals(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Recorded refusals by code, the most frequent first. What burns no key is recorded nowhere."""
    return {code: int(count) for code, count in connection.execute(QUERIES.refusals)}


def details(connection: psycopg.Connection[Any], program: int | None = None) -> Details:
    """The details of one program, or of all."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return msgspec.convert(cursor.execute(QUERIES.details, {"program": program}).fetchone(), Details)


def commands(connection: psycopg.Connection[Any]) -> dict[str, Count]:
    """How many commands there were, by the name of their kind."""
    rows = connection.execute(QUERIES.commands)
    return {Kind(kind).name.lower(): Count(int(done), int(refused)) for kind, done, refused in rows}


def forget(owner_url: str) -> None:
    """Drop the schema with everything in it. Raises `psycopg.errors.LockNotAvailable` while others use it."""
    with psycopg.connect(owner_url, autocommit=True, options=f"-c lock_timeout={LOCK_WAIT}") as connection:
        connection.execute(QUERIES.forget)
