"""Monthly plans of cards: list, show, cancel."""

from typing import Any

from kaquan.api.authorization import HOLDERS, ISSUERS
from kaquan.api.calls import Call
from kaquan.api.fields import PAGE_MAX, After, Limit, PathText, Reasoned
from kaquan.api.pages import page
from kaquan.api.routes import Routes
from kaquan.commands.model import Kind
from kaquan.documents.plans import plan_document
from kaquan.kernel.caller import Role
from kaquan.kernel.ids import Id
from kaquan.rewards import service
from kaquan.rewards.plan_model import CancelPlan

routes = Routes("plans", "返还计划 Plans")
_LOOKERS = HOLDERS | {Role.REGULATOR}


@routes.reads("/cards/{card}/plans", _LOOKERS)
def list_plans(call: Call, card: PathText, limit: Limit = PAGE_MAX, after: After = None) -> dict[str, Any]:
    """列出返还计划 List the plans of a card, oldest first"""
    found = service.plans_of(call.app.connection, call.objects.card(card))
    return page(found, lambda one: (one.at, one.id.hex), (limit, after), plan_document)


@routes.reads("/plans/{plan}", _LOOKERS)
def show_plan(call: Call, plan: PathText) -> dict[str, Any]:
    """查看返还计划 A plan: what was given, what is to come and when"""
    return plan_document(call.objects.plan(plan))


@routes.writes("/plans/{plan}/cancel", ISSUERS, example={"reason": "the purchase was undone"})
def cancel_plan(call: Call, plan: PathText, body: Reasoned) -> dict[str, Any]:
    """取消返还计划 Cancel the months to come; vouchers that were granted stay"""
    return call.act(Kind.CANCEL_PLAN, CancelPlan, plan=Id(call.objects.plan(plan).id.bytes), reason=body.reason)
