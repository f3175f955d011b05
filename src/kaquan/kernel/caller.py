"""Who acts: an organisation and, inside it, a person or machine with a role."""

from enum import StrEnum

import msgspec

from kaquan.kernel.ids import Id


class Role(StrEnum):
    """What the caller may do; the door outside checks it before a command is made."""

    OPERATOR = "operator"
    ISSUER = "issuer"
    MERCHANT = "merchant"
    SYSTEM = "system"


class Caller(msgspec.Struct, frozen=True):
    """`organisation` scopes the ids of commands; `merchant` is set when the caller is one merchant's till.

    Such a caller reaches its own merchant only: what is another's does not exist for it. `person` is who acts, by a
    staff name or number; empty when nobody is told. What needs a second person compares persons.
    """

    organisation: int
    role: Role
    merchant: Id | None = None
    person: str = ""

    def reaches(self, merchant: Id) -> bool:
        """Whether the caller may act at this merchant."""
        return self.merchant is None or self.merchant == merchant


OPERATOR = Caller(organisation=0, role=Role.OPERATOR, person="operator")
"""The operator of the installation, who is there before any organisation registers: the command line acts as it."""

SYSTEM = Caller(organisation=-1, role=Role.SYSTEM, person="timetable")
"""The timetable: expiry, grants, releases. Its keys are derived, so that a job run twice acts once."""
