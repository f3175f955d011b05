"""The way in that README.md tells, as a newcomer pastes it."""

import re
from pathlib import Path

from support.pasted import blocks, pasted

README = Path(__file__).resolve().parents[2] / "README.md"


def _way_in() -> str:
    """The first block of the section "Use it"."""
    return blocks(README.read_text("utf-8").partition("\n## Use it\n")[2].partition("\n## ")[0])[0]


def test_the_way_in_ends_in_a_paid_order(tmp_path: Path) -> None:
    with pasted(_way_in(), tmp_path) as (printed, cli):
        assert "Paid 128.50 yuan." in printed and "proofs hold" in printed
        paid = cli.ok("payment", "show", "--merchant", "mall-1", "--order", "0001")
        assert (paid["state"], paid["amount_fen"]) == ("captured", 12_850)


def test_the_way_in_is_the_same_in_both_languages() -> None:
    chinese = README.with_name("README.zh.md").read_text("utf-8")
    commands = re.findall(r"^(?:kaquan|sed|printf|CARD=)[^#\n]*?(?= --name|  |$)", _way_in(), re.MULTILINE)
    assert len(commands) >= 10
    assert [command for command in commands if command not in chinese] == []
