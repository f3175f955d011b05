"""Spending on the command line: quote, pay, authorize, with vouchers and money from outside."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple

import typer

from kaquan.cards.numbers import typed_number
from kaquan.cli.endings import Misuse, RefusedHere
from kaquan.cli.opening import opened, writes
from kaquan.cli.options import Amount, AsJson, Lang, Merchant, Wallet, amount
from kaquan.cli.session import Session, identity, named_vouchers
from kaquan.commands.model import Effect, Kind
from kaquan.documents.answers import instant, refusal_document, shown
from kaquan.documents.payments import discounts_of
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import public
from kaquan.kernel.money import ZERO, Money, text
from kaquan.kernel.refusal import Refusal
from kaquan.payment_codes.service import payer
from kaquan.payments import service
from kaquan.payments.model import Authorize, Pay
from kaquan.programs.grants import MERCHANT
from kaquan.vouchers.orders import Line
from kaquan.vouchers.quote import Choice, Verdict

AUTO, NONE = "auto", "none"

PAID = (
    "payment",
    "state",
    "expires_at",
    "amount_fen",
    "discount_fen",
    "outside_fen",
    "principal_fen",
    "bonus_fen",
    "subsidy_fen",
    "rebate_fen",
    "released_fen",
    "order_no",
)
"""The facts of a payment in the order in which a cashier reads them."""


def line(text: str) -> Line:
    """A line of an order as people write it: `GOODS:YUAN`. Raises `typer.BadParameter`."""
    goods, colon, price = text.rpartition(":")
    if not colon or not goods.strip():
        raise typer.BadParameter(
            f"“{text}”不是明细：请写 GOODS:YUAN，如 bread:12.30 / not a line: write GOODS:YUAN, such as bread:12.30"
        )
    return Line(goods.strip(), amount(price))


CardOrNone = Annotated[
    str | None,
    typer.Argument(
        help="卡：卡号或 crd_…；用付款码时不填，只用券时改用 --wallet / "
        "Card: its number or crd_…; leave it out with --code, or with vouchers alone, and name --wallet",
        metavar="[CARD]",
        show_default=False,
    ),
]
Code = Annotated[
    str | None,
    typer.Option(
        "--code",
        help="顾客手机显示的付款码，18 位 / Payment code that the customer's phone shows: 18 digits",
        metavar="CODE",
    ),
]
Vouchers = Annotated[
    str | None,
    typer.Option(
        "--vouchers",
        metavar="auto|none|vch_…",
        help="用券：auto 取最优组合，none 不用，或逗号分隔的券号；默认 none，用 --wallet 时 auto / "
        "Vouchers: auto takes the best combination, none uses none, or vch_… by commas; none by default, auto "
        "with --wallet",
    ),
]
Outside = Annotated[
    Money | None,
    typer.Option(
        "--outside",
        parser=amount,
        metavar="YUAN",
        help="场外支付（现金等）多少元，只记录 / Yuan paid outside (cash, another app): recorded only",
    ),
]
Lines = Annotated[
    list[Line] | None,
    typer.Option(
        "--line",
        parser=line,
        metavar="GOODS:YUAN",
        help="订单明细，可写多次，合计等于金额 / A line of the order, repeated; the lines sum to the amount",
    ),
]
Order = Annotated[
    str | None,
    typer.Option(
        "--order", help="商户订单号，默认取请求号 / The merchant's order number; the key by default", metavar="NO"
    ),
]
Store = Annotated[str | None, typer.Option("--store", help="门店代码 / Code of the store", metavar="CODE")]


class _Bill(NamedTuple):
    """What a cashier types of an order."""

    card: str | None
    wallet: str | None
    code: str | None
    amount: Money
    merchant: str
    store: str | None
    order: str | None
    vouchers: str | None
    outside: Money | None
    lines: Sequence[Line] | None


def quote_command(
    amount: Amount,
    merchant: Merchant,
    card: CardOrNone = None,
    wallet: Wallet = None,
    code: Code = None,
    store: Store = None,
    order: Order = None,
    vouchers: Vouchers = AUTO,
    outside: Outside = None,
    line: Lines = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    """试算：用哪些券最省、谁付多少、能否支付；不扣款 / Quote: what vouchers save, who pays; nothing is taken

    每张券都说明用或不用的原因。答复不是承诺，支付时重新判断。 / Of each voucher it says why it is used or not. The
    answer is no promise: a payment is decided anew.
    """
    with opened(lang, as_json, dry_run=True) as session:
        bill = _Bill(card, wallet, code, amount, merchant, store, order, vouchers, outside, line)
        _spend(session, Kind.PAY, bill, ("可以支付 {} 元。", "{} yuan can be paid."), explain=True)


@writes
def pay_command(
    session: Session,
    amount: Amount,
    merchant: Merchant,
    card: CardOrNone = None,
    wallet: Wallet = None,
    code: Code = None,
    store: Store = None,
    order: Order = None,
    vouchers: Vouchers = None,
    outside: Outside = None,
    line: Lines = None,
) -> None:
    """支付：用卡、券、场外支付 / Pay at a merchant: from a card, with vouchers, with money from outside"""
    bill = _Bill(card, wallet, code, amount, merchant, store, order, vouchers, outside, line)
    _spend(session, Kind.PAY, bill, ("已支付 {} 元。", "Paid {} yuan."))


@writes
def authorize_command(
    session: Session,
    amount: Amount,
    merchant: Merchant,
    card: CardOrNone = None,
    wallet: Wallet = None,
    code: Code = None,
    store: Store = None,
    order: Order = None,
    vouchers: Vouchers = None,
    outside: Outside = None,
    line: Lines = None,
) -> None:
    """预授权：占用金额和券，之后完成或撤销 / Authorize: hold an amount and vouchers, to be captured or voided"""
    bill = _Bill(card, wallet, code, amount, merchant, store, order, vouchers, outside, line)
    _spend(session, Kind.AUTHORIZE, bill, ("已预授权 {} 元。", "Authorized {} yuan."))


def _spend(session: Session, kind: Kind, bill: _Bill, headline: tuple[str, str], *, explain: bool = False) -> None:
    """Carry out a payment, or tell what would come of it; `explain`: with a verdict on every voucher."""
    wish = _wish(session, kind, bill)
    quoted = None
    if _meant(bill) == AUTO:
        quoted = service.quote(session.app.door, session.catalogue(), kind, wish, session.app.master)
    choice = quoted.choice if quoted and explain else None
    told = [_verdict(session, one) for one in choice.verdicts] if choice else []
    try:
        done = session.act(kind, lambda key: quoted.command if quoted else wish)
    except RefusedHere as no:
        _explain(session, choice, told)
        raise RefusedHere(no.refusal, no.about | ({"vouchers": told} if explain else {})) from None
    until = {}
    if kind is Kind.AUTHORIZE and not session.dry_run:
        held = service.payment(session.app.connection, done.id)
        until = {"expires_at": instant(held.expires_at)} if held else {}
    words = (headline[0].format(text(bill.amount)), headline[1].format(text(bill.amount)))
    more = {"usable": choice.usable, "searched": choice.searched, "vouchers": told} if choice else {}
    paid(session, done, words, ("payment",), {**until, **(more if session.screen.as_json else {})})
    _explain(session, choice, told)


def paid(
    session: Session,
    done: Effect,
    headline: tuple[str, str],
    born: tuple[str, ...] = (),
    more: Mapping[str, Any] | None = None,
) -> None:
    """Print a payment: its facts, then which fund pays how much of each discount."""
    facts = {**shown(done.facts), **(more or {})}
    listed = {name: facts[name] for name in (*PAID, *(more or {})) if name in facts}
    discounts = discounts_of(done.facts)
    if session.screen.as_json:
        listed["discounts"] = discounts
    elif session.dry_run:
        listed.pop("state", None)  # a payment that was only tried is in no state
    session.tell(headline, done, listed, born)
    if not session.screen.as_json:
        table_of(session, discounts)


def table_of(session: Session, discounts: Sequence[Mapping[str, Any]], *columns: str) -> None:
    """Discounts, and which fund pays how much of each; nothing when there are none."""
    borne = session.screen.words("商户自担", "the merchant")
    rows = [{**one, "fund": borne if one["fund"] == MERCHANT else one["fund"]} for one in discounts]
    if rows:
        session.screen.table(("voucher", "fund", "fund_fen", *columns), rows)


def _wish(session: Session, kind: Kind, bill: _Bill) -> Pay:
    """The command that a cashier means, with the vouchers that are named. Raises `Misuse`, `RefusedHere`."""
    if sum(one is not None for one in (bill.card, bill.wallet, bill.code)) != 1:
        raise Misuse("请给出卡、--code 或 --wallet，只用其一。", "Give a card, --code or --wallet: one of them.")
    shown = payer(session.app.connection, bill.code) if bill.code is not None else None
    if isinstance(shown, Refusal):
        raise RefusedHere(shown)
    wallet = shown.wallet if shown else identity("wal", bill.wallet) if bill.wallet is not None else None
    named = _meant(bill)
    key = session.key()
    return (Authorize if kind is Kind.AUTHORIZE else Pay)(
        key=key,
        caller=OPERATOR,
        card=session.card(bill.card) if bill.card is not None else None,
        number=typed_number(bill.card) if bill.card is not None else None,
        wallet=wallet,
        code=shown.code if shown else None,
        merchant=session.merchant(bill.merchant),
        store=session.store(bill.store),
        amount=bill.amount,
        order_no=key if bill.order is None else bill.order,
        vouchers=() if named in (AUTO, NONE) else named_vouchers(named.split(",")),
        outside=bill.outside or ZERO,
        lines=tuple(bill.lines or ()),
    )


def _meant(bill: _Bill) -> str:
    """Which vouchers are meant, when nothing was said too."""
    return bill.vouchers.strip() if bill.vouchers is not None else AUTO if bill.wallet is not None else NONE


def _verdict(session: Session, one: Verdict) -> dict[str, Any]:
    about: dict[str, Any] = {
        "voucher": public("vch", one.voucher.id),
        "stock": one.stock.code,
        "used": one.why_not is None,
        "discount_fen": one.amount,
        "expires_at": instant(one.voucher.expires_us),
    }
    if one.why_not is not None:
        about |= refusal_document(one.why_not, session.screen.language)
    return about


def _explain(session: Session, choice: Choice | None, told: Sequence[dict[str, Any]]) -> None:
    """The verdicts as a table that a cashier reads."""
    if choice is None or session.screen.as_json:
        return
    if not told:
        session.screen.note("没有可能可用的券。", "There are no vouchers that might count.")
        return
    used = session.screen.words("使用", "used")
    rows = [one | {"why": one.get("message", used), "discount_fen": one["discount_fen"] or None} for one in told]
    session.screen.table(("voucher", "stock", "discount_fen", "expires_at", "why"), rows)
    if choice.searched < choice.usable:
        session.screen.note(
            f"可用的券有 {choice.usable} 张，比较了其中 {choice.searched} 张的全部组合。",
            f"{choice.usable} vouchers count; all combinations of {choice.searched} of them were compared.",
        )
