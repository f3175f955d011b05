"""Payments on the command line: pay, authorize, capture, void, refund, reverse, show."""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

import typer

from kaquan.cards.numbers import typed_number
from kaquan.cli.endings import Misuse
from kaquan.cli.options import Amount, AsJson, CardArgument, DryRun, Key, Lang, Merchant, PaymentArgument, amount
from kaquan.cli.session import Session, identity, instant, opened, shown
from kaquan.commands.model import Effect, Kind, Outcome
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id, public
from kaquan.kernel.money import Money, text
from kaquan.kernel.refusal import Refusal
from kaquan.payments import service
from kaquan.payments.errors import PAYMENT_UNKNOWN
from kaquan.payments.lifecycle import PaymentState
from kaquan.payments.model import (
    Authorize,
    Capture,
    Pay,
    Refund,
    Reverse,
    ReverseUnknown,
    Void,
)
from kaquan.payments.refunds import REVERSED

app = typer.Typer(no_args_is_help=True, help="支付查询 / Look payments up")

_PAID = (
    "payment",
    "state",
    "expires_at",
    "amount_fen",
    "principal_fen",
    "bonus_fen",
    "rebate_fen",
    "released_fen",
    "order_no",
)
_UNDONE = (
    "payment",
    "refund",
    "state",
    "amount_fen",
    "released_fen",
    "rebate_cancelled_fen",
    "clawback_fen",
    "clawback_short_fen",
    "reason",
    "order_no",
    "merchant",
)
"""The facts of an answer in the order in which a cashier reads them."""

Order = Annotated[
    str | None,
    typer.Option(
        "--order", help="商户订单号，默认取请求号 / The merchant's order number; the key by default", metavar="NO"
    ),
]
Store = Annotated[str | None, typer.Option("--store", help="门店代码 / Code of the store", metavar="CODE")]


class _Where(NamedTuple):
    """What else a merchant says of a payment."""

    store: str | None
    order: str | None


