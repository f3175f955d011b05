"""The books as JSON lines, for whoever wants to add them up without us.

One line per posting in the order of time, then open authorizations, then payouts, then a last line with the number
of each, so that a file that was cut short is noticed. Ids are hexadecimal, amounts fen, instants ISO 8601 in UTC.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from kaquan.kernel.clock import instant
from kaquan.ledger.chart import CHART, Source
from kaquan.ledger.movements import movement_name
from kaquan.ledger.store import QUERIES

FETCH_ROWS = 5_000  # a few megabytes in memory at a time, however long the books are

_ACCOUNT = {int(account): info.name for account, info in CHART.items()}
_SOURCE = {int(source): source.name.lower() for source in Source}
_encode = msgspec.json.Encoder().encode


def export(connection: psycopg.Connection[Any]) -> Iterator[bytes]:
    """The lines of the export, without line ends, all of one snapshot. The connection is busy until the last."""
    counts: dict[str, int] = {}
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for kind, query, line in (
            ("posting", QUERIES.export_postings, _posting),
            ("hold", QUERIES.export_holds, _hold),
            ("payout", QUERIES.export_payouts, _payout),
        ):
            counts[kind] = 0
            for encoded in _lines(connection, kind, query, line):
                counts[kind] += 1
                yield encoded
    yield _encode(
        {"type": "end", "postings": counts["posting"], "holds": counts["hold"], "payouts": counts["payout"]}
    )


def _lines(
    connection: psycopg.Connection[Any], kind: str, query: str, line: Callable[..., Mapping[str, Any]]
) -> Iterator[bytes]:
    with connection.cursor(name=f"export_{kind}", binary=True) as cursor:
        cursor.itersize = FETCH_ROWS
        for row in cursor.execute(query):
            yield _encode({"type": kind, **line(*row)})


def _posting(
    book: str,
    program: str,
    kind: int,
    transfer: UUID,
    number: int,
    at: int,
    debit: int,
    debit_owner: UUID | None,
    credit: int,
    credit_owner: UUID | None,
    source: int,
    amount: int,
) -> Mapping[str, Any]:
    return {
        "book": book,
        "program": program,
        "kind": movement_name(kind),
        "transfer": transfer.hex,
        "line": number,
        "at": instant(at).isoformat(),
        "debit": _account(debit),
        "debit_owner": debit_owner and debit_owner.hex,
        "credit": _account(credit),
        "credit_owner": credit_owner and credit_owner.hex,
        "source": _SOURCE[source],
        "amount_fen": amount,
    }


def _hold(
    program: str, payment: UUID, merchant: UUID, at: int, expires_at: int, amount: int, on_card: int
) -> Mapping[str, Any]:
    return {
        "program": program,
        "payment": payment.hex,
        "merchant": merchant.hex,
        "at": instant(at).isoformat(),
        "expires_at": instant(expires_at).isoformat(),
        "amount_fen": amount,
        "card_fen": on_card,
    }


def _payout(
    program: str, payout: UUID, settlement: UUID, merchant: UUID, source: int, pay_on: Any, amount: int
) -> Mapping[str, Any]:
    return {
        "program": program,
        "payout": payout.hex,
        "settlement": settlement.hex,
        "merchant": merchant.hex,
        "source": _SOURCE[source],
        "pay_on": pay_on.isoformat(),
        "amount_fen": amount,
    }


def _account(number: int) -> str:
    return _ACCOUNT.get(number, f"account-{number}")
