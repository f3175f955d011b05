"""What takes two persons, for everybody else: ask, decide, look what waits, execute once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import psycopg

from kaquan.approvals import rules, store
from kaquan.approvals.model import (
    Approval,
    ApprovalFacts,
    ApprovalState,
    ApproveRequest,
    FinishRequest,
    RejectRequest,
    RequestApproval,
)
from kaquan.commands.handler import Handler
from kaquan.commands.model import Entry, Kind, Plan, Routed
from kaquan.kernel.caller import SYSTEM, Caller
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal

needs_second = rules.needs_second

PAGE_MAX = 200
"""Requests on one page."""


class ApprovalHandler(Handler):
    """Request, approve, reject, finish."""

    def load(
        self, cursor: psycopg.Cursor[Any], entries: Sequence[Entry], routed: Routed, lock: bool, at: datetime
    ) -> ApprovalFacts:
        """The requests that are named. There is nothing to lock: a change checks their versions."""
        commands = [entry.command for entry in entries]
        named = [command.approval for command in commands if not isinstance(command, RequestApproval)]
        return store.load_facts(cursor, entries, named)

    def decide(self, entry: Entry, facts: ApprovalFacts, at: datetime) -> Plan | Refusal:
        """See `approvals.rules`."""
        return rules.decide(entry, facts, at)


def handlers() -> dict[Kind, Handler]:
    """A handler for every command on requests."""
    kinds = (Kind.REQUEST_APPROVAL, Kind.APPROVE_REQUEST, Kind.REJECT_REQUEST, Kind.FINISH_REQUEST)
    return {kind: ApprovalHandler(kind) for kind in kinds}


def request(key: str, caller: Caller, wanted: Kind, body: Mapping[str, Any], reason: str) -> RequestApproval:
    """The command that asks for `wanted`. The body becomes canonical JSON: a retry is the same to the letter."""
    return RequestApproval(
        key=key, caller=caller, wanted=wanted, body=msgspec.json.encode(body, order="sorted"), reason=reason
    )


def approve(key: str, caller: Caller, approval: Id) -> ApproveRequest:
    """The command that approves. Its answer names `command_key`, under which what was wanted is executed once."""
    return ApproveRequest(key=key, caller=caller, approval=approval)


def reject(key: str, caller: Caller, approval: Id, reason: str) -> RejectRequest:
    """The command that rejects, and says why."""
    return RejectRequest(key=key, caller=caller, approval=approval, reason=reason)


def finish(approval: Approval, outcome: str) -> FinishRequest:
    """The command that keeps what came of the execution: `ok`, or the code of the refusal. Its key is derived."""
    return FinishRequest(key=f"finish-{approval.command_key}", caller=SYSTEM, approval=approval.id, outcome=outcome)


def find(connection: psycopg.Connection[Any], approval: Id) -> Approval | None:
    """One request. Who may see it is for the caller to judge."""
    return next(iter(store.find(connection, [approval])), None)


def pending(
    connection: psycopg.Connection[Any],
    at: datetime,
    organisation: int | None = None,
    *,
    merchant: Id | None = None,
    state: ApprovalState = ApprovalState.REQUESTED,
    after: tuple[int, Id] | None = None,
    limit: int = PAGE_MAX,
) -> list[Approval]:
    """Requests of an organisation, or of all, or of one merchant, that wait for a second person, the oldest first,
    behind `after`: when that one was made, and its id. With the state `APPROVED` those that were approved and not
    executed, as after a crash in between."""
    told = {
        "state": int(state),
        "now": microseconds(at),
        "organisation": organisation,
        "merchant": merchant.hex() if merchant else None,
        "after": after[1].hex() if after else None,
        "after_at": after[0] if after else None,
        "limit": min(limit, PAGE_MAX),
    }
    return store.waiting(connection, told)


def page(
    connection: psycopg.Connection[Any],
    organisation: int | None = None,
    before: Approval | None = None,
    limit: int = PAGE_MAX,
) -> list[Approval]:
    """Requests in whatever state, the latest first."""
    told = {
        "organisation": organisation,
        "before": before.id.hex() if before else None,
        "before_at": before.at_us if before else None,
        "limit": min(limit, PAGE_MAX),
    }
    return store.latest(connection, told)
