"""The table of the demo: programs side by side, how their money came to be where it is, how often what happened."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.markup import escape

from kaquan.cli.labels import Words
from kaquan.cli.printing import Screen
from kaquan.kernel.money import Money, text
from kaquan.kernel.refusal import CATALOGUE
from kaquan.ledger.service import Totals
from kaquan.simulation.service import Count, Details

_FACT = re.compile(r"\{\w+\}")
_INDENT = "  "


class Column(NamedTuple):
    """A program, or all of them: its name, its totals, its details, and what each payer of discounts paid net."""

    words: Words
    totals: Totals
    more: Details
    paid_by: Mapping[str, Money]


class Line(NamedTuple):
    """A line of the table, one number a column. `sign` shows how it enters the sum below: "+", "-", "=" or not."""

    words: Words
    numbers: tuple[int, ...]
    sign: str = ""


class Section(NamedTuple):
    """A heading and its lines: amounts in fen, or counts."""

    words: Words
    lines: tuple[Line, ...]
    money: bool = True


Number = Callable[[Totals, Details], int]
_Row = tuple[str, str, str, Number]
"""Chinese, English, sign, and the number of a column."""

_CARDS: tuple[_Row, ...] = (
    ("售卡，按面值", "Cards sold, face value", "+", lambda t, m: t.cards_sold_fen),
    (
        "用钱充值，按面值",
        "Topped up with money, face value",
        "+",
        lambda t, m: t.topped_up_fen - t.topped_up_subsidy_fen,
    ),
    ("用券充值", "Topped up with vouchers", "+", lambda t, m: t.topped_up_subsidy_fen),
    ("返利到账", "Rebates granted", "+", lambda t, m: t.rebates_granted_fen),
    ("退款与冲正退回", "Refunded and reversed", "+", lambda t, m: t.refunded_fen),
    ("消费", "Spent", "-", lambda t, m: _spent(t)),
    ("返利追回", "Rebates clawed back", "-", lambda t, m: t.rebates_clawed_back_fen),
    ("赠金与补贴到期", "Bonus and subsidy expired", "-", lambda t, m: t.bonus_expired_fen + t.subsidy_expired_fen),
    ("卡外退给持卡人", "Refunded outside the card", "-", lambda t, m: m.refunded_outside_fen),
    ("退卡清空", "Taken from returned cards", "-", lambda t, m: m.closed_cards_fen),
    ("卡内余额", "Outstanding on cards", "=", lambda t, m: _outstanding(t)),
    ("  其中本金", "  of it principal", "", lambda t, m: t.outstanding_principal_fen),
    ("  其中预授权占用", "  of it held", "", lambda t, m: t.held_fen),
)

_HOLDERS: tuple[_Row, ...] = (
    ("退卡与卡外退款应付", "Owed for returned cards and refunds", "+", lambda t, m: t.owed_to_holders_fen),
    ("超出本金，由发行方承担", "Beyond principal, borne by issuers", "+", lambda t, m: _beyond(t, m)),
    ("已付持卡人", "Paid to holders", "-", lambda t, m: m.paid_to_holders_fen),
    ("仍应付", "Still owed to holders", "=", lambda t, m: m.owed_holders_fen),
)

_PROMISES: tuple[_Row, ...] = (
    ("发券与计划承诺", "Promised to vouchers and plans", "+", lambda t, m: t.vouchers_promised_fen),
    ("退款后恢复承诺", "Promised again after refunds", "+", lambda t, m: t.vouchers_promised_again_fen),
    ("抵扣，付给商户", "Discounts, paid to merchants", "-", lambda t, m: t.discounts_funded_fen),
    ("用券充值，记入卡", "Top-ups, put on cards", "-", lambda t, m: t.vouchers_on_cards_fen),
    ("未用释放", "Not needed, free again", "-", lambda t, m: t.vouchers_freed_fen),
    ("仍承诺", "Still promised", "=", lambda t, m: t.promised_fen),
)

_MERCHANTS: tuple[_Row, ...] = (
    ("卡支付", "Paid by cards", "+", lambda t, m: _spent(t)),
    ("出资方支付的优惠", "Discounts paid by funds", "+", lambda t, m: t.discounts_funded_fen),
    ("退回持卡人", "Refunded to cards", "-", lambda t, m: t.refunded_fen),
    ("退回出资方", "Returned to funds", "-", lambda t, m: t.discounts_returned_fen - t.discounts_unborne_fen),
    ("手续费", "Fees", "-", lambda t, m: t.fees_fen),
    ("结算打款", "Paid out", "-", lambda t, m: t.settled_fen),
    ("留存保证金", "Held back as reserve", "-", lambda t, m: t.held_back_fen),
    ("释放保证金", "Reserve released", "+", lambda t, m: t.released_fen),
    ("争议扣留，减已解除", "Held back for disputes, net", "-", lambda t, m: m.disputed_fen),
    ("待结算", "Not settled yet", "=", lambda t, m: m.payable_fen),
    ("  其中待绑定银行卡", "  of it waiting for a bank card", "", lambda t, m: m.waiting_fen),
    ("  另有保证金", "  beside it in reserve", "", lambda t, m: m.reserve_fen),
)

_VOUCHERS: tuple[_Row, ...] = (
    ("已发放", "Issued", "+", lambda t, m: m.vouchers),
    ("已使用", "Used", "-", lambda t, m: m.vouchers_used),
    ("使用后退回作废", "Used, gone with a refund", "-", lambda t, m: m.vouchers_returned),
    ("已过期", "Expired", "-", lambda t, m: m.vouchers_expired),
    ("已追回", "Taken back", "-", lambda t, m: m.vouchers_taken_back),
    ("有效", "Still valid", "=", lambda t, m: m.vouchers_open),
)

_PAYOUTS: tuple[_Row, ...] = (
    ("打款", "Payouts", "+", lambda t, m: m.payouts),
    ("已到账", "Confirmed by the bank", "-", lambda t, m: m.payouts_confirmed),
    ("待发送：未到打款日", "To be told: their day has not come", "-", lambda t, m: m.payouts_waiting),
    ("已发送，待银行回复", "Told, not answered yet", "-", lambda t, m: m.payouts_sent),
    ("失败或退汇，待更正账号", "Failed or returned, to be corrected", "=", lambda t, m: m.payouts_open),
)

_TIMES: tuple[_Row, ...] = (
    ("售卡", "Cards sold", "", lambda t, m: t.cards_sold),
    ("充值", "Top-ups", "", lambda t, m: m.topped_up),
    ("  其中用券", "  of them with vouchers", "", lambda t, m: m.topped_up_with_vouchers),
    ("支付", "Payments", "", lambda t, m: m.payments),
    ("  其中用券", "  of them with vouchers", "", lambda t, m: m.payments_with_vouchers),
    ("  其中不用卡", "  of them without a card", "", lambda t, m: m.payments_without_card),
    ("预授权过期", "Authorizations expired", "", lambda t, m: m.holds_expired),
    ("全额退款", "Refunds, full", "", lambda t, m: m.refunds_full),
    ("部分退款", "Refunds, partial", "", lambda t, m: m.refunds_partial),
    ("冲正", "Reversals", "", lambda t, m: m.reversals),
    ("申请退卡", "Returns of cards asked for", "", lambda t, m: m.closings),
    ("  因发行方原因", "  for the issuer's cause", "", lambda t, m: m.closings_issuer),
    ("  又保留", "  kept after all", "", lambda t, m: m.closings_kept),
    ("  已退卡", "  cards closed", "", lambda t, m: m.cards_closed),
    ("返利到账", "Rebates granted", "", lambda t, m: m.rebates_granted),
    ("返利追回", "Rebates clawed back", "", lambda t, m: m.rebates_clawed_back),
    ("按月返还计划", "Monthly plans", "", lambda t, m: m.plans),
    ("  已返还月数", "  months granted", "", lambda t, m: m.plan_months),
    ("拆开红包", "Packets opened", "", lambda t, m: m.packets),
    ("邀请", "Invitations", "", lambda t, m: m.referrals),
    ("  已奖励", "  rewarded", "", lambda t, m: m.referrals_paid),
    ("  已追回", "  clawed back", "", lambda t, m: m.referrals_clawed_back),
    ("商户结算", "Settlements of merchants", "", lambda t, m: m.settlements),
    ("  等待银行卡", "  waiting for a bank card", "", lambda t, m: m.settlements_waiting),
    ("争议", "Disputes", "", lambda t, m: m.disputes),
    ("  支持商户", "  won by the merchant", "", lambda t, m: m.disputes_merchant),
    ("  支持持卡人", "  won by the holder", "", lambda t, m: m.disputes_holder),
    ("打款失败", "Payouts failed", "", lambda t, m: m.payouts_failed),
    ("打款退汇", "Payouts returned", "", lambda t, m: m.payouts_returned),
    ("同号重发", "Payouts told again, same number", "", lambda t, m: m.payouts_again),
)


def sections(columns: Sequence[Column], funds: Mapping[str, str]) -> list[Section]:
    """The table's sections; `funds` are the names of funds by code.

    In each, the lines with a sign add up to the line with "=", column by column."""
    return [
        Section(("卡内资金", "Value on cards"), _lines(_CARDS, columns)),
        Section(("卡外应付持卡人", "Owed to holders outside cards"), _lines(_HOLDERS, columns)),
        Section(("出资方的承诺", "Promises of funds"), _lines(_PROMISES, columns)),
        _discounts(columns, funds),
        Section(("商户资金", "Money of merchants"), _lines(_MERCHANTS, columns)),
        Section(("打款", "Payouts"), _lines(_PAYOUTS, columns), money=False),
        Section(("券", "Vouchers"), _lines(_VOUCHERS, columns), money=False),
        Section(("发生次数", "How often"), _lines(_TIMES, columns), money=False),
    ]


def _lines(rows: Sequence[_Row], columns: Sequence[Column]) -> tuple[Line, ...]:
    return tuple(
        Line((zh, en), tuple(number(one.totals, one.more) for one in columns), sign) for zh, en, sign, number in rows
    )


def _discounts(columns: Sequence[Column], funds: Mapping[str, str]) -> Section:
    """What orders cost less, by who paid it in the end; and what was put on cards, by the same."""
    payers = sorted({payer for one in columns for payer in one.paid_by}, key=lambda payer: (not payer, payer))
    lines = [
        Line(
            (funds.get(payer, "商户自担"), payer or "borne by merchants"),
            tuple(one.paid_by.get(payer, 0) for one in columns),
            "+",
        )
        for payer in payers
    ]
    sums = tuple(
        one.totals.discounts_funded_fen
        + one.totals.discounts_borne_fen
        + one.totals.vouchers_on_cards_fen
        - one.totals.discounts_returned_fen
        - one.totals.subsidy_expired_fen
        for one in columns
    )
    total = Line(("券面支出，减退回与到期", "Paid for vouchers, less what came back"), sums, "=")
    return Section(("优惠由谁承担", "Who pays for vouchers"), (*lines, total))


def _spent(totals: Totals) -> int:
    return totals.spent_principal_fen + totals.spent_bonus_fen + totals.spent_subsidy_fen


def _beyond(totals: Totals, more: Details) -> int:
    """What holders of returned cards get beyond their principal: the discount that stays with them."""
    return more.paid_to_holders_fen + more.owed_holders_fen - totals.owed_to_holders_fen


def _outstanding(totals: Totals) -> int:
    return totals.outstanding_principal_fen + totals.outstanding_bonus_fen + totals.outstanding_subsidy_fen


def show(screen: Screen, columns: Sequence[Column], funds: Mapping[str, str]) -> None:
    """Print the table."""
    found = sections(columns, funds)
    heads = [screen.words(*one.words) for one in columns]
    cells = [_cells(screen, line, section.money) for section in found for line in section.lines]
    names = max(cell_len(name) for name in [*(row[0] for row in cells), *(screen.words(*one.words) for one in found)])
    widths = [max(cell_len(row[1][at]) for row in [*cells, ("", heads)]) for at in range(len(heads))]
    for section in found:
        screen.line("")
        screen.line(_row(screen.words(*section.words), heads, " ", names, widths, bold=True))
        for line in section.lines:
            name, numbers = _cells(screen, line, section.money)
            screen.line(_row(name, numbers, line.sign or " ", names, widths, bold=line.sign == "="))


def show_commands(screen: Screen, counts: Mapping[str, Count], refused: Mapping[str, int]) -> None:
    """Print how many commands there were, and why some were refused."""
    done = sum(count.effective for count in counts.values())
    no = sum(count.refused for count in counts.values())
    title = screen.words(
        f"指令：{done:,} 条生效，{no:,} 条被拒绝且没有动账",
        f"Commands: {done:,} took effect, {no:,} were refused and moved nothing",
    )
    screen.line(f"[bold]{title}[/]")
    width = max((len(f"{count:,}") for count in refused.values()), default=0)
    for code, count in refused.items():
        screen.line(escape(f"{count:>{width},}  {code:<34}  {_reason(screen, code)}"))


def _reason(screen: Screen, code: str) -> str:
    known = CATALOGUE.get(code)
    return "" if known is None else _FACT.sub("…", screen.words(known.zh, known.en))


def _cells(screen: Screen, line: Line, money: bool) -> tuple[str, list[str]]:
    numbers = [text(Money(number)) if money else f"{number:,}" for number in line.numbers]
    return screen.words(*line.words), numbers


def _row(name: str, cells: Sequence[str], sign: str, names: int, widths: Sequence[int], *, bold: bool) -> str:
    shown = [" " * (width - cell_len(cell)) + cell for width, cell in zip(widths, cells, strict=True)]
    printed = escape(f"{_INDENT}{name}{' ' * (names - cell_len(name))}  {sign} {'   '.join(shown)}")
    return f"[bold]{printed}[/]" if bold else printed
