"""The command line as an operator meets it: child processes on a home of their own."""

import csv
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
import typer
import typer.main

from kaquan.cli.app import app
from kaquan.cli.endings import guarded
from kaquan.cli.options import amount
from kaquan.cli.printing import Screen
from kaquan.cli.reference import page
from kaquan.commands.execute import Unavailable
from kaquan.programs import preset_files
from kaquan.settings import Settings
from support.cli import PHONE, Cli, Shop, opened_shop, program_file

ROOT = Path(__file__).resolve().parents[2]
NAME, ID_NUMBER = "欧阳明月", "11010519491231002X"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with opened_shop(tmp_path_factory.mktemp("cli"), NAME, ID_NUMBER) as shop:
        yield shop


def test_init_says_what_it_made_and_can_be_repeated(shop: Shop) -> None:
    assert str(shop.home) in shop.first.out
    assert "kaquan program open" in shop.first.out
    again = shop.ok("init")
    assert (again["created"], again["migrations"]) == (False, [])


def test_every_help_text_is_in_both_languages() -> None:
    def texts(command: Any, path: str) -> Iterator[tuple[str, str]]:
        yield path, command.help or ""
        for parameter in command.params:
            if parameter.name != "help":
                yield f"{path} {parameter.name}", parameter.help or ""
        for name, member in getattr(command, "commands", {}).items():
            yield from texts(member, f"{path} {name}")

    assert [path for path, text in texts(typer.main.get_command(app), "kaquan") if " / " not in text] == []


def test_the_reference_page_is_current() -> None:
    written = (ROOT / "docs" / "reference" / "cli.md").read_text("utf-8")
    assert written == page(), "run .venv/bin/python docs/generate.py"


@pytest.mark.parametrize(
    ("typed", "fen"), [("100", 10_000), ("12.3", 1_230), ("1,000.05", 100_005), (" 0.01 ", 1), ("+5", 500)]
)
def test_amounts_are_read_as_people_write_them(typed: str, fen: int) -> None:
    assert amount(typed) == fen


@pytest.mark.parametrize("typed", ["", "abc", "12,30", "1,00", "1.234", "1e3", "1_000", "0", "-5", "NaN", "¥5"])
def test_what_is_no_amount_is_not_guessed(typed: str) -> None:
    with pytest.raises(typer.BadParameter):
        amount(typed)


def test_without_an_installation_nothing_is_made(tmp_path: Path) -> None:
    cli = Cli(tmp_path / "nowhere")
    done = cli.run("card", "show", "8800000000000000", "--lang", "en")
    assert done.code == 3
    assert "kaquan init" in done.err and "KAQUAN_HOME" in done.err
    assert not cli.home.exists()
    assert cli.run("program", "explain", "jingxika").code == 0
    assert cli.run("db", "status").code == 0
    assert not cli.home.exists()


def test_a_database_that_does_not_answer_says_what_to_do(tmp_path: Path) -> None:
    cli = Cli(tmp_path / "home", {"KAQUAN_DATABASE_URL": "postgresql://kaquan_app@127.0.0.1:1/kaquan"})
    done = cli.run("card", "show", "8800000000000000", "--json")
    assert done.code == 3
    assert done.facts["outcome"] == "unavailable"
    assert "KAQUAN_DATABASE_URL" in done.facts["remedy"]


def test_wrong_settings_are_named(tmp_path: Path) -> None:
    done = Cli(tmp_path / "home").run("init", KAQUAN_SHARED_BUFFERS_MB="many")
    assert done.code == 2
    assert "KAQUAN_SHARED_BUFFERS_MB" in done.err


def test_taken_codes_and_unknown_groups_are_refused(shop: Shop) -> None:
    assert shop.no("organisation", "register", "jingxi", "--name", "x")["code"] == "code_taken"
    bank = ("--bank", "工商银行", "--account-no", "6222020200112230")
    unknown = shop.no("merchant", "register", "mall-2", "--name", "x", "--group", "nobody", *bank)
    assert unknown["code"] == "organisation_unknown"
    listed = shop.ok("merchant", "list")["merchants"]
    assert [(one["code"], one["stores"]) for one in listed] == [("mall-1", 1)]


