"""Vouchers, codes and draws on the command line, as an operator uses them."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from support import check_draw
from support.cli import PHONE, Shop, opened_shop, program_file
from support.grants import stock_text

GIFTS = ("--program", "gifts")
HOLDER = ("--phone", PHONE)


@pytest.fixture(scope="module")
def gifts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop with a program whose stocks are claimed, given by code and drawn."""
    with opened_shop(tmp_path_factory.mktemp("cli"), "欧阳明月", "11010519491231002X") as shop:
        yield with_gifts(shop, tmp_path_factory.mktemp("gifts"))


def with_gifts(shop: Shop, folder: Path) -> Shop:
    """The shop, its program open and the stocks too."""
    text = stock_text("off-10", person_total=2, device_total=1)
    text += stock_text("coded", hand_out="code") + stock_text("drawn", hand_out="draw")
    edits = (('code = "jingxika"', 'code = "gifts"'), ("[reserve]", f"{text}\n[reserve]"))
    shop.ok("program", "open", program_file(folder, *edits), "--approved-by", "second")
    party = ("--name", "消费券专户", "--organisation", "jingxi", "--book", "jingxi", "--source", "operating")
    shop.ok("funder", "register", "city", *party)
    shop.ok("funder", "pay-in", "city", "10000", "--reference", "2025-1")
    for stock in ("off-10", "coded", "drawn"):
        shop.ok("stock", "open", "gifts", stock)
    return shop


def test_a_voucher_is_claimed_shown_reserved_released_and_voided(gifts: Shop) -> None:
    claim = ("voucher", "claim", *GIFTS, "--stock", "off-10", *HOLDER, "--device", "tablet 7")
    tried = gifts.ok(*claim, "--dry-run")
    assert tried["dry_run"] and "voucher" not in tried
    assert gifts.ok("voucher", "list", *HOLDER)["vouchers"] == []
    done = gifts.ok(*claim, "--key", "first")
    again = gifts.ok(*claim, "--key", "first")
    assert again["replayed"] and again["voucher"] == done["voucher"]
    full = gifts.no(*claim)
    assert (full["code"], full["facts"]) == ("claim_device_limit", {"limit": 1})
    assert gifts.no(*claim[:-2])["code"] == "claim_device_missing"
    voucher = done["voucher"]
    (listed,) = gifts.ok("voucher", "list", *HOLDER)["vouchers"]
    assert (listed["voucher"], listed["stock"], listed["state"], listed["face_fen"]) == (
        voucher,
        "off-10",
        "issued",
        1_000,
    )
    order = ("--merchant", "mall-1", "--order", "o-1")
    held = gifts.ok("voucher", "reserve", voucher, *order, "--minutes", "60")
    assert held["held_until_at"] == gifts.ok("voucher", "show", voucher)["held_until_at"]
    assert gifts.no("voucher", "void", voucher, "--reason", "lost")["code"] == "voucher_held"
    assert gifts.ok("voucher", "release", voucher, *order)["state"] == "issued"
    assert gifts.run("voucher", "void", voucher, "--reason", " ").code == 2
    voided = gifts.ok("voucher", "void", voucher, "--reason", "claimed by mistake")
    assert (voided["state"], voided["released_fen"], voided["reason"]) == ("voided", 1_000, "claimed by mistake")
    assert gifts.ok("voucher", "list", *HOLDER)["vouchers"] == []
    assert gifts.ok("voucher", "list", *HOLDER, "--all")["vouchers"][0]["state"] == "voided"
    shown = gifts.run("voucher", "show", voucher)
    assert "已撤销" in shown.out and "10.00" in shown.out


def test_an_operator_gives_a_voucher_for_a_reason(gifts: Shop) -> None:
    give = ("voucher", "issue", *GIFTS, "--stock", "off-10", *HOLDER, "--reason", "complaint 7", "--key", "gift")
    assert gifts.ok(*give)["reason"] == "complaint 7"
    assert gifts.ok(*give)["replayed"]
    assert gifts.no(*give[:-1], "more")["code"] == "claim_person_limit", "what was claimed and voided counts"
    assert gifts.no("voucher", "issue", *GIFTS, "--stock", "coded", *HOLDER, "--reason", "r")["code"] == (
        "stock_not_issued"
    )


