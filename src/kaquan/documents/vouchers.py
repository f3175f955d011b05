"""A voucher as a document, and as a row of a list."""

from typing import Any

from kaquan.documents.answers import instant
from kaquan.kernel.ids import public
from kaquan.programs.catalogue import Catalogue
from kaquan.vouchers.model import VoucherState


def voucher_document(found: Any) -> dict[str, Any]:
    """The voucher whose row is `found`."""
    return {
        "voucher": public("vch", found.id.bytes),
        "wallet": public("wal", found.wallet.bytes),
        "program": found.program,
        "stock": found.stock_code,
        "state": VoucherState(found.state).name.lower(),
        "face_fen": found.face,
        "used_fen": found.used,
        "at": instant(found.at),
        "valid_at": instant(found.valid_from),
        "expires_at": instant(found.expires_at),
        "held_until_at": instant(found.held_until),
        "terms": found.terms,
    }


def voucher_row(found: Any, catalogue: Catalogue) -> dict[str, Any]:
    """A voucher in a list of its holder's."""
    return {
        "voucher": public("vch", found.id.bytes),
        "stock": catalogue.stock(found.terms, found.stock).code,
        "state": VoucherState(found.state).name.lower(),
        "face_fen": found.face,
        "used_fen": found.used,
        "valid_at": instant(found.valid_from),
        "expires_at": instant(found.expires_at),
    }
