"""Who acts: an organisation and, inside it, a person or machine with a role."""

from enum import StrEnum

import msgspec

from kaquan.kernel.ids import Id


class Role(StrEnum):
    """What the caller may do; the door outside checks it before a command is made."""

    OPERATOR = "operator"
    ISSUER = "issuer"
    MERCHANT = "merchant"
    CASHIER = "cashier"
    HOLDER = "holder"
    FUNDER = "funder"
    REGULATOR = "regulator"
    SYSTEM = "system"


class Caller(msgspec.Struct, frozen=True, omit_defaults=True):
    """`organisation` scopes the ids of commands; `merchant` is set when the caller is one merchant's till, `wallet`
    when it is one holder.

    Such a caller reaches its own merchant or wallet only: what is another's does not exist for it. `person` is who
    acts, by a staff name or number; empty when nobody is told. What needs a second person compares persons.
    A caller is part of a command's content: what is not set is left out of it, so that a new field changes no digest.
    """

    organisation: int
    role: Role
    merchant: Id | None = None
    person: str = ""
    wallet: Id | None = None

    def reaches(self, merchant: Id) -> bool:
        """Whether the caller may act at this merchant."""
        return self.merchant is None or self.merchant == merchant

    def reaches_wallet(self, wallet: Id) -> bool:
        """Whether the caller may act on what this wallet holds."""
        return self.wallet is None or self.wallet == wallet


def same_person(one: str, other: str) -> bool:
    """Whether two names mean one person: capitals and outer spaces tell nobody apart."""
    return one.strip().casefold() == other.strip().casefold()


OPERATOR = Caller(organisation=0, role=Role.OPERATOR, person="operator")
"""The operator of the installation, who is there before any organisation registers: the command line acts as it."""

SYSTEM = Caller(organisation=-1, role=Role.SYSTEM, person="timetable")
"""The timetable: expiry, grants, releases. Its keys are derived, so that a job run twice acts once."""
