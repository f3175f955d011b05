"""A merchant as a row of the list of merchants, and its bank account without its number."""

from collections.abc import Mapping
from typing import Any

from kaquan.kernel.ids import public

MERCHANT_ACTIVE = 1
_SHOWN_DIGITS = 4


def merchant_row(found: Any) -> dict[str, Any]:
    """The merchant whose row in the directory is `found`."""
    return {
        "code": found.code,
        "name": found.name,
        "group": found.organisation,
        "stores": found.stores,
        "bank_state": bank_state(found.bank, found.bank_verified),
        "state": "active" if found.state == MERCHANT_ACTIVE else "closed",
        "id": public("mer", found.id.bytes),
    }


def bank_state(bound: object, verified: object) -> str:
    """Whether there is an account to pay to, and whether its owner was verified."""
    return "verified" if verified else "bound" if bound else "missing"


def bank_document(merchant: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """The account that a command bound or verified."""
    return {
        "merchant": merchant,
        "bank": answer["bank"],
        "account_no": hidden(answer["account_ending"]),
        "bank_state": bank_state(True, answer["verified"]),
        "proof": answer["proof"],
    }


def hidden(account_no: str) -> str:
    """How an account number ends."""
    return f"****{account_no[-_SHOWN_DIGITS:]}" if account_no else ""


_PREFIX = {"merchant": "mer", "store": "sto"}


def registered_id(answer: Mapping[str, Any]) -> str:
    """What something is called that was registered: organisation, merchant or store."""
    prefix = _PREFIX.get(answer["registered"])
    return public(prefix, bytes.fromhex(answer["id"])) if prefix else f"org_{answer['id']}"
