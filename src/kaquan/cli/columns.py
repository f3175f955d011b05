"""Columns of a table on a narrow terminal: what people copy (ids, amounts, codes) stays in one piece."""

from collections.abc import Sequence

from rich.cells import cell_len

GAP = 2
"""Cells between two columns."""

_PIECE = 8
"""Chinese has no spaces and may be broken anywhere: this many cells stay together."""


def fitted(rows: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """The width of each column of `rows` in `room` cells; None if they only fit by breaking words."""
    columns = list(zip(*rows, strict=True))
    widths = [max(map(cell_len, column)) for column in columns]
    least = [max(_longest_piece(text) for text in column) for column in columns]
    over = sum(widths) + GAP * (len(widths) - 1) - room
    if over > sum(widths) - sum(least):
        return None
    for _ in range(over):
        widest = max(range(len(widths)), key=lambda number: widths[number] - least[number])
        widths[widest] -= 1
    return widths


def _longest_piece(text: str) -> int:
    return max(
        (cell_len(word) if word.isascii() else min(cell_len(word), _PIECE) for word in text.split()), default=0
    )
