"""Instructions as ISO 20022 customer credit transfers, pain.001.001.09. Pure.

The message is the file, its one batch the bank account that pays; a payout's number is the end-to-end id of every
attempt, and the instruction id adds the attempt. Chinese banks have names and no BIC here, so agents are named.
Written by hand in a fixed order, so that the same file is the same bytes for ever.
"""

from datetime import UTC
from xml.sax.saxutils import escape

from kaquan.kernel.clock import instant
from kaquan.kernel.ids import public
from kaquan.payouts.bank_csv import PURPOSES
from kaquan.payouts.model import Line, PayoutFile
from kaquan.settlement.payouts import plain

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"


def write(file: PayoutFile) -> bytes:
    """The message in UTF-8."""
    made = instant(file.at_us).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
    sums = f"<NbOfTxs>{len(file.lines)}</NbOfTxs><CtrlSum>{plain(file.total)}</CtrlSum>"
    account = file.account
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<Document xmlns="{NAMESPACE}"><CstmrCdtTrfInitn>',
        f"<GrpHdr><MsgId>{public('pof', file.id)}</MsgId><CreDtTm>{made}</CreDtTm>{sums}"
        f"<InitgPty><Nm>{_text(account.name)}</Nm></InitgPty></GrpHdr>",
        f"<PmtInf><PmtInfId>PO{file.number:06d}</PmtInfId><PmtMtd>TRF</PmtMtd><BtchBookg>false</BtchBookg>{sums}",
        f"<ReqdExctnDt><Dt>{file.pay_on.isoformat()}</Dt></ReqdExctnDt>",
        f"<Dbtr><Nm>{_text(account.name)}</Nm></Dbtr><DbtrAcct>{_account(account.number)}<Ccy>CNY</Ccy></DbtrAcct>"
        f"<DbtrAgt>{_agent(account.bank)}</DbtrAgt>",
        *(_transfer(file, line) for line in file.lines),
        "</PmtInf></CstmrCdtTrfInitn></Document>",
    ]
    return "\n".join(lines).encode() + b"\n"


def _transfer(file: PayoutFile, line: Line) -> str:
    identity = f"<InstrId>{line.number}</InstrId><EndToEndId>{public('pyo', line.payout)}</EndToEndId>"
    purpose = f"{PURPOSES[file.source]} {line.period_end.isoformat()}"
    return (
        f"<CdtTrfTxInf><PmtId>{identity}</PmtId>"
        f'<Amt><InstdAmt Ccy="CNY">{plain(line.amount)}</InstdAmt></Amt>'
        f"<CdtrAgt>{_agent(line.bank)}</CdtrAgt><Cdtr><Nm>{_text(line.name)}</Nm></Cdtr>"
        f"<CdtrAcct>{_account(line.account_no)}</CdtrAcct>"
        f"<RmtInf><Ustrd>{_text(purpose)}</Ustrd></RmtInf></CdtTrfTxInf>"
    )


def _agent(bank: str) -> str:
    return f"<FinInstnId><Nm>{_text(bank)}</Nm></FinInstnId>"


def _account(number: str) -> str:
    return f"<Id><Othr><Id>{_text(number, 34)}</Id></Othr></Id>"


def _text(text: str, length_max: int = 140) -> str:
    """What a text element takes: printable, and no more characters than the standard allows."""
    return escape("".join(one for one in text if one.isprintable()).strip()[:length_max])