def pay_command(
    card: CardArgument,
    amount: Amount,
    merchant: Merchant,
    store: Store = None,
    order: Order = None,
    key: Key = None,
    dry_run: DryRun = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    """用卡支付 / Pay from a card at a merchant"""
    with opened(lang, as_json, key=key, dry_run=dry_run) as session:
        done = _spend(session, Kind.PAY, card, amount, merchant, _Where(store, order))
        _paid(session, done, (f"已支付 {text(amount)} 元。", f"Paid {text(amount)} yuan."), ("payment",))


def quote_command(
    card: CardArgument,
    amount: Amount,
    merchant: Merchant,
    store: Store = None,
    order: Order = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    """试算：这张卡怎样支付，能否支付；不扣款 / Quote: whether and how a card would pay; nothing is taken

    答复不是承诺，支付时重新判断；与 pay --dry-run 相同。 / The answer is no promise: a payment is decided anew. It is
    pay --dry-run by its own name.
    """
    pay_command(card, amount, merchant, store, order, key=None, dry_run=True, lang=lang, as_json=as_json)


def authorize_command(
    card: CardArgument,
    amount: Amount,
    merchant: Merchant,
    store: Store = None,
    order: Order = None,
    key: Key = None,
    dry_run: DryRun = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    """预授权：占用金额，之后完成或撤销 / Authorize: hold an amount, to be captured or voided later"""
    with opened(lang, as_json, key=key, dry_run=dry_run) as session:
        done = _spend(session, Kind.AUTHORIZE, card, amount, merchant, _Where(store, order))
        headline = (f"已预授权 {text(amount)} 元。", f"Authorized {text(amount)} yuan.")
        held = None if dry_run else service.payment(session.app.connection, done.id)
        until = {} if held is None else {"expires_at": instant(held.expires_at)}
        _paid(session, done, headline, ("payment",), until)


def capture_command(
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
    key: Key = None,
    dry_run: DryRun = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    """预授权完成：扣款 / Capture an authorization: take the money, or part of it"""
    with opened(lang, as_json, key=key, dry_run=dry_run) as session:
        target = identity("pay", payment)
        done = session.act(Kind.CAPTURE, lambda key: Capture(key=key, caller=OPERATOR, payment=target, amount=amount))
        taken = text(done.facts["amount_fen"])
        _paid(session, done, (f"已完成 {taken} 元。", f"Captured {taken} yuan."))


def void_command(
    payment: PaymentArgument, key: Key = None, dry_run: DryRun = False, lang: Lang = None, as_json: AsJson = False
) -> None:
    """撤销预授权，释放全部金额 / Void an authorization: all it held is available again"""
    with opened(lang, as_json, key=key, dry_run=dry_run) as session:
        target = identity("pay", payment)
        done = session.act(Kind.VOID, lambda key: Void(key=key, caller=OPERATOR, payment=target))
        _undone(session, done, ("预授权已撤销。", "The authorization is voided."))


def refund_command(
    payment: PaymentArgument,
    reason: Annotated[str, typer.Option("--reason", help="原因 / Reason", metavar="TEXT")] = "",
    late: Annotated[
        bool, typer.Option("--late", help="逾期退款，须写明原因 / After the refund window; needs a reason")
    ] = False,
    key: Key = None,
    dry_run: DryRun = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    """退款：全额退回原卡 / Refund a payment in full, to the lots it came from"""
    with opened(lang, as_json, key=key, dry_run=dry_run) as session:
        if late and not reason.strip():
            raise Misuse("逾期退款须用 --reason 写明原因。", "A late refund needs a reason: --reason.")
        target = identity("pay", payment)
        done = session.act(
            Kind.REFUND, lambda key: Refund(key=key, caller=OPERATOR, payment=target, reason=reason, late=late)
        )
        back = text(done.facts["amount_fen"])
        _undone(session, done, (f"已退款 {back} 元。", f"Refunded {back} yuan."))


def reverse_command(
    merchant: Merchant,
    order: Annotated[str, typer.Option("--order", help="商户订单号 / The merchant's order number", metavar="NO")],
    key: Key = None,
    dry_run: DryRun = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    """冲正：按订单号撤回，结果不明时使用 / Reverse an order when the till does not know what became of it

    已扣款的退回，预授权的释放，尚未到达的付款从此不再生效。 / What was taken is given back, what was held is
    released, and a payment that has not arrived yet can never take effect.
    """
    with opened(lang, as_json, key=key, dry_run=dry_run) as session:
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
def show_command(
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
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    """按编号，或按商户和订单号，查看一笔支付 / Show a payment by its id, or by merchant and order number"""
    with opened(lang, as_json) as session:
        target = _meant(session, payment, merchant, order)
        found = service.payment(session.app.connection, target) if target is not None else None
        if target is None or found is None:
            session.refuse(Refusal(PAYMENT_UNKNOWN))
        known = session.catalogue().merchants[Id(found.merchant.bytes)]
        facts: dict[str, Any] = {
            "payment": public("pay", target),
            "state": PaymentState(found.state).name.lower(),
            "amount_fen": found.amount,
            "captured_fen": found.captured,
            "refunded_fen": found.refunded,
            "card": public("crd", found.card.bytes),
            "merchant": known.code,
            "order_no": found.order_no,
            "at": instant(found.at),
            "moved_at": instant(found.moved_at) if found.captured else None,
        }
        if found.state == PaymentState.AUTHORIZED:
            facts["expires_at"] = instant(found.expires_at)
        session.screen.answer({"outcome": "effect", **facts, "terms": found.terms})
        if not as_json:
            session.screen.facts({name: given for name, given in facts.items() if given is not None})


def _spend(session: Session, kind: Kind, card: str, amount: Money, merchant: str, where: _Where) -> Effect:
    source, owner, place = session.card(card), session.merchant(merchant), session.store(where.store)
    wish = Authorize if kind is Kind.AUTHORIZE else Pay
    return session.act(
        kind,
        lambda key: wish(
            key=key,
            caller=OPERATOR,
            card=source,
            number=typed_number(card),
            merchant=owner,
            store=place,
            amount=amount,
            order_no=key if where.order is None else where.order,
        ),
    )


def _paid(
    session: Session,
    done: Effect,
    headline: tuple[str, str],
    born: tuple[str, ...] = (),
    more: Mapping[str, Any] | None = None,
) -> None:
    facts = {**shown(done.facts), **(more or {})}
    session.tell(headline, done, {name: facts[name] for name in _PAID if name in facts}, born)


def _undone(session: Session, done: Effect, headline: tuple[str, str]) -> None:
    facts = shown(done.facts)
    if facts.get("reason") == REVERSED:
        del facts["reason"]  # the headline says it
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
