"""Settlements in the database."""

from collections.abc import Mapping, Sequence
from datetime import date
from time import sleep
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import namedtuple_row

from kaquan.commands.loading import buckets, call_load, known_commands
from kaquan.commands.model import Entry
from kaquan.db.queries import load
from kaquan.db.wire import INT2, INT8, UUID, column, raw_cursor
from kaquan.kernel.clock import seconds
from kaquan.kernel.ids import Id, bucket_of
from kaquan.kernel.money import Money
from kaquan.ledger.chart import Source
from kaquan.settlement.model import (
    Closed,
    CloseFacts,
    Counted,
    Cut,
    Entries,
    Funded,
    PayoutLine,
    Previous,
    Reserve,
    ReserveFacts,
    SettleFacts,
    Waiting,
    close_id,
)
from kaquan.settlement.partners import PartnerBooks, PartnerFacts
from kaquan.settlement.standing import read
from kaquan.settlement.write_offs import DebtFacts

QUERIES = load(__package__)

_NOTHING = Cut(0, 0)
_LOOK_SECONDS = 0.01


class Wanted(NamedTuple):
    """Whose entries are wanted, under which id, within which cut; `follows`: a cut that counts what came before.

    Without one they are counted since the merchant's latest settlement.
    """

    id: bytes
    merchant: Id
    program: int
    cut: Cut
    follows: Cut | None = None


def load_settlements(cursor: psycopg.Cursor[Any], entries: Sequence[Entry]) -> SettleFacts:
    """Earlier decisions, latest settlements and entries. Several of a merchant in a batch follow one another."""
    wanted, last = [], dict[tuple[bytes, int], Cut]()
    for entry in entries:
        command, key = entry.command, (entry.command.merchant, entry.command.program)
        wanted.append(Wanted(entry.id, command.merchant, command.program, command.cut, last.get(key)))
        last[key] = command.cut
    return SettleFacts(_known(cursor, entries), counted(cursor, wanted))


def load_closing(cursor: psycopg.Cursor[Any], entries: Sequence[Entry]) -> CloseFacts:
    """Earlier decisions, and of everybody who ever had money coming what is left within the cut of each command."""
    programs = sorted({entry.command.program for entry in entries})
    traders_ = {program: traders(cursor, program) for program in programs}
    wanted = [
        Wanted(close_id(entry.id, merchant), merchant, entry.command.program, entry.command.cut)
        for entry in entries
        for merchant in traders_[entry.command.program]
    ]
    return CloseFacts(_known(cursor, entries), counted(cursor, wanted, programs), traders_)


def traders(cursor: psycopg.Cursor[Any], program: int) -> list[Id]:
    """The merchants that ever had money coming in a program."""
    return [Id(row[0]) for row in cursor.execute(QUERIES.traders, {"program": program})]


