"""A request for a second person's approval as a document."""

from datetime import datetime
from typing import Any

from kaquan.approvals.model import PREFIX, Approval
from kaquan.documents.answers import instant
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import public
from kaquan.programs.catalogue import Catalogue


def approval_document(one: Approval, catalogue: Catalogue, at: datetime) -> dict[str, Any]:
    """The request as of `at`: what is wanted, by whom and why."""
    codes = {number: code for code, (number, _) in catalogue.organisations.items()}
    return {
        "approval": public(PREFIX, one.id),
        "at": instant(one.at_us),
        "wanted": one.wanted.name.lower(),
        "organisation": codes.get(one.requester.organisation, "-"),
        "role": one.requester.role.value,
        "person": one.requester.person,
        "reason": one.reason,
        "state": one.state_at(microseconds(at)).word,
        "expires_at": instant(one.expires_us),
    }
