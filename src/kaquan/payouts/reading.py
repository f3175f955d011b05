"""Reads what a bank gives back: pain.002, or CSV with headings in UTF-8 or GBK. Pure.

A line that can't be read is kept as one that says nothing, so that it becomes an exception and is not lost. Of CSV
files a control row (合计 or TOTAL) is compared with the lines above it: a file that was cut short is refused whole.
"""

import csv
import io
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from kaquan.kernel.ids import Id, IdError, parse
from kaquan.kernel.money import Money, MoneyError, yuan
from kaquan.kernel.refusal import Refusal
from kaquan.payouts import errors
from kaquan.payouts.model import Said
from kaquan.payouts.results import read_number

BYTES_MAX = 8_000_000  # four files of the largest size, with all that banks add
LINES_MAX = 20_000
TEXT_MAX = 100

_COLUMNS = {
    "number": ("打款编号", "指令编号", "payout"),
    "said": ("结果", "交易状态", "状态", "result"),
    "amount": ("金额（元）", "金额", "amount_yuan"),
    "reference": ("银行流水号", "流水号", "bank_reference"),
    "reason": ("失败原因", "原因", "reason"),
}
_WIDE = str.maketrans({0x28: "（", 0x29: "）"})
_NEEDED = ("number", "said", "amount")
_SAID = {
    **dict.fromkeys(("成功", "已到账", "confirmed"), Said.CONFIRMED),
    **dict.fromkeys(("失败", "failed"), Said.FAILED),
    **dict.fromkeys(("退汇", "已退回", "returned"), Said.RETURNED),
}
_CODES = {"ACSC": Said.CONFIRMED, "ACCC": Said.CONFIRMED, "RJCT": Said.FAILED}
_ON_ITS_WAY = frozenset({"RCVD", "ACTC", "ACCP", "ACSP", "ACWC", "PDNG", "处理中", "pending"})
_CONTROL = ("合计", "TOTAL")


class Told(NamedTuple):
    """A line of the bank. `payout` and `attempt` are read from `number`; no amount: none was told."""

    payout: Id | None
    attempt: int | None
    said: Said
    amount: Money | None
    number: str
    reference: str
    reason: str


class Read(NamedTuple):
    """A file's lines, and how many more say that a payout is still on its way."""

    lines: list[Told]
    pending: int


def read(content: bytes) -> Read | Refusal:
    """The lines of a file. What is no such file at all is refused."""
    if len(content) > BYTES_MAX:
        return _invalid("larger than 8 MB")
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return _read_xml(content)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("gb18030")
        except UnicodeDecodeError:
            return _invalid("neither UTF-8 nor GBK")
    return _read_csv(text)


def _read_csv(text: str) -> Read | Refusal:
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if any(row)]
    except csv.Error as problem:
        return _invalid(str(problem))
    if not rows or len(rows) > LINES_MAX:
        return _invalid(f"no line, or more than {LINES_MAX}")
    headings = [cell.strip().translate(_WIDE) for cell in rows[0]]
    places = {
        name: next((headings.index(one) for one in known if one in headings), None)
        for name, known in _COLUMNS.items()
    }
    missing = [_COLUMNS[name][0] for name in _NEEDED if places[name] is None]
    if missing:
        return _invalid(f"no column {', '.join(missing)}")
    body, control = rows[1:], None
    if body and body[-1][0].strip() in _CONTROL:
        body, control = body[:-1], body[-1]
    told = [_row(row, places) for row in body]
    if control is not None and (why := _differs(control, body, places)):
        return _invalid(why)
    lines = [one for one in told if one is not None]
    return Read(lines, len(told) - len(lines))


def _row(row: list[str], places: dict[str, int | None]) -> Told | None:
    cells = {name: _cell(row, place) for name, place in places.items()}
    if cells["said"] in _ON_ITS_WAY:
        return None
    try:
        amount: Money | None = yuan(cells["amount"])
        said = _SAID.get(cells["said"], Said.UNREADABLE)
    except MoneyError:
        amount, said = None, Said.UNREADABLE
    return _told(cells["number"], said, amount, cells["reference"], cells["reason"])


def _cell(row: list[str], place: int | None) -> str:
    return row[place].strip().lstrip("'") if place is not None and place < len(row) else ""


def _differs(control: list[str], body: list[list[str]], places: dict[str, int | None]) -> str | None:
    """Why the control row does not fit the lines above it."""
    counted = next((cell.strip() for cell in control[1:] if cell.strip().isdigit()), "")
    if counted and int(counted) != len(body):
        return f"the control row counts {counted} lines, there are {len(body)}"
    try:
        total = yuan(_cell(control, places["amount"]))
        summed = sum(yuan(_cell(row, places["amount"])) for row in body)
    except MoneyError:
        return None
    return f"the control sum is {total} fen, the lines sum to {summed}" if total != summed else None


def _read_xml(content: bytes) -> Read | Refusal:
    try:
        root = fromstring(content)
    except (ParseError, DefusedXmlException, ValueError) as problem:
        return _invalid(type(problem).__name__)
    if _name(root.tag) != "Document" or "pain.002" not in root.tag:
        return _invalid("no pain.002 document")
    found = [one for one in root.iter() if _name(one.tag) == "TxInfAndSts"]
    if not found or len(found) > LINES_MAX:
        return _invalid(f"no transaction, or more than {LINES_MAX}")
    told = [_transaction(one) for one in found]
    lines = [one for one in told if one is not None]
    return Read(lines, len(told) - len(lines))


def _transaction(one: Element) -> Told | None:
    code = _inner(one, "TxSts")
    if code in _ON_ITS_WAY:
        return None
    said, amount = _CODES.get(code, Said.UNREADABLE), None
    if written := _inner(one, "InstdAmt"):
        try:
            amount = yuan(written)
        except MoneyError:
            said = Said.UNREADABLE
    number = _inner(one, "OrgnlInstrId") or _inner(one, "OrgnlEndToEndId")
    reason = " ".join(filter(None, (_inner(one, "Cd"), _inner(one, "Prtry"), _inner(one, "AddtlInf"))))
    return _told(number, said, amount, _inner(one, "AcctSvcrRef"), reason)


def _told(number: str, said: Said, amount: Money | None, reference: str, reason: str) -> Told:
    named, attempt = read_number(number)
    try:
        payout = parse("pyo", named)
    except IdError:
        payout = None
    return Told(payout, attempt, said, amount, _short(number), _short(reference), _short(reason))


def _short(text: str) -> str:
    return "".join(one for one in text if one.isprintable())[:TEXT_MAX]


def _inner(one: Element, name: str) -> str:
    found = next((inner for inner in one.iter() if _name(inner.tag) == name), None)
    return "" if found is None else (found.text or "").strip()


def _name(tag: str) -> str:
    return tag.rpartition("}")[2]


def _invalid(why: str) -> Refusal:
    return Refusal(errors.RESULT_FILE_INVALID, {"why": why})
