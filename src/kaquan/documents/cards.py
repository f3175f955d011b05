"""A card as a document: state, balance, lots."""

from datetime import datetime
from typing import Any

import psycopg

from kaquan.cards.model import CardState, LotKind, LotState
from kaquan.cards.service import view
from kaquan.documents.answers import instant
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id, public
from kaquan.ledger.chart import Source


def card_document(connection: psycopg.Connection[Any], card: Id, at: datetime) -> dict[str, Any] | None:
    """A card with its lots, oldest first; None when there is none. What is available is so at `at`."""
    found = view(connection, card)
    if found is None:
        return None
    now = microseconds(at)
    live = [
        lot
        for lot in found.lots
        if lot.state == LotState.LIVE and lot.active_from <= now and (lot.expires_at is None or now < lot.expires_at)
    ]
    return {
        "card": public("crd", card),
        "number": found.card.number,
        "program": found.card.program,
        "terms_version": found.card.terms_version,
        "state": CardState(found.card.state).name.lower(),
        "registered": found.card.registered,
        "wallet": public("wal", found.card.wallet.bytes),
        "available_fen": sum(lot.balance - lot.held for lot in live),
        "balance_fen": sum(lot.balance for lot in found.lots),
        "held_fen": sum(lot.held for lot in found.lots),
        "lots": [_lot(lot) for lot in sorted(found.lots, key=_by_age)],
    }


def _by_age(lot: Any) -> tuple[int, int]:
    return lot.active_from, lot.kind


def _lot(lot: Any) -> dict[str, Any]:
    return {
        "lot": public("lot", lot.id.bytes),
        "kind": LotKind(lot.kind).name.lower(),
        "source": Source(lot.source).name.lower(),
        "fund": lot.fund,
        "state": LotState(lot.state).name.lower(),
        "granted_fen": lot.granted,
        "balance_fen": lot.balance,
        "held_fen": lot.held,
        "active_at": instant(lot.active_from),
        "expires_at": instant(lot.expires_at),
    }
