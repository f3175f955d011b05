"""`kaquan closing`: returning a card: request, close, cancel, pay out, list, show."""

from typing import Annotated, Any, Literal

import typer

from kaquan.cli.cards import Reason
from kaquan.cli.endings import Misuse
from kaquan.cli.opening import reads, writes
from kaquan.cli.options import CardArgument, amount
from kaquan.cli.session import Session, identity
from kaquan.commands.model import Effect, Kind
from kaquan.documents.closings import closing_answer, closing_document, payee_document
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.money import ZERO, Money, text
from kaquan.kernel.refusal import Refusal
from kaquan.privacy.rules import normalise_id_number, normalise_name
from kaquan.sales import closing_service as service
from kaquan.sales.closing_model import CancelClosing, CloseCard, RequestClosing
from kaquan.sales.errors import CLOSING_UNKNOWN

app = typer.Typer(
    no_args_is_help=True,
    help="退卡：申请、结清、撤销、付款、列出、查看 / Returning cards: request, close, cancel, pay out, list, show",
)

ClosingArgument = Annotated[
    str, typer.Argument(help="退卡申请 cls_… / Request: cls_…", metavar="CLOSING", show_default=False)
]
_COLUMNS = ("closing", "number", "program", "state", "cause", "amount_fen", "paid_fen", "pay_by", "overdue")
_LINES = (
    "basis",
    "paid_fen",
    "spent_fen",
    "consumed_fen",
    "fee_fen",
    "cost_fen",
    "refund_fen",
    "interest_bps",
    "article",
)


@app.command("request")
@writes
def request_command(
    session: Session,
    card: CardArgument,
    reason: Reason,
    cause: Annotated[
        Literal["issuer", "holder"],
        typer.Option("--cause", help="谁的原因：发行方或持卡人 / Whose cause: the issuer's or the holder's"),
    ] = "holder",
    purchase: Annotated[
        str | None,
        typer.Option(
            "--purchase",
            help="只退这一笔购买 trf_…，须未激活或在冷静期内；默认整卡 / Only this purchase, trf_…, if not active "
            "yet or still in the time to withdraw; the whole card by default",
            metavar="PURCHASE",
        ),
    ] = None,
) -> None:
    """申请退卡：法定期限起算，卡暂停使用；--dry-run 即报价 / Ask for a card to be returned; --dry-run is a quote

    卡上有多笔购买时逐笔计算，取对持卡人最有利的依据。 / Each purchase on the card is counted by itself,
    by whatever right gives the holder most; the legal clock starts and the card stops.
    """
    target = session.card(card)
    one = None if purchase is None else identity("trf", purchase)
    done = session.act(
        Kind.REQUEST_CLOSING,
        lambda key: RequestClosing(key=key, caller=OPERATOR, card=target, cause=cause, reason=reason, purchase=one),
    )
    _quoted(session, done, ("已申请退卡", "The card is being returned; it comes to"), ("closing",))


@app.command("close")
@writes
def close_command(
    session: Session,
    closing: ClosingArgument,
    cost: Annotated[
        Money | None,
        typer.Option(
            "--cost",
            parser=amount,
            metavar="YUAN",
            help="扣除的合理费用，须法律允许 / Reasonable costs to keep, where the law allows it",
        ),
    ] = None,
    cost_reference: Annotated[
        str, typer.Option("--cost-reference", help="费用凭证 / The document that shows them", metavar="TEXT")
    ] = "",
) -> None:
    """结清：卡上清零，转为应退持卡人；--dry-run 即报价 / Close the card and owe its holder; --dry-run is a quote"""
    target = identity("cls", closing)
    done = session.act(
        Kind.CLOSE_CARD,
        lambda key: CloseCard(
            key=key, caller=OPERATOR, closing=target, cost=cost or ZERO, cost_reference=cost_reference
        ),
    )
    _quoted(session, done, ("已结清，应退", "Closed; the holder is owed"), ())


@app.command("cancel")
@writes
def cancel_command(session: Session, closing: ClosingArgument, reason: Reason) -> None:
    """撤销申请：卡恢复原状 / Cancel a request: the card is what it was"""
    target = identity("cls", closing)
    done = session.act(
        Kind.CANCEL_CLOSING, lambda key: CancelClosing(key=key, caller=OPERATOR, closing=target, reason=reason)
    )
    session.tell(("申请已撤销。", "The request is cancelled."), done, closing_answer(done.facts))


