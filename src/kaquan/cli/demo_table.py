"""The table of the demo: how the value on cards and the money of merchants came to be what they are."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from rich.cells import cell_len
from rich.markup import escape

from kaquan.cli.labels import Words
from kaquan.cli.printing import Screen
from kaquan.kernel.money import Money, text
from kaquan.kernel.refusal import CATALOGUE
from kaquan.ledger.service import Totals
from kaquan.simulation.service import Details

_FACT = re.compile(r"\{\w+\}")
_INDENT = "  "


class Line(NamedTuple):
    """A line of the table. `sign` shows how the amount enters the sum below: "+", "-", "=" or none of it."""

    words: Words
    times: int | None = None
    amount: Money | None = None
    sign: str = ""


class Section(NamedTuple):
    """A heading and its lines."""

    words: Words
    lines: tuple[Line, ...]


def sections(totals: Totals, more: Details) -> list[Section]:
    """The table's sections. In each, the lines with a sign add up to the line with "="."""
    return [build(totals, more) for build in (_cards, _merchants, _face_value, _spent_and_rebates)]


def _cards(totals: Totals, more: Details) -> Section:
    return Section(
        ("卡内资金", "Value on cards"),
        (
            Line(("售卡，按面值", "Cards sold, face value"), totals.cards_sold, totals.cards_sold_fen, "+"),
            Line(("充值，按面值", "Topped up, face value"), more.topped_up, totals.topped_up_fen, "+"),
            Line(("返利到账", "Rebates granted"), more.rebates_granted, totals.rebates_granted_fen, "+"),
            Line(("退款与冲正退回", "Refunded and reversed"), more.refunds, totals.refunded_fen, "+"),
            Line(("消费", "Spent"), more.payments, _spent(totals), "-"),
            Line(("返利追回", "Rebates clawed back"), more.rebates_clawed_back, totals.rebates_clawed_back_fen, "-"),
            Line(("赠金到期", "Bonus expired"), more.lots_expired, totals.bonus_expired_fen, "-"),
            Line(
                ("卡内余额", "Outstanding on cards"),
                None,
                Money(
                    totals.outstanding_principal_fen + totals.outstanding_bonus_fen + totals.outstanding_subsidy_fen
                ),
                "=",
            ),
            Line((f"{_INDENT}其中本金", f"{_INDENT}of it principal"), None, totals.outstanding_principal_fen),
            Line((f"{_INDENT}其中赠金", f"{_INDENT}of it bonus"), None, totals.outstanding_bonus_fen),
            Line((f"{_INDENT}其中预授权占用", f"{_INDENT}of it held"), more.holds, totals.held_fen),
        ),
    )


def _merchants(totals: Totals, more: Details) -> Section:
    return Section(
        ("商户资金", "Money of merchants"),
        (
            Line(("消费", "Spent"), more.payments, _spent(totals), "+"),
            Line(("退款与冲正", "Refunded and reversed"), more.refunds, totals.refunded_fen, "-"),
            Line(("手续费", "Fees"), None, totals.fees_fen, "-"),
            Line(("结算打款（商户次）", "Settlements, to be paid out"), more.settlements, totals.settled_fen, "-"),
            Line(("留存保证金", "Held back as reserve"), None, totals.held_back_fen, "-"),
            Line(("释放保证金", "Reserve released"), more.reserves_released, totals.released_fen, "+"),
            Line(("待结算", "Not settled yet"), None, more.payable_fen, "="),
            Line((f"{_INDENT}另有保证金余额", f"{_INDENT}beside it in reserve"), None, more.reserve_fen),
        ),
    )


def _face_value(totals: Totals, more: Details) -> Section:
    face = Money(totals.cards_sold_fen + totals.topped_up_fen)
    paid = Money(more.cards_sold_paid_fen + more.topped_up_paid_fen)
    return Section(
        ("面值来源", "Face value"),
        (
            Line(("持卡人实付：售卡", "Paid by holders for cards"), totals.cards_sold, more.cards_sold_paid_fen, "+"),
            Line(("持卡人实付：充值", "Paid by holders for top-ups"), more.topped_up, more.topped_up_paid_fen, "+"),
            Line(("发行方预售让利，记赠金", "Presale discount, as bonus"), None, Money(face - paid), "+"),
            Line(("面值合计", "Face value sold"), totals.cards_sold + more.topped_up, face, "="),
        ),
    )


def _spent_and_rebates(totals: Totals, more: Details) -> Section:
    return Section(
        ("消费与返利", "Spent and rebates"),
        (
            Line(("消费本金", "Spent from principal"), None, totals.spent_principal_fen, "+"),
            Line(("消费赠金", "Spent from bonus"), None, totals.spent_bonus_fen, "+"),
            Line(("消费", "Spent"), more.payments, _spent(totals), "="),
            Line(("返利待发，退款期未满", "Rebates waiting"), more.rebates_waiting, more.rebates_waiting_fen),
            Line(("返利取消，已退货", "Rebates cancelled"), more.rebates_cancelled, more.rebates_cancelled_fen),
        ),
    )


def _spent(totals: Totals) -> Money:
    return Money(totals.spent_principal_fen + totals.spent_bonus_fen + totals.spent_subsidy_fen)


def show(screen: Screen, totals: Totals, more: Details, refused: Mapping[str, int]) -> None:
    """Print the table and the refusals."""
    found = sections(totals, more)
    heads = ("", screen.words("笔数", "Count"), screen.words("金额（元）", "Amount (yuan)"))
    rows = [_cells(screen, line) for section in found for line in section.lines]
    widths = [max(cell_len(row[column]) for row in [*rows, heads]) for column in range(len(heads))]
    for section in found:
        screen.line("")
        screen.line(_row((screen.words(*section.words), *heads[1:]), " ", widths, bold=True))
        for line in section.lines:
            screen.line(_row(_cells(screen, line), line.sign or " ", widths, bold=line.sign == "="))
    screen.line("")
    _show_refusals(screen, refused, more)


def _show_refusals(screen: Screen, refused: Mapping[str, int], more: Details) -> None:
    done = f"{more.commands_effective:,}"
    no = f"{more.commands_refused:,}"
    title = screen.words(
        f"指令：{done} 条生效，{no} 条被拒绝且没有动账",
        f"Commands: {done} took effect, {no} were refused and moved nothing",
    )
    screen.line(f"[bold]{title}[/]")
    width = max((len(f"{count:,}") for count in refused.values()), default=0)
    for code, count in refused.items():
        screen.line(escape(f"{count:>{width},}  {code:<34}  {_reason(screen, code)}"))


def _reason(screen: Screen, code: str) -> str:
    known = CATALOGUE.get(code)
    return "" if known is None else _FACT.sub("…", screen.words(known.zh, known.en))


def _cells(screen: Screen, line: Line) -> tuple[str, str, str]:
    times = "" if line.times is None else f"{line.times:,}"
    return screen.words(*line.words), times, "" if line.amount is None else text(line.amount)


def _row(cells: tuple[str, str, str], sign: str, widths: list[int], *, bold: bool) -> str:
    name, times, amount = cells
    space = [" " * (width - cell_len(cell)) for width, cell in zip(widths, cells, strict=True)]
    printed = escape(f"{_INDENT}{name}{space[0]}   {space[1]}{times}   {sign} {space[2]}{amount}")
    return f"[bold]{printed}[/]" if bold else printed
