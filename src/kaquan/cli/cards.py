"""`kaquan card`: sell, top up, show, print the contract, freeze, report lost, replace."""

from typing import Annotated, Any

import typer

from kaquan.cards.errors import CARD_UNKNOWN
from kaquan.cards.model import Freeze, Replace, ReportLost, Unfreeze
from kaquan.cli.endings import Misuse
from kaquan.cli.holders import wallet_of
from kaquan.cli.labels import Words
from kaquan.cli.opening import reads, writes
from kaquan.cli.options import (
    CardArgument,
    Channel,
    Face,
    OptionalFace,
    PayingVouchers,
    Phone,
    Wallet,
)
from kaquan.cli.session import Session, named_vouchers
from kaquan.commands.model import Effect, Kind
from kaquan.documents.answers import shown
from kaquan.documents.cards import card_document
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id, public
from kaquan.kernel.money import ZERO, text
from kaquan.kernel.refusal import Fault, Refusal
from kaquan.programs.catalogue import Terms
from kaquan.programs.contract import contract, digest
from kaquan.sales.model import Sell, TopUp
from kaquan.sales.service import Bought, bought

app = typer.Typer(
    no_args_is_help=True, help="卡：售卡、充值、查看、合同、冻结、挂失、补卡 / Cards: sell, top up, show, contract …"
)

_LOADED = (
    *("number", "card", "face_fen", "paid_fen", "bonus_fen", "subsidy_fen", "subsidy_until_at"),
    *("active_at", "contract"),
)
_STARTED = ("plan", "plan_vouchers", "plan_next_at", "plan_refused")
_LOT_COLUMNS = (
    "kind",
    "source",
    "fund",
    "granted_fen",
    "balance_fen",
    "held_fen",
    "active_at",
    "expires_at",
    "state",
)

_COMPARED: dict[bool | None, Words] = {
    True: ("与售卡时留存的摘要一致。", "It is the contract whose digest was kept at the sale."),
    False: (
        "与售卡时留存的摘要不符：法规包或程序的措辞此后有变。",
        "It differs from the digest that was kept at the sale: a law pack or our wording has changed since.",
    ),
    None: ("售卡时没有留存摘要。", "No digest was kept at the sale."),
}

Reason = Annotated[str, typer.Option("--reason", help="原因 / Reason", metavar="TEXT")]


@app.command("sell")
@writes
def sell_command(
    session: Session,
    program: Annotated[str, typer.Option("--program", help="活动代码 / Code of the program", metavar="CODE")],
    face: Face,
    phone: Phone = None,
    wallet: Wallet = None,
    channel: Channel = "sandbox",
    voucher: PayingVouchers = None,
) -> None:
    """售卡给持卡人（用 --phone 或 --wallet 指明） / Sell a card to a holder, named by --phone or --wallet"""
    owner = wallet_of(session, wallet, phone)
    done = session.act(
        Kind.SELL,
        lambda key: Sell(
            key=key,
            caller=OPERATOR,
            wallet=owner,
            program=program,
            face=face,
            channel=channel,
            vouchers=named_vouchers(voucher),
        ),
    )
    _loaded(session, done, ("已售卡", "Sold a card of"), ("card", "number"))


@app.command("top-up")
@writes
def top_up_command(
    session: Session,
    card: CardArgument,
    face: OptionalFace = None,
    channel: Channel = "sandbox",
    voucher: PayingVouchers = None,
) -> None:
    """给卡充值：一个档位，或只用充值券 / Add one of the program's offers to a card, or what top-up vouchers are worth

    有档位时，充值券抵扣其价格；没有时，券面额直接成为卡上补贴。 / With an offer the vouchers pay part of its price;
    without one they become a subsidy on the card.
    """
    vouchers = named_vouchers(voucher)
    if face is None and not vouchers:
        raise Misuse("请给出 --face 或 --voucher。", "Give --face, or --voucher.")
    target = session.card(card)
    done = session.act(
        Kind.TOP_UP,
        lambda key: TopUp(
            key=key, caller=OPERATOR, card=target, face=face or ZERO, channel=channel, vouchers=vouchers
        ),
    )
    _loaded(session, done, ("已充值", "Topped up by"), ())


@app.command("show")
@reads
def show_command(session: Session, card: CardArgument) -> None:
    """查看卡的状态、余额和资金批次 / Show a card's state, balance and lots"""
    facts, lots = _view(session, session.card(card))
    if session.screen.as_json:
        session.screen.answer({"outcome": "effect", **facts, "lots": lots})
        return
    session.screen.facts(facts)
    session.screen.table(_LOT_COLUMNS, lots)


