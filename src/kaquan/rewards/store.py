"""Plans, referrals and packets in the database."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import namedtuple_row

from kaquan.db.queries import load
from kaquan.holders.model import Wallet
from kaquan.kernel.ids import BUCKETS, Id, bucket_of
from kaquan.rewards.packet_model import PacketPool
from kaquan.rewards.plan_model import MonthlyPlan
from kaquan.rewards.referral_model import FirstPurchase, Invitation, Invited, Referral
from kaquan.vouchers.model import NOBODY

QUERIES = load(__package__)

Connection = psycopg.Connection[Any]


def plans(connection: Connection, wanted: Collection[Id], *, lock: bool) -> dict[bytes, MonthlyPlan]:
    """Plans by id; with `lock` they stay as they are until the commit."""
    rows = _rows(connection, QUERIES.plans, QUERIES.lock_plans if lock else None, wanted)
    return {_id(row[0]): MonthlyPlan(*_ids(row)) for row in rows}


def running_plans(connection: Connection, cards: Collection[Id]) -> list[tuple[MonthlyPlan, Id]]:
    """The plans of cards that still grant, each with the purchase that began it."""
    rows = _rows(connection, QUERIES.running_plans, None, cards)
    return [(MonthlyPlan(*_ids(row[:-1])), _id(row[-1])) for row in rows]


def referrals(connection: Connection, wanted: Collection[Id], *, lock: bool) -> dict[bytes, Referral]:
    """Referrals by id; with `lock` they stay as they are until the commit."""
    rows = _rows(connection, QUERIES.referrals, QUERIES.lock_referrals if lock else None, wanted)
    return {_id(row[0]): Referral(*_ids(row)) for row in rows}


def invitations(connection: Connection, wanted: Collection[Id], *, lock: bool) -> dict[bytes, Invitation]:
    """Invitations by id; with `lock` they stay as they are until the commit."""
    rows = _rows(connection, QUERIES.invitations, QUERIES.lock_invitations if lock else None, wanted)
    return {_id(row[0]): Invitation(*_ids(row)) for row in rows}


def pools(connection: Connection, wanted: Collection[Id], *, lock: bool) -> dict[bytes, PacketPool]:
    """Packet pools by id; with `lock` they stay as they are until the commit."""
    rows = _rows(connection, QUERIES.pools, QUERIES.lock_pools if lock else None, wanted)
    return {_id(row[0]): PacketPool(*_ids(row)) for row in rows}


def kin(connection: Connection, wallets: Collection[Wallet]) -> dict[bytes, tuple[Id, ...]]:
    """Of each wallet all wallets of its natural person, itself first; alone when its holder was not identified."""
    people = sorted({one.person for one in wallets if any(one.person)})
    of: dict[bytes, list[Id]] = {}
    if people:
        values = {"buckets": list(BUCKETS), "people": [UUID(bytes=person) for person in people]}
        for person, wallet in connection.execute(QUERIES.wallets_of, values):
            of.setdefault(person.bytes, []).append(_id(wallet))
    return {one.id: (one.id, *(each for each in of.get(one.person, ()) if each != one.id)) for one in wallets}


def invited(connection: Connection, wallets: Collection[Id]) -> dict[tuple[bytes, int], Invited]:
    """The referrals of wallets, by wallet and program."""
    found = connection.execute(QUERIES.invited, _of_wallets(wallets))
    return {(wallet.bytes, program): Invited(at, _id(own), state) for wallet, program, at, own, state in found}


def first_purchases(connection: Connection, wallets: Collection[Id]) -> dict[tuple[bytes, int], FirstPurchase]:
    """The first sale or top-up of each wallet, by wallet and program."""
    found = connection.execute(QUERIES.first_purchases, _of_wallets(wallets))
    return {
        (wallet.bytes, program): FirstPurchase(_id(origin), at_us, face)
        for wallet, program, origin, at_us, face in found
    }


def wallet_by_tail(connection: Connection, bucket: int, tail: str) -> Id | None:
    """The wallet that an invite code names, or None."""
    row = connection.execute(QUERIES.wallet_by_tail, {"bucket": bucket, "tail": tail}).fetchone()
    return None if row is None else _id(row[0])


def sealed(connection: Connection, pool: Id) -> bytes:
    """The sealed seed and packets of a pool that exists."""
    row = connection.execute(QUERIES.sealed, _key(pool)).fetchone()
    if row is None:
        raise LookupError(f"no packet pool {pool.hex()}")
    return bytes(row[0])


def open_codes(connection: Connection, subjects: Iterable[Id]) -> set[tuple[int, str]]:
    """The (program, code) pairs with an open pool in the buckets of these subjects."""
    labels = sorted({bucket_of(subject) for subject in subjects})
    return {(program, code) for program, code in connection.execute(QUERIES.open_codes, {"buckets": labels})}


def plans_due(connection: Connection, at_us: int, most: int) -> list[tuple[Id, int]]:
    """(plan, month) of up to `most` plans whose next month has fallen due."""
    rows = connection.execute(QUERIES.plans_due, {"at": at_us, "most": most})
    return [(_id(plan), month) for plan, month in rows]


def referrals_to_earn(connection: Connection, most: int) -> list[Id]:
    """Up to `most` pending referrals whose invitee has bought something."""
    return [_id(row[0]) for row in connection.execute(QUERIES.referrals_to_earn, {"most": most})]


def referrals_to_pay(connection: Connection, at_us: int, most: int) -> list[Id]:
    """Up to `most` earned referrals that have stayed."""
    return [_id(row[0]) for row in connection.execute(QUERIES.referrals_to_pay, {"at": at_us, "most": most})]


def referrals_to_follow(connection: Connection, most: int) -> list[tuple[Id, Id, int]]:
    """(referral, inviter, state) of up to `most` referrals that the inviter's side is behind of."""
    rows = connection.execute(QUERIES.referrals_to_follow, {"most": most})
    return [(_id(referral), _id(inviter), state) for referral, inviter, state in rows]


