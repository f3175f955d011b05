"""Payouts without a database: what a bank's line means, files as banks read them, what comes back from banks."""

from datetime import date
from importlib.resources import as_file, files
from xml.etree.ElementTree import Element

import msgspec
import pytest
import xmlschema
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id, public
from kaquan.kernel.money import Money
from kaquan.kernel.refusal import Refusal
from kaquan.ledger.chart import Source
from kaquan.payouts import bank_csv, pain001
from kaquan.payouts.lifecycle import TRANSITIONS, PayoutState
from kaquan.payouts.model import FileFormat, FileState, Line, Payout, PayoutFile, Said, SourceAccount, instruction
from kaquan.payouts.reading import Read, Told, read
from kaquan.payouts.results import REASONS, judge, read_number
from kaquan.payouts.service import result_command

PAYOUT = Id(bytes(range(16)))
HEAD = "打款编号,结果,金额（元）,银行流水号,原因\r\n"
ORDER = {
    "Document": ["CstmrCdtTrfInitn"],
    "CstmrCdtTrfInitn": ["GrpHdr", "PmtInf"],
    "GrpHdr": ["MsgId", "CreDtTm", "NbOfTxs", "CtrlSum", "InitgPty"],
    "PmtInf": [
        *("PmtInfId", "PmtMtd", "BtchBookg", "NbOfTxs", "CtrlSum"),
        *("ReqdExctnDt", "Dbtr", "DbtrAcct", "DbtrAgt", "CdtTrfTxInf"),
    ],
    "CdtTrfTxInf": ["PmtId", "Amt", "CdtrAgt", "Cdtr", "CdtrAcct", "RmtInf"],
    "PmtId": ["InstrId", "EndToEndId"],
}
"""The order that pain.001.001.09 gives its elements, of those that we write."""
LENGTHS = {"MsgId": 35, "PmtInfId": 35, "InstrId": 35, "EndToEndId": 35, "Nm": 140, "Ustrd": 140, "Id": 34}


def file(form: FileFormat, *lines: Line) -> PayoutFile:
    account = SourceAccount("京西商业<有限>公司", "工商银行北京分行", "0200001")
    made = (FileState.OPEN, account, Source.CUSTODY, date(2025, 6, 5), 1_749_081_600_000_000, len(lines))
    return PayoutFile(PAYOUT, 1, 7, form, *made, tuple(lines))


def line(number: int, name: str, fen: int, attempt: int = 1) -> Line:
    payout = Id(bytes([number]) * 16)
    return Line(payout, attempt, name, "建设银行 & 支行", "6217000011112222", Money(fen), date(2025, 5, 31))


LINES = (line(1, "甲店", 53_676), line(2, "A<B & 乙店", 5, 999), line(3, "䶮" * 200, 123_456_789))


def test_pain_001_keeps_order_lengths_and_control_sums() -> None:
    content = pain001.write(file(FileFormat.PAIN_001, *LINES))
    assert content == pain001.write(file(FileFormat.PAIN_001, *LINES)), "the same for ever"
    root = fromstring(content)
    assert root.tag == f"{{{pain001.NAMESPACE}}}Document"
    for one in root.iter():
        name = bare(one)
        inner = list(dict.fromkeys(bare(each) for each in one))
        assert inner == ORDER.get(name, inner), name
        if not len(one):
            assert one.text and len(one.text) <= LENGTHS.get(name, 140), name
    amounts = [one.text for one in root.iter() if bare(one) == "InstdAmt"]
    assert amounts == ["536.76", "0.05", "1234567.89"]
    assert {one.text for one in root.iter() if bare(one) == "CtrlSum"} == {"1235104.70"}
    assert {one.text for one in root.iter() if bare(one) == "NbOfTxs"} == {"3"}


def test_pain_001_is_valid_by_its_schema() -> None:
    """ISO 20022 lets nobody hand its schemas on with a project; the package sepaxml brings them."""
    with as_file(files("sepaxml") / "schemas" / "pain.001.001.09.xsd") as path:
        schema = xmlschema.XMLSchema(path)
    schema.validate(pain001.write(file(FileFormat.PAIN_001, *LINES)).decode())
    assert schema.is_valid(pain001.write(file(FileFormat.PAIN_001, LINES[0])).decode())


def bare(one: Element) -> str:
    return one.tag.rpartition("}")[2]


@pytest.mark.parametrize("form", [FileFormat.CSV_UTF8, FileFormat.CSV_GBK])
def test_csv_counts_and_sums_what_it_holds(form: FileFormat) -> None:
    content = bank_csv.write(file(form, *LINES))
    text = content.decode("utf-8-sig" if form is FileFormat.CSV_UTF8 else "gb18030")
    rows = text.split("\r\n")
    assert rows[0].split(",")[:2] == ["序号", "打款编号"]
    assert rows[-2].startswith("合计,3,,,,1235104.70,CNY")
    assert content == bank_csv.write(file(form, *LINES))


