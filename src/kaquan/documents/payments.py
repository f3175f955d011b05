"""A payment as a document: who paid what, what came back, line by line."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from kaquan.documents.answers import instant
from kaquan.kernel.ids import Id, public
from kaquan.payments import service
from kaquan.payments.lifecycle import PaymentState
from kaquan.payments.model import ALLOCATED_BYTES, paid_by_lots
from kaquan.payments.tenders import named, unpack_lines, unpack_returned
from kaquan.programs.catalogue import Catalogue
from kaquan.vouchers.model import Discount, unpack_discounts


def payment_document(
    connection: psycopg.Connection[Any], catalogue: Catalogue, target: Id, found: Any
) -> dict[str, Any]:
    """The payment `target`, whose row is `found`, with its discounts by fund, its lines and its refunds."""
    discounts = unpack_discounts(found.discounts)
    document: dict[str, Any] = {
        "payment": public("pay", target),
        "state": PaymentState(found.state).name.lower(),
        "amount_fen": found.amount,
        "captured_fen": found.captured,
        "refunded_fen": found.refunded,
        "discount_fen": sum(one.amount for one in discounts),
        "outside_fen": found.outside,
        "card_fen": paid_by_lots(found.allocation),
        "card": public("crd", found.card.bytes) if found.card else None,
        "wallet": public("wal", found.wallet.bytes),
        "merchant": catalogue.merchants[Id(found.merchant.bytes)].code,
        "order_no": found.order_no,
        "at": instant(found.at),
        "moved_at": instant(found.moved_at) if found.captured else None,
    }
    if found.state == PaymentState.AUTHORIZED:
        document["expires_at"] = instant(found.expires_at)
    document["terms"] = found.terms
    document["discounts"] = _discounts(found, discounts, catalogue)
    document["lines"] = _lines(found)
    document["refunds"] = [_refund(one) for one in service.refunds_of(connection, target)]
    return document


def discounts_of(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The discounts of an answer with public ids."""
    found = answer.get("discounts", [])
    return [one | {"voucher": public("vch", bytes.fromhex(one["voucher"]))} for one in found]


def _discounts(found: Any, discounts: Sequence[Discount], catalogue: Catalogue) -> list[dict[str, Any]]:
    """What each fund paid of each voucher's discount, and what came back of it."""
    first = len(found.allocation) // ALLOCATED_BYTES
    gone = unpack_returned(found.returned, first + len(discounts) + 1)[first:-1]
    told = discounts_of({"discounts": named(discounts, catalogue)})
    return [{**one, "refunded_fen": back} for one, back in zip(told, gone, strict=True)]


def _lines(found: Any) -> list[dict[str, Any]]:
    return [
        {
            "line": number,
            "goods": one.goods,
            "amount_fen": one.amount,
            "discount_fen": sum(one.discounts),
            "returned": one.returned,
        }
        for number, one in enumerate(unpack_lines(found.lines), start=1)
    ]


def _refund(row: Any) -> dict[str, Any]:
    return {
        "refund": public("trf", row.id.bytes),
        "at": instant(row.at),
        "amount_fen": row.amount,
        "card_fen": paid_by_lots(row.allocation),
        "discount_fen": sum(one.amount for one in unpack_discounts(row.discounts)),
        "outside_fen": row.outside,
        "reason": row.reason,
    }
