"""What may come of a refund, on the command line: every legal outcome, or every reason against it."""

from fractions import Fraction
from typing import Annotated, Any

import typer
from rich.markup import escape

from kaquan.cli.endings import Misuse
from kaquan.cli.opening import reads
from kaquan.cli.options import PaymentArgument, RefundAmount, RefundLines
from kaquan.cli.session import Session, identity
from kaquan.documents.outcomes import refund_outcomes
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.refusal import Refusal
from kaquan.payments import service
from kaquan.payments.errors import PAYMENT_UNKNOWN
from kaquan.payments.model import Refund

_SHARE = ("part", "payer", "paid_fen", "returned_fen", "exact", "least_fen", "most_fen", "goes")
_WOULD = (
    *(
        "card_fen",
        "principal_fen",
        "bonus_fen",
        "subsidy_fen",
        "discount_fen",
        "outside_fen",
        "holder_fen",
        "payer_fen",
    ),
    *("set_off_fen", "vouchers_usable", "rebate_cancelled_fen", "clawback_fen", "clawback_short_fen", "state"),
)
_BESIDE = ("rebate_cut_least_fen", "rebate_cut_most_fen", "set_off_least_fen", "set_off_most_fen")


@reads
def outcomes_command(
    session: Session,
    payment: PaymentArgument,
    amount: RefundAmount = None,
    line: RefundLines = None,
    late: Annotated[bool, typer.Option("--late", help="逾期退款 / After the refund window")] = False,
) -> None:
    """退款可能的结果：各方得多少、为什么；不动钱 / What may come of a refund, for whom and why; nothing moves"""
    if amount is not None and line:
        raise Misuse("--amount 与 --line 只用其一。", "Give --amount or --line, not both.")
    target, catalogue = identity("pay", payment), session.catalogue()
    if service.payment(session.app.connection, target) is None:
        session.refuse(Refusal(PAYMENT_UNKNOWN))
    lines = tuple(number - 1 for number in line or ())
    command = Refund(key="look", caller=OPERATOR, payment=target, reason="", late=late, amount=amount, lines=lines)
    document = refund_outcomes(session.app, catalogue, command, session.screen.language)
    session.screen.answer({"outcome": "effect", **document})
    if session.screen.as_json:
        return
    for number, outcome in enumerate(document["outcomes"], start=1):
        if number > 1:
            session.screen.line(escape(session.screen.words("或者：", "Or:")))
        _outcome(session, outcome)
    if document["would"]:
        session.screen.line(escape(session.screen.words("现在办理，得到：", "Refunded now it gives:")))
        session.screen.facts({name: document["would"][name] for name in _WOULD if document["would"][name]})
    for reason in document["refused"]:
        session.screen.line(f"[red]✗[/] {escape(reason['message'])}")
    for other in document["instead"]:
        session.screen.line("")
        session.screen.line(escape(_instead(session, other)))
        _outcome(session, other["outcomes"][0])


def _instead(session: Session, other: dict[str, Any]) -> str:
    """What may be asked instead, in words."""
    zh = ("逾期办理（--late）" if other["late"] else "") + ("退尽余下的" if other["all_left"] else "")
    en = ("after the window (--late)" if other["late"] else "") + (" all that is left" if other["all_left"] else "")
    return session.screen.words(f"可以改为：{zh}", f"Instead: {en.strip()}")


def _yuan(exact: str) -> str:
    """Fractions of a fen in yuan with four decimals, cut off: `1212/5` is 2.4240, and so is each end of a span."""
    ends = [Fraction(end) * 100 for end in exact.split(" … ")]
    return " … ".join(f"{int(end) // 10_000:,}.{int(end) % 10_000:04d}" for end in ends)


def _outcome(session: Session, outcome: dict[str, Any]) -> None:
    """One outcome: the shares, what becomes of vouchers and rebate, the reasons."""
    screen = session.screen
    screen.table(_SHARE, [{**one, "exact": _yuan(one["exact"])} for one in outcome["shares"]])
    facts = {name: outcome[name] for name in _BESIDE if outcome[name]}
    screen.facts({"amount_fen": outcome["amount_fen"], **facts})
    for told in (*(one["reason"] for one in outcome["vouchers"]), *outcome["reasons"]):
        screen.line(f"  · {escape(told['message'])}")
