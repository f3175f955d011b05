"""`kaquan forecast`: what a program file would have cost on the traffic of the past."""

from datetime import datetime
from typing import Annotated, Any

import typer

from kaquan.cli.endings import Misuse
from kaquan.cli.labels import Words
from kaquan.cli.opening import reads
from kaquan.cli.printing import Screen
from kaquan.cli.program_files import File, read, valid
from kaquan.cli.session import Session
from kaquan.documents.forecasts import forecast_document
from kaquan.forecast import service
from kaquan.forecast.model import Forecast
from kaquan.kernel.money import WHOLE, ZERO, Money, text

_MERCHANTS_SHOWN = 10
_DATE = ["%Y-%m-%d"]


@reads
def forecast_command(
    session: Session,
    file: File,
    past: Annotated[
        str,
        typer.Option("--past", help="以哪个活动的历史交易试算 / Program whose past traffic is used", metavar="CODE"),
    ],
    since: Annotated[datetime, typer.Option("--from", formats=_DATE, metavar="DATE", help="起始日 / First day")],
    until: Annotated[datetime, typer.Option("--to", formats=_DATE, metavar="DATE", help="截止日（含） / Last day")],
) -> None:
    """预演：活动草案用在过去的交易上，会花多少、谁得益、还欠多少 / Rehearse a draft program on past traffic

    按最坏情形假设：人人能领则领，每单用最优组合；行为不变。不写入任何数据。 / What it would have cost, who would
    have gained, what would still be promised. Assumes that everybody claims what may be claimed and uses the best
    vouchers, and that nobody behaves otherwise than then. Nothing is written.

    例：kaquan forecast my.toml --past jingxika --from 2025-04-01 --to 2025-06-30 / For instance:
    kaquan forecast my.toml --past jingxika --from 2025-04-01 --to 2025-06-30
    """
    if since > until:
        raise Misuse("--from 不能晚于 --to。", "--from is after --to.")
    draft, _ = valid(session.screen, read(file), session.app.door.at())
    found = service.forecast(
        session.app.connection,
        session.catalogue(),
        draft,
        session.program(past),
        since=since.date(),
        until=until.date(),
    )
    if session.screen.as_json:
        session.screen.answer({"outcome": "effect", **forecast_document(found)})
        return
    _show(session.screen, found)


def _show(screen: Screen, found: Forecast) -> None:
    spent = found.spent or 1
    screen.facts(
        {
            "purchases": found.purchases,
            "sold_fen": found.sold,
            "not_sold": found.not_sold,
            "orders": found.orders,
            "spent_fen": found.spent,
            "with_voucher": found.with_voucher,
        }
    )
    _heading(screen, ("会花多少，谁出", "What it would have cost, and whom"))
    rows: list[dict[str, Any]] = [
        {"of": one.of, "fund": one.fund, "cost_fen": one.amount, "of_spent": _share(one.amount, spent)}
        for one in found.costs
    ]
    rows.append({"of": screen.words("合计", "Total"), "fund": "", "cost_fen": found.cost,
                 "of_spent": _share(found.cost, spent)})  # fmt: skip
    screen.table(("of", "fund", "cost_fen", "of_spent"), rows)
    if found.issued:
        _heading(screen, ("券", "Vouchers"))
        screen.table(
            ("stock", "issued", "used"),
            [{"stock": code, "issued": n, "used": found.used.get(code, 0)} for code, n in found.issued.items()],
        )
    _heading(screen, ("谁得益", "Who would have gained"))
    winners = found.winners
    screen.facts(
        {
            "holders": winners.holders,
            "gaining": winners.gaining,
            "median_gain_fen": winners.median,
            "top_hundredth": _share(Money(winners.top_hundredth_bps), WHOLE),
        }
    )
    if found.by_merchant:
        rows = [{"merchant": code, "discount_fen": amount} for code, amount in found.by_merchant[:_MERCHANTS_SHOWN]]
        screen.table(("merchant", "discount_fen"), rows)
    _heading(screen, ("期末仍承诺", "Still promised at the end"))
    screen.facts({"promised_fen": found.promised})
    if found.promised == ZERO:
        screen.line(f"  {text(ZERO)}")


def _heading(screen: Screen, words: Words) -> None:
    screen.line("")
    screen.line(f"[bold]{screen.words(*words)}[/]")


def _share(part: int, whole: int) -> str:
    """A part in per cent with two decimals, cut."""
    bps = part * WHOLE // whole
    return f"{bps // 100}.{bps % 100:02d}%"
