"""The life of programs at the command line, by several persons."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from support.cli import Cli, Shop, opened_shop, program_file

SECOND_PROGRAM = ('code = "jingxika"', 'code = "second"')


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with opened_shop(tmp_path_factory.mktemp("life"), "欧阳明月", "11010519491231002X") as shop:
        yield shop


def second(folder: Path, *changes: tuple[str, str]) -> str:
    """The file of a second program."""
    return program_file(folder, SECOND_PROGRAM, *changes)


def test_a_program_is_opened_by_two_persons(shop: Shop, tmp_path: Path) -> None:
    file = second(tmp_path)
    assert shop.run("program", "open", file).code == 2
    assert shop.no("program", "open", file, "--approved-by", "operator")["code"] == "program_second_person_needed"
    as_li = shop.run("program", "open", file, "--approved-by", "Li", "--json", KAQUAN_PERSON="li")
    assert (as_li.code, as_li.facts["code"]) == (1, "program_second_person_needed")
    tried = shop.ok("program", "open", file, "--approved-by", "li", "--as", "wang", "--dry-run")
    assert (tried["state"], tried["dry_run"]) == ("running", True)
    assert [one["program"] for one in shop.ok("program", "list")["programs"]] == ["jingxika"]


def test_from_draft_to_closed_at_the_command_line(shop: Shop, tmp_path: Path) -> None:
    step = ("program",)
    file = second(tmp_path)
    assert shop.ok(*step, "draft", file)["state"] == "draft"
    assert shop.ok(*step, "show", "second")["version"] is None
    assert shop.no(*step, "start", "second")["code"] == "program_state"
    shop.ok(*step, "submit", "second")
    assert shop.run(*step, "approve", "second", "--as", "li", "--json").code == 2
    assert shop.no(*step, "approve", "second", "--yes")["code"] == "program_second_person_needed"
    assert shop.run(*step, "reject", "second", "--as", "li").code == 2
    shop.ok(*step, "reject", "second", "--reason", "wrong price", "--as", "li")
    shop.ok(*step, "draft", second(tmp_path, ("cap_fen = 20_000", "cap_fen = 30_000")))
    shop.ok(*step, "submit", "second")
    assert shop.ok(*step, "approve", "second", "--as", "li", "--yes")["version"] == 1
    assert shop.ok(*step, "start", "second", "--on", "2025-06-01")["starts_on"] == "2025-06-01"
    assert shop.run(*step, "start", "second", "--on", "June").code == 2
    listed = {one["program"]: one for one in shop.ok(*step, "list")["programs"]}
    assert (listed["second"]["state"], listed["second"]["starts_on"]) == ("approved", "2025-06-01")
    assert shop.no(*step, "start", "second")["code"] == "program_starts_later"
    shop.set_clock(datetime(2025, 6, 1, 4, tzinfo=UTC))
    assert shop.ok("jobs", "run")["work"]["start_program"] == 1
    shop.ok(*step, "pause", "second", "--reason", "audit")
    shop.ok(*step, "resume", "second")
    shop.ok(*step, "end", "second", "--reason", "season over")
    assert shop.ok(*step, "close", "second")["state"] == "closed"
    told = shop.ok(*step, "history", "second")["history"]
    steps = "draft submit reject draft submit approve schedule start pause resume end close"
    assert [one["step"] for one in told] == steps.split()
    assert {one["person"] for one in told} == {"operator", "li", "timetable"}
    assert told[2]["reason"] == "wrong price" and told[2]["state"] == "draft"
    words = shop.run(*step, "history", "second", "--lang", "zh").out
    assert "退回" in words and "2025-06-01" in words


def test_a_loosening_waits_for_a_second_person_and_is_shown_before(shop: Shop, tmp_path: Path) -> None:
    looser = program_file(tmp_path, ("cap_fen = 20_000", "cap_fen = 30_000"), ("fee_bps = 60 ", "fee_bps = 70 "))
    refused = shop.no("program", "amend", looser, "--yes")
    assert (refused["code"], refused["facts"]["terms"]) == ("program_loosening_needs_approval", "rebate.cap_fen")
    assert shop.no("program", "diff", "jingxika")["code"] == "program_nothing_waits"
    proposed = shop.ok("program", "propose", looser)
    assert [(one["field"], one["loosens"]) for one in proposed["changes"]] == [
        ("rebate.cap_fen", True),
        ("settlement.fee_bps", False),
    ]
    shown = shop.run("program", "diff", "jingxika", "--lang", "en").out
    assert re.search(r"rebate\.cap_fen +most that one order earns +200\.00 +300\.00 +looser", shown), shown
    assert re.search(r"settlement\.fee_bps +fee the merchant pays +0\.6% +0\.7% +tighter", shown), shown
    assert "放宽" in shop.run("program", "diff", "jingxika", "--lang", "zh").out
    assert shop.no("program", "approve", "jingxika", "--yes")["code"] == "program_second_person_needed"
    asked = shop.run("program", "approve", "jingxika", "--as", "li", "--lang", "en")
    assert asked.code == 2 and "looser" in asked.out and "--yes" in asked.err
    assert shop.ok("program", "approve", "jingxika", "--as", "li", "--yes")["version"] == 2
    assert [one["after"] for one in shop.ok("program", "diff", "jingxika", "1", "2")["changes"]] == [30_000, 70]
    assert (
        shop.ok("program", "diff", "jingxika", "1")["changes"]
        == shop.ok("program", "diff", "jingxika", "1", "2")["changes"]
    )
    assert shop.ok("program", "diff", "jingxika", looser)["changes"] == []
    assert shop.run("program", "diff", "jingxika", "9").code == 2
    assert shop.no("program", "diff", "nothing")["code"] == "program_unknown"
    tighter = program_file(tmp_path, ("cap_fen = 20_000", "cap_fen = 25_000"), ("fee_bps = 60 ", "fee_bps = 80 "))
    assert shop.ok("program", "amend", tighter, "--yes")["version"] == 3


def test_the_history_needs_an_installation(tmp_path: Path) -> None:
    assert Cli(tmp_path / "nowhere").run("program", "history", "jingxika").code == 3
