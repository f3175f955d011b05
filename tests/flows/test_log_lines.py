"""Lines of the log as they lie in the file."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from kaquan.cli import logs


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before, lines = structlog.get_config(), list(logs._LINES)
    yield
    structlog.configure(**before)
    logs._LINES[:] = lines


def test_a_line_says_what_happened_then_when_then_how_bad(tmp_path: Path) -> None:
    logs.configure(tmp_path, "info")
    log = structlog.get_logger()
    log.debug("not.told")
    log.info("lane.opened", lane=3, at_once=True)
    log.warning("half", text="\ud800", of=object)
    first, second = (json.loads(line) for line in logs.path_of(tmp_path).read_text("utf-8").splitlines())
    assert list(first) == ["event", "at", "level", "lane", "at_once"]
    assert (first["event"], first["level"], first["lane"]) == ("lane.opened", "info", 3)
    assert list(second) == ["event", "at", "level", "text", "of"] and second["level"] == "warning"
