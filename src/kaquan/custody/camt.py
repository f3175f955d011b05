"""Statements out of a camt.053 file of the bank (ISO 20022, any edition of camt.053.001). Pure.

Read with defusedxml: a file that brings entities of its own is refused.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import defusedxml.ElementTree
import msgspec

from kaquan.custody.errors import STATEMENT_FILE
from kaquan.custody.statement_model import BankEntry
from kaquan.kernel.money import Money, MoneyError, yuan
from kaquan.kernel.refusal import Refusal

BYTES_MAX = 5_000_000  # a year of a busy custody account; more is another file
ENTRIES_MAX = 2_000  # movements of one statement: custody moves a few times a day
_CURRENCY = "CNY"
_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)


class CamtStatement(msgspec.Struct, frozen=True):
    """One statement as a file has it."""

    number: str
    account_no: str
    day: date
    opening: Money
    closing: Money
    entries: tuple[BankEntry, ...]


class _Broken(Exception):
    """What is wrong with a file, in English."""


def read(content: bytes) -> list[CamtStatement] | Refusal:
    """Every statement of a file, in its order, or why it can't be read."""
    try:
        if len(content) > BYTES_MAX:
            raise _Broken(f"more than {BYTES_MAX:,} bytes")
        root = defusedxml.ElementTree.fromstring(content)
        if "camt.053.001" not in root.tag:
            raise _Broken("no camt.053.001 document")
        found = [_statement(one) for one in _all(root, "Stmt")]
        if not found:
            raise _Broken("no statement in it")
        return found
    except _Broken as broken:
        return Refusal(STATEMENT_FILE, {"detail": str(broken)})
    except (defusedxml.ElementTree.ParseError, defusedxml.DefusedXmlException, ValueError, MoneyError) as broken:
        return Refusal(STATEMENT_FILE, {"detail": f"no valid XML or value ({type(broken).__name__})"})


def _statement(one: Any) -> CamtStatement:
    entries = [_entry(entry) for entry in _children(one, "Ntry") if _status(entry) == "BOOK"]
    if len(entries) > ENTRIES_MAX:
        raise _Broken(f"more than {ENTRIES_MAX:,} entries")
    opening, closing = _balance(one, _OPENING), _balance(one, _CLOSING)
    account = _text(one, "Acct", "Id", "Othr", "Id") or _text(one, "Acct", "Id", "IBAN")
    return CamtStatement(_text(one, "Id"), account, closing[1], opening[0], closing[0], tuple(entries))


def _balance(one: Any, codes: tuple[str, ...]) -> tuple[Money, date]:
    for balance in _children(one, "Bal"):
        if _text(balance, "Tp", "CdOrPrtry", "Cd") in codes:
            return _signed(balance), _day(balance, "Dt")
    raise _Broken(f"no balance {' or '.join(codes)}")


def _entry(entry: Any) -> BankEntry:
    references = (
        _text(entry, "NtryDtls", "TxDtls", "Refs", "EndToEndId"),
        _text(entry, "NtryDtls", "TxDtls", "Refs", "AcctSvcrRef"),
        _text(entry, "AcctSvcrRef"),
        _text(entry, "NtryRef"),
    )
    named = next((text for text in references if text and text != "NOTPROVIDED"), "")
    return BankEntry(_signed(entry), _day(entry, "BookgDt"), named)


def _status(entry: Any) -> str:
    """`BOOK`, `PDNG` or `INFO`: a text of its own, or in younger editions a code."""
    return _text(entry, "Sts", "Cd") or _text(entry, "Sts") or "BOOK"


def _signed(one: Any) -> Money:
    amount = next(_children(one, "Amt"), None)
    if amount is None or amount.get("Ccy") != _CURRENCY:
        raise _Broken("an amount that is not in CNY")
    side = _text(one, "CdtDbtInd")
    if side not in ("CRDT", "DBIT"):
        raise _Broken("an amount that is neither credit nor debit")
    fen = yuan((amount.text or "").strip())
    return fen if side == "CRDT" else Money(-fen)


def _day(one: Any, name: str) -> date:
    text = _text(one, name, "Dt") or _text(one, name, "DtTm")
    return date.fromisoformat(text[: len("2025-07-01")])


def _text(one: Any, *path: str) -> str:
    for name in path:
        one = next(_children(one, name), None)
        if one is None:
            return ""
    return (one.text or "").strip()


def _children(one: Any, name: str) -> Iterator[Any]:
    return (child for child in one if child.tag.rpartition("}")[2] == name)


def _all(root: Any, name: str) -> Iterator[Any]:
    return (one for one in root.iter() if isinstance(one.tag, str) and one.tag.rpartition("}")[2] == name)
