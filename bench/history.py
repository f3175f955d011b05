"""Payments of the past, laid into the tables by set-based SQL: millions in minutes, and the books still prove.

A sample of payments goes through the door as any other: one from each card, every second one with a voucher, a few of
them refunded. What the sample wrote is kept as a template and copied: every id moved on in time, every instant by as
much, lots and pools charged as often. Only the time of an id moves, so a copy stays in its bucket, and ids that were
apart stay apart. Rows arrive in the order of time, into the indexes as they stand.
"""

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from kaquan.commands.execute import BATCH_MAX
from kaquan.commands.model import Effect, Kind
from kaquan.kernel import clock
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.ledger.proofs import proofs
from kaquan.main import Kaquan
from kaquan.merchants.model import RegisterMerchant
from kaquan.payments.model import Pay, Refund
from kaquan.vouchers.model import Claim
from rig import Rig

WRITERS = 2
REFUND_EVERY = 50
AMOUNTS = (100, 160)  # fen: the face value of a card, 1,000.00 yuan, pays for some 600 copies of its payment

_MS = timedelta(milliseconds=1)
_ID = "bench_history.later({}, %(ms)s::bigint)"
_AT = "nullif({}, 0) + %(ms)s::bigint * 1000"
_XID = "(SELECT pg_current_xact_id()::text::bigint)"
_MOVED = {
    "command": {"id": _ID, "at": _AT},
    "journal": {"id": _ID, "at": _AT, "xid": _XID, "commands": "bench_history.later_ids({}, %(ms)s::bigint)"},
    "posting": {"transfer": _ID, "at": _AT, "xid": _XID},
    "payment": {
        "id": _ID,
        "at": _AT,
        "moved_at": _AT,
        "expires_at": _AT,
        "order_no": "lpad(%(copy)s::int::text, 6, '0') || {}",
        "discounts": "CASE WHEN {0} = '' THEN {0} ELSE bench_history.later_discounts({0}, %(ms)s::bigint) END",
    },
    "refund": {
        "id": _ID,
        "payment": _ID,
        "at": _AT,
        "discounts": "bench_history.later_discounts({}, %(ms)s::bigint)",
    },
    "order_claim": {"command": _ID, "at": _AT, "order_no": "lpad(%(copy)s::int::text, 6, '0') || {}"},
    "voucher": {"id": _ID, "origin": _ID, "holder": _ID, "at": _AT, "valid_from": _AT, "expires_at": _AT},
    "tally": {"day": "{} + (%(ms)s::bigint / 86400000)::integer"},
}
"""What differs between a row and its copy: an expression of the column, by table. All other columns are the same."""

_SCRATCH = """
    CREATE SCHEMA bench_history;
    CREATE FUNCTION bench_history.later(p_id uuid, p_ms bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
        SELECT (lpad(to_hex(('x' || translate(left(p_id::text, 13), '-', ''))::bit(48)::bigint + p_ms), 12, '0')
                || right(p_id::text, 22))::uuid
    $$;
    CREATE FUNCTION bench_history.later_ids(p_ids uuid[], p_ms bigint) RETURNS uuid[] LANGUAGE sql IMMUTABLE AS $$
        SELECT array_agg(bench_history.later(u.id, p_ms) ORDER BY u.ord)
        FROM unnest(p_ids) WITH ORDINALITY AS u (id, ord)
    $$;
    CREATE FUNCTION bench_history.later_discounts(p_all bytea, p_ms bigint) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
        SELECT coalesce(string_agg(
            uuid_send(bench_history.later(encode(substring(p_all FROM 40 * i + 1 FOR 16), 'hex')::uuid, p_ms))
            || substring(p_all FROM 40 * i + 17 FOR 24), '' ORDER BY i), '')
        FROM generate_series(0, octet_length(p_all) / 40 - 1) AS i
    $$;
    CREATE TABLE bench_history.slice_before AS SELECT * FROM kaquan.slice;
    CREATE TABLE bench_history.tally_before AS SELECT * FROM kaquan.tally;
"""

_SUMMED = """
    CREATE TABLE bench_history.spent AS
    SELECT v.owner, -sum(v.amount)::bigint AS amount FROM bench_history.posting p
    CROSS JOIN LATERAL (VALUES (p.debit, p.debit_owner, -p.amount), (p.credit, p.credit_owner, p.amount))
        AS v (account, owner, amount)
    WHERE v.account BETWEEN 20 AND 22 GROUP BY v.owner;
    CREATE TABLE bench_history.drawn AS
    SELECT b.pool, b.day, sum(b.count_left - a.count_left)::bigint AS count,
           sum(b.fen_left - a.fen_left)::bigint AS fen
    FROM bench_history.slice_before b JOIN kaquan.slice a USING (bucket, pool, day, number) GROUP BY b.pool, b.day;
"""

