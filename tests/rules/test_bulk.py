"""How rows are read from CSV and shown again, and how far a job is."""

import pytest

from kaquan.bulk import rules
from kaquan.bulk.errors import JOB_CSV_INVALID
from kaquan.bulk.model import Column, FieldKind, Job, JobState
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id
from kaquan.kernel.refusal import Refusal

COLUMNS = {
    "card": Column(FieldKind.TEXT),
    "face_fen": Column(FieldKind.NUMBER),
    "late": Column(FieldKind.FLAG),
    "vouchers": Column(FieldKind.LIST),
    "lines": Column(FieldKind.NUMBERS),
    "phone": Column(FieldKind.TEXT, personal=True),
}


def job(**told: int) -> Job:
    known = {"state": JobState.OPEN, "rows": 200, "at_us": 1, "ended_us": 0, "done": 0, "failed": 0, "asked": 0}
    known |= {"started_us": 0, "seen_us": 0, **told}
    return Job(Id(bytes(16)), 0, None, OPERATOR, "sell_card", reason="", **known)


def test_cells_are_read_as_their_columns_are() -> None:
    head = "\ufeffcard, face_fen,late,vouchers,lines,phone\r\n"
    text = " 9286 ,500,true,vch_1 vch_2,1 2,\r\n\r\n,x,maybe,,a 2,1\r\n"
    assert rules.rows_of(head + text, COLUMNS) == [
        {"card": "9286", "face_fen": 500, "late": True, "vouchers": ["vch_1", "vch_2"], "lines": [1, 2]},
        {"face_fen": "x", "late": "maybe", "lines": ["a", 2], "phone": "1"},
    ]
    assert rules.rows_of('card\n"two\nlines, and a comma"\n', COLUMNS) == [{"card": "two\nlines, and a comma"}]
    assert rules.rows_of("row,card,code,message,remedy\n3,9286,not_found,no,try\n", COLUMNS) == [{"card": "9286"}]


@pytest.mark.parametrize(
    "text",
    ["", "\n", "colour\nred\n", "card,card\n1,2\n", "13800138000,9286\n", "card,late\n9286\n", 'card\n"9286\n'],
)
def test_a_file_whose_first_line_names_no_columns_is_refused(text: str) -> None:
    told = rules.rows_of(text, COLUMNS)
    assert told == Refusal(JOB_CSV_INVALID, {"columns": "card, face_fen, late, vouchers, lines, phone"})


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ({"card": "9286 0012 3456 7897", "face_fen": 500}, {"card": "9286 0012 3456 7897", "face_fen": 500}),
        ({"phone": "13800138000"}, {"phone": "***"}),
        ({"card": "13800138000"}, {"card": "***"}),
        ({"card": "11010519491231002X", "lines": ["a 13800138000"]}, {"card": "***", "lines": "***"}),
        ({"13800138000": "x", "mobile": "13800138000"}, {}),
    ],
)
def test_what_may_be_personal_is_not_shown(row: dict[str, object], shown: dict[str, object]) -> None:
    assert rules.shown(row, COLUMNS) == shown


def test_no_cell_is_taken_for_a_formula() -> None:
    told = rules.table(("row", "card"), [[1, "=HYPERLINK(1)"], [-2, "@x"], [3, None], [4, ["a", "b"]]])
    assert told == "row,card\r\n1,'=HYPERLINK(1)\r\n-2,'@x\r\n3,\r\n4,a b\r\n"


def test_how_far_a_job_is_and_how_long_it_takes() -> None:
    assert (rules.percent(job()), rules.seconds_left(job()), rules.state_word(job())) == (0, None, "waiting")
    half = job(done=60, failed=30, asked=10, started_us=1_000_000, seen_us=11_000_000)
    assert (rules.percent(half), rules.seconds_left(half), rules.state_word(half)) == (50, 10, "running")
    nearly = job(done=199, started_us=0, seen_us=1_000_000)
    assert (rules.percent(nearly), rules.seconds_left(nearly)) == (99, 1)
    ended = job(done=200, state=JobState.DONE, ended_us=5, started_us=1, seen_us=4)
    assert (rules.percent(ended), rules.seconds_left(ended), rules.state_word(ended)) == (100, None, "done")


def test_a_row_has_one_id_and_no_two_rows_share_it() -> None:
    name = "job_06f8kzq4m5w7v2n9r3t1x0y6ba"
    keys = {rules.row_key(name, row) for row in range(1, rules.ROWS_MAX + 1)}
    assert len(keys) == rules.ROWS_MAX and max(map(len, keys)) <= 64
    assert rules.row_key(name, 7) == "job-06f8kzq4m5w7v2n9r3t1x0y6ba-7"


def test_rows_are_cut_into_chunks_that_know_their_first() -> None:
    rows = [{"card": str(number)} for number in range(2 * rules.CHUNK_ROWS + 1)]
    cut = rules.chunks(rows)
    assert [(first, len(some)) for first, some in cut] == [(1, 50), (51, 50), (101, 1)]
    assert [row for _, some in cut for row in some] == rows