def test_validate_names_every_problem(shop: Shop, tmp_path: Path) -> None:
    wrong = program_file(
        tmp_path, ("balance_max_fen = 500_000", "balance_max_fen = 900_000"), ("_days = 90 ", "_days = 3 ")
    )
    found = shop.no("program", "validate", wrong)
    codes = {one["code"] for one in found["refusals"]}
    assert codes == {"program_registered_balance_above_law", "program_reserve_released_early"}
    said = shop.run("program", "validate", wrong, "--lang", "en")
    assert "art. 18" in said.err and said.out == ""
    assert shop.run("program", "validate", str(tmp_path / "none.toml")).code == 2


def test_amend_shows_what_differs_and_waits_for_a_yes(shop: Shop, tmp_path: Path) -> None:
    shorter = program_file(tmp_path, ("window_days = 7 ", "window_days = 6 "))
    asked = shop.run("program", "amend", shorter)
    assert asked.code == 2
    assert re.search(r"refund\.window_days .* 7天 +6天 +收紧", asked.out), asked.out
    assert shop.ok("program", "list")["programs"][0]["version"] == 1
    done = shop.ok("program", "amend", shorter, "--yes")
    assert (done["version"], done["changes"][0]["after"]) == (2, 6)
    assert shop.no("program", "amend", shorter, "--yes")["code"] == "program_terms_unchanged"
    assert "within 6 days" in shop.run("program", "explain", "jingxika", "--lang", "en").out


def test_a_holder_is_found_and_never_shown_in_full(shop: Shop) -> None:
    found = shop.run("holder", "find", "--phone", PHONE)
    assert found.code == 0
    assert "139****5678" in found.out and "欧*" in found.out
    assert not any(secret in found.out + found.err for secret in (NAME, PHONE, ID_NUMBER))
    taken = shop.run("holder", "register", "--name", NAME, "--phone", "-", stdin=PHONE)
    assert taken.code == 1 and "holder_exists" in taken.err and PHONE not in taken.err
    assert shop.no("holder", "find", "--phone", "13900000000")["code"] == "phone_unknown"
    assert shop.run("holder", "register").code == 2


def test_a_payment_is_made_once_however_often_it_is_sent(shop: Shop) -> None:
    card = shop.card()
    pay = (
        "pay",
        card,
        "--merchant",
        "mall-1",
        "--store",
        "mall-1-east",
        "--order",
        f"o-{card}",
        "--key",
        f"k-{card}",
    )
    tried = shop.ok(*pay, "--amount", "100", "--dry-run")
    assert tried["dry_run"] and tried["amount_fen"] == 10_000 and "payment" not in tried
    quoted = shop.ok("quote", pay[1], "--merchant", "mall-1", "--amount", "100")
    assert quoted["dry_run"] and quoted["principal_fen"] == tried["principal_fen"]
    assert shop.balance(card) == 50_000
    first = shop.run(*pay, "--amount", "100")
    again = shop.run(*pay, "--amount", "100")
    assert (first.code, again.code) == (0, 0)
    assert first.out == again.out
    assert "此前已执行" in again.err and "此前已执行" not in first.err
    assert shop.no(*pay, "--amount", "101")["code"] == "key_reused"
    assert shop.balance(card) == 40_000
    shown = shop.ok("payment", "show", "--merchant", "mall-1", "--order", f"o-{card}")
    assert (shown["state"], shown["captured_fen"]) == ("captured", 10_000)
    assert shop.ok("payment", "show", shown["payment"]) == shown


def test_a_fresh_key_is_printed_so_that_a_retry_is_possible(shop: Shop) -> None:
    done = shop.run("pay", shop.card(), "--merchant", "mall-1", "--amount", "1", "--lang", "en")
    key = done.err.split()[-1]
    assert done.code == 0 and key[14] == "7" and len(key) == 36


