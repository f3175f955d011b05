"""The guides, as a newcomer pastes them: every command of a page in its order."""

from pathlib import Path

from support.pasted import blocks, pasted

GUIDES = Path(__file__).resolve().parents[2] / "docs" / "guides"


def commands(page: str) -> str:
    """Everything that a guide tells to run."""
    return "\n".join(blocks((GUIDES / page).read_text("utf-8")))


def test_the_guide_to_vouchers_ends_in_a_refunded_order(tmp_path: Path) -> None:
    with pasted(commands("vouchers.md"), tmp_path) as (printed, cli):
        assert "Topped up by 50.00 yuan." in printed and "proofs hold" in printed
        refunded = cli.ok("payment", "show", "--merchant", "mall-1", "--order", "0001")
        assert (refunded["state"], refunded["discount_fen"], refunded["refunded_fen"]) == ("refunded", 1_000, 12_850)
        funds = {row["code"]: row for row in cli.ok("funder", "list")["funds"]}
        assert (funds["city"]["free_fen"], funds["city"]["used_fen"]) == (1_100_000 - 10_000 - 600, 10_000)
        assert (funds["mall"]["free_fen"], funds["mall"]["promised_fen"]) == (400_000 - 400, 400)


def test_the_guide_to_vouchers_tells_the_same_commands_in_both_languages() -> None:
    assert commands("vouchers.zh.md").replace("KAQUAN_LANG=zh", "KAQUAN_LANG=en") == commands("vouchers.md")
