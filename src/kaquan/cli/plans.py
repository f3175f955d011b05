"""`kaquan plan`: monthly plans of a card: list, show, cancel."""

from typing import Annotated, Any

import typer

from kaquan.cli.cards import Reason
from kaquan.cli.opening import reads, writes
from kaquan.cli.options import CardArgument
from kaquan.cli.session import Session, identity
from kaquan.commands.model import Kind
from kaquan.documents.answers import shown
from kaquan.documents.plans import plan_document
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal
from kaquan.rewards import service
from kaquan.rewards.errors import PLAN_UNKNOWN
from kaquan.rewards.plan_model import CancelPlan

app = typer.Typer(no_args_is_help=True, help="按月返还计划：列出、查看、取消 / Monthly plans: list, show, cancel")

PlanArgument = Annotated[str, typer.Argument(help="计划编号 pln_… / Plan: pln_…", metavar="PLAN", show_default=False)]
_COLUMNS = ("plan", "program", "stock", "state", "months", "given", "each_month", "face_fen", "next_at")


@app.command("list")
@reads
def list_command(session: Session, card: CardArgument) -> None:
    """列出一张卡的返还计划 / List the plans of a card"""
    rows = [plan_document(one) for one in service.plans_of(session.app.connection, session.card(card))]
    session.screen.rows("plans", _COLUMNS, rows, ("没有返还计划。", "No plans."))


@app.command("show")
@reads
def show_command(session: Session, plan: PlanArgument) -> None:
    """查看一个返还计划 / Show a plan"""
    facts = plan_document(_found(session, identity("pln", plan)))
    session.screen.one(facts)


@app.command("cancel")
@writes
def cancel_command(session: Session, plan: PlanArgument, reason: Reason) -> None:
    """取消其余月份；已发的券不受影响 / Cancel the months to come; vouchers already granted stay"""
    target = identity("pln", plan)
    done = session.act(Kind.CANCEL_PLAN, lambda key: CancelPlan(key=key, caller=OPERATOR, plan=target, reason=reason))
    session.tell(("返还计划已取消。", "The plan is cancelled."), done, shown(done.facts))


def _found(session: Session, plan: Id) -> Any:
    found = service.plan(session.app.connection, plan)
    if found is None:
        session.refuse(Refusal(PLAN_UNKNOWN))
    return found