def counted(cursor: psycopg.Cursor[Any], wanted: Sequence[Wanted], programs: Sequence[int] = ()) -> Counted:
    """The horizon, closed periods (also of `programs`), latest settlements, and the entries that are wanted.

    They are read one after the other: a settlement that is made in between breaks the chain of numbers, so a
    decision that stands on stale facts is never written.
    """
    horizon, _ = _horizon(cursor)
    closed = _closed(cursor, sorted({*programs, *(one.program for one in wanted)}))
    previous = latest_settlements(cursor, [(one.merchant, one.program) for one in wanted])
    since = {one.id: one.follows or _cut(previous.get((one.merchant, one.program))) for one in wanted}
    before = [since[one.id] or _NOTHING for one in wanted]
    shut = [_shut(closed.get(one.program), previous.get((one.merchant, one.program))) for one in wanted]
    later = [max(pair, key=_instant) for pair in zip(before, shut, strict=True)]
    cuts = [one.cut for one in wanted]
    rows = cursor.execute(
        QUERIES.entries,
        {
            "merchant": column(UUID, [one.merchant for one in wanted]),
            "program": column(INT2, [one.program for one in wanted]),
            **_columns("cut", cuts),
            **_columns("previous", before),
            **_columns("closed", shut),
            "since_at": min((cut.at_us for cut in later), default=0),
            "since_xid": min((cut.xid for cut in later), default=0),
            "until_at": max((cut.at_us for cut in cuts), default=0),
            "until_xid": max((cut.xid for cut in cuts), default=0),
        },
    )
    entries: dict[bytes, dict[Source, Entries]] = {}
    for position, source, *sums, account, fund in rows:
        gross, refunds, released, written_off = map(Money, sums)
        found = entries.setdefault(wanted[position - 1].id, {})
        so_far = found.get(Source(source), Entries())
        funded = (Funded(account, Id(fund) if fund else None, gross, refunds),) if gross or refunds else ()
        found[Source(source)] = Entries(
            Money(so_far.gross + gross),
            Money(so_far.refunds + refunds),
            Money(so_far.released + released),
            Money(so_far.written_off + written_off),
            (*so_far.funded, *funded),
            (*so_far.back, (account, released)) if released else so_far.back,
        )
    reserves = held_back(cursor, [(one.merchant, one.program) for one in wanted])
    return Counted(horizon, closed, previous, entries, since, reserves)


def held_back(
    cursor: psycopg.Cursor[Any], pairs: Sequence[tuple[bytes, int]]
) -> dict[tuple[bytes, int], tuple[Reserve, ...]]:
    """What is still held back of each (merchant, program), the first to be released first."""
    found: dict[tuple[bytes, int], tuple[Reserve, ...]] = {}
    for row in cursor.execute(QUERIES.held_back, _pairs(pairs)):
        reserve = _reserve(*row)
        key = (reserve.merchant, reserve.program)
        found[key] = (*found.get(key, ()), reserve)
    return found


def _pairs(pairs: Sequence[tuple[bytes, int]]) -> dict[str, Any]:
    unique = sorted(set(pairs))
    return {
        "bucket": column(INT2, buckets([merchant for merchant, _ in unique])),
        "merchant": column(UUID, [merchant for merchant, _ in unique]),
        "program": column(INT2, [program for _, program in unique]),
    }


def _columns(name: str, cuts: Sequence[Cut]) -> dict[str, Any]:
    return {
        f"{name}_at": column(INT8, [cut.at_us for cut in cuts]),
        f"{name}_xid": column(INT8, [cut.xid for cut in cuts]),
    }


def _cut(previous: Previous | None) -> Cut | None:
    return previous.cut if previous else None


def _instant(cut: Cut) -> int:
    return cut.at_us


def _shut(closed: Closed | None, previous: Previous | None) -> Cut:
    """The closed cut that a merchant had nothing in. One who was settled for that period or later knows better."""
    if closed is None or (previous is not None and previous.period_end >= closed.period_end):
        return _NOTHING
    return closed.cut


def _closed(cursor: psycopg.Cursor[Any], programs: Sequence[int]) -> dict[int, Closed]:
    rows = cursor.execute(QUERIES.closed, {"program": column(INT2, programs)})
    return {program: Closed(period_end, Cut(at, xid)) for program, period_end, at, xid in rows}


def closed_horizon(cursor: psycopg.Cursor[Any], patience_seconds: float) -> int:
    """A transaction below which everything has ended.

    Waits until all that is running now has ended, so that nothing recent is left for the next settlement, but
    no longer than `patience_seconds`: a transaction that hangs holds nobody up, its entries are merely counted later.
    """
    give_up = seconds() + patience_seconds
    horizon, wanted = _horizon(cursor)
    while horizon < wanted and seconds() < give_up:
        sleep(_LOOK_SECONDS)
        horizon, _ = _horizon(cursor)
    return horizon


def _horizon(cursor: psycopg.Cursor[Any]) -> tuple[int, int]:
    row = cursor.execute(QUERIES.horizon).fetchone()
    if row is None:
        raise RuntimeError("the server gave no snapshot")
    return int(row[0]), int(row[1])


