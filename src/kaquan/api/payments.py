"""Payments after they were made: capture, void, refund, reverse, show. `api.spending` makes them."""

from typing import Annotated, Any

from pydantic import Field

from kaquan.api.authorization import READERS, TILLS
from kaquan.api.calls import DRY_RUN_KEY, Call
from kaquan.api.fields import AmountFen, Body, Code, OrderNo, PathText
from kaquan.api.problems import Problem
from kaquan.api.routes import Routes
from kaquan.commands.model import Kind
from kaquan.documents.outcomes import refund_outcomes
from kaquan.documents.payments import payment_document
from kaquan.kernel.caller import Role
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.payments import service
from kaquan.payments.errors import PAYMENT_UNKNOWN
from kaquan.payments.model import LINES_MAX, Capture, Refund, Reverse, ReverseUnknown, Void

routes = Routes("payments", "支付 Payments")
_LOOKERS = READERS - {Role.FUNDER}
_REFUNDERS = TILLS | {Role.ISSUER}


class Taken(Body):
    """How much of an authorization to take: all of it when nothing is said."""

    amount_fen: AmountFen | None = None


class Return(Body):
    """What comes back: goods worth an amount, or lines of the order, or all that is left."""

    reason: Annotated[str, Field(max_length=200, description="Why; a late refund needs one.")] = ""
    amount_fen: AmountFen | None = None
    lines: Annotated[
        list[Annotated[int, Field(ge=1, le=LINES_MAX)]], Field(max_length=LINES_MAX, description="Lines, from 1.")
    ] = []
    late: Annotated[bool, Field(description="After the refund window: the issuer or the operator may.")] = False


class Wanted(Body):
    """What would come back: goods worth an amount, or lines of the order, or all that is left."""

    amount_fen: AmountFen | None = None
    lines: Annotated[
        list[Annotated[int, Field(ge=1, le=LINES_MAX)]], Field(max_length=LINES_MAX, description="Lines, from 1.")
    ] = []
    late: Annotated[bool, Field(description="After the refund window.")] = False


class Order(Body):
    """An order by the merchant's number."""

    merchant: Code
    order_no: OrderNo


@routes.reads("/payments/{payment}", _LOOKERS)
def show_payment(call: Call, payment: PathText) -> dict[str, Any]:
    """查看支付 A payment: who paid what, what came back"""
    target = call.objects.payment(payment)
    found = call.objects.owned_payment(target)
    return payment_document(call.app.connection, call.objects.catalogue, target, found)


@routes.reads("/orders/{merchant}/{order_no}", TILLS)
def show_order(call: Call, merchant: PathText, order_no: PathText) -> dict[str, Any]:
    """按订单号查询 What became of an order, by merchant and order number: for a till that does not know"""
    owner = call.objects.merchant(merchant)
    found = service.find_order(call.app.connection, owner, order_no)
    row = service.payment(call.app.connection, found) if found is not None else None
    if found is None or row is None:
        raise Problem.of(Refusal(PAYMENT_UNKNOWN))
    return payment_document(call.app.connection, call.objects.catalogue, found, call.objects.owned_payment(found))


@routes.writes("/payments/{payment}/capture", TILLS, example={"amount_fen": 100}, made="authorization")
def capture_payment(call: Call, payment: PathText, body: Taken) -> dict[str, Any]:
    """预授权完成 Capture an authorization, all or part of it; the rest is available again"""
    amount = None if body.amount_fen is None else Money(body.amount_fen)
    return call.act(Kind.CAPTURE, Capture, payment=call.objects.payment(payment), amount=amount)


@routes.writes("/payments/{payment}/void", TILLS, made="authorization")
def void_payment(call: Call, payment: PathText) -> dict[str, Any]:
    """撤销预授权 Void an authorization: all it held is available again"""
    return call.act(Kind.VOID, Void, payment=call.objects.payment(payment))


@routes.writes(
    "/payments/{payment}/refunds", _REFUNDERS, example={"amount_fen": 100, "reason": "returned goods"}, second=True
)
def refund_payment(call: Call, payment: PathText, body: Return) -> dict[str, Any]:
    """退款 Refund: to the same lots and funders that paid, each its share"""
    return call.act(
        Kind.REFUND,
        Refund,
        payment=call.objects.payment(payment),
        reason=body.reason,
        late=body.late,
        amount=None if body.amount_fen is None else Money(body.amount_fen),
        lines=tuple(line - 1 for line in body.lines),
    )


@routes.tries("/payments/{payment}/refund-outcomes", _REFUNDERS, example={"amount_fen": 100})
def list_refund_outcomes(call: Call, payment: PathText, body: Wanted) -> dict[str, Any]:
    """退款可能的结果 Every legal outcome of a refund, with who gets how much and why; nothing moves

    Shares are exact, with the whole fen that rounding may make of each. What is refused tells every reason, and what
    may be asked instead; `would` is what the refund itself would answer now.
    """
    command = Refund(
        key=DRY_RUN_KEY,
        caller=call.caller,
        payment=call.objects.payment(payment),
        reason="",
        late=body.late,
        amount=None if body.amount_fen is None else Money(body.amount_fen),
        lines=tuple(line - 1 for line in body.lines),
    )
    return refund_outcomes(call.app, call.objects.catalogue, command, call.words.language)


@routes.writes("/reversals", TILLS, example={"merchant": "$merchant", "order_no": "$order_no"})
def reverse_order(call: Call, body: Order) -> dict[str, Any]:
    """冲正 Reverse an order by its number when nobody knows what became of it

    What was taken is given back, what was held is released; a payment that has not arrived yet never takes effect.
    """
    merchant = call.objects.merchant(body.merchant)
    app, number = call.app, body.order_no
    if not call.dry_run:
        return call.answer(service.reverse(app.door, app.catalogue, call.caller, call.key, merchant, number))
    held_by = service.find_order(app.connection, merchant, number)
    if held_by is not None:
        return call.act(Kind.REVERSE, Reverse, payment=held_by, merchant=merchant, order_no=number)
    unknown = ReverseUnknown(key=call.key, caller=call.caller, merchant=merchant, order_no=number)
    return call.answer(
        app.door.one(service.ReverseUnknownHandler(Kind.REVERSE, app.catalogue), unknown, dry_run=True)
    )