def test_refusals_say_why_and_what_to_do_in_both_languages(shop: Shop) -> None:
    card = shop.card()
    shop.ok("card", "freeze", card, "--reason", "盗用")
    pay = ("pay", card, "--merchant", "mall-1", "--amount", "10")
    zh, en = shop.run(*pay, "--lang", "zh"), shop.run(*pay, "--lang", "en")
    assert (zh.code, en.code, zh.out, en.out) == (1, 1, "", "")
    assert "这张卡已冻结" in zh.err and "解冻" in zh.err and "card_frozen" in zh.err
    assert "This card is frozen" in en.err and "unfreeze" in en.err
    shop.ok("card", "unfreeze", card, "--reason", "核实无误")
    assert shop.balance(card) == 50_000
    short = shop.no("pay", card, "--merchant", "mall-1", "--amount", "500.01")
    assert (short["code"], short["facts"]) == ("balance_insufficient", {"available_fen": 50_000, "missing_fen": 1})
    assert shop.no("pay", "8800000000000000", "--merchant", "mall-1", "--amount", "1")["code"] == "card_unknown"
    assert shop.no("pay", card, "--merchant", "mall-9", "--amount", "1")["code"] == "merchant_unknown"
    wrong = shop.run("pay", card, "--merchant", "mall-1", "--amount", "12,30")
    assert wrong.code == 2 and "12,30" in wrong.err
    assert shop.balance(card) == 50_000


def test_a_holder_is_identified_afterwards(shop: Shop) -> None:
    wallet = shop.ok("holder", "register", "--name", NAME, "--phone", "-", stdin="13700001111")["wallet"]
    sell = ("card", "sell", "--program", "jingxika", "--face", "500", "--wallet", wallet)
    assert shop.no(*sell)["code"] == "law_registered_identity_missing"
    identify = ("holder", "identify", "--id-number", "-")
    assert shop.run(*identify, "--phone", "-", stdin="13700001111\n110105194912310021\n").code == 1
    done = shop.run(*identify, "--phone", "-", stdin=f"13700001111\n{ID_NUMBER}\n")
    assert done.code == 0 and not any(secret in done.out + done.err for secret in (NAME, ID_NUMBER, "13700001111"))
    assert "holder_identified" in shop.run(*identify, "--wallet", wallet, stdin=ID_NUMBER).err
    assert shop.run("holder", "identify").code == 2
    assert shop.balance(shop.ok(*sell)["card"]) == 50_000


def test_the_law_is_cited_when_it_said_no(shop: Shop) -> None:
    sell = ("card", "sell", "--program", "jingxika", "--face", "500")
    wallet = shop.ok("holder", "register", "--anonymous")["wallet"]
    refused = shop.no(*sell, "--wallet", wallet)
    assert refused["code"] == "law_registered_identity_missing" and refused["article"]
    assert "依据" in shop.run(*sell, "--wallet", wallet).err
    assert shop.run(*sell).code == 2
    assert shop.no(*sell[:-1], "600", "--phone", PHONE)["code"] == "offer_unknown"


def test_authorize_capture_void_refund_and_reverse(shop: Shop) -> None:
    card = shop.card()
    hold = ("authorize", card, "--merchant", "mall-1", "--amount", "50")
    held, two = shop.ok(*hold), shop.ok(*hold)["payment"]
    one = held["payment"]
    assert held["expires_at"] == shop.ok("payment", "show", one)["expires_at"]
    assert shop.balance(card) == 40_000
    shop.ok("void", two)
    assert shop.no("capture", one, "--amount", "60")["code"] == "capture_exceeds_hold"
    assert shop.ok("capture", one, "--amount", "20")["released_fen"] == 3_000
    assert shop.balance(card) == 48_000
    assert shop.run("refund", one, "--late").code == 2
    assert shop.ok("refund", one, "--reason", "退货", "--dry-run")["amount_fen"] == 2_000
    assert shop.ok("refund", one, "--reason", "退货")["amount_fen"] == 2_000
    order = ("--merchant", "mall-1", "--order", f"r-{card}")
    shop.ok("pay", card, *order, "--amount", "30")
    assert shop.ok("reverse", *order, "--dry-run")["state"] == "refunded"
    assert shop.balance(card) == 47_000
    shop.ok("reverse", *order)
    assert shop.balance(card) == 50_000
    assert shop.no("pay", card, *order, "--amount", "30")["code"] == "order_reversed"
    assert shop.ok("reverse", "--merchant", "mall-1", "--order", f"n-{card}")["state"] == "nothing_taken"


