"""Who reaches what: roles first (403), then the object (404). Every operation on money and its holders asks here.

An operation says which roles may ask for it; then each object it names must be the caller's. A foreign object and an
unknown one get the same answer.
"""

from collections.abc import Iterable

import msgspec

from kaquan.kernel.caller import Caller, Role
from kaquan.kernel.ids import Id

OPERATOR = frozenset({Role.OPERATOR})
ISSUERS = OPERATOR | {Role.ISSUER}
TILLS = frozenset({Role.OPERATOR, Role.MERCHANT, Role.CASHIER})
MERCHANTS = frozenset({Role.OPERATOR, Role.MERCHANT})
HOLDERS = ISSUERS | {Role.HOLDER}
READERS = frozenset(Role) - {Role.SYSTEM}
"""Everybody from outside."""


EVERYTHING_SEEN = frozenset({Role.OPERATOR, Role.REGULATOR, Role.SYSTEM})
"""For whom every object exists."""


class Owners(msgspec.Struct, frozen=True, kw_only=True):
    """Whose an object is. An issuer and a funder are organisations, by number."""

    wallet: Id | None = None
    merchant: Id | None = None
    issuers: frozenset[int] = frozenset()
    funders: frozenset[int] = frozenset()


def reaches(caller: Caller, owners: Owners) -> bool:
    """Whether an object with these owners exists for the caller."""
    if caller.role in EVERYTHING_SEEN:
        return True
    match caller.role:
        case Role.ISSUER:
            return caller.organisation in owners.issuers
        case Role.FUNDER:
            return caller.organisation in owners.funders
        case Role.MERCHANT | Role.CASHIER:
            return owners.merchant is not None and owners.merchant == caller.merchant
        case Role.HOLDER:
            return owners.wallet is not None and owners.wallet == caller.wallet
    return False


def keeps(caller: Caller, organisation: int, merchant: Id | None = None) -> bool:
    """Whether what an organisation keeps for itself exists for the caller: a key, a request for approval, a bulk job.
    For whoever is bound to a merchant, only what is that merchant's."""
    if caller.role in EVERYTHING_SEEN:
        return True
    return caller.organisation == organisation and caller.merchant in (None, merchant)


def organisation_seen(caller: Caller) -> int | None:
    """Whose things a list shows: the caller's organisation's; None for all."""
    return None if caller.role in EVERYTHING_SEEN else caller.organisation


def allows(scopes: Iterable[str], wanted: str) -> bool:
    """Whether a key's scopes hold the one an operation needs; `*` holds all, writing holds reading."""
    held = frozenset(scopes)
    resource, _, verb = wanted.partition(":")
    return bool(held & {"*", wanted, *({f"{resource}:write"} if verb == "read" else ())})
