"""Instructions as the banks' upload tables want them: CSV with Chinese headings, a control row at the end. Pure.

In UTF-8, or in GBK for bank software that reads nothing else; a name with a character beyond GBK is written by the
rules of GB 18030, which holds all of GBK unchanged.
"""

import csv
import io

from kaquan.ledger.chart import Source
from kaquan.payouts.model import FileFormat, PayoutFile
from kaquan.settlement.payouts import defused, plain

HEADINGS = (
    "序号",
    "打款编号",
    "收款户名",
    "收款开户行",
    "收款账号",
    "金额（元）",
    "币种",
    "付款户名",
    "付款开户行",
    "付款账号",
    "付款日",
    "用途",
)
CONTROL = "合计"
PURPOSES = {Source.CUSTODY: "消费结算款", Source.OPERATING: "消费结算款", Source.FISCAL: "消费券财政补贴款"}

_ENCODINGS = {FileFormat.CSV_UTF8: "utf-8-sig", FileFormat.CSV_GBK: "gb18030"}


def write(file: PayoutFile) -> bytes:
    """The file. The last row holds the number of payouts and their sum: what was cut short on the way shows."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADINGS)
    account = [defused(file.account.name), defused(file.account.bank), defused(file.account.number)]
    for number, line in enumerate(file.lines, 1):
        payee = [defused(line.name), defused(line.bank), defused(line.account_no)]
        purpose = f"{PURPOSES[file.source]} {line.period_end.isoformat()}"
        row = [number, line.number, *payee, plain(line.amount), "CNY", *account, file.pay_on.isoformat(), purpose]
        writer.writerow(row)
    blank = [""] * 3
    batch = f"PO{file.number:06d}"
    writer.writerow(
        [CONTROL, len(file.lines), *blank, plain(file.total), "CNY", *blank, file.pay_on.isoformat(), batch]
    )
    return out.getvalue().encode(_ENCODINGS[file.format])