_CHARGE = """
    UPDATE kaquan.lot t SET balance = t.balance - s.amount * {copies} FROM bench_history.spent s WHERE t.id = s.owner;
    UPDATE kaquan.slice t SET
        count_left = t.count_left - d.count * {copies} / d.slices
                     - CASE WHEN t.number = d.first THEN mod(d.count * {copies}, d.slices) ELSE 0 END,
        fen_left = t.fen_left - d.fen * {copies} / d.slices
                   - CASE WHEN t.number = d.first THEN mod(d.fen * {copies}, d.slices) ELSE 0 END
    FROM (SELECT pool, day, count, fen, n.slices, n.first FROM bench_history.drawn JOIN
          (SELECT pool, day, count(*) AS slices, min(number) AS first FROM kaquan.slice GROUP BY pool, day) n
          USING (pool, day)) d
    WHERE t.pool = d.pool AND t.day = d.day AND (d.count <> 0 OR d.fen <> 0);
"""


@dataclass
class Past:
    """A template of payments, and how often it was copied; each copy is `step` later than the one before."""

    payments: int
    step: timedelta
    copies: int = 0

    @property
    def laid(self) -> int:
        """Payments that are stored: the sample and its copies."""
        return self.payments * (self.copies + 1)


def set_clock(bench: Rig, at: datetime) -> None:
    """Move the installation's clock, as the simulator would."""
    offset = clock.microseconds(at) - clock.microseconds(clock.system_now())
    with psycopg.connect(bench.server.root_url) as connection:
        connection.execute("UPDATE kaquan.installation SET clock_offset_us = %s", (offset,))


def more_merchants(kaquan: Kaquan, first: int, last: int) -> list[Id]:
    """Merchants beyond those that `ledger.build` registers, of the same organisation."""
    made: list[Id] = []
    numbers = range(first, last)
    for start in range(0, len(numbers), BATCH_MAX):
        commands = [
            RegisterMerchant(
                key=f"m-{number}",
                caller=OPERATOR,
                code=f"m-{number}",
                name=f"m-{number}",
                organisation="jingxi-stores",
                account_bank="工商银行",
                account_no=f"62220{number:011d}",
            )
            for number in numbers[start : start + BATCH_MAX]
        ]
        made += [Id(bytes.fromhex(effect.facts["id"])) for effect in kaquan.execute(Kind.REGISTER_MERCHANT, commands)]
    return made