def test_a_program_is_shown_as_a_file_to_edit(shop: Shop, tmp_path: Path) -> None:
    preset = Cli(tmp_path / "nowhere").run("program", "show", "jingxika")
    assert (preset.code, preset.out) == (0, preset_files.text("jingxika"))
    shown = shop.run("program", "show", "jingxika")
    assert shown.code == 0 and "activation_days = 0\n" in shown.out
    assert shop.ok("program", "show", "jingxika")["text"] == shown.out
    saved = tmp_path / "shown.toml"
    saved.write_text(shown.out, "utf-8")
    assert shop.no("program", "amend", str(saved), "--yes")["code"] == "program_terms_unchanged"
    assert shop.no("program", "show", "nothing")["code"] == "program_unknown"


def test_form_is_judged_before_limits_and_that_is_said(tmp_path: Path) -> None:
    cli = Cli(tmp_path / "nowhere")
    too_long = ("cooling_off_days = 7", "cooling_off_days = 700")
    formless = program_file(tmp_path, too_long, ("hold_minutes = 30", "hold_minutes = 30\nnothing = 1"))
    first = cli.run("program", "validate", formless, "--lang", "en")
    assert first.code == 1 and "program_term_unknown" in first.err and "problems of form" in first.err
    assert "program_term_out_of_range" not in first.err
    assert cli.no("program", "validate", formless)["form_only"] is True
    then = cli.run("program", "validate", program_file(tmp_path, too_long), "--lang", "en")
    assert then.code == 1 and "program_term_out_of_range" in then.err and "problems of form" not in then.err


def test_what_is_unknown_is_named(shop: Shop) -> None:
    card = shop.card()
    sold = len(shop.ok("holder", "find", "--phone", PHONE)["cards"])
    sale = ("card", "sell", "--program", "jingxika", "--face", "500", "--phone", "13900000000")
    assert shop.no(*sale)["code"] == "phone_unknown"
    told = shop.run(*sale, "--lang", "en").err
    assert "No holder is registered with this phone number" in told and "holder register" in told
    paying = ("pay", card, "--amount", "1", "--merchant")
    assert shop.no(*paying, "mall-9", "--store", "mall-1-east")["code"] == "merchant_unknown"
    assert shop.no(*paying, "mall-1", "--store", "mall-1-west")["code"] == "store_unknown"
    assert shop.balance(card) == 50_000
    assert len(shop.ok("holder", "find", "--phone", PHONE)["cards"]) == sold


def test_a_lost_card_gets_a_new_number_and_keeps_its_value(shop: Shop) -> None:
    card = shop.card()
    shop.ok("card", "report-lost", card)
    assert shop.no("card", "top-up", card, "--face", "500")["code"] == "card_lost"
    number = shop.ok("card", "replace", card)["number"]
    assert number != card
    assert shop.no("pay", card, "--merchant", "mall-1", "--amount", "20")["code"] == "card_number_replaced"
    assert shop.ok("card", "top-up", number, "--face", "500")["face_fen"] == 50_000
    assert shop.balance(number) == 100_000


