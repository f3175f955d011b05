"""Statements in the database, and what the books say of their parties."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec
import psycopg

from kaquan.commands.loading import buckets, call_load, known_commands
from kaquan.commands.model import Entry, Kind
from kaquan.db.queries import load
from kaquan.db.wire import INT2, INT4, INT8, UUID, column, raw_cursor
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.money import Money
from kaquan.reporting.model import LINES_MAX, Held, Moved, PartyKind, Previous, Stored
from kaquan.settlement.model import Cut

QUERIES = load(__package__)

_NOTHING = Cut(0, 0)
_EPOCH = date(1970, 1, 1).toordinal()


class Span(NamedTuple):
    """What one statement counts: what lies within `cut`, and not within `previous`."""

    subject: Id
    cut: Cut
    previous: Cut


def known(cursor: psycopg.Cursor[Any], entries: Sequence[Entry]) -> dict[bytes, tuple[bytes, int, bytes]]:
    """Earlier decisions of a batch."""
    ids = [entry.id for entry in entries]
    labels = buckets(ids)
    arguments = (column(INT2, sorted(set(labels))), column(INT2, labels), column(UUID, ids))
    return known_commands(call_load(cursor, QUERIES.load_commands, arguments))


def horizon(cursor: psycopg.Cursor[Any]) -> int:
    """A transaction below which everything has ended: what is read of those never changes again."""
    row = cursor.execute(QUERIES.horizon).fetchone()
    if row is None:
        raise RuntimeError("the server gave no snapshot")
    return int(row[0])


def previous(cursor: psycopg.Cursor[Any], subjects: Sequence[Id]) -> dict[bytes, Previous]:
    """The latest statement of each party that has one."""
    unique = sorted(set(subjects))
    rows = cursor.execute(
        QUERIES.previous, {"bucket": column(INT2, buckets(unique)), "subject": column(UUID, unique)}
    )
    return {
        subject: Previous(number, until, Cut(cut_at, cut_xid), bytes(digest), msgspec.json.decode(bytes(body)))
        for subject, number, until, cut_at, cut_xid, digest, body in rows
    }


def wallets(cursor: psycopg.Cursor[Any], asked: Sequence[Id]) -> set[bytes]:
    """Which of these wallets exist."""
    unique = sorted(set(asked))
    rows = cursor.execute(QUERIES.wallets, {"bucket": column(INT2, buckets(unique)), "wallet": column(UUID, unique)})
    return {row[0] for row in rows}


def moved(cursor: psycopg.Cursor[Any], spans: Sequence[Span]) -> list[list[Moved]]:
    """What moved the accounts of merchants or funds, for each span."""
    found: list[list[Moved]] = [[] for _ in spans]
    for place, program, account, kind, contra, fund, day, count, debits, credits in cursor.execute(
        QUERIES.moved, _bounds(spans)
    ):
        found[place - 1].append(
            Moved(program, account, kind, contra, fund, _day(day), count, Money(debits), Money(credits))
        )
    return found


def counts(cursor: psycopg.Cursor[Any], spans: Sequence[Span]) -> list[dict[tuple[date, int], int]]:
    """How many transfers of a kind moved a merchant's payable on a day, for each span."""
    found: list[dict[tuple[date, int], int]] = [{} for _ in spans]
    for place, day, kind, count in cursor.execute(QUERIES.counts, _bounds(spans)):
        found[place - 1][_day(day), kind] = count
    return found


def held(cursor: psycopg.Cursor[Any], spans: Sequence[Span]) -> list[list[Held]]:
    """The accounts of merchants or funds recounted from the first posting, for each span."""
    found: list[list[Held]] = [[] for _ in spans]
    given = _bounds(spans)
    for place, program, account, debits, credits in cursor.execute(
        QUERIES.held, {name: given[name] for name in ("owner", "cut_at", "cut_xid")}
    ):
        found[place - 1].append(Held(program, account, b"", Money(debits), Money(credits)))
    return found


def settlements(cursor: psycopg.Cursor[Any], spans: Sequence[Span]) -> list[list[dict[str, Any]]]:
    """The settlements of merchants, for each span, by column."""
    given = _bounds(spans)
    given["bucket"] = column(INT2, buckets([span.subject for span in spans]))
    found: list[list[dict[str, Any]]] = [[] for _ in spans]
    names = ("bucket", "owner", "cut_at", "cut_xid", "previous_at", "previous_xid")
    for place, row in cursor.execute(QUERIES.settlements, {name: given[name] for name in names}):
        found[place - 1].append(row)
    return found


def stock_moves(cursor: psycopg.Cursor[Any], span: Span, code: str) -> list[dict[str, Any]]:
    """What can be put down to stocks of a fund's postings."""
    rows = cursor.execute(QUERIES.stock_moves, {**_span(span), "owner": span.subject.hex(), "code": code})
    names = ("program", "stock", "promised_fen", "freed_fen", "used_fen", "returned_fen")
    return [dict(zip(names, row, strict=True)) for row in rows]


def sweeps(cursor: psycopg.Cursor[Any], span: Span, code: str) -> list[tuple[str, int]]:
    """What sweeps of a fund made promisable again, with their days."""
    given = {"bucket": bucket_of(span.subject), "code": code, **_span(span)}
    rows = cursor.execute(QUERIES.sweeps, given)
    return [(_day(day).isoformat(), amount) for day, amount in rows]


def lots(cursor: psycopg.Cursor[Any], wallet: Id) -> dict[bytes, dict[str, Any]]:
    """The lots of a wallet's cards: how the card's number ends, whose money, the last day."""
    rows = cursor.execute(QUERIES.lots, {"bucket": bucket_of(wallet), "wallet": wallet.hex()})
    return {
        lot: {"card": card, "fund": fund, "expires_on": None if last is None else _day(last).isoformat()}
        for lot, card, fund, last in rows
    }


