"""The digest in the answer to a sale is that of the contract which the command line prints."""

from hashlib import sha256
from pathlib import Path

import psycopg

from kaquan.commands.model import Kind
from kaquan.kernel.caller import OPERATOR
from kaquan.kernel.ids import Id, public
from kaquan.kernel.money import Money
from kaquan.sales.model import Sell, TopUp
from kaquan.sales.service import bought
from support.cli import Cli
from support.database import Database
from support.town import MASTER_KEY, Town, build, program_text


def sold(town: Town) -> tuple[Id, dict[str, object]]:
    command = Sell(
        key=town.key(),
        caller=OPERATOR,
        wallet=town.holder(),
        program="jingxika",
        face=Money(50_000),
        channel="sandbox",
    )
    effect = town.ok(Kind.SELL, command)
    return effect.id, effect.facts


def topped_up(town: Town, card: Id) -> dict[str, object]:
    command = TopUp(key=town.key(), caller=OPERATOR, card=card, face=Money(100_000), channel="cash")
    return town.ok(Kind.TOP_UP, command).facts


def amended(town: Town) -> None:
    text = program_text(("window_days = 7", "window_days = 14"))
    town.amend(text)


def test_a_receipt_names_its_contract_and_terms(database: Database) -> None:
    town = build(database.app_url)
    card, first = sold(town)
    town.tick(days=1)
    amended(town)
    second = topped_up(town, card)
    assert (first["terms_version"], second["terms_version"]) == (1, 2)
    sale, later = bought(town.app.connection, card)
    assert [one.contract for one in (sale, later)] == [first["contract"], second["contract"]]
    assert (sale.purchase.paid, sale.purchase.top_up, later.purchase.paid, later.purchase.top_up) == (
        47_500,
        False,
        95_000,
        True,
    )
    assert (later.purchase.at - sale.purchase.at).days == 1
    stored = town.rows("SELECT encode(answer, 'escape') FROM command WHERE kind IN (%s, %s)", Kind.SELL, Kind.TOP_UP)
    assert not any("张三" in str(row) or "13800138000" in str(row) for row in stored)


def test_the_printed_contract_is_the_one_that_was_agreed(database: Database, tmp_path: Path) -> None:
    town = build(database.app_url)
    card, receipt = sold(town)
    amended(town)
    topped_up(town, card)
    environment = {"KAQUAN_DATABASE_URL": database.app_url, "KAQUAN_MASTER_KEY": MASTER_KEY.hex()}
    cli, name = Cli(tmp_path / "home", environment), public("crd", card)
    found = cli.ok("card", "contract", name, "--purchase", "1")
    assert (found["purchase"], found["purchases"], found["terms_version"], found["unchanged"]) == (1, 2, 1, True)
    assert sha256(found["text"].encode()).hexdigest() == found["contract"] == receipt["contract"]
    latest = cli.ok("card", "contract", name)
    assert (latest["purchase"], latest["terms_version"], latest["unchanged"]) == (2, 2, True)
    assert "京喜卡充值合同" in latest["text"] and "支付后 14 天内可退款" in latest["text"]
    printed = cli.run("card", "contract", name, "--purchase", "1")
    assert printed.out == found["text"] and "一致" in printed.err
    assert cli.run("card", "contract", name, "--purchase", "3").code == 2
    assert cli.no("card", "contract", "crd_" + "0" * 26)["code"] == "card_unknown"


def test_a_sale_older_than_contracts_is_told_as_that(database: Database, tmp_path: Path) -> None:
    town = build(database.app_url)
    card, _ = sold(town)
    with psycopg.connect(database.owner_url) as owner:
        owner.execute(
            "UPDATE command SET answer = convert_to((convert_from(answer, 'UTF8')::jsonb"
            " - 'contract' - 'terms_version')::text, 'UTF8') WHERE kind = %s",
            [Kind.SELL],
        )
    environment = {"KAQUAN_DATABASE_URL": database.app_url, "KAQUAN_MASTER_KEY": MASTER_KEY.hex()}
    cli, name = Cli(tmp_path / "home", environment), public("crd", card)
    found = cli.ok("card", "contract", name)
    assert (found["contract"], found["unchanged"], found["terms_version"]) == (None, False, 1)
    assert "没有留存摘要" in cli.run("card", "contract", name).err