def test_a_run_settles_what_the_preview_showed_and_only_once(shop: Shop, tmp_path: Path) -> None:
    shop.set_clock(datetime(2025, 7, 15, 4, tzinfo=UTC))
    shop.ok("pay", shop.card(), "--merchant", "mall-1", "--amount", "200")
    assert shop.no("settle", "run", "jingxika", "--period", "2025-07")["refused"][0]["code"] == "period_not_over"
    shop.set_clock(datetime(2025, 8, 10, 4, tzinfo=UTC))
    seen = shop.ok("settle", "preview", "jingxika")
    assert (seen["period_end"], seen["pay_on"]) == ("2025-07-31", "2025-08-11")  # run on a Sunday after the pay day
    assert seen["totals"]["gross_fen"] >= 20_000
    assert shop.ok("settle", "run", "jingxika", "--dry-run")["totals"] == seen["totals"]
    assert shop.run("settle", "run", "jingxika", "--payouts", str(tmp_path / "none" / "payouts.csv")).code == 2
    assert shop.ok("settle", "preview", "jingxika")["settled"] == 0
    file = tmp_path / "payouts.csv"
    done = shop.ok("settle", "run", "jingxika", "--cut", seen["cut"], "--payouts", str(file))
    one = done["settled"][0]
    assert {name: one[name] for name in seen["totals"]} == seen["totals"]
    rows = list(csv.reader(file.open(encoding="utf-8", newline="")))
    assert rows[1][4] == "****2230" and file.stat().st_mode & 0o077 == 0
    again = shop.ok("settle", "run", "jingxika", "--period", "2025-07")
    assert (again["settled"], again["settled_before"], again["payouts"]["count"]) == ([], 1, len(rows) - 2)
    assert shop.run("settle", "run", "jingxika", "--cut", "nonsense").code == 2
    assert shop.run("jobs", "run").code == 0
    assert shop.run("jobs", "run").out == "没有到期事项。\n"


def test_the_ledger_is_shown_exported_and_proved(shop: Shop) -> None:
    payment = shop.ok("pay", shop.card(), "--merchant", "mall-1", "--amount", "10")["payment"]
    moved = shop.ok("ledger", "journal", payment)["postings"]
    assert [(one["debit"], one["credit"], one["amount_fen"]) for one in moved] == [
        ("card.principal", "merchant.payable", 1_000)
    ]
    assert shop.run("ledger", "export", "--out", "none/books.jsonl").code == 2
    exported = [json.loads(line) for line in shop.run("ledger", "export").out.splitlines()]
    assert (
        exported[-1]["type"] == "end"
        and exported[-1]["postings"] == len(exported) - 1 - exported[-1]["holds"] - exported[-1]["payouts"]
    )
    balances = shop.ok("ledger", "balances")["balances"]
    assert sum(one["debits_fen"] - one["credits_fen"] for one in balances) == 0
    owners = shop.ok("ledger", "balances", "--account", "merchant.payable")["owners"]
    assert {one["owner"] for one in owners} == {"mall-1"}
    assert shop.run("ledger", "balances", "--account", "nothing").code == 2
    proved = shop.run("ledger", "proofs", "--lang", "en")
    assert proved.code == 0 and "proofs hold" in proved.out and "books 1, debits " in proved.out
    chinese = shop.run("ledger", "proofs", "--lang", "zh").out
    assert "账簿数 1，借方发生 " in chinese and not re.search(r"[a-z]", chinese)


def test_the_server_is_not_stopped_under_anybody(shop: Shop) -> None:
    status = shop.ok("db", "status")
    assert status["server"]["running"] and {one["state"] for one in status["migrations"]} == {"applied"}
    assert shop.run("db", "stop").code == 1
    assert shop.ok("db", "migrate")["applied"] == []


@pytest.mark.parametrize(("problem", "outcome"), [(Unavailable("gone"), "unavailable"), (KeyError(PHONE), "fault")])
def test_what_was_sent_and_not_answered_tells_its_key(
    problem: Exception, outcome: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(home=tmp_path)
    with pytest.raises(typer.Exit) as ended, guarded(Screen("en", True), settings, lambda: "the-key"):
        raise problem
    structlog.reset_defaults()
    told = json.loads(capsys.readouterr().out)
    assert ended.value.exit_code == 3
    assert told["outcome"] == outcome and "--key the-key" in told["remedy"]
    logged = (tmp_path / "log" / "kaquan.log").read_text("utf-8")
    assert type(problem).__name__ in logged and PHONE not in logged
