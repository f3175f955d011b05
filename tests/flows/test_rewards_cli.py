"""Plans, referrals and packets on the command line."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from support.cli import Shop, opened_shop, program_file
from support.rewards import drip_text, off_10, packet_stock, packets_text, referral_text

SCRIPT = Path(__file__).parents[1] / "support" / "check_packets.py"
ZHANG, LI = "13912345678", "13900000001"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop whose second program gives something of everything; its stocks are open."""
    with opened_shop(tmp_path_factory.mktemp("cli"), "欧阳明月", "11010519491231002X") as shop:
        text = "".join([off_10(), packet_stock(), drip_text(), referral_text(), packets_text(person_day=1)])
        edits = (('code = "jingxika"', 'code = "gifts"'), ("[reserve]", f"{text}\n[reserve]"))
        file = program_file(tmp_path_factory.mktemp("program"), *edits)
        shop.ok("program", "open", file, "--approved-by", "second")
        party = ("--name", "专户", "--organisation", "jingxi", "--book", "jingxi", "--source", "operating")
        shop.ok("funder", "register", "city", *party)
        shop.ok("funder", "pay-in", "city", "1200", "--reference", "bank-1", "--as", "li")
        for stock in ("off-10", "packet"):
            shop.ok("stock", "open", "gifts", stock)
        person = ("--name", "李四", "--phone", "-", "--id-number", "-")
        shop.ok("holder", "register", *person, stdin=f"{LI}\n440308199001010017\n")
        yield shop


def test_an_invitation_is_accepted_a_plan_started_and_both_come_to_their_vouchers(shop: Shop) -> None:
    code = shop.ok("referral", "invite", "--phone", ZHANG)["invite_code"]
    asked = ("--program", "gifts", "--code", code, "--phone", LI)
    assert shop.ok("referral", "accept", *asked, "--dry-run")["dry_run"] is True
    accepted = shop.ok("referral", "accept", *asked, "--device", "phone-1")
    assert (accepted["state"], accepted["first_face_fen"]) == ("pending", 50_000)
    assert shop.no("referral", "accept", *asked)["code"] == "invite_used"
    sold = shop.ok("card", "sell", "--program", "gifts", "--face", "500", "--phone", LI)
    assert (sold["plan_vouchers"], sold["plan"][:4]) == (6, "pln_")
    shop.set_clock(datetime(2025, 6, 20, 4, tzinfo=UTC))
    counts = shop.ok("jobs", "run")["work"]
    assert (counts["grant_drip"], counts["pay_referral"], counts["follow_referral"]) == (1, 1, 1)
    (plan,) = shop.ok("plan", "list", sold["number"])["plans"]
    assert (plan["given"], plan["months"], plan["state"]) == (1, 6, "running")
    both = shop.ok("referral", "show", accepted["referral"])
    assert (both["state"], both["inviter_state"], both["voucher"]) == ("paid", "paid", None)
    (mine,) = shop.ok("referral", "list", "--phone", ZHANG)["referrals"]
    assert (mine["side"], mine["voucher"]) == ("inviter", both["inviter_voucher"])
    assert "wallet" not in mine, "an inviter does not learn who it is"
    undone = shop.ok("referral", "undo", accepted["referral"], "--reason", "withdrawn")
    assert undone["state"] == "clawed_back"
    assert shop.ok("referral", "show", accepted["referral"])["inviter_state"] == "clawed_back"
    cancelled = shop.ok("plan", "cancel", sold["plan"], "--reason", "closed")
    assert (cancelled["released_fen"], cancelled["months_left"]) == (5_000, 5)
    assert shop.ok("plan", "show", sold["plan"])["next_at"] is None
    assert shop.no("plan", "cancel", sold["plan"], "--reason", "closed")["code"] == "plan_state"
    assert "已取消" in shop.run("plan", "list", sold["number"]).out


def test_a_packet_is_taken_and_its_receipt_checked_by_anybody(shop: Shop, tmp_path: Path) -> None:
    pool = shop.ok("packets", "open", "--program", "gifts", "--code", "lucky")
    taken = shop.ok("packets", "take", pool["pool"], "--phone", ZHANG)
    assert shop.no("packets", "take", pool["pool"], "--phone", ZHANG)["code"] == "packets_person_day"
    shown = shop.ok("packets", "show", pool["pool"])
    assert (shown["unopened"], shown["unopened_fen"], shown["seed"]) == (19, 10_000 - taken["amount_fen"], None)
    assert shop.no("packets", "receipt", taken["packet"])["code"] == "packets_not_over"
    assert shop.no("packets", "end", pool["pool"])["code"] == "packets_not_over"
    shop.set_clock(datetime(2025, 6, 24, 4, tzinfo=UTC))
    assert shop.ok("packets", "end", pool["pool"])["unopened"] == 19
    (listed,) = shop.ok("packets", "list", "--program", "gifts")["pools"]
    assert (listed["state"], listed["unopened"]) == ("ended", 19)
    receipt = shop.ok("packets", "receipt", taken["packet"])
    assert receipt["commitment"] == pool["commitment"]
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(receipt))
    checked = subprocess.run([sys.executable, "-I", SCRIPT, path], capture_output=True, text=True, check=True)
    assert checked.stdout == "ok\n"
    assert pool["commitment"] in shop.run("packets", "receipt", taken["packet"]).out
    for proof in shop.ok("ledger", "proofs")["proofs"]:
        assert proof["ok"], proof


def test_what_is_unknown_is_said(shop: Shop) -> None:
    nobody = "0" * 26
    assert shop.no("plan", "show", f"pln_{nobody}")["code"] == "plan_unknown"
    assert shop.no("referral", "show", f"ref_{nobody}")["code"] == "referral_unknown"
    assert shop.no("packets", "show", f"pol_{nobody}")["code"] == "packets_unknown"
    assert shop.no("packets", "receipt", f"pkt_{nobody}")["code"] == "packets_unknown"
    assert shop.run("plan", "show", "nothing").code == 2


def test_every_table_and_fact_has_its_name_and_every_empty_answer_its_words(shop: Shop) -> None:
    week = ("--past", "gifts", "--from", "2025-05-01", "--to", "2025-05-07")
    told = [
        shop.run("forecast", "jingxika", *week, KAQUAN_LANG="en"),
        shop.run("referral", "list", "--phone", ZHANG, KAQUAN_LANG="en"),
        shop.run("packets", "list", "--program", "gifts", KAQUAN_LANG="en"),
        shop.run("stock", "list", KAQUAN_LANG="en"),
        shop.run("voucher", "draw", "list", KAQUAN_LANG="en"),
    ]
    assert [one.code for one in told] == [0] * len(told), told
    assert [word for one in told for word in one.out.split() if re.fullmatch(r"[a-z]+_(fen|at)", word)] == []
    empty = shop.run("settle", "preview", "gifts", "--period", "2025-01", KAQUAN_LANG="en")
    assert "Nothing is to be settled for this period." in empty.out


def test_what_was_typed_wrong_is_told_in_words(shop: Shop) -> None:
    backwards = ("--past", "gifts", "--from", "2025-05-07", "--to", "2025-05-01")
    refused = shop.run("forecast", "jingxika", *backwards, KAQUAN_LANG="en")
    assert (refused.code, refused.err.strip()) == (2, "✗ --from is after --to.")
    assert "copy all of it" in shop.run("packets", "show", "pol_1", KAQUAN_LANG="en").err
    assert shop.no("voucher", "claim", "--program", "gifts", "--stock", "off-10", "--phone", "13900000099")[
        "code"
    ] == ("phone_unknown")