def latest_settlements(
    cursor: psycopg.Cursor[Any], pairs: Sequence[tuple[bytes, int]]
) -> dict[tuple[bytes, int], Previous]:
    """The latest settlement of each (merchant, program) that has one."""
    rows = cursor.execute(QUERIES.previous, _pairs(pairs))
    return {
        (merchant, program): Previous(
            number, period_end, Cut(cut_at, cut_xid), _by_source(by_source, "carry"), Money(pending), read(standing)
        )
        for merchant, program, number, period_end, cut_at, cut_xid, pending, by_source, standing in rows
    }


def load_reserves(cursor: psycopg.Cursor[Any], entries: Sequence[Entry], lock: bool) -> ReserveFacts:
    """Earlier decisions and reserves for a batch of releases."""
    wanted = sorted({entry.command.settlement for entry in entries})
    labels = buckets(wanted)
    if lock:
        cursor.execute(
            QUERIES.lock_reserves, {"buckets": column(INT2, sorted(set(labels))), "id": column(UUID, wanted)}
        )
    known = _known(cursor, entries)
    rows = cursor.execute(QUERIES.reserves, {"bucket": column(INT2, labels), "id": column(UUID, wanted)})
    return ReserveFacts(
        known,
        {row[0]: _reserve(*row) for row in rows},
    )


def _reserve(
    identity: bytes,
    settlement_: bytes,
    merchant: bytes,
    program: int,
    version: int,
    state: int,
    amount: int,
    release_on: date,
    by_source: Mapping[str, Any],
    drawn_by_source: Mapping[str, Any],
) -> Reserve:
    return Reserve(
        id=Id(identity),
        settlement=Id(settlement_),
        merchant=Id(merchant),
        program=program,
        version=version,
        state=state,
        amount=Money(amount),
        release_on=release_on,
        by_source=_by_source(by_source),
        drawn_by_source=_by_source(drawn_by_source),
    )


def _known(cursor: psycopg.Cursor[Any], entries: Sequence[Entry]) -> dict[bytes, tuple[bytes, int, bytes]]:
    commands = [entry.id for entry in entries]
    labels = buckets(commands)
    return known_commands(
        call_load(
            cursor,
            QUERIES.load_commands,
            (column(INT2, sorted(set(labels))), column(INT2, labels), column(UUID, commands)),
        )
    )


def _by_source(stored: Mapping[str, Any], field: str = "") -> dict[Source, Money]:
    return {
        Source[name.upper()]: Money(part[field] if field else part)
        for name, part in stored.items()
        if (part[field] if field else part)
    }


def progress(connection: psycopg.Connection[Any]) -> dict[int, tuple[int, date | None]]:
    """When each program's first terms came into force, in microseconds, and its last closed period."""
    return {program: (at, closed) for program, at, closed in connection.execute(QUERIES.progress)}


def waiting(connection: psycopg.Connection[Any]) -> list[Waiting]:
    """What waits for a bank account."""
    rows = raw_cursor(connection).execute(QUERIES.waiting)
    return [Waiting(program, Id(merchant), day, Money(amount)) for program, merchant, day, amount in rows]


def reserves_due(connection: psycopg.Connection[Any], today: date, most: int) -> list[Id]:
    """Up to `most` settlements whose reserve is due for release."""
    rows = raw_cursor(connection).execute(QUERIES.reserves_due, {"today": today, "most": most})
    return [Id(row[0]) for row in rows]


def settlements(connection: psycopg.Connection[Any], program: int, period_end: date) -> list[Any]:
    """The settlements of a period, for display."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(QUERIES.settlements, {"program": program, "period_end": period_end}).fetchall()


def payouts(connection: psycopg.Connection[Any], program: int, period_end: date, period: str) -> list[PayoutLine]:
    """What the bank is instructed to pay for a period, which is called `period`."""
    rows = raw_cursor(connection).execute(QUERIES.payouts, {"program": program, "period_end": period_end})
    return [
        PayoutLine(Id(identity), code, name, bank, account, Source(source), Money(amount), period, pay_on)
        for identity, code, name, bank, account, source, amount, pay_on in rows
    ]


def settlement(connection: psycopg.Connection[Any], identity: Id) -> Any | None:
    """One settlement for display, or None."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(QUERIES.settlement, {"bucket": bucket_of(identity), "id": identity.hex()}).fetchone()


