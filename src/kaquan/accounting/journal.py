"""Vouchers (记账凭证) out of postings: per day and rule, or one per command; the lines of each add up. Streamed."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from itertools import groupby
from typing import Any, NamedTuple

from kaquan.accounting.model import Line, Period, Title, Voucher
from kaquan.accounting.owners import Titles
from kaquan.kernel.ids import Id
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Fault
from kaquan.ledger.chart import Source
from kaquan.ledger.movements import movement_name

SUMMARIES: dict[str, tuple[str, str]] = {
    "sell": ("售卡", "Cards sold"),
    "top_up": ("充值", "Cards topped up"),
    "close_card": ("退卡", "Cards returned"),
    "pay_out_closing": ("退卡付款", "Returned cards paid out"),
    "pay": ("持卡消费", "Payments"),
    "capture": ("预授权完成", "Holds captured"),
    "refund": ("消费退款", "Refunds of payments"),
    "reverse": ("冲正", "Payments reversed"),
    "grant_reward": ("返利到账", "Rebates granted"),
    "expire_lot": ("赠金、补贴到期", "Granted value and subsidies expired"),
    "cancel_plan": ("取消返还计划", "Monthly plans cancelled"),
    "settle": ("商户结算", "Merchants settled"),
    "release_reserve": ("保证金释放", "Reserves released"),
    "pay_in_fund": ("出资方拨款", "Funders paid in"),
    "pay_out_fund": ("退还出资方", "Funders paid back"),
    "claim": ("领券占用预算", "Vouchers claimed"),
    "claim_by_code": ("凭码领券占用预算", "Vouchers claimed by code"),
    "issue_voucher": ("发券占用预算", "Vouchers issued"),
    "award": ("中签发券占用预算", "Vouchers awarded by draw"),
    "void_voucher": ("券作废释放预算", "Vouchers voided"),
    "expire_voucher": ("券过期释放预算", "Vouchers expired"),
    "pay_referral": ("邀请奖励", "Referrals paid"),
    "undo_referral": ("邀请奖励撤回", "Referrals undone"),
    "follow_referral": ("邀请人奖励", "Inviters' sides of referrals"),
    "open_packets": ("红包池占用预算", "Packet pools opened"),
    "end_packets": ("红包池结束", "Packet pools ended"),
}
"""摘要 (a voucher's summary) by movement, in both languages; one that is not here is told by its name."""

_SOURCE = {int(source): source.name.lower() for source in Source}
Side = dict[tuple[Title, str, str, str], int]


class _Sums(NamedTuple):
    """Debits and credits of one voucher so far, by title, account, owner and source."""

    debits: Side
    credits: Side


def summary(movement: str, language: str) -> str:
    """What a voucher is about (摘要)."""
    words = SUMMARIES.get(movement)
    return movement if words is None else words[language != "zh"]


class Told(NamedTuple):
    """What vouchers of a period are told with. With `references` a voucher is of a day, kind and program; without, of
    one command."""

    period: Period
    titles: Titles
    programs: Mapping[int, str]
    references: Mapping[Any, tuple[int, Id, Id, str]] | None = None


def vouchers(
    rows: Iterable[tuple[Any, ...]], told: Told, progress: Callable[[int], None] | None = None
) -> Iterator[Voucher]:
    """Vouchers of the rows of `store.journal`, numbered from 1 on each day without gaps.

    `progress` is told how many days are done.
    """
    today, number = 0, 0
    for (day, kind, _), group in groupby(rows, _transfer if told.references is None else _rule):
        found = list(group)
        _, _, program, transfer, *_ = found[0]
        sums = _Sums({}, {})
        for row in found:
            _add(sums, row, told.titles)
        if day != today:
            if progress is not None:
                progress(day - 1)
            today, number = day, 0
        number += 1
        if told.references is None:
            count, first, last, digest = 1, Id(transfer.bytes), Id(transfer.bytes), ""
        else:
            count, first, last, digest = told.references[day, kind, program]
        yield Voucher(
            day=told.period.days[day - 1],
            number=number_of(told.period.days[day - 1], number),
            movement=movement_name(kind),
            program=told.programs.get(program, ""),
            transfers=count,
            first=first,
            last=last,
            digest=digest if count > 1 else "",
            lines=_lines(sums),
        )


def number_of(day: date, number: int) -> str:
    """记-20250520-0001: by day, so that a day's numbers do not depend on the days before it."""
    return f"{day:%Y%m%d}-{number:04d}"


def _rule(row: tuple[Any, ...]) -> tuple[int, int, int]:
    return row[0], row[1], row[2]


def _transfer(row: tuple[Any, ...]) -> tuple[int, int, Any]:
    return row[0], row[1], row[3]


def _add(sums: _Sums, row: tuple[Any, ...], titles: Titles) -> None:
    _, _, _, _, debit, debit_owner, credit, credit_owner, source, amount = row
    for side, account, owner in ((sums.debits, debit, debit_owner), (sums.credits, credit, credit_owner)):
        key = (*titles.of(account, None if owner is None else owner.bytes), _SOURCE.get(source, str(source)))
        side[key] = side.get(key, 0) + amount


def _lines(sums: _Sums) -> list[Line]:
    if sum(sums.debits.values()) != sum(sums.credits.values()):
        raise Fault("a voucher does not balance")
    debits = [
        Line(title, account, owner, source, debit=Money(amount))
        for (title, account, owner, source), amount in sorted(sums.debits.items(), key=_order)
    ]
    credits = [
        Line(title, account, owner, source, credit=Money(amount))
        for (title, account, owner, source), amount in sorted(sums.credits.items(), key=_order)
    ]
    return debits + credits


def _order(item: tuple[tuple[Title, str, str, str], int]) -> tuple[str, str, str, str]:
    (title, account, owner, source), _ = item
    return title.code, account, owner, source
