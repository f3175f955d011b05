"""The facts of a batch of statements: what the books say of each party within its cut."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import psycopg

from kaquan.commands.model import Entry
from kaquan.kernel.calendar import shanghai
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import bucket_of
from kaquan.programs.catalogue import Catalogue
from kaquan.reporting import store
from kaquan.reporting.model import MakeStatement, Named, PartyFacts, PartyKind, Previous, StatementFacts
from kaquan.reporting.store import Span
from kaquan.settlement.model import Cut

_NOTHING = Cut(0, 0)


def load_facts(cursor: psycopg.Cursor[Any], entries: Sequence[Entry], catalogue: Catalogue) -> StatementFacts:
    """Everything the statements of a batch are made from.

    The horizon is read first: what was written below it stays as it is, so that what is read one after the other is
    of one moment. A statement of the same party that is made in between breaks the chain of numbers.
    """
    xid = store.horizon(cursor)
    holders = [entry.command.who for entry in entries if entry.command.party is PartyKind.HOLDER]
    wallets = store.wallets(cursor, holders) if holders else set()
    named = {entry.id: found for entry in entries if (found := _named(entry.command, catalogue, wallets)) is not None}
    known = [entry for entry in entries if entry.id in named]
    latest = store.previous(cursor, [entry.command.who for entry in known]) if known else {}
    spans = {entry.id: _span(entry.command, latest.get(entry.command.who), xid) for entry in known}
    parties: dict[bytes, PartyFacts] = {}
    for kind, read in ((PartyKind.MERCHANT, _merchants), (PartyKind.FUNDER, _funders), (PartyKind.HOLDER, _holders)):
        those = [entry.id for entry in known if entry.command.party is kind]
        if those:
            read_all = read(cursor, [spans[one] for one in those], [named[one] for one in those])
            for one, (moved, held, more) in zip(those, read_all, strict=True):
                span = spans[one]
                parties[one] = PartyFacts(named[one], latest.get(span.subject), span.cut, moved, held, more)
    return StatementFacts(store.known(cursor, entries), parties)


def _named(command: MakeStatement, catalogue: Catalogue, wallets: set[bytes]) -> Named | None:
    organisations = {number: code for code, (number, _) in catalogue.organisations.items()}
    merchant, fund = catalogue.merchants.get(command.who), catalogue.funds_by_id.get(command.who)
    if command.party is PartyKind.MERCHANT and merchant is not None:
        group = organisations.get(merchant.group, "")
        return Named(command.party, merchant.id, merchant.code, merchant.name, group)
    if command.party is PartyKind.FUNDER and fund is not None:
        return Named(command.party, fund.id, fund.code, fund.name, organisations.get(fund.organisation, ""))
    if command.party is PartyKind.HOLDER and command.who in wallets:
        return Named(command.party, command.who)
    return None


def _span(command: MakeStatement, latest: Previous | None, horizon: int) -> Span:
    xid = max(min(command.below, horizon), latest.cut.xid if latest else 0)
    end = shanghai(command.until) + timedelta(days=1)  # Shanghai has had no summer time since 1991
    return Span(command.who, Cut(microseconds(end), xid), latest.cut if latest else _NOTHING)


Read = list[tuple[Sequence[Any], Sequence[Any], dict[str, Any]]]


def _merchants(cursor: psycopg.Cursor[Any], spans: Sequence[Span], named: Sequence[Named]) -> Read:
    settled = store.settlements(cursor, spans)
    counts = store.counts(cursor, spans)
    columns = zip(store.moved(cursor, spans), store.held(cursor, spans), settled, counts, strict=True)
    return [(moved, held, {"settlements": rows, "counts": days}) for moved, held, rows, days in columns]


def _funders(cursor: psycopg.Cursor[Any], spans: Sequence[Span], named: Sequence[Named]) -> Read:
    columns = zip(spans, named, store.moved(cursor, spans), store.held(cursor, spans), strict=True)
    return [
        (
            moved,
            held,
            {
                "stocks": store.stock_moves(cursor, span, party.code),
                "sweeps": store.sweeps(cursor, span, party.code),
            },
        )
        for span, party, moved, held in columns
    ]


def _holders(cursor: psycopg.Cursor[Any], spans: Sequence[Span], named: Sequence[Named]) -> Read:
    found: Read = []
    for span in spans:
        lots = store.lots(cursor, span.subject)
        moved, held = store.lot_moves(cursor, span, list(lots)) if lots else ([], [])
        transfers = {one.transfer for one in moved}
        more = {
            "lots": lots,
            "answers": store.answers(cursor, bucket_of(span.subject), list(transfers)) if transfers else {},
            "orders": store.orders_without_card(cursor, span),
        }
        found.append((moved, held, more))
    return found