class Asked(NamedTuple):
    """Which settlements or payouts a list shows: those of programs, of one merchant and period if they are named,
    before the day and id (in hex) of one."""

    programs: list[int]
    merchant: Id | None
    before: tuple[date, str] | None
    most: int
    period_end: date | None = None

    def values(self) -> dict[str, Any]:
        """As the queries take them."""
        day, identity = self.before or (date.max, "f" * 32)
        merchant = None if self.merchant is None else self.merchant.hex()
        told = {"programs": self.programs, "merchant": merchant, "period_end": self.period_end}
        return {**told, "before": day, "id": identity, "most": self.most}


def settlements_page(connection: psycopg.Connection[Any], asked: Asked) -> list[Any]:
    """Settlements for display, the latest period first."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(QUERIES.settlements_page, asked.values()).fetchall()


def transfers_page(connection: psycopg.Connection[Any], asked: Asked) -> list[Any]:
    """Transfers to own stores for display, the latest day first."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(QUERIES.transfers_page, asked.values()).fetchall()


def owing(connection: psycopg.Connection[Any], programs: Sequence[int], merchant: Id | None) -> list[Any]:
    """Merchants that owe, for display, the longest first."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        asked = {"programs": list(programs), "merchant": merchant.hex() if merchant else None}
        return cursor.execute(QUERIES.owing, asked).fetchall()


def payouts_page(connection: psycopg.Connection[Any], asked: Asked) -> list[Any]:
    """Instructions to the bank for display, the latest day first; of account numbers only how they end."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(QUERIES.payouts_page, asked.values()).fetchall()


def load_partners(cursor: psycopg.Cursor[Any], entries: Sequence[Entry]) -> PartnerFacts:
    """Earlier decisions, and what each partner has: its payments are counted before its balance is read."""
    numbers = partner_numbers(cursor, [(entry.command.partner, entry.command.program) for entry in entries])
    balances = partner_balances(cursor)
    books = {
        (partner, program): PartnerBooks(balances.get((partner, program), {}), number)
        for (partner, program), number in numbers.items()
    }
    return PartnerFacts(_known(cursor, entries), books)


def partner_numbers(cursor: psycopg.Cursor[Any], pairs: Sequence[tuple[bytes, int]]) -> dict[tuple[bytes, int], int]:
    """How often each partner was paid in a program."""
    unique = sorted(set(pairs))
    asked = {
        "bucket": column(INT2, buckets([partner for partner, _ in unique])),
        "partner": column(UUID, [partner for partner, _ in unique]),
        "program": column(INT2, [program for _, program in unique]),
    }
    rows = cursor.execute(QUERIES.partner_payments, asked)
    return {(partner, program): number for partner, program, number in rows}


def partner_balances(cursor: psycopg.Cursor[Any]) -> dict[tuple[bytes, int], dict[Source, Money]]:
    """What partners have of merchants (negative: owe), by partner and program."""
    found: dict[tuple[bytes, int], dict[Source, Money]] = {}
    for partner, program, source, amount in cursor.execute(QUERIES.partner_balances):
        found.setdefault((partner, program), {})[Source(source)] = Money(amount)
    return found


def load_debts(cursor: psycopg.Cursor[Any], entries: Sequence[Entry]) -> DebtFacts:
    """Earlier decisions, latest settlements, and which of them were written off."""
    pairs = [(entry.command.merchant, entry.command.program) for entry in entries]
    previous = latest_settlements(cursor, pairs)
    written = {tuple(row) for row in cursor.execute(QUERIES.written_off, _pairs(pairs))}
    return DebtFacts(_known(cursor, entries), previous, written)
