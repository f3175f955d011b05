"""The fonts that ship with the program, and which characters they have."""

from functools import cache
from pathlib import Path
from struct import unpack_from

FOLDER = Path(__file__).with_name("fonts")
REGULAR = "NotoSansSC-Regular.ttf"
MISSING = "〓"
"""What stands for a character that the fonts lack (geta mark), as printers have always done."""

_GROUPS = 12  # cmap format 12: ranges of code points
_INVISIBLE = frozenset("\u200b\n")


def covered(text: str) -> str:
    """The text with `MISSING` for what the fonts lack: a document never shows an empty box instead of a name."""
    known = characters()
    if all(ord(letter) in known or letter in _INVISIBLE for letter in text):
        return text
    return "".join(letter if ord(letter) in known or letter in _INVISIBLE else MISSING for letter in text)


@cache
def characters() -> frozenset[int]:
    """The code points of the regular font, out of its `cmap` table; the bold one falls back to it."""
    data = FOLDER.joinpath(REGULAR).read_bytes()
    (tables,) = unpack_from(">H", data, 4)
    for place in range(12, 12 + 16 * tables, 16):
        tag, _, offset, _ = unpack_from(">4sIII", data, place)
        if tag == b"cmap":
            return frozenset(_code_points(data, offset))
    raise ValueError(f"{REGULAR} has no cmap")


def _code_points(data: bytes, start: int) -> set[int]:
    found: set[int] = set()
    (subtables,) = unpack_from(">H", data, start + 2)
    for number in range(subtables):
        (offset,) = unpack_from(">I", data, start + 4 + 8 * number + 4)
        (form,) = unpack_from(">H", data, start + offset)
        if form == _GROUPS:
            (groups,) = unpack_from(">I", data, start + offset + 12)
            for group in range(groups):
                first, last, _ = unpack_from(">III", data, start + offset + 16 + 12 * group)
                found.update(range(first, last + 1))
    return found
