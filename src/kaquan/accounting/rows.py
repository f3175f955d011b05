"""Vouchers, trial balances and invoices as rows of named cells, the same in every kind of file. Amounts are fen."""

from collections.abc import Iterator
from typing import Any

from kaquan.accounting.invoices import Invoice
from kaquan.accounting.journal import summary
from kaquan.accounting.mapping import named
from kaquan.accounting.model import Root, Title, Voucher
from kaquan.accounting.trial import Trial
from kaquan.accounting.words import MEMO, ON_SHEET, TOTAL
from kaquan.kernel.ids import public
from kaquan.kernel.refusal import Language

Row = dict[str, Any]


def voucher_rows(voucher: Voucher, language: Language) -> Iterator[Row]:
    """The lines of a voucher; each bears what is the voucher's."""
    common = {
        "day": voucher.day.isoformat(),
        "number": voucher.number,
        "summary": summary(voucher.movement, language),
        "program": voucher.program,
        "transfers": voucher.transfers,
        "first": public("trf", voucher.first),
        "last": public("trf", voucher.last),
        "digest": voucher.digest,
    }
    for number, line in enumerate(voucher.lines, 1):
        yield {
            **common,
            "line": number,
            **_titled(line.title, language),
            "owner": line.owner,
            "source": "" if line.source == "none" else line.source,
            "debit": line.debit or None,
            "credit": line.credit or None,
            "account": line.account,
        }


def trial_rows(trial: Trial, language: Language) -> Iterator[Row]:
    """Every title and owner, then what the columns come to on the balance sheet and beside it."""
    for row in trial.rows:
        yield {
            **_titled(row.title, language),
            "owner": row.owner,
            "account": row.account,
            **{name: amount or None for name, amount in row.amounts().items()},
        }
    for memo in (False, True):
        totals = trial.totals(memo=memo)
        if not memo or any(totals.values()):
            sheet = (MEMO if memo else ON_SHEET)[language]
            yield {"code": TOTAL[language], "title": "", "owner": "", "sheet": sheet, "account": "", **totals}


def invoice_row(one: Invoice, language: Language) -> Row:
    """A line of the list of invoices."""
    zh = language == "zh"
    return {
        "day": one.day.isoformat(),
        "item": one.entry.item,
        "seller": one.seller,
        "buyer": one.buyer,
        "form": one.entry.form,
        "tax_code": one.entry.code,
        "name": one.entry.zh if zh else one.entry.en,
        "rate": one.entry.rate,
        "amount": one.amount,
        "tax": one.tax,
        "remark": one.entry.remark,
        "source": one.source,
        "program": one.program,
        "transfer": public("trf", one.transfer),
        "why": one.entry.why_zh if zh else one.entry.why_en,
        "cites": one.entry.cites,
    }


def _titled(title: Title, language: Language) -> Row:
    sheet = (MEMO if title.root is Root.MEMO else ON_SHEET)[language]
    return {"code": title.code, "title": named(title, language), "sheet": sheet}