def sample(bench: Rig, kaquan: Kaquan, cards: Sequence[Id], merchants: Sequence[Id], step: timedelta) -> Past:
    """A payment from each card through the door, by the installation's clock, kept as the template."""
    with psycopg.connect(bench.server.root_url, autocommit=True) as connection:
        connection.execute(_SCRATCH)
        at = kaquan.door.at()
        _through_the_door(kaquan, cards, merchants, clock.microseconds(at) // 1000)
        for table in _MOVED:
            rows = sql.SQL("SELECT * FROM kaquan.{} WHERE at >= {}").format(
                sql.Identifier(table), sql.Literal(clock.microseconds(at))
            )
            if table == "tally":
                rows = sql.SQL("SELECT * FROM kaquan.tally EXCEPT SELECT * FROM bench_history.tally_before")
            connection.execute(sql.SQL("CREATE TABLE bench_history.{} AS {}").format(sql.Identifier(table), rows))
        connection.execute(_SUMMED)
        connection.execute("ANALYZE")
    return Past(len(cards), step)


def _through_the_door(kaquan: Kaquan, cards: Sequence[Id], merchants: Sequence[Id], at_ms: int) -> None:
    """Vouchers for every second card, a payment from each, refunds of a few."""
    draw = random.Random(at_ms)
    wallets = wallets_of(kaquan, cards)

    claims = [
        Claim(key=key_at(at_ms, draw), caller=OPERATOR, wallet=wallets[card], program="policy", stock="half")
        for card in cards[::2]
    ]
    vouchers = iter(_in_batches(kaquan, Kind.CLAIM, claims))
    pays = [
        Pay(
            key=key_at(at_ms, draw),
            caller=OPERATOR,
            card=card,
            vouchers=(next(vouchers),) if place % 2 == 0 else (),
            merchant=merchants[place % len(merchants)],
            store=None,
            amount=Money(draw.randint(*AMOUNTS)),
            order_no=f"{at_ms:x}-{place}",
        )
        for place, card in enumerate(cards)
    ]
    paid = _in_batches(kaquan, Kind.PAY, pays)
    refunds = [
        Refund(key=key_at(at_ms, draw), caller=OPERATOR, payment=one, reason="bench") for one in paid[1::REFUND_EVERY]
    ]
    _in_batches(kaquan, Kind.REFUND, refunds)


def key_at(at_ms: int, draw: random.Random) -> str:
    """A caller's key in the form of a UUID version 7."""
    return f"{at_ms >> 16:08x}-{at_ms & 0xFFFF:04x}-7{draw.getrandbits(12):03x}-8000-{draw.getrandbits(48):012x}"


def wallets_of(kaquan: Kaquan, cards: Sequence[Id]) -> dict[Id, Id]:
    """The wallet of each card."""
    rows = kaquan.connection.execute(
        "SELECT id, wallet FROM card WHERE id = ANY (%s)", ([one.hex() for one in cards],)
    )
    return {Id(card.bytes): Id(wallet.bytes) for card, wallet in rows}


def _in_batches(kaquan: Kaquan, kind: Kind, commands: Sequence[Any]) -> list[Id]:
    """What the commands made; all of them must take effect."""
    made: list[Id] = []
    for start in range(0, len(commands), BATCH_MAX):
        outcomes = kaquan.execute(kind, commands[start : start + BATCH_MAX])
        refused = [outcome for outcome in outcomes if not isinstance(outcome, Effect)]
        if refused:
            raise RuntimeError(f"{len(refused)} of {len(outcomes)} {kind.name} failed: {refused[0]}")
        made += [outcome.id for outcome in outcomes]
    return made


def lay(bench: Rig, past: Past, copies: int) -> None:
    """Add so many copies of the template, and charge lots, funds and stocks for them."""
    numbers = range(past.copies + 1, past.copies + 1 + copies)
    with psycopg.connect(bench.server.root_url, autocommit=True) as connection:
        statements = list(_statements(connection))
        with ThreadPoolExecutor(WRITERS) as writers:
            shares = [numbers[writer::WRITERS] for writer in range(WRITERS)]
            for done in [writers.submit(_copy, bench, statements, share, past.step) for share in shares]:
                done.result()
        with connection.transaction():
            connection.execute(_CHARGE.format(copies=copies))
    past.copies += copies


def _statements(connection: psycopg.Connection[Any]) -> Iterator[sql.Composed]:
    """For each table the INSERT that copies its template over a series of copies."""
    for table, moved in _MOVED.items():
        rows = connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            (f"kaquan.{table}",),
        )
        columns = [str(name) for (name,) in rows]
        values = [
            sql.SQL(moved.get(name, "{}")).format(sql.SQL("t.{}").format(sql.Identifier(name))) for name in columns
        ]
        yield sql.SQL("INSERT INTO kaquan.{} ({}) SELECT {} FROM bench_history.{} t{}").format(
            sql.Identifier(table),
            sql.SQL(", ").join(sql.Identifier(name) for name in columns),
            sql.SQL(", ").join(values),
            sql.Identifier(table),
            sql.SQL(" ON CONFLICT DO NOTHING" if table == "tally" else ""),  # one row a person and day
        )


def _copy(bench: Rig, statements: Sequence[sql.Composed], copies: Sequence[int], step: timedelta) -> None:
    """A transaction for each copy: consistent as the template is, so foreign keys need not be asked again."""
    with psycopg.connect(bench.server.root_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for copy in copies:
            with connection.transaction():
                for statement in statements:
                    connection.execute(statement, {"copy": copy, "ms": copy * (step // _MS)})


def clear(bench: Rig) -> None:
    """Drop the template; what was laid stays."""
    with psycopg.connect(bench.server.root_url) as connection:
        connection.execute("DROP SCHEMA bench_history CASCADE")


def failing(bench: Rig) -> list[str]:
    """The proofs of the books that fail, asked as the superuser: over millions of rows they take longer than the
    application's sessions may."""
    with psycopg.connect(bench.server.root_url, options="-c search_path=kaquan -c work_mem=256MB") as connection:
        return [proof.name for proof in proofs(connection) if not proof.ok]
