"""Accounting on the command line: close, export, look; what is refused leaves no file."""

from datetime import UTC, datetime
from pathlib import Path

from support.accounting import checked
from support.cli import opened_shop

PERIOD = ("--from", "2025-05-20", "--to", "2025-05-20")
BOOK = ("--book", "jingxi")


def test_days_are_closed_exported_and_looked_at(tmp_path: Path) -> None:
    with opened_shop(tmp_path, "欧阳明月", "11010519491231002X") as shop:
        shop.card()
        out, own = tmp_path / "books", tmp_path / "titles.toml"
        refused = shop.no("accounting", "export", *PERIOD, "--out", str(out))
        assert (refused["code"], refused["facts"]["day"]) == ("accounting_day_open", "2025-05-20")
        assert not list(out.iterdir()), "a refused export leaves no file"
        shop.set_clock(datetime(2025, 5, 21, 4, tzinfo=UTC))
        assert shop.ok("accounting", "close")["closed_to"] == "2025-05-20"
        for form, count in (("csv", 4), ("beancount", 1)):
            (book,) = shop.ok("accounting", "export", *PERIOD, "--format", form, "--out", str(out))["books"]
            assert (book["book"], len(book["files"]), book["vouchers"]) == ("jingxi", count, 1)
            for name in book["files"]:
                assert Path(name).stat().st_mode & 0o777 == 0o600, "only their owner reads them"
        entries, errors = checked((out / "jingxi-2025-05-20-2025-05-20-books.beancount").read_text("utf-8"))
        assert entries and not errors
        trial = shop.ok("accounting", "trial-balance", *BOOK)
        assert trial["ties"] and trial["rows"][-1]["debit_fen"] == trial["rows"][-1]["credit_fen"] == 50_000
        (sale,) = shop.ok("accounting", "invoices", *BOOK)["invoices"]
        assert (sale["amount_fen"], sale["tax_code"], sale["rate"]) == (47_500, "6010000000000000000", "不征税")
        own.write_text('[[book]]\ncode = "jingxi"\nkind = "licensed"\n', encoding="utf-8")
        told = shop.run("accounting", "titles", *BOOK, "--lang", "en", KAQUAN_TITLES_FILE=str(own)).out
        assert "2241.01" in told and "Other payables: prepaid card money" in told and "2205" not in told
