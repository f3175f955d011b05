"""The first page, as a newcomer pastes it: every command in its order, and what it shows of their answers."""

import shutil
from pathlib import Path

import pytest

from support.fake_server import closed_port
from support.pasted import blocks, missing, pasted
from support.require import require

DOCS = Path(__file__).resolve().parents[2] / "docs"


def _page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


@pytest.mark.parametrize("name", ["start.md", "start.en.md"])
def test_the_first_page_ends_in_a_refunded_order(name: str, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        require("curl", "the page calls the server with curl")
    page = _page(name)
    with pasted("\n".join(blocks(page)), tmp_path, PORT=str(closed_port())) as (printed, cli):
        assert missing(page, printed) == [], printed
        paid = cli.ok("payment", "show", "--merchant", "mall-1", "--order", "0001")
        assert (paid["state"], paid["amount_fen"], paid["refunded_fen"]) == ("partly_refunded", 12_850, 2_850)
        log = (tmp_path / "home" / "log" / "kaquan.log").read_text("utf-8")
        assert "serve.stopped" in log and "13912345678" not in log and "kq_live_" not in log


def test_the_first_page_tells_the_same_commands_in_both_languages() -> None:
    chinese, english = (
        "\n".join(blocks(_page(name))).replace("KAQUAN_LANG=zh", "KAQUAN_LANG=en").replace('"zh"', '"en"')
        for name in ("start.md", "start.en.md")
    )
    assert chinese == english


def test_what_a_page_shows_is_looked_for_in_order() -> None:
    page = '```json\n{"a":1,…}\n{"b":\n 2}\n```\n```text\nlast\n```\n'
    assert missing(page, '{"a":1,"x":0}\n{"b":2}\nthe last') == []
    assert missing(page, '{"b":2}\n{"a":1,"x":0}\nlast') == ['{"b":\n 2}']
