"""Funders and stocks on the command line: register, pay in, open, look, stop, give back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kaquan.kernel.money import Money, text
from support.cli import Shop, opened_shop, program_file
from support.grants import stock_text


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with opened_shop(tmp_path_factory.mktemp("cli"), "欧阳明月", "11010519491231002X") as shop:
        yield shop


@pytest.fixture(scope="module")
def program(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A second program that gives vouchers, opened; and the fund that pays for most of them."""
    stock = stock_text("off-10", ("city", 6_000), ("merchant", 4_000))
    edits = (('code = "jingxika"', 'code = "gifts"'), ("[reserve]", f"{stock}\n[reserve]"))
    file = program_file(tmp_path_factory.mktemp("program"), *edits)
    before = shop.ok("program", "liability", file)
    assert before["funders"][0] == {"fund": "city", "worst_fen": 60_000, "to_come_fen": 60_000, "covered": False}
    shop.ok("program", "open", file, "--approved-by", "second")
    shop.ok("organisation", "register", "bureau", "--name", "商务局")
    party = ("--name", "消费券专户", "--organisation", "bureau", "--book", "jingxi", "--source", "fiscal")
    shop.ok("funder", "register", "city", *party)
    return file


def bounded(shop: Shop) -> str:
    """What all stocks of the program may cost at worst, in yuan: `off-10`, and those of the preset."""
    items = shop.ok("program", "liability", "gifts")["items"]
    worst = [one["worst_fen"] for one in items if one["cause"] == "stock"]
    assert 100_000 in worst
    return text(Money(sum(worst)))


def it_is_opened_against_money_and_its_books_are_shown(shop: Shop) -> None:
    refused = shop.no("stock", "open", "gifts", "off-10")
    assert (refused["code"], refused["facts"]["wanted_fen"]) == ("stock_not_covered", 60_000)
    paid = shop.ok("funder", "pay-in", "city", "700", "--reference", "2025-31", "--as", "li")
    assert (paid["free_fen"], paid["mode"]) == (70_000, "prepaid")
    opened = shop.ok("stock", "open", "gifts", "off-10")
    assert (opened["supplied"], opened["budget_fen"]) == (100, 100_000)
    (stock,) = shop.ok("stock", "list", "--program", "gifts")["stocks"]
    assert (stock["state"], stock["handed_out"], stock["remaining"]) == ("running", 0, 100)
    (fund,) = shop.ok("funder", "list")["funds"]
    assert (fund["organisation"], fund["source"], fund["free_fen"]) == ("bureau", "fiscal", 70_000)
    assert shop.ok("funder", "show", "city")["stocks"] == ["gifts/off-10"]
    assert shop.ok("funder", "discounts", "--from", "2025-05-01", "--to", "2025-05-31")["discounts"] == []
    covered = shop.ok("program", "liability", "gifts")["funders"][0]
    assert (covered["covered"], covered["to_come_fen"]) == (True, 60_000)
    told = shop.run("program", "liability", "gifts", "--lang", "en").out
    assert "The issuer" not in told and "without a limit: at most 5.27% of what is paid, 50.00 yuan each" in told
    assert f"All that is bounded costs at most {bounded(shop)} yuan." in told


def nothing_moves_in_a_dry_run(shop: Shop) -> None:
    before = shop.ok("funder", "show", "city")
    shop.ok("funder", "pay-in", "city", "1", "--reference", "r", "--dry-run")
    shop.ok("stock", "stop", "gifts", "off-10", "--reason", "x", "--dry-run")
    assert shop.ok("funder", "show", "city") == before


def what_it_kept_goes_back_once_it_is_stopped(shop: Shop) -> None:
    assert shop.no("funder", "pay-out", "city", "101", "--reference", "b")["facts"]["kept_fen"] == 60_000
    shop.ok("stock", "pause", "gifts", "off-10", "--reason", "checked", "--as", "li")
    shop.ok("stock", "resume", "gifts", "off-10", "--reason", "fine")
    assert shop.no("stock", "raise", "gifts", "off-10")["code"] == "stock_not_higher"
    shop.ok("stock", "stop", "gifts", "off-10", "--reason", "over")
    steps = shop.ok("stock", "show", "gifts", "off-10")["history"]
    assert [(one["step"], one["person"]) for one in steps][1] == ("pause", "li")
    assert [one["reason"] for one in steps] == ["", "checked", "fine", "over"]
    assert shop.ok("funder", "pay-out", "city", "700", "--reference", "back")["free_fen"] == 0
    assert shop.ok("program", "liability", "gifts")["funders"][0]["to_come_fen"] == 0


def test_a_stock_from_its_first_day_to_its_last(shop: Shop, program: str) -> None:
    it_is_opened_against_money_and_its_books_are_shown(shop)
    nothing_moves_in_a_dry_run(shop)
    what_it_kept_goes_back_once_it_is_stopped(shop)
    words_are_in_the_language_that_was_asked_for(shop)


def test_what_is_unknown_is_named(shop: Shop, program: str) -> None:
    assert shop.no("funder", "show", "nobody")["code"] == "fund_unknown"
    assert shop.no("stock", "show", "gifts", "nothing")["code"] == "stock_unknown"
    assert shop.no("program", "liability", "nothing")["code"] == "program_unknown"
    assert shop.run("funder", "discounts", "--from", "May").code == 2


def words_are_in_the_language_that_was_asked_for(shop: Shop) -> None:
    for words, told in [
        (("funder", "list"), "消费券专户"),
        (("stock", "show", "gifts", "off-10"), "已停用"),
        (("program", "liability", "gifts"), f"合计最多 {bounded(shop)} 元。"),
        (("program", "explain", "gifts"), "优惠由city承担 60%，商户承担 40%。"),
    ]:
        assert told in shop.run(*words, "--lang", "zh").out


def test_liability_needs_no_installation(tmp_path: Path) -> None:
    from support.cli import Cli

    stock = stock_text("off-10", ("city", 10_000))
    file = program_file(tmp_path, ("[reserve]", f"{stock}\n[reserve]"))
    cli = Cli(tmp_path / "nowhere")
    told = cli.run("program", "liability", file, "--json").facts["funders"]
    assert {"fund": "city", "worst_fen": 100_000} in told
    assert "没有上限" in cli.run("program", "liability", "jingxika", "--lang", "zh").out
