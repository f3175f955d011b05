"""The payouts of a run as a list for people: CSV in UTF-8, amounts in yuan, a control row at the end.

What the bank gets is made by `payouts`, once.
"""

import csv
from collections.abc import Iterable
from typing import TextIO

from kaquan.kernel.ids import public
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Language
from kaquan.settlement.model import PayoutLine

HEADINGS: dict[Language, tuple[str, ...]] = {
    "zh": ("打款编号", "商户代码", "商户名称", "开户行", "账号", "付款账户", "金额（元）", "结算期", "付款日"),
    "en": (
        "payout",
        "merchant_code",
        "merchant_name",
        "account_bank",
        "account_no",
        "source_account",
        "amount_yuan",
        "period",
        "pay_on",
    ),
}
CONTROL = {"zh": "合计", "en": "TOTAL"}

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(out: TextIO, payouts: Iterable[PayoutLine], language: Language = "zh") -> tuple[int, Money]:
    """Write the instructions and a last row with their number and sum; gives both.

    Account numbers stand as they are given: mask them before. Open `out` with `encoding="utf-8", newline=""`.
    Text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADINGS[language])
    count = total = 0
    for line in payouts:
        writer.writerow(
            [
                public("pyo", line.id),
                defused(line.merchant_code),
                defused(line.merchant_name),
                defused(line.account_bank),
                defused(line.account_no),
                f"bank.{line.source.name.lower()}",
                plain(line.amount),
                line.period,
                line.pay_on.isoformat(),
            ]
        )
        count += 1
        total += line.amount
    writer.writerow([CONTROL[language], count, "", "", "", "", plain(Money(total)), "", ""])
    return count, Money(total)


def defused(text: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def plain(amount: Money) -> str:
    """Yuan without separators, for machines."""
    return f"{amount // 100}.{amount % 100:02d}"
