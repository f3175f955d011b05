"""A monthly plan as a document."""

from typing import Any

from kaquan.documents.answers import instant
from kaquan.kernel.ids import public
from kaquan.rewards.plan_model import PlanState


def plan_document(plan: Any) -> dict[str, Any]:
    """The plan whose row is `plan`."""
    return {
        "plan": public("pln", plan.id.bytes),
        "program": plan.program,
        "stock": plan.stock_code,
        "code": plan.code,
        "state": PlanState(plan.state).name.lower(),
        "card": public("crd", plan.card.bytes),
        "wallet": public("wal", plan.wallet.bytes),
        "months": plan.months,
        "given": plan.given,
        "each_month": plan.each_month,
        "face_fen": plan.face,
        "started_at": instant(plan.at),
        "next_at": instant(plan.next_at) if plan.state == PlanState.RUNNING else None,
    }
