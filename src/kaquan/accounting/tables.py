"""Tables as CSV: UTF-8 with a mark that spreadsheets know it by, yuan with two decimals, a total at the end."""

import csv
from collections.abc import Iterable, Sequence
from typing import TextIO

from kaquan.accounting.rows import Row
from kaquan.accounting.words import AMOUNTS, TOTAL, defused, plain
from kaquan.kernel.refusal import Language

MARK = "\ufeff"
Columns = Sequence[tuple[str, str, str]]


def write_table(out: TextIO, columns: Columns, rows: Iterable[Row], language: Language, *, total: bool) -> int:
    """Write rows under their headings; gives how many. `total`: with a last row of what the amounts come to.

    Open `out` with `encoding="utf-8", newline=""`.
    """
    out.write(MARK)
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([zh if language == "zh" else en for _, zh, en in columns])
    names = [name for name, _, _ in columns]
    sums = {name: 0 for name in names if name in AMOUNTS}
    count = 0
    for row in rows:
        cells = []
        for name in names:
            cell = row.get(name)
            if cell is None:
                cells.append("")
            elif name in AMOUNTS:
                sums[name] += cell
                cells.append(plain(cell))
            else:
                cells.append(defused(str(cell)))
        writer.writerow(cells)
        count += 1
    if total:
        writer.writerow([TOTAL[language], *(plain(sums[name]) if name in sums else "" for name in names[1:])])
    return count