def lot_moves(cursor: psycopg.Cursor[Any], span: Span, lots_: Sequence[bytes]) -> tuple[list[Moved], list[Held]]:
    """What moved lots, posting by posting, and each lot recounted; one line more than a statement may have."""
    given = {"bucket": bucket_of(span.subject), "lots": column(UUID, list(lots_)), **_span(span)}
    rows = cursor.execute(QUERIES.lot_moves, {**given, "most": LINES_MAX + 1}).fetchall()
    found = [
        Moved(program, account, kind, contra, None, _day(day), 1, Money(debits), Money(credits), owner, transfer, at)
        for program, account, kind, contra, day, debits, credits, owner, transfer, at in rows
    ]
    counted = cursor.execute(QUERIES.lots_held, given)
    return found, [
        Held(program, account, owner, Money(debits), Money(credits))
        for program, account, owner, debits, credits in counted
    ]


def answers(cursor: psycopg.Cursor[Any], bucket: int, ids: Sequence[bytes]) -> dict[bytes, dict[str, Any]]:
    """What commands of a bucket answered."""
    rows = cursor.execute(QUERIES.answers, {"bucket": bucket, "ids": column(UUID, sorted(set(ids)))})
    return {identity: msgspec.json.decode(bytes(answer)) for identity, answer in rows}


def orders_without_card(cursor: psycopg.Cursor[Any], span: Span) -> list[dict[str, Any]]:
    """What a wallet paid without a card: the fields of a payment's answer, its id and instant."""
    given = {"bucket": bucket_of(span.subject), "wallet": span.subject.hex(), "most": LINES_MAX + 1, **_span(span)}
    return [
        {
            "id": identity,
            "at_us": at,
            "merchant": merchant.hex(),
            "order_no": order_no,
            "outside_fen": outside,
            "discount_fen": discount,
        }
        for identity, at, merchant, order_no, outside, discount in cursor.execute(QUERIES.orders_without_card, given)
    ]


def statement(connection: psycopg.Connection[Any], subject: Id, number: int) -> Stored | None:
    """A party's statement by its number."""
    given = {"bucket": bucket_of(subject), "subject": subject.hex(), "number": number}
    row = raw_cursor(connection).execute(QUERIES.statement, given).fetchone()
    return None if row is None else _stored(*row)


def statement_by_id(connection: psycopg.Connection[Any], identity: Id) -> Stored | None:
    """A statement by its id."""
    given = {"bucket": bucket_of(identity), "id": identity.hex()}
    row = raw_cursor(connection).execute(QUERIES.statement_by_id, given).fetchone()
    return None if row is None else _stored(*row)


def statements(
    connection: psycopg.Connection[Any],
    kind: PartyKind | None,
    subjects: Sequence[Id] | None,
    before: tuple[date, str] | None,
    most: int,
) -> list[Stored]:
    """Statements for display, the latest first, without their records."""
    day, identity = before or (date.max, "f" * 32)
    given = {
        "kind": None if kind is None else int(kind),
        "subjects": None if subjects is None else [one.hex() for one in subjects],
        "before": day,
        "id": identity,
        "most": most,
    }
    return [_stored(*row, b"") for row in raw_cursor(connection).execute(QUERIES.statements, given)]


def events(connection: psycopg.Connection[Any], wallet: Id) -> list[tuple[Id, str, int, dict[str, Any]]]:
    """What took effect on a wallet, in order: the command, what it was, when, its answer."""
    rows = raw_cursor(connection).execute(QUERIES.events, {"bucket": bucket_of(wallet), "wallet": wallet.hex()})
    return [
        (Id(identity), Kind(kind).name.lower(), at, msgspec.json.decode(bytes(answer)))
        for identity, kind, at, answer in rows
    ]


def hashes(connection: psycopg.Connection[Any], asked: Sequence[tuple[Id, int]]) -> dict[tuple[bytes, int], bytes]:
    """The hashes that the books keep of statements, by party and number."""
    if not asked:
        return {}
    given = {
        "bucket": column(INT2, buckets([subject for subject, _ in asked])),
        "subject": column(UUID, [subject for subject, _ in asked]),
        "number": column(INT4, [number for _, number in asked]),
    }
    rows = raw_cursor(connection).execute(QUERIES.hashes, given)
    return {(asked[place - 1][0], asked[place - 1][1]): bytes(digest) for place, digest in rows}


def _stored(*row: Any) -> Stored:
    identity, kind, subject, number, since, until, at_us, digest, before, body = row
    return Stored(
        Id(identity),
        PartyKind(kind),
        Id(subject),
        number,
        since,
        until,
        at_us,
        bytes(digest),
        bytes(before),
        bytes(body),
    )


def _bounds(spans: Sequence[Span]) -> dict[str, Any]:
    return {
        "owner": column(UUID, [span.subject for span in spans]),
        "cut_at": column(INT8, [span.cut.at_us for span in spans]),
        "cut_xid": column(INT8, [span.cut.xid for span in spans]),
        "previous_at": column(INT8, [span.previous.at_us for span in spans]),
        "previous_xid": column(INT8, [span.previous.xid for span in spans]),
        "since_at": min(span.previous.at_us for span in spans),
        "since_xid": min(span.previous.xid for span in spans),
        "until_at": max(span.cut.at_us for span in spans),
        "until_xid": max(span.cut.xid for span in spans),
    }


def _span(span: Span) -> Mapping[str, int]:
    return {
        "cut_at": span.cut.at_us,
        "cut_xid": span.cut.xid,
        "previous_at": span.previous.at_us,
        "previous_xid": span.previous.xid,
    }


def _day(number: int) -> date:
    return date.fromordinal(_EPOCH + number)
