"""What becomes of payments on the command line: capture, void, refund, reverse, show."""

from typing import Annotated, Any

import typer

from kaquan.cli.endings import Misuse
from kaquan.cli.opening import reads, writes
from kaquan.cli.options import Merchant, PaymentArgument, RefundAmount, RefundLines, amount
from kaquan.cli.session import Session, identity
from kaquan.cli.spending import paid, table_of
from kaquan.commands.model import Effect, Kind, Outcome
from kaquan.documents.answers import shown
from kaquan.documents.payments import payment_document
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money, text
from kaquan.kernel.refusal import Refusal
from kaquan.payments import service
from kaquan.payments.errors import PAYMENT_UNKNOWN
from kaquan.payments.model import (
    Capture,
    Refund,
    Reverse,
    ReverseUnknown,
    Void,
)
from kaquan.payments.refunds import REVERSED

app = typer.Typer(no_args_is_help=True, help="支付查询 / Look payments up")

_UNDONE = (
    "payment",
    "refund",
    "state",
    "amount_fen",
    "card_fen",
    "discount_fen",
    "outside_fen",
    "holder_fen",
    "payer_fen",
    "set_off_fen",
    "vouchers_usable",
    "vouchers_issued",
    "released_fen",
    "rebate_cancelled_fen",
    "clawback_fen",
    "clawback_short_fen",
    "reason",
    "order_no",
    "merchant",
)
"""The facts of an answer in the order in which a cashier reads them."""
_RARE = ("holder_fen", "payer_fen", "set_off_fen", "vouchers_usable", "vouchers_issued")
"""Those that a cashier reads only when they are not nothing."""


@writes
def capture_command(
    session: Session,
    payment: PaymentArgument,
    amount: Annotated[
        Money | None,
        typer.Option(
            "--amount",
            parser=amount,
            metavar="YUAN",
            help="完成金额（元），默认全部；其余释放 / Amount in yuan, all by default; the rest is released",
        ),
    ] = None,
) -> None:
    """预授权完成：扣款 / Capture an authorization: take the money, or part of it"""
    target = identity("pay", payment)
    done = session.act(Kind.CAPTURE, lambda key: Capture(key=key, caller=OPERATOR, payment=target, amount=amount))
    taken = text(done.facts["amount_fen"])
    paid(session, done, (f"已完成 {taken} 元。", f"Captured {taken} yuan."))


@writes
def void_command(session: Session, payment: PaymentArgument) -> None:
    """撤销预授权，释放全部金额 / Void an authorization: all it held is available again"""
    target = identity("pay", payment)
    done = session.act(Kind.VOID, lambda key: Void(key=key, caller=OPERATOR, payment=target))
    _undone(session, done, ("预授权已撤销。", "The authorization is voided."))


@writes
def refund_command(
    session: Session,
    payment: PaymentArgument,
    amount: RefundAmount = None,
    line: RefundLines = None,
    reason: Annotated[str, typer.Option("--reason", help="原因 / Reason", metavar="TEXT")] = "",
    late: Annotated[
        bool, typer.Option("--late", help="逾期退款，须写明原因 / After the refund window; needs a reason")
    ] = False,
) -> None:
    """退款：全部、按金额或按明细，原路退回卡和出资方 / Refund all, an amount or lines, to the card and the funders"""
    if late and not reason.strip():
        raise Misuse("逾期退款须用 --reason 写明原因。", "A late refund needs a reason: --reason.")
    if amount is not None and line:
        raise Misuse("--amount 与 --line 只用其一。", "Give --amount or --line, not both.")
    target, lines = identity("pay", payment), tuple(number - 1 for number in line or ())
    done = session.act(
        Kind.REFUND,
        lambda key: Refund(
            key=key, caller=OPERATOR, payment=target, reason=reason, late=late, amount=amount, lines=lines
        ),
    )
    goods, elsewhere = done.facts["amount_fen"], ("holder_fen", "payer_fen", "set_off_fen")
    card = done.facts["card_fen"] - sum(done.facts[name] for name in elsewhere)
    headline = (f"已退款 {text(goods)} 元。", f"Refunded {text(goods)} yuan.")
    if card != goods:
        headline = (
            f"已退 {text(goods)} 元的商品，退回卡 {text(card)} 元。",
            f"Goods worth {text(goods)} yuan came back; {text(card)} yuan went back to the card.",
        )
    _undone(session, done, headline)


