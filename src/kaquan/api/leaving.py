"""Cards that are passed on, made valid again, or lie unused."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import Field

from kaquan.api.authorization import HOLDERS, ISSUERS
from kaquan.api.calls import Call
from kaquan.api.fields import Body, PathText, Reason
from kaquan.api.routes import Routes
from kaquan.commands.model import Effect, Kind
from kaquan.documents.closings import idle_document
from kaquan.kernel.caller import Role
from kaquan.kernel.clock import microseconds
from kaquan.kernel.ids import Id, public
from kaquan.sales import leaving_service as service
from kaquan.sales.leaving_model import EVIDENCE_LENGTH_MAX, ReactivateCard, RecogniseBreakage, TransferCard

routes = Routes("cards", "卡 Cards")
UNDECIDED = "second person"
"""Who approved what is only tried."""


class Passing(Body):
    """To whom a registered card goes."""

    to: Annotated[str, Field(description="The receiver's wallet: `wal_…`. Who was told its id may give to it.")]
    reason: Reason


class Income(Body):
    """Why idle principal of an expired bearer card counts as income."""

    evidence: Annotated[
        str, Field(min_length=1, max_length=EVIDENCE_LENGTH_MAX, description="The document that shows it.")
    ]
    reason: Reason


@routes.writes("/cards/{card}/transfer", HOLDERS, example={"to": "$receiver", "reason": "a present"})
def transfer_card(call: Call, card: PathText, body: Passing) -> dict[str, Any]:
    """转让 Pass a registered card on to another holder: all that is on it arrives under a new number"""
    to = call.objects.receiver(body.to)

    def arrive(done: Effect) -> dict[str, Any]:
        return {} if call.dry_run else _arrived(call, done, to)

    told = {"to": to, "reason": body.reason}
    return call.act_told(Kind.TRANSFER_CARD, TransferCard, arrive, card=call.objects.card(card), **told)


def _arrived(call: Call, done: Effect, to: Id) -> dict[str, Any]:
    """It arrives at once; the timetable sees to it if this breaks off. The giver learns no id of the new card."""
    arrived = call.serving.send(Kind.RECEIVE_CARD, service.following(done, to))
    return {"arrived": isinstance(arrived, Effect), "to": public("wal", to)}


@routes.writes("/cards/{card}/reactivate", ISSUERS, made="expired_card")
def reactivate_card(call: Call, card: PathText) -> dict[str, Any]:
    """激活 Make an expired bearer card valid again: its balance stays, less the fee"""
    return call.act(Kind.REACTIVATE_CARD, ReactivateCard, card=call.objects.card(card))


@routes.writes(
    "/cards/{card}/breakage",
    ISSUERS,
    example={"evidence": "audit-2026-7", "reason": "nobody came for it"},
    made="expired_card",
    second=True,
)
def recognise_breakage(call: Call, card: PathText, body: Income) -> dict[str, Any]:
    """确认未使用收入 Let idle principal of an expired bearer card count as income; a second person approves"""
    told = {"evidence": body.evidence, "approved_by": call.approver or UNDECIDED}
    return call.act(Kind.RECOGNISE_BREAKAGE, RecogniseBreakage, card=call.objects.card(card), **told)


@routes.reads("/idle-balances", ISSUERS | {Role.REGULATOR}, owned=False)
def list_idle_balances(
    call: Call, program: Annotated[str | None, Query(min_length=1, max_length=64)] = None
) -> dict[str, Any]:
    """闲置余额 What lies on cards, by program, kind of card and how long it has not moved"""
    found = service.idle_balances(call.app.connection, microseconds(call.app.door.at()), program)
    return {"items": [idle_document(one) for one in found if call.sees_program(one.program)], "next": None}