def pools_due(connection: Connection, at_us: int, most: int) -> list[Id]:
    """Up to `most` packet pools whose time is up."""
    return [_id(row[0]) for row in connection.execute(QUERIES.pools_due, {"at": at_us, "most": most})]


def plan(connection: Connection, identity: Id) -> Any | None:
    """One plan for display, or None."""
    return _one(connection, QUERIES.plan, _key(identity))


def plans_of(connection: Connection, card: Id) -> list[Any]:
    """The plans of a card for display, oldest first."""
    return _many(connection, QUERIES.plans_of, {"bucket": bucket_of(card), "card": card.hex()})


def referral(connection: Connection, identity: Id) -> Any | None:
    """One referral for display, both sides, or None."""
    return _one(connection, QUERIES.referral, _key(identity))


def referral_of(connection: Connection, wallet: Id) -> list[Any]:
    """By whom a wallet was invited, for display."""
    return _many(connection, QUERIES.referral_of, {"bucket": bucket_of(wallet), "wallet": wallet.hex()})


def invitations_of(connection: Connection, wallet: Id) -> list[Any]:
    """Whom a wallet invited, for display, latest first."""
    return _many(connection, QUERIES.invitations_of, {"bucket": bucket_of(wallet), "wallet": wallet.hex()})


def pool(connection: Connection, identity: Id) -> Any | None:
    """One packet pool for display, or None."""
    return _one(connection, QUERIES.pool, _key(identity))


def pool_left(connection: Connection, identity: Id) -> tuple[int, int]:
    """How many packets a pool still has, and what they hold."""
    row = connection.execute(QUERIES.pool_left, {"buckets": list(BUCKETS), "pool": identity.hex()}).fetchone()
    return (0, 0) if row is None else (int(row[0]), int(row[1]))


def pools_of(connection: Connection, program: int) -> list[Any]:
    """The packet pools of a program for display, latest first."""
    return _many(connection, QUERIES.pools_of, {"program": program})


def packet(connection: Connection, identity: Id) -> Any | None:
    """One opened packet for display, or None."""
    return _one(connection, QUERIES.packet, _key(identity))


def _rows(connection: Connection, query: str, lock: str | None, wanted: Collection[Id]) -> Sequence[tuple[Any, ...]]:
    if not wanted:
        return []
    values = {
        "buckets": sorted({bucket_of(identity) for identity in wanted}),
        "ids": [UUID(bytes=identity) for identity in sorted(set(wanted))],
    }
    if lock is not None:
        connection.execute(lock, values)
    return connection.execute(query, values).fetchall()


def _of_wallets(wallets: Collection[Id]) -> dict[str, Any]:
    labels = sorted({bucket_of(wallet) for wallet in wallets})
    return {"buckets": labels, "wallets": [UUID(bytes=wallet) for wallet in wallets]}


def _ids(row: Sequence[Any]) -> list[Any]:
    """A row with its uuids as ids, zeros for none."""
    return [NOBODY if value is None else _id(value) if isinstance(value, UUID) else value for value in row]


def _id(value: UUID) -> Id:
    return Id(value.bytes)


def _key(identity: Id) -> dict[str, Any]:
    return {"bucket": bucket_of(identity), "id": identity.hex()}


def _one(connection: Connection, query: str, values: dict[str, Any]) -> Any | None:
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(query, values).fetchone()


def _many(connection: Connection, query: str, values: dict[str, Any]) -> list[Any]:
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(query, values).fetchall()
