"""`kaquan disputes`: open, answer, resolve, list; what is disputed is held back from what the merchant is paid."""

from enum import StrEnum
from typing import Annotated

import typer

from kaquan.casework import service
from kaquan.casework.model import About, AnswerDispute, DisputeState, OpenDispute, ResolveDispute
from kaquan.cli.endings import Misuse
from kaquan.cli.opening import reads, writes
from kaquan.cli.session import Session, identity
from kaquan.commands.model import Kind
from kaquan.documents.answers import shown
from kaquan.documents.disputes import dispute_document
from kaquan.kernel.calendar import business_date
from kaquan.kernel.money import Money, MoneyError, yuan

app = typer.Typer(no_args_is_help=True, help="争议：提出、答复、了结 / Disputes: open, answer, resolve")


class Side(StrEnum):
    """Who is right."""

    MERCHANT = "merchant"
    HOLDER = "holder"


Dispute = Annotated[
    str, typer.Argument(help="争议编号 dsp_… / Dispute: dsp_…", metavar="DISPUTE", show_default=False)
]
Because = Annotated[str, typer.Option("--because", help="理由 / Why", metavar="TEXT")]
As = Annotated[str | None, typer.Option("--as", help="办理人 / Who acts", metavar="NAME")]

_COLUMNS = (
    "dispute",
    "about",
    "object",
    "merchant",
    "disputed_fen",
    "state",
    "answer_by",
    "decide_by",
    "overdue",
    "reason",
)


@app.command("open")
@writes
def open_command(
    session: Session,
    disputed: Annotated[
        str,
        typer.Argument(help="支付 pay_… 或打款 pyo_… / Payment pay_… or payout pyo_…", metavar="OBJECT"),
    ],
    amount: Annotated[str, typer.Argument(help="争议金额（元） / Amount in yuan", metavar="AMOUNT")],
    because: Because,
    as_: As = None,
) -> None:
    """提出争议：金额从未发送的打款或下一次打款中扣留 / Dispute an amount: it is held back from the payout"""
    about = About.PAYOUT if disputed.startswith("pyo_") else About.PAYMENT
    target = identity("pyo" if about is About.PAYOUT else "pay", disputed)
    held = _amount(amount)
    done = session.act(
        Kind.OPEN_DISPUTE,
        lambda key: OpenDispute(
            key=key, caller=session.caller(as_), about=about, object=target, amount=held, reason=because
        ),
    )
    session.tell(("争议已提出，金额已扣留。", "Disputed, and held back."), done, shown(done.facts), ("dispute",))


@app.command("answer")
@writes
def answer_command(session: Session, dispute: Dispute, because: Because, as_: As = None) -> None:
    """记下商户的答复 / Keep what the merchant says"""
    target = identity("dsp", dispute)
    done = session.act(
        Kind.ANSWER_DISPUTE,
        lambda key: AnswerDispute(key=key, caller=session.caller(as_), dispute=target, text=because),
    )
    session.tell(("答复已记下。", "The answer is kept."), done, shown(done.facts))


@app.command("resolve")
@writes
def resolve_command(
    session: Session,
    dispute: Dispute,
    side: Annotated[Side, typer.Option("--for", help="支持哪一方；支持持卡人须先退款 / For whom")],
    because: Because,
    as_: As = None,
) -> None:
    """了结争议，扣留的款回到应付商户 / Resolve a dispute: what was held goes back to what the merchant has coming"""
    target = identity("dsp", dispute)
    state = DisputeState.FOR_HOLDER if side is Side.HOLDER else DisputeState.FOR_MERCHANT
    done = session.act(
        Kind.RESOLVE_DISPUTE,
        lambda key: ResolveDispute(key=key, caller=session.caller(as_), dispute=target, text=because, side=state),
    )
    session.tell(("争议已了结。", "The dispute is resolved."), done, shown(done.facts))


@app.command("list")
@reads
def list_command(
    session: Session,
    every: Annotated[bool, typer.Option("--all", help="也列出已了结的 / Also those that are resolved")] = False,
    merchant: Annotated[
        str | None, typer.Option("--merchant", help="只看一家 / One merchant: its code or mer_…", metavar="MERCHANT")
    ] = None,
) -> None:
    """列出争议，期限最近的在前 / List disputes, the nearest deadline first"""
    only = None if merchant is None else session.merchant(merchant)
    today = business_date(session.app.door.at())
    rows = [dispute_document(one, today) for one in service.listed(session.app.connection, every, only)]
    session.screen.rows("disputes", _COLUMNS, rows, ("没有争议。", "There is no dispute."))


def _amount(text: str) -> Money:
    try:
        return yuan(text)
    except MoneyError:
        raise Misuse(f"“{text}”不是金额，应写成 12.30。", f"{text} is no amount; write 12.30.") from None
