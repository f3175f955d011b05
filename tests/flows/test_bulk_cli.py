"""`kaquan bulk` in child processes: a file is submitted, carried out, and what failed is corrected and sent again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kaquan.kernel.clock import system_now
from support.cli import Shop, opened_shop
from support.teller import ID_NUMBER


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened_shop(tmp_path, "张三", ID_NUMBER) as opened:
        opened.set_clock(system_now())
        yield opened


def test_a_file_is_submitted_carried_out_and_what_failed_is_sent_again(shop: Shop, tmp_path: Path) -> None:
    card, file, failed = shop.card(), tmp_path / "top-ups.csv", tmp_path / "failed.csv"
    file.write_text(f"card,face_fen\n{card},50000\n{card},12345\n{card},50000\n", encoding="utf-8")
    submit = ("bulk", "submit", str(file), "--operation", "top_up_card")
    assert shop.ok(*submit, "--dry-run")["job_rows"] == 3 and shop.ok("bulk", "list")["jobs"] == []
    sent = shop.ok(*submit, "--key", "bulk-1")
    assert (sent["state"], sent["rows"], sent["seconds_left"]) == ("waiting", 3, None)
    assert shop.ok(*submit, "--key", "bulk-1")["job"] == sent["job"]
    before = shop.balance(card)
    assert shop.ok("jobs", "bulk", "--once")["chunks"] == 1
    shown = shop.ok("bulk", "show", sent["job"])
    assert (shown["state"], shown["done"], shown["failed"], shown["percent"]) == ("done", 2, 1, 100)
    assert shop.balance(card) - before == 100_000
    assert shop.ok("bulk", "failed", sent["job"])["failed"][0]["code"] == "offer_unknown"
    assert shop.run("bulk", "failed", sent["job"], "--out", str(failed)).code == 0
    failed.write_text(failed.read_text("utf-8-sig").replace("12345", "50000"), encoding="utf-8-sig")
    again = shop.ok("bulk", "submit", str(failed), "--operation", "top_up_card", "--wait", "--key", "bulk-2")
    assert (again["state"], again["done"]) == ("done", 1) and shop.balance(card) - before == 150_000
    assert [one["state"] for one in shop.ok("bulk", "list")["jobs"]] == ["done", "done"]
    assert shop.no("bulk", "cancel", sent["job"])["code"] == "job_ended"
    people = shop.run("bulk", "show", sent["job"], "--lang", "zh")
    assert "已完成" in people.out and "kaquan bulk failed" in people.err
    assert shop.no("bulk", "show", sent["job"][:-4] + "zzzz")["code"] == "job_unknown"


def test_what_can_not_be_read_is_told_and_nothing_is_sent(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("colour\nred\n", encoding="utf-8")
    told = shop.no("bulk", "submit", str(file), "--operation", "top_up_card")
    assert told["code"] == "job_csv_invalid" and "face_fen" in told["message"]
    assert shop.run("bulk", "submit", str(file), "--operation", "pay_everybody").code == 2
    assert shop.run("bulk", "submit", str(tmp_path / "none.csv"), "--operation", "top_up_card").code == 2
    assert shop.ok("bulk", "list")["jobs"] == []
