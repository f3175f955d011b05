"""Vouchers: show, list, issue, reserve, release, void. `api.spending` claims them."""

from typing import Annotated, Any

from pydantic import Field

from kaquan.api.authorization import HOLDERS, ISSUERS, READERS, TILLS
from kaquan.api.calls import Call
from kaquan.api.fields import Body, Code, OrderNo, PathText, Reason
from kaquan.api.routes import Routes
from kaquan.commands.model import Kind
from kaquan.documents.vouchers import voucher_document, voucher_row
from kaquan.kernel.caller import Role
from kaquan.vouchers import service
from kaquan.vouchers.model import IssueVoucher, ReleaseVoucher, ReserveVoucher, VoidVoucher
from kaquan.vouchers.rules import RESERVE_MINUTES_MAX

routes = Routes("vouchers", "券 Vouchers")
_LOOKERS = READERS - {Role.MERCHANT, Role.CASHIER, Role.FUNDER}


class Gift(Body):
    """A voucher to give to a holder, for a reason."""

    wallet: str
    program: Code
    stock: Code
    reason: Reason


class Hold(Body):
    """For which order a voucher is kept."""

    merchant: Code
    order_no: OrderNo
    minutes: Annotated[int, Field(ge=1, le=RESERVE_MINUTES_MAX)] = 15


class HeldBy(Body):
    """The order that gives its reservation up."""

    merchant: Code
    order_no: OrderNo


class Why(Body):
    """A step that needs a reason."""

    reason: Reason


@routes.writes(
    "/vouchers",
    ISSUERS,
    example={"wallet": "$wallet", "program": "$program", "stock": "$stock", "reason": "an apology"},
)
def issue_voucher(call: Call, body: Gift) -> dict[str, Any]:
    """发券 Give a holder a voucher, for a reason"""
    call.objects.program(body.program)
    return call.act(
        Kind.ISSUE_VOUCHER,
        IssueVoucher,
        wallet=call.objects.customer(body.wallet),
        program=body.program,
        stock=body.stock,
        reason=body.reason,
    )


@routes.reads("/vouchers/{voucher}", _LOOKERS)
def show_voucher(call: Call, voucher: PathText) -> dict[str, Any]:
    """查看券 A voucher: its state, face and dates"""
    return voucher_document(service.view(call.app.connection, call.objects.voucher(voucher)))


@routes.reads("/wallets/{wallet}/vouchers", HOLDERS | {Role.REGULATOR})
def list_vouchers(call: Call, wallet: PathText, every: bool = False) -> dict[str, Any]:
    """列出券 A holder's vouchers; with `every` also those used, expired or voided"""
    catalogue = call.objects.catalogue
    found = service.of_wallet(call.app.connection, call.objects.wallet(wallet), every=every)
    visible = [one for one in found if call.sees_program(catalogue.terms[one.terms].terms.program.code)]
    return {"items": [voucher_row(one, catalogue) for one in visible], "next": None}


@routes.writes("/vouchers/{voucher}/reserve", TILLS, example={"merchant": "$merchant", "order_no": "$new_order_no"})
def reserve_voucher(call: Call, voucher: PathText, body: Hold) -> dict[str, Any]:
    """占用券 Keep a voucher for an order: that order takes it back"""
    return call.act(
        Kind.RESERVE_VOUCHER,
        ReserveVoucher,
        voucher=call.objects.named_voucher(voucher),
        merchant=call.objects.merchant(body.merchant),
        order_no=body.order_no,
        minutes=body.minutes,
    )


@routes.writes(
    "/vouchers/{voucher}/release",
    TILLS,
    example={"merchant": "$merchant", "order_no": "$new_order_no"},
    prepare="reserve_voucher",
)
def release_voucher(call: Call, voucher: PathText, body: HeldBy) -> dict[str, Any]:
    """释放占用 Give up an order's reservation"""
    return call.act(
        Kind.RELEASE_VOUCHER,
        ReleaseVoucher,
        voucher=call.objects.named_voucher(voucher),
        merchant=call.objects.merchant(body.merchant),
        order_no=body.order_no,
    )


@routes.writes("/vouchers/{voucher}/void", ISSUERS, example={"reason": "sent by mistake"}, second=True)
def void_voucher(call: Call, voucher: PathText, body: Why) -> dict[str, Any]:
    """作废 Void a voucher: what was promised for it is its funders' again"""
    return call.act(Kind.VOID_VOUCHER, VoidVoucher, voucher=call.objects.voucher(voucher), reason=body.reason)