@app.command("contract")
@reads
def contract_command(
    session: Session,
    card: CardArgument,
    purchase: Annotated[
        int | None,
        typer.Option(
            "--purchase",
            min=1,
            help="第几次购买：1 为售卡，其后为历次充值；默认最近一次 / "
            "Which purchase: 1 is the sale, then the top-ups; the latest by default",
            metavar="NUMBER",
        ),
    ] = None,
) -> None:
    """输出售卡或充值的书面合同 / Print the written contract of a sale or top-up

    合同按当时的规则和法规生成，并与售卡时留存的摘要核对；摘要是中文文本的 SHA-256。 /
    It is written from the terms and the law of that time, and compared with the digest that was kept at the sale:
    the SHA-256 of the Chinese text.
    """
    target = session.card(card)
    facts, _ = _view(session, target)
    purchases = bought(session.app.connection, target)
    if not 1 <= (number := purchase or len(purchases)) <= len(purchases):
        raise Misuse(f"这张卡只有 {len(purchases)} 次购买。", f"The card has {len(purchases)} purchases.")
    found = purchases[number - 1]
    terms = _sold_under(session, facts, found)
    written = contract(terms, found.purchase, session.screen.language)
    same = digest(terms, found.purchase) == found.contract
    if session.screen.as_json:
        which = {"card": public("crd", target), "purchase": number, "purchases": len(purchases)}
        kept = {"terms_version": terms.version, "contract": found.contract, "unchanged": same}
        session.screen.answer({"outcome": "effect", **which, **kept, "text": written})
        return
    session.screen.text(written)
    session.screen.note(*_COMPARED[same if found.contract else None])


@app.command("freeze")
@writes
def freeze_command(session: Session, card: CardArgument, reason: Reason) -> None:
    """冻结：解冻前不能付款 / Freeze: it can't pay until it is unfrozen"""
    target = session.card(card)
    done = session.act(Kind.FREEZE, lambda key: Freeze(key=key, caller=OPERATOR, card=target, reason=reason))
    session.tell(("卡已冻结。", "The card is frozen."), done, shown(done.facts))


@app.command("unfreeze")
@writes
def unfreeze_command(session: Session, card: CardArgument, reason: Reason) -> None:
    """解冻：恢复付款 / Unfreeze: it can pay again"""
    target = session.card(card)
    done = session.act(Kind.UNFREEZE, lambda key: Unfreeze(key=key, caller=OPERATOR, card=target, reason=reason))
    session.tell(("卡已解冻。", "The card is unfrozen."), done, shown(done.facts))


@app.command("report-lost")
@writes
def report_lost_command(session: Session, card: CardArgument) -> None:
    """挂失（仅记名卡） / Report a registered card lost: it stops paying until it is replaced"""
    target = session.card(card)
    done = session.act(Kind.REPORT_LOST, lambda key: ReportLost(key=key, caller=OPERATOR, card=target))
    session.tell(("卡已挂失。", "The card is reported lost."), done, shown(done.facts))


@app.command("replace")
@writes
def replace_command(session: Session, card: CardArgument) -> None:
    """补卡：换新卡号，余额和记录不变 / Replace a lost card: a new number; balance and history stay"""
    target = session.card(card)
    done = session.act(Kind.REPLACE, lambda key: Replace(key=key, caller=OPERATOR, card=target))
    facts = shown(done.facts)
    if not session.dry_run:
        facts |= {"number": _view(session, target)[0]["number"]}
    session.tell(("已补卡。", "The card is replaced."), done, facts)


def _loaded(session: Session, done: Effect, verb: tuple[str, str], born: tuple[str, ...]) -> None:
    facts = shown(done.facts)
    amount = text(facts["face_fen"])
    headline = (f"{verb[0]} {amount} 元。", f"{verb[1]} {amount} yuan.")
    session.tell(headline, done, {name: facts[name] for name in (*_LOADED, *_STARTED) if name in facts}, born)


def _view(session: Session, card: Id) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A card and its lots as facts. Raises `RefusedHere`."""
    document = card_document(session.app.connection, card, session.app.door.at())
    if document is None:
        session.refuse(Refusal(CARD_UNKNOWN))
    return document, document.pop("lots")


def _sold_under(session: Session, facts: dict[str, Any], found: Bought) -> Terms:
    """The terms of a purchase: those its answer names, else those of the card."""
    version = found.terms_version or facts["terms_version"]
    terms = session.catalogue().terms_of(facts["program"], version)
    if terms is None:
        raise Fault(f"{facts['program']} has no terms version {version}")
    return terms
