"""How rows are read from CSV, cut into chunks, shown again; how far a job is. Pure."""

import csv
import io
import re
from collections.abc import Sequence
from typing import Any

from kaquan.bulk import errors
from kaquan.bulk.model import Column, Columns, FieldKind, Job, JobState, Row
from kaquan.kernel.refusal import Refusal

ROWS_MAX = 5_000
"""Rows of one job: about a minute's work, and under 2 MB."""

CHUNK_ROWS = 50
"""Rows that one runner takes at a time: of a killed one they are asked once more, and answered as they were."""

JOBS_MAX = 20
"""Jobs of one organisation that have not ended: 100,000 rows."""

DAYS_KEPT = 30

REPORTED = ("row", "code", "message", "remedy")
"""Columns of the file of failed rows beside their own: corrected, the file can be sent as it is."""

HIDDEN = "***"
"""What stands for personal data, and for what nobody asked for: it may be personal too."""

_YES, _NO = frozenset({"true", "1", "yes", "是"}), frozenset({"false", "0", "no", "否"})
_DIGITS_MAX = 18
_NUMBER_OF_A_PERSON = re.compile(r"(?<!\d)(?:1[3-9]\d{9}|\d{17}[\dXx])(?!\d)")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def rows_of(text: str, columns: Columns) -> list[Row] | Refusal:
    """The rows of a CSV file whose first line names columns. An empty cell is a field that is not given.

    A cell that does not fit its column stays text: its row is refused for itself, like one that was sent as JSON.
    """
    unread = Refusal(errors.JOB_CSV_INVALID, {"columns": ", ".join(columns)})
    try:
        lines = [line for line in csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True) if any(line)]
    except csv.Error:
        return unread
    names = [name.strip() for name in lines[0]] if lines else []
    if not names or len(set(names)) < len(names) or not set(names) <= {*columns, *REPORTED}:
        return unread
    if any(len(line) != len(names) for line in lines):
        return unread
    return [
        {
            name: read(cell.strip(), columns[name])
            for name, cell in zip(names, line, strict=True)
            if name in columns and cell.strip()
        }
        for line in lines[1:]
    ]


def read(cell: str, column: Column) -> Any:
    """What a cell means; itself when it does not fit its column."""
    match column.kind:
        case FieldKind.NUMBER:
            return _number(cell)
        case FieldKind.FLAG:
            lower = cell.lower()
            return lower in _YES if lower in _YES | _NO else cell
        case FieldKind.LIST:
            return cell.split()
        case FieldKind.NUMBERS:
            return [_number(one) for one in cell.split()]
    return cell


def _number(cell: str) -> int | str:
    digits = cell.removeprefix("-")
    return int(cell) if digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS_MAX else cell


def count_refused(count: int) -> Refusal | None:
    """Why a job can't have so many rows, or None."""
    if 1 <= count <= ROWS_MAX:
        return None
    return Refusal(errors.JOB_ROWS_OUT_OF_RANGE, {"rows": count, "rows_max": ROWS_MAX})


def chunks(rows: Sequence[Row]) -> list[tuple[int, Sequence[Row]]]:
    """Rows as they are taken together, each with the number of its first row, counted from 1."""
    return [(start + 1, rows[start : start + CHUNK_ROWS]) for start in range(0, len(rows), CHUNK_ROWS)]


def shown(row: Row, columns: Columns) -> Row:
    """What may be shown of a row: no personal data, and nothing whose meaning is not known."""
    known = {name: given for name, given in row.items() if name in columns}
    return {
        name: HIDDEN if columns[name].personal or _NUMBER_OF_A_PERSON.search(str(given)) else given
        for name, given in known.items()
    }


def row_key(job: str, row: int) -> str:
    """The id under which a row is carried out, from the job's public id: the same whoever does it, and when."""
    return f"job-{job.partition('_')[2]}-{row}"


def percent(job: Job) -> int:
    """How much of a job is done, rounded down."""
    return 100 * job.decided // job.rows


def seconds_left(job: Job) -> int | None:
    """How long an open job will take at the pace it had; None when that is not known yet."""
    if job.ended or not job.decided or job.state is JobState.CANCELLING:
        return None
    took_us = job.seen_us - job.started_us
    return -(-took_us * (job.rows - job.decided) // (job.decided * 1_000_000))


def state_word(job: Job) -> str:
    """The state as machines read it: an open job waits until somebody has begun."""
    if job.state is JobState.OPEN:
        return "running" if job.started_us else "waiting"
    return job.state.name.lower()


def table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A CSV file that a spreadsheet opens as text: no cell is taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([[_cell(given) for given in row] for row in rows])
    return out.getvalue()


def _cell(given: Any) -> str:
    if isinstance(given, list):
        return " ".join(map(str, given))
    text = "" if given is None else str(given)
    return f"'{text}" if text.startswith(_FORMULA) and not isinstance(given, int) else text
