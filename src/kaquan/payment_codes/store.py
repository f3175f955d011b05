"""Devices and the use of their codes in the database."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from kaquan.commands.loading import buckets, call_load
from kaquan.commands.model import Entry
from kaquan.db.queries import load
from kaquan.db.wire import INT2, INT4, TEXT, UUID, column, decode
from kaquan.kernel.ids import Id, bucket_of
from kaquan.payment_codes.model import Device, Purse, Shower, ShownCode, Use, bucket_of_handle

QUERIES = load(__package__)

CARDS_MAX = 50  # of a wallet that are tried for a code; more belong to a group, whose members name the card


def wallet_of(connection: psycopg.Connection[Any], handle: int) -> Id | None:
    """Whose device a handle is; None for nobody's."""
    key = {"bucket": bucket_of_handle(handle), "handle": handle}
    row = connection.execute(QUERIES.wallet_of, key).fetchone()
    return Id(row[0].bytes) if row else None


def showers(
    cursor: psycopg.Cursor[Any], entries: Sequence[Entry], codes: Sequence[ShownCode], since: int
) -> dict[bytes, tuple[Shower, bytes]]:
    """The device of each code, its secret sealed, with the wrapped key of its wallet; by command.

    Left out are commands that were decided, and devices that are unknown, removed or of an erased holder. Wrong codes
    are counted that came after the step `since`.
    """
    labels, commands = [bucket_of_handle(code.handle) for code in codes], [entry.id for entry in entries]
    found = call_load(
        cursor,
        QUERIES.showers,
        (
            column(INT2, labels),
            column(INT4, [code.handle for code in codes]),
            column(INT2, buckets(commands)),
            column(UUID, commands),
            since,
            column(INT2, sorted(set(labels))),
        ),
    )
    names = ("command", "device", "wallet", "secret", "misses", "wrapped")
    rows = zip(*(found[name] for name in names), strict=True)
    return {
        command: (Shower(Id(device), wallet, secret, misses), wrapped)
        for command, device, wallet, secret, misses, wrapped in rows
    }


def use(cursor: psycopg.Cursor[Any], uses: Sequence[Use], at_us: int, misses_max: int, since: int) -> list[bytes]:
    """Claim the code of each step; whose every one is now. A device with `misses_max` wrong codes after the step
    `since` gives none."""
    labels = buckets([use.device for use in uses])
    row = cursor.execute(
        QUERIES.use_codes,
        (
            column(INT2, sorted(set(labels))),
            at_us,
            misses_max,
            since,
            column(INT2, labels),
            column(UUID, [use.device for use in uses]),
            column(INT4, [use.step for use in uses]),
            column(UUID, [use.command for use in uses]),
        ),
        prepare=True,
    ).fetchone()
    return list(decode(row[0]) if row else ()) or [use.command for use in uses]


def used_by(cursor: psycopg.Cursor[Any], uses: Sequence[Use]) -> list[bytes]:
    """Whose the code of each step is, the asking command's when it is nobody's yet. Claims nothing."""
    devices = [use.device for use in uses]
    labels = buckets(devices)
    steps = [use.step for use in uses]
    of = (column(INT2, labels), column(UUID, devices), column(INT4, steps), column(INT2, sorted(set(labels))))
    found = call_load(cursor, QUERIES.uses, of)
    known = {(row[0], row[1]): row[2] for row in zip(found["device"], found["step"], found["command"], strict=True)}
    return [known.get((use.device, use.step), use.command) for use in uses]


def note_misses(cursor: psycopg.Cursor[Any], misses: Sequence[tuple[Id, str]], at_us: int, step: int) -> None:
    """Note wrong codes, in the devices' own buckets."""
    devices = [device for device, _ in misses]
    wrong = column(TEXT, [digits for _, digits in misses])
    cursor.execute(QUERIES.note_misses, (at_us, step, column(INT2, buckets(devices)), column(UUID, devices), wrong))


def purses(cursor: psycopg.Cursor[Any], codes: Mapping[bytes, ShownCode]) -> dict[bytes, Purse]:
    """The cards that may pay for each command's code."""
    labels = [bucket_of_handle(code.handle) for code in codes.values()]
    handles = column(INT4, [code.handle for code in codes.values()])
    of = (column(INT2, labels), handles, column(UUID, list(codes)), CARDS_MAX, column(INT2, sorted(set(labels))))
    found = call_load(cursor, QUERIES.purses, of)
    filled: dict[bytes, Purse] = {}
    for command, card, preferred in zip(found["command"], found["card"], found["preferred"], strict=True):
        filled.setdefault(command, Purse([], preferred)).cards.append(card)
    return filled


def devices(cursor: psycopg.Cursor[Any], wanted: Sequence[Id]) -> dict[bytes, Device]:
    """Devices by id."""
    if not wanted:
        return {}
    labels = buckets(wanted)
    of = (column(INT2, labels), column(UUID, wanted), column(INT2, sorted(set(labels))))
    found = call_load(cursor, QUERIES.device_facts, of)
    rows = zip(found["id"], found["version"], found["wallet"], found["state"], strict=True)
    return {row[0]: Device(*row) for row in rows}


def active_of(connection: psycopg.Connection[Any], wallets: Sequence[Id]) -> dict[bytes, int]:
    """How many devices of each wallet are active."""
    key = {"buckets": buckets(wallets), "wallets": [wallet.hex() for wallet in wallets]}
    return {row[0].bytes: row[1] for row in connection.execute(QUERIES.active_of, key)}


def taken(connection: psycopg.Connection[Any], handles: Sequence[int]) -> set[int]:
    """Which of the handles are given."""
    key = {"buckets": sorted({bucket_of_handle(handle) for handle in handles}), "handles": list(handles)}
    return {row[0] for row in connection.execute(QUERIES.taken, key)}


def of_wallet(connection: psycopg.Connection[Any], wallet: Id) -> list[Any]:
    """The devices of a wallet for display, their labels sealed."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        key = {"bucket": bucket_of(wallet), "wallet": wallet.hex()}
        return cursor.execute(QUERIES.devices_of, key).fetchall()