def test_gbk_is_what_gbk_software_reads() -> None:
    content = bank_csv.write(file(FileFormat.CSV_GBK, LINES[0]))
    assert "收款户名" in content.decode("gbk")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_what_banks_give_back_is_read(encoding: str) -> None:
    number = instruction(PAYOUT, 12)
    lines = (
        f"{number},成功,1.00,B-1,",
        f'\'{number},失败,"1,234.50",,账号有误',
        "x,退汇,1,,",
        f"{number},处理中,1,,",
        "合计,4,1237.50,,",
    )
    body = "\r\n".join(lines)
    found = read((HEAD + body).encode(encoding))
    assert isinstance(found, Read), found
    assert [(one.payout, one.attempt, one.said) for one in found.lines] == [
        (PAYOUT, 12, Said.CONFIRMED),
        (PAYOUT, 12, Said.FAILED),
        (None, None, Said.RETURNED),
    ]
    assert (found.lines[1].amount, found.lines[1].reason, found.pending) == (123_450, "账号有误", 1)


@pytest.mark.parametrize("control", ["合计,3,1.00,,", "合计,1,1.01,,", "TOTAL,0,1.00,,"])
def test_a_file_that_was_cut_short_is_refused_whole(control: str) -> None:
    found = read(f"{HEAD}{instruction(PAYOUT, 1)},成功,1.00,B-1,\r\n{control}\r\n".encode())
    assert isinstance(found, Refusal) and found.code.code == "payout_result_invalid"


def test_pain_002_is_read_and_entities_are_not() -> None:
    told = (
        "<TxInfAndSts><OrgnlInstrId>{0}</OrgnlInstrId><TxSts>{1}</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>"
        "<AcctSvcrRef>B-1</AcctSvcrRef></TxInfAndSts>"
    )
    space = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"
    document = f'<Document xmlns="{space}"><CstmrPmtStsRpt>{{}}</CstmrPmtStsRpt></Document>'
    number = instruction(PAYOUT, 2)
    body = "".join(told.format(number, code) for code in ("ACSC", "RJCT", "ACSP", "NONE"))
    found = read(document.format(body).encode())
    assert isinstance(found, Read), found
    assert [one.said for one in found.lines] == [Said.CONFIRMED, Said.FAILED, Said.UNREADABLE]
    assert (found.pending, found.lines[1].reason, found.lines[0].amount) == (1, "AC04", None)
    bomb = '<!DOCTYPE x [<!ENTITY a "b">]>' + document.format(told.format("&a;", "ACSC"))
    for bad in (bomb, "<x/>", "<x", document.format("")):
        assert isinstance(read(bad.encode()), Refusal)


@given(st.binary(max_size=300))
def test_whatever_comes_is_read_or_refused(content: bytes) -> None:
    assert isinstance(read(content), Read | Refusal)


said = st.sampled_from([Said.CONFIRMED, Said.FAILED, Said.RETURNED])
told = st.tuples(said, st.sampled_from([None, 1, 2, 3]), st.sampled_from([None, 100, 99]), st.sampled_from("ab"))


@given(st.lists(st.one_of(told, st.sampled_from(["send", "again"])), max_size=25))
def test_no_sequence_of_lines_confirms_an_attempt_twice(steps: list[object]) -> None:
    """Lines in any order, between sending and telling again: what fits follows the life of a payout."""
    payout = Payout(
        PAYOUT, 1, PAYOUT, PAYOUT, 1, Source.CUSTODY, Money(100), Money(0), PayoutState.INSTRUCTED,
        1, 0, None, "", "", "", date(2025, 6, 5),
    )  # fmt: skip
    confirmed: set[str] = set()
    paid = 0
    for step in steps:
        if step == "send":
            if payout.state is PayoutState.INSTRUCTED:
                payout = msgspec.structs.replace(payout, state=PayoutState.SENT)
        elif step == "again":
            if payout.state in (PayoutState.FAILED, PayoutState.RETURNED):
                payout = msgspec.structs.replace(payout, state=PayoutState.INSTRUCTED, attempt=payout.attempt + 1)
        else:
            assert isinstance(step, tuple)
            what, attempt, amount, reference = step
            line_ = Told(PAYOUT, attempt, what, amount, instruction(PAYOUT, attempt or 1), reference, "")
            judged = judge(result_command(line_, OPERATOR), payout, frozenset(confirmed))
            assert judged in {"fits", "already", *REASONS}
            if judged == "fits":
                state = PayoutState(int(what))
                assert state in TRANSITIONS[payout.state]
                assert attempt in (None, payout.attempt) and amount in (None, 100)
                paid += {PayoutState.CONFIRMED: 1, PayoutState.RETURNED: -1}.get(state, 0)
                payout = msgspec.structs.replace(payout, state=state)
                confirmed |= {reference} if state is PayoutState.CONFIRMED else set()
        assert paid == (1 if payout.state is PayoutState.CONFIRMED else 0)


def test_the_same_line_is_one_command_whoever_brings_it() -> None:
    one = Told(PAYOUT, 1, Said.CONFIRMED, Money(100), instruction(PAYOUT, 1), "B-1", "")
    other = msgspec.structs.replace(OPERATOR, person="li")
    first, second = result_command(one, OPERATOR), result_command(one, other)
    assert (first.key, first.content()) == (second.key, second.content())
    assert result_command(one._replace(reference="B-2"), OPERATOR).key != first.key
    assert len(instruction(PAYOUT, 999)) <= 35 and public("pyo", PAYOUT) in first.number


def test_a_number_of_somebody_elses_is_not_read_as_an_attempt() -> None:
    assert read_number("PYO-2") == ("PYO", 2)
    assert read_number("EXT-20250521") == ("EXT-20250521", None)
