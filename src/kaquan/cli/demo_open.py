"""What is open when the demo stops, and why: each kind with its reason, its next day, and the nearest of them."""

from typing import Any, NamedTuple

import psycopg
from rich.markup import escape

from kaquan.casework import service as casework
from kaquan.cli.labels import Words
from kaquan.cli.printing import Screen
from kaquan.kernel.calendar import business_date
from kaquan.kernel.clock import instant
from kaquan.kernel.money import Money, text
from kaquan.payouts import service as payouts
from kaquan.payouts.lifecycle import PayoutState
from kaquan.sales import closing_service as closings
from kaquan.sales.closing_model import ClosingState

LISTED_MAX = 100_000
SHOWN = 3
"""Of each kind, the nearest."""


class Item(NamedTuple):
    """Something that is open: the day that it waits for, whose it is, how much it is about."""

    day: str
    of: str
    amount: Money


class Open(NamedTuple):
    """A kind of open things, why they are open, all of them."""

    code: str
    words: Words
    items: list[Item]


def still_open(connection: psycopg.Connection[Any]) -> list[Open]:
    """What is open, kind by kind; the nearest day first."""
    return [*_closings(connection), *_payouts(connection), *_disputes(connection)]


def _closings(connection: psycopg.Connection[Any]) -> list[Open]:
    rows = closings.closings_of(connection, None, most=LISTED_MAX)

    def of(state: ClosingState) -> list[Item]:
        return [
            Item(str(business_date(instant(row.deadline - 1))), row.program_code, Money(row.amount))
            for row in rows
            if row.state == state
        ]

    return [
        Open(
            "closings_asked",
            ("申请退卡，待次日结清；最迟付款日", "Returns asked for, closed the next morning; paid by"),
            of(ClosingState.ASKED),
        ),
        Open(
            "closings_owed",
            ("已退卡待付款；最迟付款日", "Cards closed and not paid yet; paid by"),
            of(ClosingState.OWED),
        ),
    ]


def _payouts(connection: psycopg.Connection[Any]) -> list[Open]:
    why: dict[PayoutState, Words] = {
        PayoutState.INSTRUCTED: ("打款待发送；打款日", "Payouts to be told to the bank; on"),
        PayoutState.SENT: ("打款已发送，银行次日回复；打款日", "Payouts told, the bank answers the next morning; of"),
        PayoutState.FAILED: (
            "打款失败，待商户更正账号；打款日",
            "Payouts failed, the merchant corrects its account; of",
        ),
        PayoutState.RETURNED: ("打款退汇，待重发；打款日", "Payouts sent back, to be told again; of"),
        PayoutState.WITHHELD: ("争议全额扣留，裁决后随下期结算；打款日", "Payouts withheld whole for a dispute; of"),
    }
    found = []
    for state, words in why.items():
        rows = payouts.listed(connection, state, most=LISTED_MAX)
        items = sorted(Item(str(row.pay_on), f"{row.code} {row.program}", Money(row.amount)) for row in rows)
        found.append(Open(f"payouts_{state.word}", words, items))
    odd = [
        Item(str(business_date(instant(row.at))), row.number, Money(row.amount or 0))
        for row in payouts.exceptions(connection)
    ]
    words = ("银行回单对不上，待两人说明；收到日", "Lines of the bank that fit nothing, two persons explain them; of")
    return [*found, Open("bank_exceptions", words, odd)]


def _disputes(connection: psycopg.Connection[Any]) -> list[Open]:
    items = [
        Item(str(row.decide_by), f"{row.code} {row.program}", Money(row.amount))
        for row in casework.listed(connection)
    ]
    return [
        Open(
            "disputes", ("争议待裁决，金额扣留；最迟裁决日", "Disputes open, the amount held back; decided by"), items
        )
    ]


def show_open(screen: Screen, found: list[Open]) -> None:
    """Print what is open and why."""
    screen.line("")
    screen.line(f"[bold]{screen.words('尚未了结及原因', 'What is open, and why')}[/]")
    for one in found:
        if not one.items:
            continue
        total = text(Money(sum(item.amount for item in one.items)))
        screen.line(escape(f"{len(one.items):>6,}  {total:>14}  {screen.words(*one.words)}"))
        nearest = screen.words("；", "; ").join(
            f"{item.day} {item.of} {text(item.amount)}" for item in one.items[:SHOWN]
        )
        screen.line(f"[dim]{' ' * 24}{escape(nearest)}[/]")
    if not any(one.items for one in found):
        screen.line(screen.words("没有。", "Nothing."))