@app.command("pay-out")
@writes
def pay_out_command(
    session: Session,
    closing: ClosingArgument,
    reference: Annotated[
        str, typer.Option("--reference", help="付款凭证号 / Receipt of the payment", metavar="TEXT")
    ],
    route: Annotated[
        Literal["original", "bank", "cash"],
        typer.Option("--route", help="原路退回、银行账户或现金 / The way it came, a bank account, or cash"),
    ] = "original",
    name: Annotated[
        str | None, typer.Option("--name", help="收款人姓名，须为持卡人 / Payee: the holder", metavar="NAME")
    ] = None,
    bank: Annotated[str, typer.Option("--bank", help="开户行 / Bank", metavar="TEXT")] = "",
    account: Annotated[str, typer.Option("--account", help="账号 / Account number", metavar="NUMBER")] = "",
    id_number: Annotated[
        str | None,
        typer.Option(
            "--id-number", help="证件号码，不记名卡必填 / Identity number, for a bearer card", metavar="NUMBER"
        ),
    ] = None,
) -> None:
    """登记付款：连同到当天的利息 / Record that it was paid, with interest up to today"""
    target = identity("cls", closing)
    payee = None if name is None else _payee(session, name, bank, account, id_number)
    app_, master = session.app, session.app.master
    done = session.act(
        Kind.PAY_OUT_CLOSING,
        lambda key: service.paying_out(
            app_.connection, master, OPERATOR, key, closing=target, route=route, reference=reference, payee=payee
        ),
    )
    paid = text(done.facts["paid_fen"])
    session.tell((f"已付 {paid} 元。", f"{paid} yuan are paid."), done, closing_answer(done.facts))


@app.command("list")
@reads
def list_command(
    session: Session,
    card: Annotated[
        str | None, typer.Option("--card", help="这张卡的全部申请 / All requests about this card", metavar="CARD")
    ] = None,
) -> None:
    """列出未付清的退卡申请，最急的在前 / List requests that are not paid, the most urgent first"""
    target = None if card is None else session.card(card)
    at = session.app.door.at()
    rows = [closing_document(one, at) for one in service.closings_of(session.app.connection, target)]
    session.screen.rows("closings", _COLUMNS, rows, ("没有退卡申请。", "No requests."))


@app.command("show")
@reads
def show_command(session: Session, closing: ClosingArgument) -> None:
    """查看退卡申请：逐笔算法和依据 / Show a request, line by line, with the article of each"""
    found = service.closing(session.app.connection, identity("cls", closing))
    if found is None:
        session.refuse(Refusal(CLOSING_UNKNOWN))
    document = closing_document(found, session.app.door.at())
    lines = document.pop("lines")
    document["payee"] = payee_document(service.payee_of(session.app.connection, session.app.master, found))
    if session.screen.as_json:
        session.screen.answer({"outcome": "effect", **document, "lines": lines})
        return
    if (payee := document.pop("payee")) is not None:
        document["payee"] = " ".join(filter(None, payee.values()))
    session.screen.facts(document)
    session.screen.table(_LINES, [_line(session, line) for line in lines])


def _quoted(session: Session, done: Effect, verb: tuple[str, str], born: tuple[str, ...]) -> None:
    """A quote: sums, then each purchase with its article."""
    facts = closing_answer(done.facts)
    lines = facts.pop("lines")
    owed = text(facts["refund_fen"])
    headline = (f"{verb[0]} {owed} 元。", f"{verb[1]} {owed} yuan.")
    if session.screen.as_json:
        facts["lines"] = lines
        session.tell(headline, done, facts, born)
        return
    session.tell(headline, done, facts, born)
    session.screen.table(_LINES, [_line(session, line) for line in lines])


def _line(session: Session, line: dict[str, Any]) -> dict[str, Any]:
    article = line[f"article_{session.screen.language}"]
    return {**line, "spent_fen": line["used_fen"], "article": article}


def _payee(session: Session, name: str, bank: str, account: str, id_number: str | None) -> service.Payee:
    """Who is paid, in normalised form. Raises `RefusedHere`."""
    read = normalise_name(name)
    if isinstance(read, Refusal):
        session.refuse(read)
    number = normalise_id_number(id_number) if id_number else None
    if isinstance(number, Refusal):
        session.refuse(number)
    digits = account.replace(" ", "")
    if digits and not digits.isalnum():
        raise Misuse("账号只含数字和字母。", "An account number has digits and letters only.")
    return service.Payee(read, bank, digits, number)
