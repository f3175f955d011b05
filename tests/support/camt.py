"""camt.053 files as a bank writes them."""

from collections.abc import Sequence
from datetime import date

ACCOUNT_NO = "0200112230000001"
EDITION = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"


def camt_file(
    number: str,
    account_no: str,
    day: date,
    balances: tuple[str, str],
    moved: Sequence[str] = (),
    currency: str = "CNY",
    edition: str = EDITION,
) -> bytes:
    """A statement of one day. Entries are written `+100/reference`, in yuan."""
    opening, closing = balances
    parts = [_balance("OPBD", opening, day, currency), _balance("CLBD", closing, day, currency)]
    parts += [_entry(one, day, currency) for one in moved]
    account = f"<Acct><Id><Othr><Id>{account_no}</Id></Othr></Id></Acct>"
    statement = f"<Stmt><Id>{number}</Id><CreDtTm>{day}T23:00:00</CreDtTm>{account}{''.join(parts)}</Stmt>"
    head = "<GrpHdr><MsgId>m-1</MsgId></GrpHdr>"
    body = f"<BkToCstmrStmt>{head}{statement}</BkToCstmrStmt>"
    return f'<?xml version="1.0"?><Document xmlns="{edition}">{body}</Document>'.encode()


def _balance(code: str, amount: str, day: date, currency: str) -> str:
    kind = f"<Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
    return f"<Bal>{kind}{_amount(amount, currency)}<Dt><Dt>{day}</Dt></Dt></Bal>"


def _entry(told: str, day: date, currency: str) -> str:
    amount, _, reference = told.partition("/")
    details = f"<NtryDtls><TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs></TxDtls></NtryDtls>"
    return f"<Ntry>{_amount(amount, currency)}<Sts>BOOK</Sts><BookgDt><Dt>{day}</Dt></BookgDt>{details}</Ntry>"


def _amount(amount: str, currency: str) -> str:
    side = "DBIT" if amount.startswith("-") else "CRDT"
    return f'<Amt Ccy="{currency}">{amount.lstrip("+-")}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