@writes
def reverse_command(
    session: Session,
    merchant: Merchant,
    order: Annotated[str, typer.Option("--order", help="商户订单号 / The merchant's order number", metavar="NO")],
) -> None:
    """冲正：按订单号撤回，结果不明时使用 / Reverse an order when the till does not know what became of it

    已扣款的退回，预授权的释放，尚未到达的付款从此不再生效。 / What was taken is given back, what was held is
    released, and a payment that has not arrived yet can never take effect.
    """
    if refusal := service.order_refusal(order):
        session.refuse(refusal)
    owner = session.merchant(merchant)
    done = session.send(lambda: _reverse(session, owner, order))
    nothing = done.facts["state"] == "nothing_taken"
    headline = (
        ("没有扣过款；该订单号不能再付款。", "Nothing was taken; the order number can't be paid any more.")
        if nothing
        else ("订单已冲正。", "The order is reversed.")
    )
    _undone(session, done, headline)


@app.command("show")
@reads
def show_command(
    session: Session,
    payment: Annotated[
        str | None, typer.Argument(help="支付编号 pay_… / Payment: pay_…", metavar="[PAYMENT]", show_default=False)
    ] = None,
    merchant: Annotated[
        str | None,
        typer.Option("--merchant", help="商户 / Merchant, with --order", metavar="MERCHANT"),
    ] = None,
    order: Annotated[
        str | None, typer.Option("--order", help="商户订单号 / The merchant's order number", metavar="NO")
    ] = None,
) -> None:
    """按编号，或按商户和订单号，查看一笔支付 / Show a payment by its id, or by merchant and order number"""
    target = _meant(session, payment, merchant, order)
    found = service.payment(session.app.connection, target) if target is not None else None
    if target is None or found is None:
        session.refuse(Refusal(PAYMENT_UNKNOWN))
    _show(session, target, found)


def _show(session: Session, target: Id, found: Any) -> None:
    document = payment_document(session.app.connection, session.catalogue(), target, found)
    session.screen.answer({"outcome": "effect", **document})
    if session.screen.as_json:
        return
    parts, lines, refunds = (document.pop(name) for name in ("discounts", "lines", "refunds"))
    facts = {name: given for name, given in document.items() if given is not None and name != "terms"}
    session.screen.facts(facts)
    table_of(session, parts, "refunded_fen")
    if lines:
        session.screen.table(("line", "goods", "amount_fen", "discount_fen", "returned"), lines)
    if refunds:
        session.screen.table(
            ("refund", "at", "amount_fen", "card_fen", "discount_fen", "outside_fen", "reason"), refunds
        )


def _undone(session: Session, done: Effect, headline: tuple[str, str]) -> None:
    facts = shown(done.facts)
    if facts.get("reason") == REVERSED:
        del facts["reason"]  # the headline says it
    if not session.screen.as_json:
        facts = {name: given for name, given in facts.items() if given or name not in _RARE}
    session.tell(headline, done, {name: facts[name] for name in _UNDONE if name in facts}, ("refund",))


def _reverse(session: Session, merchant: Id, order: str) -> Outcome:
    """Reverse, or tell what a reversal would do."""
    app, key = session.app, session.key()
    if not session.dry_run:
        return service.reverse(app.door, app.catalogue, OPERATOR, key, merchant, order)
    held_by = service.find_order(app.connection, merchant, order)
    if held_by is None:
        unknown = ReverseUnknown(key=key, caller=OPERATOR, merchant=merchant, order_no=order)
        return app.door.one(service.ReverseUnknownHandler(Kind.REVERSE, app.catalogue), unknown, dry_run=True)
    command = Reverse(key=key, caller=OPERATOR, payment=held_by, merchant=merchant, order_no=order)
    outcome: Outcome = app.one(Kind.REVERSE, command, dry_run=True)
    return outcome


def _meant(session: Session, payment: str | None, merchant: str | None, order: str | None) -> Id | None:
    if payment is not None and merchant is None and order is None:
        return identity("pay", payment)
    if payment is None and merchant is not None and order is not None:
        return service.find_order(session.app.connection, session.merchant(merchant), order)
    raise Misuse(
        "请给出支付编号，或同时给出 --merchant 和 --order。", "Give a payment's id, or both --merchant and --order."
    )
