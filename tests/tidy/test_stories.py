"""Whoever reads a preset or an odd bit of the trade finds the story that is played of it."""

import re

from kaquan.programs.preset_files import names
from support.stories import stories
from tidy.sources import ROOT, told

_ODD_BITS = ROOT / "docs" / "odd-bits.md"
_LINK = re.compile(r"\]\(\.\./tests/stories/(\w+)\.md(?:#([^)]+))?\)")
_NOT_YET = "not there yet"


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_odd_bit_has_a_story_that_is_played() -> None:
    played = {(story.file, _anchor(story.title)) for story in stories()}
    played |= {(story.file, "") for story in stories()}
    rows = [line for line in _ODD_BITS.read_text("utf-8").splitlines() if line.startswith("| ")][1:]
    offenders = [
        row.split("|")[1].strip()
        for row in rows
        if (not (found := _LINK.findall(row)) and _NOT_YET not in row) or not set(found) <= played
    ]
    way_out = f"name the story by its file and heading, or say '{_NOT_YET}'"
    assert rows and not offenders, told("every odd bit has a story with an outcome in each row", way_out, offenders)


def test_every_preset_is_played_as_it_is_shipped() -> None:
    played = {story.shipped[0] for story in stories() if story.shipped}
    offenders = sorted(set(names()) ^ played)
    way_out = "write tests/stories/preset_<name>.md with `program: <name>` under its heading"
    assert not offenders, told("every shipped preset has a story, word for word", way_out, offenders)