def test_codes_are_made_once_imported_used_and_stopped(gifts: Shop, tmp_path: Path) -> None:
    out = tmp_path / "codes.csv"
    make = ("voucher", "codes", "make", *GIFTS, "--stock", "coded", "--count", "3", "--prefix", "mall", "--out")
    assert gifts.run(*make, str(out)).code == 2, "L is a letter that codes do not have"
    make = tuple("may" if word == "mall" else word for word in make)
    assert gifts.ok(*make, str(out), "--dry-run")["added"] == 3 and not out.exists()
    made = gifts.ok(*make, str(out))
    assert (made["added"], made["known"], made["count"]) == (3, 0, 3)
    assert out.stat().st_mode & 0o777 == 0o600
    assert gifts.run(*make, str(out)).code == 2, "a file of codes is never written over"
    with out.open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["code", "printed"] and all(code.startswith("MAY") for code, _ in rows[1:])
    bring = ("voucher", "codes", "import", str(out), *GIFTS, "--stock", "coded")
    assert [gifts.ok(*bring)[name] for name in ("added", "known")] == [0, 3]
    used = gifts.ok("voucher", "claim-code", rows[1][1].lower(), *HOLDER)
    assert used["stock"] == "coded"
    assert gifts.no("voucher", "claim-code", rows[1][0], *HOLDER)["code"] == "code_not_valid"
    assert gifts.ok("voucher", "codes", "show", made["batch"])["used"] == 1
    assert gifts.ok("voucher", "codes", "stop", made["batch"])["state"] == "stopped"
    assert gifts.no("voucher", "codes", "stop", made["batch"])["code"] == "code_batch_stopped"
    assert gifts.no("voucher", "claim-code", rows[2][0], *HOLDER)["code"] == "code_not_valid"
    unknown = gifts.run("voucher", "claim-code", *HOLDER, stdin="MAYB-EMIS-TYPE-D222\n")
    assert unknown.code == 1 and "校验位" in unknown.err
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("code\nABCDEFGH\n短\n", "utf-8")
    assert "第 3 行" in gifts.run("voucher", "codes", "import", str(wrong), *GIFTS, "--stock", "coded").err
    assert (
        gifts.no("voucher", "codes", "show", made["batch"].replace("cbt_0", "cbt_1"))["code"] == "code_batch_unknown"
    )


def test_a_draw_is_opened_entered_closed_and_checked_by_anybody(gifts: Shop, tmp_path: Path) -> None:
    gifts.ok(
        "holder", "register", "--name", "王五", "--phone", "13800000005", "--id-number", "-", stdin="E12345678\n"
    )
    opening = ("voucher", "draw", "open", *GIFTS, "--stock", "drawn", "--seats", "1", "--until")
    assert gifts.run(*opening, "tomorrow").code == 2
    draw = gifts.ok(*opening, "2025-05-21 12:00")
    enter = ("voucher", "draw", "enter", draw["draw"], "--phone")
    first = gifts.ok(*enter, PHONE)
    assert gifts.no(*enter, PHONE)["code"] == "draw_entered"
    gifts.ok(*enter, "13800000005")
    close = ("voucher", "draw", "close", draw["draw"])
    assert gifts.no(*close)["code"] == "draw_running"
    gifts.set_clock(datetime(2025, 5, 21, 4, 1, tzinfo=UTC))
    listed = gifts.ok(*close, "--list-only")
    assert (listed["state"], listed["entries"]) == ("listed", 2) and "seed" not in listed
    names = tmp_path / "list.txt"
    closed = gifts.ok(*close, "--list", str(names))
    assert (closed["state"], closed["awarded"], closed["refused"]) == ("revealed", 1, 0)
    assert closed["list_digest"] == listed["list_digest"] and closed["commitment"] == draw["commitment"]
    assert gifts.ok(*close)["awarded"] == 1, "closing again gives nobody anything"
    receipt = gifts.ok("voucher", "draw", "receipt", draw["draw"], "--entry", first["entry"])
    other = gifts.ok("voucher", "draw", "receipt", draw["draw"], "--phone", "13800000005")
    unknown = gifts.no("voucher", "draw", "receipt", draw["draw"], "--entry", f"ent_{'0' * 26}")
    assert unknown["code"] == "entry_unknown"
    places = [check_draw.check(one, names.read_text("utf-8").split()) for one in (receipt, other)]
    assert sorted(places) == [1, 2] and receipt["won"] != other["won"]
    (shown,) = gifts.ok("voucher", "draw", "list")["draws"]
    assert (shown["stock"], shown["state"], shown["seats"], shown["entries"]) == ("drawn", "revealed", 1, 2)
    winner = PHONE if receipt["won"] else "13800000005"
    assert "drawn" in {one["stock"] for one in gifts.ok("voucher", "list", "--phone", winner)["vouchers"]}
