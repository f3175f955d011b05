"""Statements on the command line: made, listed, shown, written, checked by whoever holds the files."""

import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from support.cli import Shop, opened_shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with opened_shop(tmp_path_factory.mktemp("cli"), "欧阳明月", "11010519491231002X") as shop:
        yield shop


def test_statements_are_made_listed_shown_and_checked(shop: Shop, tmp_path: Path) -> None:
    card = shop.card()
    wallet = shop.ok("card", "show", card)["wallet"]
    shop.ok("pay", card, "--amount", "100", "--merchant", "mall-1", "--order", "o-1")
    shop.set_clock(datetime(2025, 7, 2, 4, tzinfo=UTC))
    early = shop.no("statements", "make", "--merchant", "mall-1", "--period", "2025-07")
    assert early["code"] == "statement_not_over"
    tried = shop.ok("statements", "make", "--merchant", "mall-1", "--period", "2025-05", "--dry-run")
    assert tried["dry_run"] and shop.ok("statements", "list")["statements"] == []
    (may,) = shop.ok("statements", "make", "--all", "merchants", "--period", "2025-05")["statements"]
    assert (may["code"], may["number"], may["closing_fen"]) == ("mall-1", 1, 10_000)
    (june,) = shop.ok("statements", "make", "--merchant", "mall-1")["statements"]
    assert (june["since"], june["until"], june["number"]) == ("2025-06-01", "2025-06-30", 2)
    assert shop.ok("statements", "make", "--merchant", "mall-1")["statements"] == [june]
    (hers,) = shop.ok("statements", "make", "--wallet", wallet)["statements"]
    assert hers["closing_fen"] == 40_000
    listed = shop.ok("statements", "list", "--merchant", "mall-1")["statements"]
    assert [one["number"] for one in listed] == [2, 1] and listed[0]["previous"] == listed[1]["hash"]
    told = shop.run("statements", "show", "--merchant", "mall-1", "--number", "1", "--lang", "zh").out
    assert "商户对账单" in told and "100.00" in told and may["hash"] in told
    assert shop.no("statements", "show", "--merchant", "mall-1", "--number", "3")["code"] == "statement_unknown"
    for number in ("1", "2"):
        shop.ok("statements", "show", "--merchant", "mall-1", "--number", number, "--out", str(tmp_path))
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"merchant-mall-1-000{n}.{form}" for n in (1, 2) for form in ("json", "zh.pdf", "zh.xlsx")}
    found = shop.ok("statements", "verify", str(tmp_path))
    assert found["first_changed"] is None and len(found["files"]) == 6
    first = tmp_path / "merchant-mall-1-0001.json"
    first.write_bytes(first.read_bytes().replace(b'"since":"2025-05-20"', b'"since":"2025-05-19"'))
    done = shop.run("statements", "verify", str(tmp_path), "--offline", "--lang", "zh")
    assert done.code == 3 and f"最先有问题的：{first.name}（内容与所记哈希不符，已被改动）" in done.out
    bundle = tmp_path / "hers.zip"
    packed = shop.ok("holder", "evidence", wallet, "--out", str(bundle))
    assert {one["name"] for one in packed["files"]} >= {"person.json", "cards.json", "events.json"}
    assert zipfile.is_zipfile(bundle) and bundle.stat().st_mode & 0o77 == 0, "for its owner only"
    (noted,) = shop.ok("audit", "list", "--operation", "export_evidence")["calls"]
    assert noted["object"] == wallet
