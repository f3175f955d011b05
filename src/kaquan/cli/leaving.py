"""`kaquan card transfer`, `reactivate`, `breakage`, `idle`: cards that change hands or lie unused."""

from typing import Annotated

import typer

from kaquan.cli.cards import Reason
from kaquan.cli.opening import reads, writes
from kaquan.cli.options import As, CardArgument
from kaquan.cli.session import Session, identity
from kaquan.commands.model import Effect, Kind
from kaquan.documents.answers import shown
from kaquan.documents.closings import idle_document
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.clock import microseconds
from kaquan.kernel.money import text
from kaquan.sales import leaving_service as service
from kaquan.sales.leaving_model import ReactivateCard, RecogniseBreakage, TransferCard

_IDLE = ("program", "registered", "from_days", "until_days", "cards", "principal_fen", "balance_fen")


@writes
def transfer_command(
    session: Session,
    card: CardArgument,
    reason: Reason,
    to: Annotated[str, typer.Option("--to", help="受让人的钱包 wal_… / Receiver's wallet: wal_…", metavar="WALLET")],
) -> None:
    """转让记名卡：余额、赠金和买卡记录一起过户，换新卡号 / Pass a registered card on, with its balance and history"""
    target, receiver = session.card(card), identity("wal", to)
    done = session.act(
        Kind.TRANSFER_CARD,
        lambda key: TransferCard(key=key, caller=OPERATOR, card=target, to=receiver, reason=reason),
    )
    facts = shown(done.facts)
    if not session.dry_run:
        arrived = session.app.one(Kind.RECEIVE_CARD, service.following(done, receiver))
        if isinstance(arrived, Effect):
            facts |= {"number": arrived.facts["number"]}
    session.tell(("卡已转让。", "The card was passed on."), done, facts)


@writes
def reactivate_command(session: Session, card: CardArgument) -> None:
    """激活过期的不记名卡：余额不变，有效期重新起算 / Make an expired bearer card valid again, its balance intact"""
    target = session.card(card)
    done = session.act(Kind.REACTIVATE_CARD, lambda key: ReactivateCard(key=key, caller=OPERATOR, card=target))
    session.tell(("卡已激活。", "The card is valid again."), done, shown(done.facts))


@writes
def breakage_command(
    session: Session,
    card: CardArgument,
    evidence: Annotated[
        str, typer.Option("--evidence", help="依据文件编号 / The document that shows why", metavar="TEXT")
    ],
    approved_by: Annotated[
        str,
        typer.Option("--approved-by", help="批准人，不能是办理人 / Who approved it, another", metavar="NAME"),
    ],
    person: As = None,
) -> None:
    """确认未使用收入：仅限过期多年的不记名卡 / Let what is left of a long expired bearer card count as income"""
    target, caller = session.card(card), session.caller(person)
    done = session.act(
        Kind.RECOGNISE_BREAKAGE,
        lambda key: RecogniseBreakage(
            key=key, caller=caller, card=target, evidence=evidence, approved_by=approved_by
        ),
    )
    amount = text(done.facts["amount_fen"])
    session.tell((f"已确认 {amount} 元。", f"{amount} yuan count as income."), done, shown(done.facts))


@reads
def idle_command(
    session: Session,
    program: Annotated[
        str | None, typer.Option("--program", help="只看这个活动 / Only this program", metavar="CODE")
    ] = None,
) -> None:
    """闲置余额：按活动、卡种和多久没有变动 / What lies on cards, by program, kind and how long it has not moved"""
    code = None if program is None else session.program(program).terms.program.code
    found = service.idle_balances(session.app.connection, microseconds(session.app.door.at()), code)
    rows = [idle_document(one) for one in found]
    session.screen.rows("idle", _IDLE, rows, ("没有余额。", "No balances."))
